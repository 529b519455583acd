"""Input and output that go wrong.

Each ends with exit 1 and one clear line, or with a counted bad event: never with a crash, a hang, or
memory that grows.
"""

import json
import os
import re
import resource
import shutil
import stat
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import run
from documents import event, gz, heartbeats, lines, zst

CONTROL = r"[\x00-\x1f\x7f-\x9f]"
NOBODY = 65534
MEBIBYTE = 1 << 20
LONG = 1_000_000_000 if os.environ.get("KAIROS_LARGE") == "1" else 128_000_000
SILENT = heartbeats("push", "10:00", "10:04")  # one alert
GOOD = '"service": "push", "timestamp": "2025-08-04T10:00:00Z"'  # without its braces
ALERT = [{"service": "push", "alert_at": "2025-08-04T10:03:00Z"}]


def assert_error(result, *words):
    """One line on stderr that says WORDS and has no control characters, and nothing else."""
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"kairos: .+\n", result.stderr), result.stderr
    assert not re.search(CONTROL, result.stderr[:-1])
    for word in words:
        assert str(word) in result.stderr


@pytest.fixture
def unprivileged(kairos):
    """The program without the rights of root, and a folder that it can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        binary = shutil.copy(kairos.path, folder)
        root = os.geteuid() == 0
        popen = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}
        yield replace(kairos, path=Path(binary), folder=Path(folder), popen=popen)


# Files


def test_missing_file(kairos, tmp_path):
    path = tmp_path / "missing.json"
    assert_error(kairos.run("--file", path), path, "No such file")


def test_missing_default_file(kairos, tmp_path):
    assert_error(kairos.run(cwd=tmp_path), "data/events.json", "No such file")


def test_file_in_no_directory(kairos, tmp_path):
    (tmp_path / "file").touch()
    assert_error(kairos.run("--file", tmp_path / "file" / "events.json"), "Not a directory")


def test_unreadable_file(unprivileged):
    path = unprivileged.folder / "events.json"
    path.write_text("[]")
    path.chmod(0)
    assert_error(unprivileged.run("--file", path), path, "Permission denied")


def test_directory(kairos, tmp_path):
    assert_error(kairos.run("--file", tmp_path), tmp_path, "directory")


def test_directory_as_standard_input(kairos, tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    result = kairos.run("--file=-", stdin=descriptor)
    os.close(descriptor)
    assert_error(result, "<stdin>", "directory")


ODD_NAMES = ["new\nline", "\x1b[31mred", "tab\t", "\x7f", "back\\slash", "é🚨", "\x85", "\x9b31m"]


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("content", [None, "[1", ""], ids=["missing", "truncated", "empty"])
def test_name_with_odd_characters(kairos, tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    assert_error(kairos.run("--file", path))


@pytest.mark.parametrize(
    "document", [b"", b" ", b"\n", b" \t\r\n" * 1000, b"\xef\xbb\xbf", b"\xef\xbb\xbf \n"]
)
@pytest.mark.parametrize("guise", [bytes, gz, zst], ids=["plain", "gz", "zst"])
def test_empty_file(kairos, tmp_path, document, guise):
    path = tmp_path / "events.json"
    path.write_bytes(guise(document))
    assert_error(kairos.run("--file", path), path, "empty", "[]")
    assert_error(kairos.run("--file=-", stdin=guise(document)), "<stdin>", "empty", "[]")


# Documents


def test_truncated_array(kairos, tmp_path):
    document = json.dumps(
        [event("push", "10:00", a=[1.5e3, {"é": None}, True]), event("push", "10:04")]
    ).encode()
    path = tmp_path / "events.json"
    for length in range(len(document)):
        path.write_bytes(document[:length])
        place = f"line 1, column {length + 1}, byte {length + 1}: "
        assert_error(kairos.run("--file", path), place)
    path.write_bytes(document)
    assert kairos.run("--file", path).returncode == 0


@pytest.mark.parametrize(
    "trailing",
    [b"]", b",", b"x", b"[]", b"{}", b"\x00", b"\xef\xbb\xbf", b"\n\n" + lines(SILENT).encode()],
)
def test_trailing_bytes(kairos, trailing):
    result = kairos.analyse(json.dumps(SILENT).encode() + trailing)
    assert_error(result)
    assert result.saved is None


@pytest.mark.parametrize("document", ["42", '"push"', "null", "true", "1e400"])
def test_wrong_top_level_type(kairos, document):
    """Whatever is no array is read as lines, and what is no object there is a bad event."""
    result = kairos.analyse(document)
    assert result.returncode == 0
    assert result.reasons == {"not_an_object": 1}


@pytest.mark.parametrize(
    "document", [b"hello", b"\x00", b"\xff\xfe[\x00]\x00", b"}", b"<events/>", b"\x7fELF\x02\x01"]
)
def test_no_json_at_all(kairos, document):
    result = kairos.analyse(document)
    assert result.returncode == 0
    assert result.counts == (1, 0, 1)
    assert result.reasons == {"invalid_json": 1}


def test_one_object_over_several_lines(kairos):
    result = kairos.analyse(json.dumps(SILENT[0], indent=2))
    assert result.reasons == {"invalid_json": 4}


def test_byte_order_mark(kairos):
    for document in (json.dumps(SILENT), lines(SILENT), "\n " + json.dumps(SILENT)):
        result = kairos.analyse(b"\xef\xbb\xbf" + document.encode(), "--json")
        assert json.loads(result.stdout) == ALERT
    assert_error(kairos.analyse(b"\xef\xbb\xbf[\xef\xbb\xbf]"), "line 1, column 5, byte 5")
    assert_error(kairos.analyse(b"\xef\xbb\xbf[]\xef\xbb\xbf"), "line 1, column 6, byte 6")
    assert kairos.analyse(b"\xef\xbb\xbf\xef\xbb\xbf[]").reasons == {"invalid_json": 1}


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"], ids=bytes.hex
)
def test_invalid_utf_8(kairos, bad):
    broken = b'{%s, "a": "%s"}' % (GOOD.encode(), bad)
    assert_error(kairos.analyse(b"[" + broken + b"]"), "line 1, column 6", "UTF-8")
    result = kairos.analyse(broken + b"\n" + lines(SILENT).encode(), "--json")
    assert result.returncode == 0
    assert result.skipped == [(1, 1, "invalid_json")]
    assert json.loads(result.stdout) == ALERT


@pytest.mark.parametrize(
    "place", [b"[\x00]", b'["\x00"]', b"[1\x00]", b"[]\x00", b'[{"a\x00": 1}]', b"[{}\x00]"]
)
def test_nul_bytes(kairos, place):
    at = place.index(b"\x00") + 1
    assert_error(kairos.analyse(place), f"line 1, column {at}, byte {at}: ")
    result = kairos.analyse(b"{}\n" + place.replace(b"[", b"", 1))
    assert result.reasons["invalid_json"] == 1


# Nesting


def nested(levels, opening, closing):
    return opening * levels + b"1" + closing * levels


NESTS = {"arrays": (b"[", b"]"), "objects": (b'{"a":', b"}"), "spaced": (b'[ \n{"a": ', b"}\t]")}


@pytest.mark.parametrize("nest", NESTS)
def test_deep_nesting(kairos, nest):
    """In an ignored key 100,000 brackets are as good as none."""
    deep = b'{"a": ' + nested(100_000, *NESTS[nest]) + b", " + GOOD.encode() + b"}"
    rest = lines(SILENT[1:]).encode()
    for document in (b"[" + deep + b"," + rest + b"]", deep.replace(b"\n", b"") + b"\n" + rest):
        result = kairos.analyse(document, "--json")
        assert result.returncode == 0
        assert json.loads(result.stdout) == ALERT


@pytest.mark.parametrize("levels", [100_000, 2_000_000])
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"":', b"[\n"])
def test_unclosed_nesting(kairos, tmp_path, levels, opening):
    path = tmp_path / "events"
    path.write_bytes(b"[" + opening * levels)
    assert_error(kairos.run("--file", path), "line ", "byte ")
    line = (b'{"a":' + opening * levels).replace(b"\n", b"")
    result = kairos.analyse(b"{}\n" + line + b"\n" + lines(SILENT).encode())
    assert result.counts == (4, 2, 2)
    assert result.reasons == {"missing_service": 1, "invalid_json": 1}


@pytest.mark.parametrize(
    "levels, fine", [(1 << 20, True), ((1 << 20) + 1, False), (2_000_000, False)]
)
@pytest.mark.parametrize("nest", ["arrays", "objects"])
def test_nesting_beyond_the_limit(kairos, nest, levels, fine):
    """An event may have 1,048,576 levels, in either format, and none takes memory."""
    deep = b'{"a":' + nested(levels - 1, *NESTS[nest]) + b"}"
    result = measure(kairos, b"{}\n" + deep)
    assert result.reasons == (
        {"missing_service": 2} if fine else {"missing_service": 1, "invalid_json": 1}
    )
    result = measure(kairos, b"[" + deep + b"]")
    if fine:
        assert result.reasons == {"missing_service": 1}
    else:
        assert_error(result, "line 1, ", "1048576 levels")


# Length


def idle_memory(kairos):
    """What the program takes for an empty log; more than a little only with a sanitizer."""
    return kairos.run_measured("--file=-", stdin=b"[]")[1]


def stream(opening, filling, closing):
    chunk = filling * (MEBIBYTE // len(filling))
    yield opening
    for _ in range(LONG // len(chunk)):
        yield chunk
    yield closing


def measure(kairos, document):
    result, peak = kairos.run_measured("--file=-", "--threads=2", stdin=document)
    assert peak < 64 * MEBIBYTE + idle_memory(kairos)
    return result


LENGTHS = {  # opening, filling, closing of an event, and the reason why it is skipped
    "value": ('{"a": "', "x", f'", {GOOD}}}', None),
    "value last": (f'{{{GOOD}, "a": "', "é🚨", '"}', None),
    "escapes": ('{"a": "', '\\"\\u00e9\\\\', f'", {GOOD}}}', None),
    "key": ('{"', "x", f'": 0, {GOOD}}}', None),
    "escaped key": ('{"', "\\u0073", f'": 0, {GOOD}}}', None),
    "ignored number": ('{"a": 1', "0", f", {GOOD}}}", None),
    "ignored array": ('{"a": [0', ", 1", f"], {GOOD}}}", None),
    "ignored object": ('{"a": {"": 0', ', "b": {}', f"}}, {GOOD}}}", None),
    "many keys": ('{"a": 0', ', "b": 0', f", {GOOD}}}", None),
    "blanks": ("{", " ", f"{GOOD}}}", None),
    "service": ('{"timestamp": 0, "service": "', "x", '"}', "invalid_service_format"),
    "service of escapes": (
        '{"timestamp": 0, "service": "', "\\u0078", '"}', "invalid_service_format"
    ),
    "service of blanks": ('{"timestamp": 0, "service": "', " ", '"}', "empty_service"),
    "padded service": (
        '{"timestamp": "2025-08-04T10:00:00Z", "service": "', "\\t ", 'push"}', None
    ),
    "service padded behind": (
        '{"timestamp": "2025-08-04T10:00:00Z", "service": "push', " ", '"}', None
    ),
    "service and then one more": (
        '{"timestamp": 0, "service": "push', " ", 'x"}', "invalid_service_format"
    ),
    "timestamp": ('{"service": "push", "timestamp": "', "2025", '"}', "invalid_timestamp_format"),
    "fraction": ('{"service": "push", "timestamp": "2025-08-04T10:00:00.', "0", 'Z"}', None),
    "fraction and then no zone": (
        '{"service": "push", "timestamp": "2025-08-04T10:00:00.',
        "0",
        'x"}',
        "invalid_timestamp_format",
    ),
    "number": ('{"service": "push", "timestamp": 1', "0", "}", "invalid_timestamp_format"),
    "number's fraction": ('{"service": "push", "timestamp": 1754301600.', "0", "9}", None),
    "number's exponent": ('{"service": "push", "timestamp": 1754301600e-', "0", "}", None),
    "string": ('"', "x", '"', "not_an_object"),
    "array": ("[0", ", 1", "]", "not_an_object"),
}


@pytest.mark.parametrize("length", LENGTHS)
def test_length_takes_no_memory(kairos, length):
    *texts, reason = LENGTHS[length]
    opening, filling, closing = (text.encode() for text in texts)
    late = json.dumps(SILENT[1]).encode()
    for before, between, after in ((b"[", b",\n", b"]"), (b"{}\n", b"\n", b"")):
        result = measure(
            kairos, stream(before + opening, filling, closing + between + late + after)
        )
        assert result.returncode == 0
        expected = {"missing_service": 1} if before != b"[" else {}
        assert result.reasons == (expected | {reason: 1} if reason else expected)
        assert result.value("Alerts Triggered") == ("0" if reason else "1")


@pytest.mark.parametrize(
    "opening, filling",
    [('[{"a": "', "x"), ('["', "\\\\"), ("[0", ", 1"), ("[1", "0"), ("[", " "), ("[{}", "\t")],
)
def test_endless_array(kairos, opening, filling):
    result = measure(kairos, stream(opening.encode(), filling.encode(), b""))
    chunk = MEBIBYTE // len(filling) * len(filling)
    byte = len(opening) + LONG // chunk * chunk + 1
    assert_error(result, f"line 1, column {byte}, byte {byte}: ")


@pytest.mark.parametrize("filling", [b"x", b'"', b"\\", b"\xff", b"\x00", b"[", b'{"a":'])
def test_endless_broken_line(kairos, filling):
    result = measure(kairos, stream(b"{}\n{", filling, b"\n" + lines(SILENT).encode()))
    assert result.counts == (4, 2, 2)
    assert result.reasons == {"missing_service": 1, "invalid_json": 1}
    assert result.value("Alerts Triggered") == "1"


@pytest.mark.parametrize("compress", [gz, zst])
def test_length_takes_no_memory_compressed(kairos, compress):
    bomb = compress(
        b"".join(stream(b'[{"a": "', b"x", f'", {GOOD}}}, {json.dumps(SILENT[1])}]'.encode()))
    )
    result = measure(kairos, bomb)
    assert result.value("Alerts Triggered") == "1"


# Compressed files


@pytest.mark.parametrize("compress, magic", [(gz, 2), (zst, 4)], ids=["gz", "zst"])
def test_truncated_compression(kairos, tmp_path, compress, magic):
    document = compress(json.dumps(SILENT * 20).encode())
    path = tmp_path / "events"
    for length in range(magic, len(document)):
        path.write_bytes(document[:length])
        assert_error(kairos.run("--file", path), path)


@pytest.mark.parametrize("compress, header", [(gz, 10), (zst, 4)], ids=["gz", "zst"])
def test_damaged_compression(kairos, tmp_path, compress, header):
    document = compress(
        json.dumps([event("push", f"10:{minute:02}") for minute in range(60)]).encode()
    )
    path = tmp_path / "events"
    for at in range(header, len(document)):
        path.write_bytes(document[:at] + bytes([document[at] ^ 0xFF]) + document[at + 1 :])
        assert_error(kairos.run("--file", path), path)


@pytest.mark.parametrize("compress", [gz, zst])
@pytest.mark.parametrize("trailing", [b"x", b"[]", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x00\xff"])
def test_bytes_after_compression(kairos, compress, trailing):
    result = kairos.analyse(compress(json.dumps(SILENT).encode()) + trailing)
    assert_error(result)
    assert result.saved is None


@pytest.mark.parametrize("compress", [gz, zst])
def test_place_in_a_compressed_file(kairos, compress):
    """Lines, columns and bytes are those of the log itself."""
    assert_error(kairos.analyse(compress(b'[\n  {"a": 1},\n  x]')), "line 3, column 3, byte 17: ")


# --output


@pytest.fixture
def events(tmp_path):
    path = tmp_path / "events.json"
    path.write_text(
        json.dumps([event("push", f"{hour:02}:00") for hour in range(24)])
    )  # 437 alerts
    return path


@pytest.mark.parametrize("document", [[], SILENT], ids=len)
def test_output_to_a_full_device(kairos, document):
    result = kairos.run("--file=-", "--output=/dev/full", stdin=json.dumps(document).encode())
    assert_error(result, "/dev/full", "No space left")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@pytest.mark.parametrize("previous", [None, "previous"])
@pytest.mark.parametrize("room", [1_000, 30_000])
def test_output_to_a_full_disk(kairos, events, tmp_path, previous, room):
    """A limit on the size of files fails a write like a full disk does."""
    saved = output(tmp_path, previous)
    result = kairos.run(
        *("--file", events, "--output", saved),
        restore_signals=False,  # SIGXFSZ stays ignored, as Python has it
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert_error(result, saved)
    assert_untouched(saved, previous)


def output(folder, previous):
    """A file for --output, alone in its directory, that holds PREVIOUS unless that is None."""
    saved = folder / "out" / "alerts.json"
    saved.parent.mkdir()
    if previous is not None:
        saved.write_text(previous)
    return saved


def assert_untouched(saved, previous):
    left = {path.name: path.read_text() for path in saved.parent.iterdir()}
    assert left == ({} if previous is None else {saved.name: previous})


@pytest.mark.parametrize("previous", [None, "previous"])
def test_output_to_a_read_only_directory(unprivileged, previous):
    events = unprivileged.folder / "events.json"
    events.write_text(json.dumps(SILENT))
    saved = output(unprivileged.folder, previous)
    if previous:
        saved.chmod(0o666)
    saved.parent.chmod(0o555)
    assert_error(unprivileged.run("--file", events, "--output", saved), saved, "Permission denied")
    assert_untouched(saved, previous)


def test_output_to_a_missing_directory(kairos, events, tmp_path):
    saved = tmp_path / "missing" / "alerts.json"
    assert_error(kairos.run("--file", events, "--output", saved), saved, "No such file")
    assert not saved.parent.exists()


def test_output_to_a_directory(kairos, events, tmp_path):
    saved = tmp_path / "out"
    saved.mkdir()
    assert_error(kairos.run("--file", events, "--output", saved), saved, "directory")
    assert list(saved.iterdir()) == []


def test_output_of_a_failed_run(kairos, tmp_path):
    """An error of the input, or too many alerts, leaves the previous file alone."""
    saved = output(tmp_path, "previous")
    bad = kairos.run("--file=-", "--output", saved, stdin=json.dumps(SILENT)[:-1].encode())
    assert_error(bad, "<stdin>")
    many = kairos.run(
        "--file=-", "--output", saved, "--max-alerts=0", stdin=json.dumps(SILENT).encode()
    )
    assert_error(many, "--max-alerts")
    assert_untouched(saved, "previous")


# Standard output


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_standard_output_is_full(kairos, events, options):
    with open("/dev/full", "wb") as full:
        result = kairos.run("--file", events, *options, stdout=full)
    assert_error(result, "No space left")


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["summary", "json"])
def test_standard_output_is_closed(kairos, events, options):
    assert_error(run_without(kairos, ">&-", "--file", events, *options), "standard output")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_leave_the_output_alone(kairos, tmp_path, closed):
    """What is meant for a closed stream does not end up in a file that takes its number."""
    events, saved = tmp_path / "events.json", tmp_path / "alerts.json"
    document = json.dumps([{}, *SILENT])
    events.write_text(document)
    result = run_without(kairos, closed, "--file", events, "--output", saved, "--quiet")
    assert (result.returncode, result.stdout) == (0, "")
    assert [alert["alert_at"] for alert in json.loads(saved.read_text())] == [ALERT[0]["alert_at"]]
    assert events.read_text() == document


def run_without(kairos, closed, *options):
    """Runs the program from a shell that closes some streams."""
    command = ["sh", "-c", f'exec "$0" "$@" {closed}', kairos.path, *options]
    return run(command, subprocess.DEVNULL)


@pytest.mark.parametrize(
    "restore_signals", [True, False], ids=["SIGPIPE as ever", "SIGPIPE ignored"]
)
@pytest.mark.parametrize(
    "options",
    [[], ["--json"], ["--quiet", "--output=/dev/stdout"]],
    ids=["summary", "json", "output"],
)
def test_closed_pipe(kairos, events, options, restore_signals):
    """Nobody reads: the end is quiet."""
    reader, writer = os.pipe()
    os.close(reader)
    result = kairos.run("--file", events, *options, stdout=writer, restore_signals=restore_signals)
    os.close(writer)
    assert (result.returncode, result.stderr) == (1, "")


def test_pipe_closed_midway(kairos, events):
    """The reader takes a little of a long answer, as `head` does."""
    command = [kairos.path, "--file", events, "--interval=1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.read(1) == b"["
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 1


def test_log_file_in_a_missing_directory(kairos, events, tmp_path):
    assert_error(
        kairos.run("--file", events, "--log-file", tmp_path / "missing" / "log"),
        "--log-file",
        "No such file",
    )
