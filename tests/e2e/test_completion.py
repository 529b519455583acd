"""Completion for bash: what a Tab offers, asked of a real bash."""

import json
import os
import pty
import re
import select
import shutil
import subprocess

import pytest

from conftest import ENVIRONMENT, REPOSITORY
from server import PATIENCE, Server
from stub import SILENCE, Stub, nobody

SCRIPT = REPOSITORY / "completions/kairos.bash"

# Calls the completion as readline does, at the end of the line $1.
DRIVER = r"""
source "$SCRIPT"
split() {  # as readline does, also at = and :
    local rest=$1 word
    COMP_WORDS=()
    while [[ $rest =~ ^[[:blank:]]*([=:]+|[^=:[:blank:]]+) ]]; do
        COMP_WORDS+=("${BASH_REMATCH[1]}")
        rest=${rest#"${BASH_REMATCH[0]}"}
    done
    [[ -z $rest && $1 != *[[:blank:]] ]] || COMP_WORDS+=("")
}
split "$1"
COMP_LINE=$1 COMP_POINT=${#1} COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_kairos "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "events.json").touch()
    (tmp_path / "extra").mkdir()
    return tmp_path


@pytest.fixture
def offered(kairos, folder):
    """What is offered at the end of a line."""

    def ask(line, url=None, packages=False):
        environment = {
            **ENVIRONMENT,
            "PATH": f"{kairos.path.parent}:{ENVIRONMENT['PATH']}",
            "SCRIPT": str(SCRIPT),
            "KAIROS_URL": url or nobody(),
        }
        script = "source /usr/share/bash-completion/bash_completion\n" if packages else ""
        result = subprocess.run(
            ["bash", "--norc", "-c", script + DRIVER, "bash", line],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        stderr = "" if packages else result.stderr  # they miss readline
        assert (result.returncode, stderr) == (0, "")
        return result.stdout.split("\n")[:-1]

    return ask


@pytest.mark.parametrize(
    "line, words",
    [
        ("kairos pi", ["ping"]),
        ("kairos se", ["serve", "services"]),
        ("kairos x", []),
        ("kairos services ", ["export", "import"]),
        ("kairos services e", ["export"]),
        ("kairos ping --sp", ["--spool="]),
        ("kairos ping --no", ["--no-spool"]),
        ("kairos exec --no", ["--no-output", "--no-spool"]),
        ("kairos services export --fo", ["--format="]),
        ("kairos services import --fo", []),
        ("kairos --fail", ["--fail-on-alert"]),
        ("kairos --nonsense", []),
        ("kairos serve --log-format=", ["text", "json"]),
        ("kairos serve --log-format=j", ["json"]),
        ("kairos serve --log-format j", ["json"]),
        ("kairos serve --log-format ", ["text", "json"]),
        ("kairos --log-level ", ["DEBUG", "INFO", "WARNING", "ERROR"]),
        ("kairos status --status=", ["new", "up", "late", "down", "paused"]),
        ("kairos status --status=down,l", ["down,late"]),
        ("kairos status -s p", ["paused"]),
        ("kairos status --sort -l", ["-last_seen"]),
        ("kairos services export --format=y", ["yaml"]),
        ("kairos --until n", ["now"]),
        ("kairos --interval=", []),
        ("kairos --file=ev", ["events.json"]),
        ("kairos --file ev", ["events.json"]),
        ("kairos -f e", ["events.json", "extra"]),
        ("kairos ping --spool=e", ["extra"]),
        ("kairos replay e", ["events.json", "extra"]),
        ("kairos replay --speed 5 ev", ["events.json"]),
        ("kairos replay --speed=5 ev", ["events.json"]),
        ("kairos replay events.json e", []),
        ("kairos services import e", ["events.json", "extra"]),
        ("kairos serve x", []),
    ],
)
def test_words(offered, line, words):
    assert sorted(offered(line)) == sorted(words)


def test_every_command_and_option(kairos, offered):
    """A command that is added is offered, and all its options are."""
    commands = re.findall(r"^  ([a-z-]+) {2,}\S", kairos.run("--help").stdout, re.MULTILINE)
    assert sorted(offered("kairos ")) == sorted(commands)
    for command in ["", *commands, "services export", "services import"]:
        help_text = kairos.run(*command.split(), "--help").stdout
        options = re.findall(r"^ {2,6}(?:-., )?(--[a-z-]+=?)", help_text, re.MULTILINE)
        assert {"--help", "--version"} < set(options)
        assert sorted(offered(f"kairos {command} --")) == sorted(options)


def test_services(offered, tmp_path):
    with Server(tmp_path).ready() as server:
        server.beat(*({"service": name} for name in ("backup", "mail", "batch")))
        url = f"http://127.0.0.1:{server.port}"
        for line in ("kairos ping ", "kairos exec ", "kairos ping --fail "):
            assert sorted(offered(line, url)) == ["backup", "batch", "mail"]
        for line in (f"kairos ping --url={url} ", f"kairos ping --url {url} --fail ", f"kairos exec -u {url} "):
            assert sorted(offered(line)) == ["backup", "batch", "mail"]
        assert offered("kairos ping backup ", url) == []


def test_services_that_begin_so(offered):
    views = [{"service": name} for name in ("backup", "big-backup", "batch", "x\n--y", "$(rm)")]
    with Stub() as stub:
        stub.answer = (200, {"services": views, "next_cursor": None})
        assert offered("kairos ping ba", stub.url) == ["backup", "batch"]
        assert stub.paths == ["GET /api/v1/services?search=ba&limit=1000"]
        assert offered("kairos ping ", stub.url) == ["backup", "big-backup", "batch"]


@pytest.mark.parametrize("answer", [SILENCE, (500, b""), (200, b"<html>"), (404, {"detail": "no"})])
def test_no_services(offered, answer):
    with Stub() as stub:
        stub.answer = answer
        assert offered("kairos ping ", stub.url) == []


def test_nobody_there(offered):
    assert offered("kairos exec ") == []


@pytest.mark.parametrize("packages", [False, True])
def test_the_command_of_exec(offered, packages):
    if packages and not os.path.exists("/usr/share/bash-completion/bash_completion"):
        pytest.skip("the package bash-completion is not installed")
    assert "mkfifo" in offered("kairos exec job -- mkfif", packages=packages)
    assert offered("kairos exec job -- cat ev", packages=packages) == ["events.json"]
    assert offered("kairos exec --no-output job -- cat --url=x ev", packages=packages) == ["events.json"]


def test_a_tab(kairos, folder):
    """The whole way: a bash in front of a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        environment = {
            **ENVIRONMENT, "TERM": "dumb", "PS1": "prompt> ", "INPUTRC": "/dev/null", "HISTFILE": "",
            "PATH": f"{kairos.path.parent}:{ENVIRONMENT['PATH']}",
        }  # fmt: skip
        os.execve(shutil.which("bash"), ["bash", "--norc", "--noprofile", "-i"], environment)
    seen = b""

    def read_until(pattern):
        nonlocal seen
        while not re.search(pattern, seen):
            ready, _, _ = select.select([terminal], [], [], PATIENCE)
            assert ready, seen
            seen += os.read(terminal, 4096)

    read_until(b"prompt> ")
    os.write(terminal, f"source '{SCRIPT}'; echo rea''dy\n".encode())
    read_until(b"ready\r\n(.|\\s)*prompt> ")
    os.write(terminal, b"kairos rep\t")
    read_until(b"replay ")
    os.write(terminal, b"ev\t")
    read_until(rb"events\.json ")
    os.write(terminal, b"--sp\t")
    read_until(b"--speed=")
    os.write(terminal, b"\x15exit\n")
    os.waitpid(pid, 0)
    os.close(terminal)


def test_installed(tmp_path):
    """Where bash-completion looks for it."""
    build, prefix = tmp_path / "build", tmp_path / "prefix"
    subprocess.run(["meson", "setup", build, REPOSITORY, f"--prefix={prefix}"], check=True, capture_output=True)
    plan = json.loads(
        subprocess.run(["meson", "introspect", build, "--installed"], check=True, capture_output=True).stdout
    )
    assert plan[str(SCRIPT)] == str(prefix / "share/bash-completion/completions/kairos")
