"""One log, one result: layout, compression, block borders and threads change no byte of it."""

import json
from random import Random

import pytest
from hypothesis import given, settings

import strategies
from documents import gz, heartbeats, lines, zst

BLOCK = 1 << 20  # the program reads blocks of this size
THREADS = (1, 2, 3, 8)

settings.register_profile(
    "processes", settings.default, max_examples=settings.default.max_examples // 8
)


@given(strategies.guises())
@settings(settings.get_profile("processes"))
def test_guises(kairos, guises):
    log = guises.log
    in_file, piped = (outcome(kairos, log.document, log.options, stdin) for stdin in (False, True))
    for guise, document in guises.documents.items():
        assert outcome(kairos, document, log.options) == in_file, guise
        assert outcome(kairos, document, log.options, stdin=True) == piped, guise
    for threads in THREADS:
        options = [*log.options, f"--threads={threads}"]
        assert outcome(kairos, log.document, options) == in_file, threads


def outcome(kairos, document, options, stdin=False):
    """All that the program says, but for log lines: the places in them differ between guises."""
    options = [*options, "--max-alerts=2000", "--log-level=error"]
    if stdin:
        result = kairos.analyse(document, "--json", *options, stdin=True)
        return result.returncode, result.stdout, result.saved
    result = kairos.analyse(document, *options)
    if result.returncode == 1:
        return 1, result.stdout, result.saved
    return result.saved, result.counts, result.services, result.reasons


# Block borders

ODDITIES = r"""
{"service": "  PU\u0053H ", "timestamp": "2025-08-04T10:00:00.0Z", "a": "\"\\é🚨\ud83d\udea8},{"},
{"serv\u0069ce":"p\ud800","timestamp":"2025-08-04T10:01Z"} , {"service": "\u00e9é", "timestamp": 0},
{"service": "push", "timestamp": 17.543020002500e+8, "": [-1.5e-7, true, false, 1E400, [], {}]},
{"a": [{"service": "ghost"}, {"timestamp": 0}], "timestamp": 1754302240250, "service": "push"},
{"service": "email", "timestamp": "2025-08-04T10:00:00.123456789+05:30"}, null
""".strip()
PADDINGS = {
    "spaces": lambda size: b" " * size,
    "string": lambda size: b'"' + b"x" * (size - 3) + b'",',
    "nested": lambda size: b"[" * (size // 2 - 1) + b"]" * (size // 2 - 1) + b"," + b" " * (
        size % 2 + 1
    ),
}


@pytest.mark.parametrize("padding", PADDINGS)
def test_block_borders(kairos, padding):
    """The first border falls into each byte of the document in turn."""
    odd = ODDITIES.encode() + b"]"
    plain = kairos.analyse(b"[" + PADDINGS[padding](64) + odd)
    assert plain.returncode == 0
    for inside in range(1, len(odd) + 1):
        document = b"[" + PADDINGS[padding](BLOCK - 1 - inside) + odd
        assert findings(kairos.analyse(document, "--threads=1")) == findings(plain), inside


@pytest.mark.parametrize("compress", [gz, zst])
def test_block_borders_of_lines(kairos, compress):
    """The same in NDJSON, compressed: a border in each byte of a line and of its ending."""
    odd = ODDITIES.replace("},\n", "}\r\n").encode()
    plain = kairos.analyse(b"{}\n" + odd)
    assert plain.reasons["invalid_json"] > 0
    for inside in Random(1).sample(range(1, len(odd) + 1), 60):
        document = compress(b"{}\n" + b" " * (BLOCK - 3 - inside) + odd)
        assert findings(kairos.analyse(document, stdin=True)) == findings(plain), inside


def findings(result):
    skipped = [(event, reason) for event, _, reason in result.skipped]
    return result.saved, result.counts, result.services, skipped


def test_zstd_that_begins_with_a_frame_to_be_skipped(kairos):
    """As `pzstd` writes it."""
    skipped = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"other"
    document = lines(heartbeats("push", "10:00:00", "10:06:00")).encode()
    result = kairos.analyse(skipped + zst(document), "--quiet")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.saved)[0]["alert_at"] == "2025-08-04T10:03:00Z"
