"""What the command prints, saves and logs, to the byte."""

import json
import os
import re
import stat
import threading
from datetime import datetime, timezone

import pytest

from conftest import REPOSITORY
from documents import event, heartbeats, lines

# 29 events, 3 of them bad, each in another way; push is silent after 10:02.
MINUTES = [f"10:{minute:02}" for minute in range(10)]
EXAMPLE = [
    *(event(service, time) for time in MINUTES[:3] for service in ("email", "sms", "push")),
    {"service": "sms"},
    {"timestamp": "2025-08-04T10:03:00Z"},
    {"service": "sms", "timestamp": "not-a-timestamp"},
    *(event(service, time) for time in MINUTES[3:6] for service in ("email", "sms")),
    *(event(service, time) for time in MINUTES[6:9] for service in ("email", "sms", "push")),
    *heartbeats("email", "10:09", "10:09"),
]
SUMMARY = """\
==================================================
       Heartbeat Monitor Results
==================================================
Total Events:     29
Valid Events:     26
Invalid Events:   3
Services:         email, sms, push
Alerts Triggered: 1
Processing Time:  #.#ms
==================================================

🚨 Alerts Detected (1):

  Alert #1:
    Service:      push
    Alert At:     2025-08-04T10:05:00Z
    Missed Count: 3
    Last Seen:    2025-08-04T10:02:00Z

⚠️  Skipped Events (3):

  missing_service:          1
  missing_timestamp:        1
  invalid_timestamp_format: 1
"""
ALERT = {
    "service": "push",
    "alert_at": "2025-08-04T10:05:00Z",
    "missed_count": 3,
    "last_seen": "2025-08-04T10:02:00Z",
}
SHORT = '[\n  {\n    "service": "push",\n    "alert_at": "2025-08-04T10:05:00Z"\n  }\n]\n'
FULL = json.dumps([ALERT], indent=2) + "\n"
SILENT = heartbeats("push", "10:02", "10:06")  # the same alert
CALM = heartbeats("push", "10:02", "10:05")


@pytest.fixture
def example(tmp_path):
    path = tmp_path / "events.json"
    path.write_text(json.dumps(EXAMPLE, indent=1))
    return path


def masked(summary):
    return re.sub(r"(?<=^Processing Time:  )\d+\.\dms$", "#.#ms", summary, flags=re.MULTILINE)


# The summary


def test_summary(kairos, example):
    result = kairos.run("--file", example)
    assert result.returncode == 0
    assert masked(result.stdout) == SUMMARY


def test_summary_of_the_sample(kairos):
    result = kairos.run(cwd=REPOSITORY)
    assert result.returncode == 0
    assert masked(result.stdout).startswith(SUMMARY[: SUMMARY.index("  missing_service")])
    assert len(result.reasons) == 3
    result = kairos.run(
        "--file=data/events.json", "--interval=60", "--allowed-misses=3", "--json", cwd=REPOSITORY
    )
    assert result.stdout == SHORT


def test_summary_without_alerts(kairos):
    result = kairos.run("--file=-", stdin=b"[]")
    assert masked(result.stdout) == (
        SUMMARY[: SUMMARY.index("\n🚨")]
        .replace("29", "0")
        .replace("26", "0")
        .replace("   3\n", "   0\n")
        .replace("email, sms, push", "none")
        .replace("Triggered: 1", "Triggered: 0")
        + "\n✅ No alerts detected.\n"
    )
    assert result.stderr == ""


def test_summary_of_several_alerts(kairos):
    result = kairos.analyse(heartbeats("push", "10:00", "10:07"))
    assert masked(result.stdout).endswith(
        """
🚨 Alerts Detected (2):

  Alert #1:
    Service:      push
    Alert At:     2025-08-04T10:03:00Z
    Missed Count: 3
    Last Seen:    2025-08-04T10:00:00Z

  Alert #2:
    Service:      push
    Alert At:     2025-08-04T10:06:00Z
    Missed Count: 3
    Last Seen:    2025-08-04T10:00:00Z
"""
    )


def test_summary_of_every_reason(kairos):
    bad = [
        "nonsense",
        '{"service": "a b", "timestamp": 0}',
        '{"service": "a", "timestamp": "never"}',
        '{"service": "a", "timestamp": ""}',
        '{"service": "", "timestamp": 0}',
        '{"service": "a"}',
        "{}",
        "7",
    ]
    result = kairos.analyse("\n".join([*bad, *bad[1:]]))
    assert result.stdout.endswith(
        """
✅ No alerts detected.

⚠️  Skipped Events (15):

  not_an_object:            2
  missing_service:          2
  missing_timestamp:        2
  empty_service:            2
  empty_timestamp:          2
  invalid_service_format:   2
  invalid_timestamp_format: 2
  invalid_json:             1
"""
    )


@pytest.mark.parametrize("count, more", [(20, ""), (21, " and 1 more"), (25, " and 5 more")])
def test_summary_of_many_services(kairos, count, more):
    names = [f"svc-{number}" for number in range(count)]
    result = kairos.analyse([event(name, "10:00") for name in names])
    assert result.value("Services") == ", ".join(names[:20]) + more


# --json, --output, --quiet


def test_json(kairos, example):
    result = kairos.run("--file", example, "--json")
    assert (result.returncode, result.stdout) == (0, SHORT)


def test_json_without_alerts(kairos):
    assert kairos.analyse(CALM, "--json").stdout == "[]\n"


def test_json_of_several_alerts(kairos):
    result = kairos.analyse(heartbeats("push", "10:00", "10:07:00.5"), "--json", "--interval=500ms")
    alerts = [{"service": "push", "alert_at": alert["alert_at"]} for alert in result.alerts]
    assert len(alerts) == 280
    assert result.stdout == json.dumps(alerts, indent=2) + "\n"
    assert result.saved == json.dumps(result.alerts, indent=2) + "\n"


def test_output(kairos, example, tmp_path):
    """The summary is printed as ever."""
    saved = tmp_path / "alerts.json"
    result = kairos.run("--file", example, "--output", saved)
    assert saved.read_text() == FULL
    assert masked(result.stdout) == SUMMARY
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alerts.json", "events.json"]


def test_output_beside_json(kairos, example, tmp_path):
    saved = tmp_path / "alerts.json"
    result = kairos.run("--file", example, "--output", saved, "--json")
    assert (result.stdout, saved.read_text()) == (SHORT, FULL)


def test_output_without_alerts(kairos):
    assert kairos.analyse(CALM).saved == "[]\n"


def test_output_replaces_a_file(kairos, tmp_path):
    """A previous file is replaced as a whole; its mode stays."""
    saved = tmp_path / "alerts.json"
    saved.write_text("previous" * 1000)
    saved.chmod(0o640)
    previous = saved.open()
    assert kairos.analyse(SILENT, "--output", saved).returncode == 0
    assert saved.read_text() == FULL
    assert stat.S_IMODE(saved.stat().st_mode) == 0o640
    assert previous.read() == "previous" * 1000
    previous.close()


@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_output_makes_a_file(kairos, tmp_path, umask, mode):
    saved = tmp_path / "alerts.json"
    kairos.analyse(SILENT, "--output", saved, umask=umask)
    assert stat.S_IMODE(saved.stat().st_mode) == mode


def test_output_in_the_working_directory(kairos, example, tmp_path):
    kairos.run("--file=events.json", "--output=alerts.json", cwd=tmp_path)
    assert (tmp_path / "alerts.json").read_text() == FULL


@pytest.mark.parametrize("target", ["real.json", "other/real.json", "missing.json"])
def test_output_follows_a_link(kairos, tmp_path, target):
    (tmp_path / "other").mkdir()
    (tmp_path / "folder").mkdir()
    if target != "missing.json":
        (tmp_path / target).write_text("previous")
    link = tmp_path / "folder" / "link.json"
    link.symlink_to(f"../{target}")
    assert kairos.analyse(SILENT, "--output", link).returncode == 0
    assert link.is_symlink()
    assert (tmp_path / target).read_text() == FULL


def test_output_to_standard_output(kairos, example):
    reader, writer = os.pipe()
    result = kairos.run("--file", example, "--quiet", "--output=/dev/stdout", stdout=writer)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert (result.returncode, pipe.read()) == (0, FULL)


def test_output_to_a_fifo(kairos, example, tmp_path):
    fifo, read = tmp_path / "fifo", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: read.append(fifo.read_text()), daemon=True)
    reader.start()
    assert kairos.run("--file", example, "--output", fifo).returncode == 0
    reader.join(60)
    assert read == [FULL]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_quiet(kairos, example, tmp_path):
    """Hides the summary alone."""
    saved = tmp_path / "alerts.json"
    result = kairos.run("--file", example, "--quiet", "--output", saved)
    assert (result.returncode, result.stdout) == (0, "")
    assert len(result.skipped) == 3
    assert saved.read_text() == FULL
    assert kairos.run("--file", example, "--quiet", "--json").stdout == SHORT
    assert kairos.run("--file", example, "--quiet", "--fail-on-alert").returncode == 3


# --fail-on-alert, --max-alerts


@pytest.mark.parametrize("options", [[], ["--json"], ["--quiet"]], ids=["summary", "json", "quiet"])
def test_fail_on_alert(kairos, options):
    silent = kairos.analyse(SILENT, "--fail-on-alert", *options)
    assert (silent.returncode, silent.saved) == (3, FULL)
    assert masked(silent.stdout) == masked(kairos.analyse(SILENT, *options).stdout)
    assert kairos.analyse(CALM, "--fail-on-alert", *options).returncode == 0


def test_fail_on_alert_and_an_error(kairos):
    assert kairos.run("--file=-", "--fail-on-alert", stdin=b"[").returncode == 1


def test_max_alerts(kairos):
    hour = heartbeats("push", "10:00", "11:00:01")  # 20 alerts
    assert len(kairos.analyse(hour, "--max-alerts=20").alerts) == 20
    result = kairos.analyse(hour, "--max-alerts=19")
    assert (result.returncode, result.stdout, result.saved) == (1, "", None)
    assert result.stderr.startswith("kairos: ") and result.stderr.count("\n") == 1
    assert "20 " in result.stderr and "--max-alerts" in result.stderr
    assert kairos.analyse(CALM, "--max-alerts=0").returncode == 0
    assert kairos.analyse(SILENT, "--max-alerts=0").returncode == 1


def test_max_alerts_counts_all_services(kairos):
    log = [event(f"svc-{number}", time) for number in range(10) for time in ("10:00", "10:04")]
    assert kairos.analyse(log, "--max-alerts=10").returncode == 0
    assert kairos.analyse(log, "--max-alerts=9").returncode == 1


def test_a_million_alerts_by_default(kairos):
    """The default is a million: that many are saved, and one more is an error."""
    enough = [{"service": "push", "timestamp": time} for time in (0, 3_000_000.001)]
    result = kairos.analyse(enough, "--interval=1", "--json")
    assert result.returncode == 0
    assert result.saved.count('"service": "push"') == 1_000_000
    many = [{"service": "push", "timestamp": time} for time in (0, 3_000_003.001)]
    result = kairos.analyse(many, "--interval=1")
    assert (result.returncode, result.saved) == (1, None)
    assert "1000001" in result.stderr


# --file


def test_default_file(kairos, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "events.json").write_text(json.dumps(SILENT))
    assert kairos.run("--json", cwd=tmp_path).stdout == SHORT


def test_standard_input(kairos):
    document = json.dumps(SILENT).encode()
    for source in ("-", "/dev/stdin"):
        assert kairos.run("--file", source, "--json", stdin=document).stdout == SHORT
        assert kairos.run(
            "--file", source, "--json", stdin=(bytes([byte]) for byte in document)
        ).stdout == SHORT


@pytest.mark.parametrize("threads", [1, 4])
def test_standard_input_is_read_from_where_it_stands(kairos, tmp_path, threads):
    """The shell may have read a part of it."""
    path = tmp_path / "events"
    path.write_text("ghost\n" * 4_000_000 + lines([{}, *SILENT]))
    descriptor = os.open(path, os.O_RDONLY)
    os.lseek(descriptor, 6 * 4_000_000, os.SEEK_SET)
    result = kairos.run("--file=-", f"--threads={threads}", stdin=descriptor)
    os.close(descriptor)
    assert result.counts == (3, 2, 1)
    assert result.skipped == [(1, 1, "missing_service")]


def test_a_name_says_nothing(kairos, tmp_path):
    """The kind of a log is told by its content."""
    for name in ("events.gz", "events.zst", "events.ndjson", "-", "--json"):
        (tmp_path / name).write_text(json.dumps(SILENT))
        result = kairos.run(f"--file=./{name}", "--json", cwd=tmp_path)
        assert result.stdout == SHORT


def test_fifo(kairos, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    threading.Thread(target=lambda: fifo.write_text(json.dumps(SILENT)), daemon=True).start()
    assert kairos.run("--file", fifo, "--json", "--threads=4").stdout == SHORT


@pytest.mark.parametrize("threads", [1, 2, 7, 256])
def test_threads(kairos, example, threads):
    result = kairos.run("--file", example, f"--threads={threads}")
    assert masked(result.stdout) == SUMMARY
    assert kairos.run(
        "--file=-", "--json", f"--threads={threads}", stdin=lines(SILENT).encode()
    ).stdout == SHORT


# The log

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARN|ERROR) \w+"
    r"( \w+=(\S+|\"([^\"\\]|\\.)*\"))*"
)


def test_skipped_events_are_logged(kairos, example):
    document = example.read_text()
    result = kairos.run("--file", example)
    for line in result.stderr.splitlines():
        assert LINE.fullmatch(line)
        assert re.search(r'Z WARN skipped event=\d+ byte=\d+ reason=\w+ detail="[^"]', line)
    assert result.skipped == [
        (10, document.encode().index(b'{\n  "service": "sms"\n }') + 1, "missing_timestamp"),
        (
            11,
            document.encode().index(b'{\n  "timestamp": "2025-08-04T10:03:00Z"\n }') + 1,
            "missing_service",
        ),
        (
            12,
            document.encode().index(b'{\n  "service": "sms",\n  "timestamp": "not') + 1,
            "invalid_timestamp_format",
        ),
    ]


def test_log_times_are_now_in_utc(kairos, example):
    before = datetime.now(timezone.utc).replace(microsecond=0)
    stamp = datetime.fromisoformat(
        kairos.run("--file", example).stderr.split()[0].replace("Z", "+00:00")
    )
    assert before <= stamp <= datetime.now(timezone.utc)


@pytest.mark.parametrize("count", [1, 19, 20])
def test_up_to_twenty_skipped_events_are_logged(kairos, count):
    result = kairos.analyse([{}] * count)
    assert [event for event, _, _ in result.skipped] == list(range(1, count + 1))
    assert result.stderr.count("\n") == count


@pytest.mark.parametrize("more", [1, 5, 1000])
def test_of_more_skipped_events_the_number_is_logged(kairos, more):
    result = kairos.analyse([{}] * (20 + more))
    assert [event for event, _, _ in result.skipped] == list(range(1, 21))
    *_, last = result.stderr.splitlines()
    assert LINE.fullmatch(last) and last.endswith(f"Z WARN skipped_more count={more}")
    assert result.stderr.count("\n") == 21


def test_what_is_logged_cannot_forge_a_line(kairos):
    """Control characters and quotes of an event stay within their line and their quotes."""
    evil = '\n2025-01-01T00:00:00.000Z WARN forged x="\r\x1b[31m\x00\x7f\x85\x9b\ud800\\'
    bad = [
        {"service": evil, "timestamp": 0},
        {"service": "push", "timestamp": evil},
        {evil: evil},
        evil,
    ]
    for document in (
        json.dumps(bad), lines(bad) + evil.replace("\n", "").replace("\ud800", "") + "\n"
    ):
        result = kairos.analyse(document)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.stderr)
        assert result.stderr.count("\n") == result.counts[2]
        assert all(LINE.fullmatch(line) for line in result.stderr.splitlines())


@pytest.mark.parametrize(
    "level, logged",
    [("DEBUG", True), ("INFO", True), ("warning", True), ("ERROR", False), ("error", False)],
)
def test_log_level(kairos, example, level, logged):
    result = kairos.run("--file", example, f"--log-level={level}")
    assert masked(result.stdout) == SUMMARY
    assert (len(result.skipped) == 3) == logged
    assert all(LINE.fullmatch(line) for line in result.stderr.splitlines())
    assert logged or result.stderr == ""


def test_log_level_hides_no_error(kairos):
    result = kairos.run("--file=-", "--log-level=ERROR", stdin=b"[")
    assert result.stderr.startswith("kairos: <stdin>: line 1")


def test_log_file(kairos, example, tmp_path):
    """Log lines are appended; nothing else moves there."""
    log = tmp_path / "log"
    log.write_text("previous\n")
    for run in (1, 2):
        result = kairos.run("--file", example, "--log-file", log)
        assert masked(result.stdout) == SUMMARY
        assert result.stderr == ""
        written = log.read_text().splitlines()
        assert written[0] == "previous"
        assert len(written) == 1 + 3 * run
        assert all(LINE.fullmatch(line) for line in written[1:])
    result = kairos.run("--file=-", "--log-file", log, stdin=b"[")
    assert result.stderr.startswith("kairos: <stdin>: ")


def test_results_stand_alone_on_standard_output(kairos, example):
    """Log lines never mix with them, and a calm run logs nothing."""
    assert "WARN" not in kairos.run("--file", example).stdout
    assert kairos.analyse(SILENT).stderr == ""
