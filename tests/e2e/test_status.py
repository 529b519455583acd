"""`kairos status`: what a server knows, as a table."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from datetime import datetime, timedelta, timezone

import pytest

from conftest import ENVIRONMENT
from server import PATIENCE, Server
from stub import HANG_UP, Stub, nobody


@pytest.fixture
def stub():
    with Stub() as stub:
        yield stub


def moment(seconds):
    """Seconds from now."""
    time = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return time.isoformat().replace("+00:00", "Z")


def view(service, status="up", **more):
    return {
        "service": service, "status": status, "declared": False, "interval": 60, "allowed_misses": 3,
        "tolerance": 0, "max_runtime": None, "last_seen": moment(-90.5), "next_deadline": moment(90.5),
        "running_since": None, "missed_count": 0, "incident": None, **more,
    }  # fmt: skip


def page(*services, cursor=None):
    return 200, {"services": list(services), "next_cursor": cursor}


def status(kairos, url, *options, **environment):
    return kairos.run("status", *options, env={**ENVIRONMENT, "KAIROS_URL": url, **environment})


def rows(result):
    """The cells of each line; columns stand two blanks apart."""
    assert (result.returncode, result.stderr) == (0, "")
    return [re.split(r" {2,}", line) for line in result.stdout.splitlines()]


def test_a_real_server(kairos, tmp_path):
    with Server(tmp_path).ready() as server:
        url = f"http://127.0.0.1:{server.port}"
        assert status(kairos, url).stdout == "no services\n"
        server.get("/ping/mail")
        server.get("/ping/push/fail")
        server.put("/api/v1/services/nightly", {"interval": "1d"})
        server.put("/api/v1/services/odd", {"interval": "1500ms"})
        lines = rows(status(kairos, url))
        assert lines[0] == ["SERVICE", "STATUS", "LAST SEEN", "DEADLINE", "INTERVAL"]
        table = {line[0]: line[1:] for line in lines[1:5]}
        assert table["mail"][0] == "up" and table["mail"][1].endswith("s ago")
        assert re.fullmatch(r"in [23]m \d+s", table["mail"][2]) and table["mail"][3] == "1m"
        assert table["push"][0] == "down" and table["push"][2] == "-"
        assert table["nightly"] == ["new", "never", "-", "1d"]
        assert table["odd"][3] == "1500ms"
        assert lines[5:] == [[""], ["4 services: 1 down, 1 up, 2 new"]]
        lines = rows(status(kairos, url, "--status=down,up"))
        assert [line[0] for line in lines[1:3]] == ["mail", "push"]
        listed = json.loads(status(kairos, url, "--json").stdout)
        assert listed == server.get("/api/v1/services").json["services"]
        assert status(kairos, url, "--fail-on-down").returncode == 3
        assert status(kairos, url, "--fail-on-down", "--json").returncode == 3
        assert status(kairos, url, "--fail-on-down", "--status=up").returncode == 0


def test_whether_it_is_ready(kairos, tmp_path):
    with Server(tmp_path).ready() as server:
        url = f"http://127.0.0.1:{server.port}"
        result = status(kairos, url, "--ready")
        assert (result.returncode, result.stdout, result.stderr) == (0, "ready\n", "")
    result = status(kairos, url, "--ready")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("kairos: ")


def test_filters_and_orders(kairos, tmp_path):
    with Server(tmp_path).ready() as server:
        url = f"http://127.0.0.1:{server.port}"
        server.put("/api/v1/services/night", {"tags": ["prod", "team:x"]})
        server.put("/api/v1/services/day", {"tags": ["prod"]})
        server.get("/ping/mail")

        def names(*options):
            return [service["service"] for service in json.loads(status(kairos, url, "--json", *options).stdout)]

        assert names("--sort=name") == ["day", "mail", "night"]
        assert names("--sort=-name") == ["night", "mail", "day"]
        assert names("--sort=-last_seen")[0] == "mail"
        assert names("--sort=name", "--tag=prod") == ["day", "night"]
        assert names("--tag=prod", "--tag=team:x") == ["night"]
        assert names("--search=ai") == ["mail"]
        assert names("--tag=prod", "--status=up") == []
        lines = {line[0]: line[5:] for line in rows(status(kairos, url))}
        assert (lines["night"], lines["mail"]) == (["prod,team:x"], [])
        refused = status(kairos, url, "--tag=A B")
        assert refused.returncode == 1 and "answered 400: tag: 'A B'" in refused.stderr


def test_pages(kairos, tmp_path):
    with Server(tmp_path).ready() as server:
        names = [f"svc-{number:04}" for number in range(2500)]
        server.beat(*({"service": name} for name in names))
        url = f"http://127.0.0.1:{server.port}"
        lines = rows(status(kairos, url))
        assert sorted(line[0] for line in lines[1:2501]) == names
        assert lines[-1] == ["2500 services: 2500 up"]
        listed = json.loads(status(kairos, url, "--json").stdout)
        assert sorted(service["service"] for service in listed) == names


def test_the_request(kairos, stub):
    stub.answer = page()
    options = ["--status=down,late", "--tag=team:a&b", "-t", "prod", "--search", "ä b", "--sort=-name"]
    assert status(kairos, stub.url, *options).stdout == "no services\n"
    assert stub.paths == [
        "GET /api/v1/services?status=down%2Clate&tag=team%3Aa%26b&tag=prod&search=%C3%A4%20b"
        "&sort=-name&limit=1000"
    ]


def test_cursors(kairos, stub):
    stub.answers = [page(view("a"), cursor="x y"), page(view("b"), cursor="z"), page(view("c"))]
    assert [line[0] for line in rows(status(kairos, stub.url))[1:4]] == ["a", "b", "c"]
    assert [path.partition("limit=1000")[2] for path in stub.paths] == ["", "&cursor=x%20y", "&cursor=z"]


def test_tags(kairos, stub):
    stub.answer = page(view("a", tags=["prod", "team-x"]), view("b", tags=[]), view("c"))
    lines = rows(status(kairos, stub.url))
    assert lines[0][-1] == "TAGS"
    assert [line[5:] for line in lines[1:4]] == [["prod,team-x"], [], []]


@pytest.mark.parametrize(
    "seconds, text",
    [(0.5, "0s"), (59.5, "59s"), (60.5, "1m 0s"), (3599.5, "59m 59s"), (3660.5, "1h 1m"), (86400.5, "1d 0h"),
     (90000.5, "1d 1h"), (86400 * 36500, r"\d+d \d+h")],
)  # fmt: skip
def test_moments(kairos, stub, seconds, text):
    stub.answer = lambda _: page(view("a", last_seen=moment(-seconds), next_deadline=moment(seconds + 30)))
    cells = rows(status(kairos, stub.url))[1]
    unit = text if text[-1] != "s" else r"(\d+m )?\d+s"  # seconds pass
    assert re.fullmatch(f"{unit} ago", cells[2])
    assert re.fullmatch(r"in (\d+[dhm] )?\d+[hms]", cells[3])


@pytest.mark.parametrize(
    "seconds, text",
    [(1, "1s"), (90, "90s"), (3600, "1h"), (5400, "90m"), (86400, "1d"), (0.25, "250ms"), (1.5, "1500ms"),
     (0, "-"), (-1, "-"), (1e300, "-"), (None, "-"), ("60", "-")],
)  # fmt: skip
def test_intervals(kairos, stub, seconds, text):
    stub.answer = page(view("a", interval=seconds))
    assert rows(status(kairos, stub.url))[1][4] == text


def test_foreign_text(kairos, stub):
    """Nothing that the server says reaches the terminal as a command."""
    stub.answer = page(
        view("\x1b[31mred\n", "\x07bell", tags=["\u202e", 7, "ok"]),
        view(None, None, last_seen="soon", next_deadline=7, interval=[], tags="x"),
    )
    result = status(kairos, stub.url)
    assert rows(result)[1][:2] == ["?[31mred?", "?bell"]
    assert rows(result)[2] == ["?", "?", "never", "-", "-"]
    assert result.stdout.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "answer",
    [HANG_UP, (200, b"<html>"), (200, []), (200, {}), (200, {"services": []}), (200, {"services": {}, "next_cursor": None}),
     (200, {"services": [1], "next_cursor": None}), (200, {"services": [], "next_cursor": 7}), (404, b""),
     (500, {"detail": "no"}), (200, b" " * 20000000), (200, b'{"services":[' + b"[" * 100000)],
    ids=lambda answer: repr(answer)[:40],
)  # fmt: skip
def test_what_is_no_answer(kairos, stub, answer):
    stub.answer = answer
    result = status(kairos, stub.url)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"kairos: {stub.url}") and result.stderr.count("\n") == 1


def test_a_cursor_that_leads_nowhere(kairos, stub):
    stub.answer = page(view("a"), cursor="again")
    result = status(kairos, stub.url)
    assert result.returncode == 1 and "none of a Kairós server" in result.stderr
    assert len(stub.requests) == 2


def test_what_the_server_refuses(kairos, stub):
    stub.answer = (400, {"detail": "unknown parameter 'tag'"})
    result = status(kairos, stub.url, "--tag=x")
    assert result.returncode == 1 and "unknown parameter 'tag'" in result.stderr


def test_nobody_there(kairos):
    result = status(kairos, nobody())
    assert result.returncode == 1 and "Couldn't connect" in result.stderr


def test_output_that_cannot_be_written(kairos, stub):
    stub.answer = page(view("a"))
    for options in ([], ["--json"]):
        with open("/dev/full", "wb") as full:
            result = subprocess.run(
                [kairos.path, "status", "--url", stub.url, *options],
                stdout=full, stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=PATIENCE,
            )  # fmt: skip
        assert result.returncode == 1 and b"No space left" in result.stderr


def on_terminal(kairos, url, width, **environment):
    """What a terminal of WIDTH places is shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {**ENVIRONMENT, "TERM": "xterm", "KAIROS_URL": url, **environment}
    with subprocess.Popen([kairos.path, "status"], stdout=theirs, env=environment) as process:
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 4096):
                seen += piece
        except OSError:
            pass
        assert process.wait(PATIENCE) == 0
    os.close(ours)
    return seen.decode().replace("\r\n", "\n")


def test_colours(kairos, stub):
    stub.answer = page(view("a", "down"), view("b", "late"), view("c", "up"), view("d", "odd"))
    seen = on_terminal(kairos, stub.url, 80)
    assert re.search(r"\na +\x1b\[1;31mdown *\x1b\[0m", seen)
    assert seen.count("\x1b[0m") == 3
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(kairos, stub.url, 80, **environment)
    assert "\x1b" in on_terminal(kairos, stub.url, 80, NO_COLOR="")
    assert "\x1b" not in status(kairos, stub.url, TERM="xterm").stdout


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_it_fits_the_terminal(kairos, stub, width):
    stub.answer = page(view("x" * 100, tags=["t" * 50] * 5), view("b"))
    lines = on_terminal(kairos, stub.url, width, NO_COLOR="1").splitlines()
    assert all(len(line) <= width for line in lines) and len(lines[1]) == width
    assert lines[1].endswith("…")
    assert len(status(kairos, stub.url).stdout.splitlines()[1]) > 300, "a pipe takes all"


REFUSED = [["x"], ["--status="], ["--status=up,"], ["--status=sick"], ["--sort=status"], ["--sort="],
           ["--tag="], ["--search="], ["--url=x"], ["--nonsense"], *[["--tag=x"] * 21]]  # fmt: skip


@pytest.mark.parametrize("options", REFUSED, ids=lambda options: " ".join(options)[:30])
def test_refused(kairos, options):
    result = kairos.run("status", *options)
    assert (result.returncode, result.stdout) == (2, "")
    message, hint = result.stderr.splitlines()
    assert message.startswith("kairos status: ") and message.isprintable()
    assert hint.startswith("Try `kairos status --help'")
