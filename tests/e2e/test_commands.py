"""`kairos [COMMAND] [OPTION]…`: which command the arguments ask for."""

import json
import re

import pytest

from conftest import REPOSITORY
from documents import heartbeats

SILENT = json.dumps(heartbeats("push", "10:00", "10:04")).encode()


def test_without_a_command_it_analyses(kairos):
    for options in (["--file=-"], ["-f", "-"], ["--file", "-", "--json"], ["--json", "--file=-"]):
        result = kairos.run(*options, stdin=SILENT)
        assert (result.returncode, result.stderr) == (0, "")
        assert "2025-08-04T10:03:00Z" in result.stdout


@pytest.mark.parametrize("word", ["events.json", "anlayse", "Replay", "replay ", "", "\x1b[31m\n"])
@pytest.mark.parametrize("more", [[], ["--file=-"], ["--help"], ["replay"]], ids=" ".join)
def test_an_unknown_command(kairos, word, more):
    result = kairos.run(word, *more, stdin=SILENT)
    assert (result.returncode, result.stdout) == (2, "")
    message, hint = result.stderr.splitlines()
    assert message.startswith("kairos: unknown command '") and message.isprintable()
    assert not word.isprintable() or f"'{word}'" in message
    assert "replay" in message and "--file" in message
    assert hint.startswith("Try `kairos --help'")


def test_a_command_comes_first(kairos):
    result = kairos.run("--file=-", "replay", stdin=SILENT)
    assert result.returncode == 2
    assert result.stderr.startswith("kairos: unexpected argument 'replay'")


def test_help_and_version_of_a_command(kairos):
    assert kairos.run("replay", "--version").stdout == kairos.run("--version").stdout
    assert kairos.run("replay", "--help").stdout != kairos.run("--help").stdout


def test_help_lists_the_commands(kairos):
    """One line each; and each has a help, and a manual page, of its own."""
    listed = re.findall(r"^  ([a-z-]+) {2,}\S", kairos.run("--help").stdout, re.MULTILINE)
    assert {"serve", "ping", "exec", "status", "services", "replay"} <= set(listed)
    assert all(f"{name}, " in kairos.run("?").stderr.replace(";", ",") for name in listed)
    for name in listed:
        result = kairos.run(name, "--help")
        assert result.returncode == 0 and result.stdout.startswith(f"Usage: kairos {name} ")
        assert (REPOSITORY / "docs/man" / f"kairos-{name}.1").exists(), name
