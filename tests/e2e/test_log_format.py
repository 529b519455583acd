"""The log as JSON: every line of a run is an object, whatever happens in it."""

import json
from datetime import datetime

import pytest

from documents import event
from server import Server


def objects(text):
    """The objects of a log, one on each line; each with a time, a level and an event."""
    assert text.endswith("\n")
    found = [json.loads(line) for line in text.splitlines()]
    for line in found:
        datetime.fromisoformat(line["time"])
        assert line["level"] in ("DEBUG", "INFO", "WARN", "ERROR")
        assert line["event"]
    return found


def test_a_server(tmp_path):
    """Heartbeats, alerts, gaps, a second start, and senders of nonsense."""
    paths = [tmp_path / "first", tmp_path / "second"]
    for path in paths:
        path.touch()
        options = ["--log-format", "json", "--log-file", path, "--log-level", "debug"]
        with Server(tmp_path, *options) as server:
            server.log_path = path
            server.ready()
            server.get("/ping/7/fail")
            server.get("/ping/7")
            server.raw(b"\xff\x00\"\\ /\x7f HTTP/9\r\n\r\n")
            server.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\xc3\xa4\x1b[31m: \"\\\r\nContent-Length: x\r\n\r\n")
            assert server.stop() == 0
    lines = objects("".join(path.read_text() for path in paths))
    alerts = [line for line in lines if line["event"] == "alert"]
    assert [(line["service"], line["missed_count"]) for line in alerts] == [("7", 0)] * 2
    assert [line for line in lines if line["event"] == "gap"][0]["seconds"] > 0
    assert lines[-1]["event"] == "stopped"


def test_a_server_that_cannot_start(kairos, tmp_path):
    folder = tmp_path / 'a "folder" \\ ä'
    folder.write_text("a file")
    result = kairos.run("serve", "--data-dir", folder, "--log-format", "JSON")
    assert result.returncode == 1
    assert "ä" in objects(result.stderr)[-1]["error"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_analysis(kairos, form):
    names = ["\x01", "a\"b", "\\", "ä€", "x=1 y", 'k="v"', "\u2028"]
    log = [event("push", "10:00"), *(event(name, "10:00") for name in names), {}, 7]
    result = kairos.analyse(log, "--log-format", form)
    assert result.returncode == 0
    if form == "text":
        assert len(result.skipped) == len(names) + 2
        return
    lines = objects(result.stderr)
    assert [line["event_"] for line in lines] == list(range(2, len(names) + 4))
    assert [line.get("found") for line in lines][: len(names)] == names


def test_wrong_usage(kairos):
    for command in ([], ["serve"], ["replay", "x"]):
        result = kairos.run(*command, "--log-format", "xml")
        assert result.returncode == 2
        assert "--log-format: 'xml' is neither text nor json" in result.stderr
