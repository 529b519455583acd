"""The examples of the client commands, in their manual pages and in --help, work as printed."""

import os
import re
import subprocess

import pytest

from conftest import ENVIRONMENT, REPOSITORY
from server import PATIENCE, Server

COMMANDS = ["ping", "exec", "status", "services"]


def manual(command):
    """The examples of a manual page, as a reader sees them."""
    text = (REPOSITORY / "docs/man" / f"kairos-{command}.1").read_text()
    examples = re.findall(r"^\.EX\n(.*?)^\.EE$", text, re.MULTILINE | re.DOTALL)
    return [example.replace("\\-", "-").replace("\\e\n", "\\\n") for example in examples]


def script(example, url):
    """What a shell is to be given: a line of a crontab without its times, and the server of the test."""
    lines = []
    for line in example.splitlines():
        line = re.sub(r"^(\S+ ){2}\* \* \* ", "", line)
        lines.append(re.sub(r"^(KAIROS_URL=)", r"export \1", line))
    return re.sub(r"https://kairos\.example\.com|http://127\.0\.0\.1:8001", url, "\n".join(lines))


@pytest.fixture
def shell(kairos, tmp_path):
    """Runs a script as somebody would who has kairos on the PATH, and something to back up."""
    (tmp_path / "data").mkdir()
    (tmp_path / "backup.sh").write_text("#!/bin/sh\necho saved\n")
    (tmp_path / "backup.sh").chmod(0o755)
    path = f"{kairos.path.parent}:{tmp_path}:{ENVIRONMENT['PATH']}"
    (tmp_path / "server").mkdir()
    with Server(tmp_path / "server").ready() as server:
        url = f"http://127.0.0.1:{server.port}"
        environment = {**ENVIRONMENT, "PATH": path, "KAIROS_URL": url, "XDG_STATE_HOME": str(tmp_path)}

        def run(example):
            result = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script(example, url)],
                cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE,
            )  # fmt: skip
            assert (result.returncode, result.stderr) == (0, ""), example
            return result

        run.server = server
        yield run


@pytest.mark.parametrize("command", COMMANDS)
def test_manual_page(shell, command):
    examples = manual(command)
    assert len(examples) >= 2
    for example in examples:
        shell(example)


@pytest.mark.parametrize("command", ["ping", "exec", "status", "services export", "services import"])
def test_help(kairos, shell, command):
    (example,) = re.findall(r"^Example: (.*)$", kairos.run(*command.split(), "--help").stdout, re.MULTILINE)
    if command == "services import":
        shell("kairos services export --output services.yaml")
    shell(example)


def test_the_file_of_the_manual(shell):
    """What services are written down as there is what the server takes."""
    text = (REPOSITORY / "docs/man/kairos-services.1").read_text().replace("\\-", "-")
    (file,) = re.findall(r"^\.nf\n(services:\n.*?)^\.fi$", text, re.MULTILINE | re.DOTALL)
    shell(f"kairos services import - <<'END'\n{file}END")
    assert shell.server.service("backup")["tags"] == ["prod", "team-x"]


def test_what_they_do(shell):
    shell(manual("ping")[0])
    assert shell.server.service("backup")["status"] == "up"
    shell(manual("ping")[1])
    assert shell.server.service("backup")["status"] == "down"
    shell(manual("exec")[1])
    assert shell.server.service("backup")["status"] == "up"
    assert "backup" in shell(manual("status")[1] + "cat services.json").stdout


@pytest.mark.parametrize("command", ["ping", "exec", "status", "services export", "services import"])
def test_every_option_is_in_the_manual(kairos, command):
    words = command.split()
    options = re.findall(r"^ {2,6}(?:-., )?(--[a-z-]+)", kairos.run(*words, "--help").stdout, re.MULTILINE)
    text = (REPOSITORY / "docs/man" / f"kairos-{words[0]}.1").read_text().replace("\\-", "-")
    assert options and all(option in text for option in options)
