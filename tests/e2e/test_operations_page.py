"""docs/OPERATIONS.md: its examples work as printed, and what it names is there."""

import re
import shutil
import subprocess

import pytest

from conftest import REPOSITORY
from examples import Example, check_session, sessions
from metrics import samples
from server import Server, wait_until

PAGE = "docs/OPERATIONS.md"
TEXT = (REPOSITORY / PAGE).read_text(encoding="utf-8")
RULES = REPOSITORY / "deploy/prometheus/kairos.rules.yml"


@pytest.mark.parametrize("session", sessions(PAGE))
def test_session(session: list[Example], tmp_path) -> None:
    check_session(session, tmp_path)


def test_metrics_that_are_named_exist(tmp_path) -> None:
    with Server(tmp_path).ready() as server:
        found = {re.sub("_(bucket|sum|count)$", "", name) for name, _ in samples(server)}
    exported = {name for name in found if name.startswith("kairos_")}
    assert exported == set(re.findall(r"\b(kairos_[a-z_]+[a-z])\b", table("| metric |")))
    used = set(re.findall(r"\b(kairos_[a-z_]+?)(?:_bucket)?\b", RULES.read_text(encoding="utf-8")))
    assert used and used <= exported


def table(head) -> str:
    """The table that begins with HEAD."""
    return TEXT[TEXT.index(head) :].partition("\n\n")[0]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (package prometheus) is not here")
def test_alert_rules() -> None:
    subprocess.run(["promtool", "check", "rules", RULES], check=True, capture_output=True)
    alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8")))
    assert alerts == set(re.findall(r"`(Kairos\w+)`", TEXT))


def test_events_of_the_log_exist() -> None:
    """Those that the table names are written somewhere."""
    events = set(re.findall(r"`([a-z_]+)`", table("| event |"))) - {"port"}
    assert len(events) > 15
    source = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "src").rglob("*.c"))
    assert not {event for event in events if not re.search(rf'"{event}\b', source)}


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not here")
def test_behind_nginx(tmp_path) -> None:
    """The block for nginx, with other ports and whatever nginx wants to write in a folder of its own."""
    (block,) = re.findall(r"^```nginx\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    places = "".join(
        f"{name}_temp_path {tmp_path}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    with Server(tmp_path).ready() as server:
        block = block.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        block = block.replace("listen 80;", f"listen unix:{tmp_path}/nginx.sock;")
        path = tmp_path / "nginx.conf"
        path.write_text(
            f"daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{places}\n{block}}}\n"
        )
        with subprocess.Popen(["nginx", "-p", tmp_path, "-e", tmp_path / "error.log", "-c", path]) as nginx:
            try:
                curl = ["curl", "-sS", "--unix-socket", tmp_path / "nginx.sock", "http://kairos/ping/push"]
                wait_until(lambda: (tmp_path / "nginx.sock").exists(), "nginx listens")
                result = subprocess.run(curl, capture_output=True, text=True, check=True)
                assert result.stdout == "Created"
                stream = [*curl[:-1], "-N", "--max-time", "1", "http://kairos/api/v1/stream"]
                result = subprocess.run(stream, capture_output=True, text=True, check=False)
                assert result.returncode == 28, result.stderr  # it is open until curl has had enough
            finally:
                nginx.terminate()
