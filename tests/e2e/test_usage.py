"""Options that are accepted, and those that are refused: exit 2, what is wrong, and a hint."""

import json
import re
from datetime import datetime, timedelta

import pytest

from documents import heartbeats

START = datetime(2025, 8, 4, 10)
SILENT = json.dumps(heartbeats("push", "10:00", "10:04")).encode()

DAY = 86_400_000
DURATIONS = {  # in milliseconds
    "60": 60_000,
    "60s": 60_000,
    "060": 60_000,
    "1": 1_000,
    "90s": 90_000,
    "5m": 300_000,
    "1h": 3_600_000,
    "1d": DAY,
    "250ms": 250,
    "1ms": 1,
    "1500ms": 1_500,
    "366d": 366 * DAY,
    "8784h": 366 * DAY,
    "527040m": 366 * DAY,
    "31622400": 366 * DAY,
    "31622400s": 366 * DAY,
    "31622400000ms": 366 * DAY,
}
TOO_LONG = ["367d", "8785h", "527041m", "31622401", "31622401s", "31622400001ms"]
BIG = [
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "18446744073709551676",
    "1" + "0" * 100,
]
NO_DURATIONS = [
    *(
        "", " ", "abc", "-1", "-1s", "-0", "+60", "60 ", " 60", "6 0", "1.5", "1.5s", "0.5h",
        "1e3", "0x3c", "60x", "60ss",
    ),
    *(
        "s", "ms", "60 s", "1,5", "1s1", "s60", "60us", "60µs", "60ns", "sixty", "infinity", "nan",
        "∞", "６０", "60\n", "1_000",
    ),
    *(number + unit for number in BIG for unit in ("", "ms", "s", "m", "h", "d")),
]
NO_COUNTS = [
    "", " ", "abc", "-1", "-0", "+1", "1.0", "1.5", "1e1", "0x1", "1 ", " 1", "1\n", "1,000", "1k",
    "½", *BIG,
]
NO_TIMES = [
    *(
        "", " ", "yesterday", "Now", "NOW", "now ", "2025-08-04", "10:00", "2025-08-04T10",
        "2025-08-04T10:00:60Z", "1e400",
    ),
    *(
        "2025-02-29T10:00Z",
        "2025-08-04T10:00+24:00",
        "2025-08-04T10:00Z ",
        "0000-01-01T00:00Z",
        "253402300800000",
        "17543016OO",
    ),
]


def assert_misses(kairos, after, *options):
    """A miss is judged AFTER so many milliseconds, and no microsecond earlier."""
    judged = START + timedelta(milliseconds=after)
    for until, alerts in ((judged, "0"), (judged + timedelta(microseconds=1), "1")):
        result = kairos.run(
            *("--file=-", "--allowed-misses=1", f"--until={until.isoformat()}", *options),
            stdin=json.dumps(heartbeats("push", "10:00")).encode(),
        )
        assert result.value("Alerts Triggered") == alerts


@pytest.mark.parametrize("text", DURATIONS)
def test_durations(kairos, text):
    assert_misses(kairos, DURATIONS[text], f"--interval={text}")
    assert_misses(
        kairos, DURATIONS[text] + 1, f"--tolerance={text}", "--interval=1ms", "--allowed-misses=1"
    )


@pytest.mark.parametrize("text", ["0", "0s", "0ms", "00", "0d"])
def test_no_tolerance(kairos, text):
    assert_misses(kairos, 1, f"--tolerance={text}", "--interval=1ms")


ACCEPTED = [
    *([f"--allowed-misses={count}"] for count in ("1", "2", "1000000", "003")),
    *([f"--threads={count}"] for count in ("1", "2", "256")),
    *([f"--max-alerts={count}"] for count in ("1", "1000000000000")),
    *(
        [f"--log-level={level}"]
        for level in ("DEBUG", "INFO", "WARNING", "ERROR", "debug", "Warning", "eRRoR")
    ),
    *(
        [f"--until={time}"]
        for time in (
            "now", "2025-08-04T10:04", "2025-08-04 10:04:00.5z", "1754301840", "1754301840.5",
            "1754301840000", "-1", "0",
        )
    ),
    *(
        ["--interval", "60"],
        ["--tolerance", "0"],
        ["--json"],
        ["--quiet"],
        ["--json", "--quiet"],
        ["--max-alerts", "1"],
    ),
]


@pytest.mark.parametrize("options", ACCEPTED, ids=" ".join)
def test_accepted(kairos, options):
    result = kairos.run(
        "--file=-", "--max-alerts=1000000000000", "--interval=366d", *options, stdin=SILENT
    )
    assert (result.returncode, result.stderr) == (
        0, ""
    ) or "--log-level=debug" in options or "--log-level=DEBUG" in options


OPTIONS = [
    *(
        "file", "interval", "allowed-misses", "tolerance", "until", "threads", "json", "output",
        "quiet",
    ),
    *("fail-on-alert", "max-alerts", "log-level", "log-file"),
]
REFUSED = [
    *(["--interval", text] for text in ["0", "0s", "0ms", "00", *TOO_LONG, *NO_DURATIONS]),
    *(["--tolerance", text] for text in [*TOO_LONG, *NO_DURATIONS]),
    *(["--allowed-misses", text] for text in ["0", "1000001", *NO_COUNTS]),
    *(["--threads", text] for text in ["0", "257", *NO_COUNTS]),
    *(["--max-alerts", text] for text in ["1000000000001", *NO_COUNTS]),
    *(["--until", text] for text in NO_TIMES),
    *(
        ["--log-level", text]
        for text in ["", " ", "loud", "WARN ", "TRACE", "0", "INFOX", "DEBUG,INFO"]
    ),
]


@pytest.mark.parametrize("option, text", REFUSED, ids=lambda text: ascii(text)[1:-1][:40])
def test_refused_values(kairos, option, text):
    assert_refused(kairos.run("--file=-", f"{option}={text}", stdin=SILENT), option)
    assert_refused(kairos.run("--file=-", option, text, stdin=SILENT), option)


@pytest.mark.parametrize(
    "option",
    ["--file", "--interval", "--allowed-misses", "--tolerance", "--until", "--output", "--threads"],
)
def test_a_value_is_missing(kairos, option):
    assert_refused(kairos.run(option), option)


@pytest.mark.parametrize(
    "options", [["--json=1"], ["--quiet=yes"], ["--fail-on-alert=0"]], ids=" ".join
)
def test_a_value_too_many(kairos, options):
    assert_refused(kairos.run("--file=-", *options, stdin=SILENT), options[0].split("=")[0])


@pytest.mark.parametrize(
    "options",
    [
        ["--nonsense"], ["--intervall=60"], ["-X"], ["events.json"], ["anlayse"],
        ["--", "events.json"], [""],
    ],
    ids=" ".join,
)
def test_unknown(kairos, options):
    assert_refused(
        kairos.run("--file=-", *options, stdin=SILENT), options[-1].lstrip("-").split("=")[0]
    )


def test_odd_characters_are_not_repeated(kairos):
    for option in ("--interval", "--until", "--log-level", "--threads"):
        result = kairos.run(option, "\x1b[31m\n\x07")
        assert_refused(result, option)
        assert "\x1b" not in result.stderr and "\x07" not in result.stderr
        assert result.stderr.count("\n") == 2


def test_wrong_usage_touches_nothing(kairos, tmp_path):
    saved, log = tmp_path / "alerts.json", tmp_path / "log"
    assert_refused(
        kairos.run("--file=-", "--output", saved, "--log-file", log, "--interval=0", stdin=SILENT),
        "--interval",
    )
    assert list(tmp_path.iterdir()) == []


def assert_refused(result, what):
    """Says WHAT is wrong, and ends with a hint."""
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("kairos: ")
    *message, hint = result.stderr.splitlines()
    assert message and what in message[0]
    assert re.match("Try [`']kairos --help'", hint)


def test_help(kairos):
    result = kairos.run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for option in OPTIONS:
        assert f"--{option}" in result.stdout
    for status in ("0 done", "1 failed", "2 wrong usage", "3 when"):
        assert status in " ".join(result.stdout.split())


def test_version(kairos):
    result = kairos.run("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(r"kairos \d+\.\d+\.\d+\S*\n", result.stdout)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_on_a_full_device(kairos, option):
    with open("/dev/full", "wb") as full:
        assert kairos.run(option, stdout=full).returncode == 1
