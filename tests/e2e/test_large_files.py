"""Files cut between threads, full of what looks like the border of a record and is none."""

import json
import re
from random import Random

import pytest

from documents import event
from model import Policy, detect, full_alerts, read

THREADS = (1, 2, 3, 8)
DAYS = 30
EVENTS = 6_000  # of each day
MEGABYTE = 1_000_000
MEBIBYTE = 1 << 20

GHOST = event("ghost", "00:00")  # a service that must never appear
ghost = json.dumps(GHOST)
TRAPS = [
    {"note": "},{"},
    {"note": "},\n{"},
    {"note": ["},{", "service", ":", "ghost", "}]"]},
    {"note": "\\" * 300},
    {"note": '\\"},{' * 20},
    {"note": "},%s,%s,{" % (ghost, ghost)},
    {"history": [GHOST] * 30},
    {"history": [[GHOST, [GHOST]], {"service": GHOST}]},
]
LARGE_TRAPS = [
    {"history": [GHOST] * 15_000, "later": {}},
    {"note": "},%s" % ghost * 5_000},
    {"note": "\\" * 100_001},
    {"note": "[" * 70_000 + "\n" * 1_000},
]


def day_of_events():
    """The texts of a day's events; @DAY@ stands for the date."""
    random = Random(7)
    for number in range(EVENTS):
        second = random.randrange(86_400)
        time = f"@DAY@T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
        heartbeat = {"service": f"svc-{random.randrange(40)}", "timestamp": time}
        if number % 40 == 0:
            trap = random.choice(TRAPS)
            heartbeat = {**trap, **heartbeat} if random.random() < 0.5 else {**heartbeat, **trap}
        if number % 1_500 == 1_200:
            heartbeat = {**LARGE_TRAPS[number // 1_500], **heartbeat}
        if number % 500 == 499:
            del heartbeat[random.choice(("service", "timestamp"))]
        yield json.dumps(heartbeat)


def write(file, opening, comma, closing):
    day = comma.join(day_of_events())
    file.write(opening.encode())
    for number in range(1, DAYS + 1):
        text = day.replace("@DAY@", f"2025-07-{number:02}")
        file.write((text + (comma if number < DAYS else closing)).encode())


@pytest.mark.parametrize(
    "opening, comma, closing",
    [("[", ",", "]"), ("[", ", ", "]\n"), ("[\n  ", ",\n  ", "\n]\n"), ("", "\n", "\n")],
    ids=["dense array", "array", "indented array", "NDJSON"],
)
def test_threads_agree(kairos, tmp_path, opening, comma, closing):
    path, saved = tmp_path / "events", tmp_path / "alerts.json"
    with path.open("wb") as file:
        write(file, opening, comma, closing)
    expected = read(path.read_bytes())
    assert expected.total == DAYS * EVENTS
    for threads in THREADS:
        result = kairos.run(
            "--file", path, "--interval=30m", "--output", saved, f"--threads={threads}"
        )
        assert result.returncode == 0
        assert result.counts == (expected.total, expected.valid, len(expected.skipped)), threads
        assert result.reasons == expected.reasons, threads
        assert result.skipped == [
            (bad.event, bad.byte, bad.reason) for bad in expected.skipped[:20]
        ], threads
        assert f"skipped_more count={len(expected.skipped) - 20}" in result.stderr
        alerts = json.loads(saved.read_text())
        assert alerts == full_alerts(detect(expected, Policy(interval=1_800_000_000))), threads
    path.unlink()


PUSH = json.dumps(event("push", "10:00"))
LATE = json.dumps(event("push", "10:06"))
WIDE_TRAPS = {
    "nested records": ('{"a": [', f"{ghost}, ", f"{ghost}]}}"),
    "dense nested records": ('[{"a":[', f"{ghost},", f"{ghost}]}}]"),
    "nested lines": ('{"a": [\n', f"{ghost},\n", f"{ghost}\n]}}"),
    "records in a string": ('{"a": "', json.dumps(f"{ghost}, ")[1:-1], '"}'),
    "borders in a string": ('{"a": "', "},{", '"}'),
    "backslashes": ('{"a": "', "\\\\", '"}'),
    "quotes": ('{"a": "', '\\"', '"}'),
    "short strings": ('["', '},{","', '"]'),
    "blanks": ("[", "\n ", "]"),
    "blanks between events": (f"{PUSH},", "\n", PUSH),
    "one number": ("1", "0", "e9"),
}


@pytest.mark.parametrize("trap", WIDE_TRAPS)
def test_whole_threads_in_one_event(kairos, tmp_path, trap):
    """An event so large that some threads begin and end within it takes no memory."""
    opening, filling, closing = WIDE_TRAPS[trap]
    path = tmp_path / "events"
    wide = opening + filling * (40 * MEGABYTE // len(filling)) + closing
    path.write_text(f"[{PUSH}, {wide}, {LATE}]")
    _, idle = kairos.run_measured("--file=-", stdin=b"[]")
    said = set()
    for threads in THREADS:
        result, peak = kairos.run_measured("--file", path, "--json", f"--threads={threads}")
        assert json.loads(result.stdout) == [{"service": "push", "alert_at": "2025-08-04T10:03:00Z"}]
        assert peak < idle + (32 + 4 * threads) * MEBIBYTE
        said.add((result.stdout, re.sub("^.* WARN ", "", result.stderr)))
    assert len(said) == 1
    path.unlink()


RECORD = f"{PUSH},  \n".encode()
RECORDS = 30 * MEGABYTE // len(RECORD)

# Where a record is damaged: its share of the file, the last of which bytes becomes what, and how many
# bytes further on that shows.
DAMAGES = {
    "first half": [(0.3, b",", b"\x01", 0)],
    "second half": [(0.8, b"}", b"\x01", 0)],
    "both halves": [(0.4, b",", b"\xff", 0), (0.6, b",", b"\x01", 0)],
    "both ends": [(0.05, b",", b"x", 0), (0.999, b",", b"x", 0)],
    "closed": [(0.5, b",", b"]", 4)],
    "closed twice": [(0.5, b",", b"]", 4), (0.7, b",", b"]", 4)],
    "no comma": [(0.6, b",", b" ", 4)],
    "no brace": [(0.7, b"}", b" ", 5)],
    "no quote": [(0.55, b'"', b" ", 5)],
    "one bracket": [(0.45, b"}", b"]", 0)],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_threads_agree_on_the_first_damage(kairos, tmp_path, damage):
    document = bytearray(b"[" + RECORD * RECORDS + PUSH.encode() + b"]")
    seen = []
    for share, old, new, further in DAMAGES[damage]:
        at = 1 + int(share * RECORDS) * len(RECORD) + RECORD.rindex(old)
        document[at : at + 1] = new
        seen.append(at + further)
    assert_refused(kairos, tmp_path, document, min(seen))


@pytest.mark.parametrize(
    "ending, seen",
    [
        (b"", 0), (b" ", 1), (b",]", 1), (b"]x", 1), (b"]]", 1), (b"] \n\x00", 3), (b"}", 0),
        (b"," + b"[" * 9, 10),
    ],
)
def test_threads_agree_on_a_bad_end(kairos, tmp_path, ending, seen):
    document = b"[" + RECORD * RECORDS + PUSH.encode()
    assert_refused(kairos, tmp_path, document + ending, len(document) + seen)


def assert_refused(kairos, tmp_path, document, offset):
    """Refused where byte OFFSET is, whatever the number of threads."""
    path = tmp_path / "events.json"
    path.write_bytes(document)
    results = [kairos.run("--file", path, f"--threads={threads}") for threads in THREADS]
    path.unlink()
    assert {(result.returncode, result.stdout) for result in results} == {(1, "")}
    assert len({result.stderr for result in results}) == 1
    line, column = document.count(b"\n", 0, offset) + 1, offset - document.rfind(b"\n", 0, offset)
    assert results[0].stderr.startswith(
        f"kairos: {path}: line {line}, column {column}, byte {offset + 1}: "
    )
