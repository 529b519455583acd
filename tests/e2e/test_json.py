"""RFC 8259 to the letter: what it allows is accepted, what it forbids is refused at its place."""

import pytest

from documents import heartbeats, lines

SILENT = heartbeats("push", "10:00", "10:04")
FIRST, LAST = lines(SILENT).encode().split(b"\n")[:2]

ALLOWED = [
    *(
        "null", "true", "false", "[]", "{}", "[ ]", "{ }", "[[], [[]]]", '{"a": {"a": {}}}',
        '{"a": 1, "a": 2}', '{"": 0}',
    ),
    *(
        "0", "-0", "0.0", "-0.0e-0", "1e400", "-1E+400", "1e-400", "0e+00",
        "123456789012345678901234567890", "1.5E-007",
    ),
    *(
        '""', '" "', r'"\"\\\/\b\f\n\r\t"', r'"\u0000"', r'"\uD83D\uDEA8"', r'"\ud800"',
        r'"\uDC00\ud800"', r'"\ud800x"',
    ),
    *(
        '"\x7f"', '"\u0080"', '"é"', '"\u2028\u2029"', '"🚨"', '"\ufeff"', '"\uffff"',
        '"\U0010ffff"', '"},{"', '"[{"',
    ),
    *(
        "\t[\n\r 1 \t,\n\r 2 ]",
        "9" * 10_000,
        "0." + "1" * 10_000,
        "1e" + "9" * 10_000,
        '"' + "x" * 100_000 + '"',
    ),
    *("[" * 500 + "]" * 500, '{"a":' * 500 + "1" + "}" * 500, '[{"a":' * 500 + "1" + "}]" * 500),
]
FORBIDDEN = [
    *(
        "", "nul", "nulll", "Null", "TRUE", "NaN", "Infinity", "-Infinity", "undefined", "a",
        "'a'", "/**/1", "1//", "#",
    ),
    *(
        "-", "+1", "01", "-01", "00", "1.", ".5", "-.5", "1.e5", "1e", "1e+", "1e-", "1e1.5",
        "0x10", "1_000", "1 000", "--1", "1f", "１",
    ),
    *(
        '"', '"a', '"a\\"', r'"\x"', r'"\a"', r'"\u"', r'"\u12"', r'"\u12g4"', r'"\u+123"',
        r'"\U0041"', r'"\ud800\u12"',
    ),
    *(
        '"\\\n"', '"\t"', '"\n"', '"\r"', '"\x00"', '"\x1f"', '"a""b"', '"a" "b"', "\x00", "\x0c1",
        "\x0b1", "\u00a01", "\ufeff1",
    ),
    *(
        "[", "]", "[1", "[1,", "[1,]", "[,]", "[,1]", "[1,,2]", "[1 2]", "[1}", "[1:2]", '["a":1]',
        "[[]", "[]]", "(1)",
    ),
    *(
        "{", "}", '{"a"', '{"a"}', '{"a":', '{"a":}', '{"a":1', '{"a":1,', '{"a":1,}', '{,"a":1}',
        '{"a":1,,"b":2}', "{a:1}",
    ),
    *(
        "{'a':1}", "{1:1}", "{null:1}", '{"a" 1}', '{"a"=1}', '{"a"::1}', '{"a":1 "b":2}',
        '{"a":1]', '{"a":1}}', '{"a":1};', "{{}}", "{[]}",
    ),
    *(
        b'"\x80"', b'"\xbf"', b'"\xff"', b'"\xfe"', b'"\xc3"', b'"\xc3("', b'"\xe2\x82"',
        b'"\xe2(\xa1"', b'"\xf0\x9f\x9a"', b'"\xf8\x88\x80\x80\x80"',
    ),
    *(
        b'"\xc0\x80"', b'"\xc0\xaf"', b'"\xc1\xbf"', b'"\xe0\x80\xaf"', b'"\xe0\x9f\xbf"',
        b'"\xf0\x80\x80\xaf"', b'"\xf0\x8f\xbf\xbf"',
    ),
    *(
        b'"\xed\xa0\x80"', b'"\xed\xbf\xbf"', b'"\xed\xa0\xbd\xed\xba\xa8"', b'"\xf4\x90\x80\x80"',
        b'"\xf5\x80\x80\x80"', b"\xff", b"1\xff",
    ),
]
FORBIDDEN = [text.encode() if isinstance(text, str) else text for text in FORBIDDEN]
PLACES = {
    "event": b"%s",
    "value": b'{"a": %s}',
    "nested value": b'{"a": [{"b": [[], %s]}]}',
    "key before": b'{"a": %s, "service": "push", "timestamp": "2025-08-04T10:00:00Z"}',
    "key after": b'{"service": "push", "timestamp": "2025-08-04T10:00:00Z", "a": %s}',
}


@pytest.mark.parametrize("place", PLACES)
def test_allowed(kairos, place):
    texts = [PLACES[place] % text.encode() for text in ALLOWED]
    good = len(texts) if place.startswith("key") else 0
    result = kairos.analyse(b"[" + b",".join([FIRST, *texts, LAST]) + b"]")
    assert result.returncode == 0
    assert result.counts == (len(texts) + 2, good + 2, len(texts) - good)
    assert result.times == ["10:03:00Z"]
    one_line = [text for text in texts if b"\n" not in text]
    result = kairos.analyse(b"\n".join([FIRST, *one_line, LAST]))
    assert result.counts[0] == len(one_line) + 2
    assert "invalid_json" not in result.reasons


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", FORBIDDEN, ids=lambda text: repr(text)[2:-1])
def test_forbidden(kairos, place, text):
    bad = PLACES[place] % text
    for document in (
        b"[" + b",".join([FIRST, bad, LAST]) + b"]", b"[" + bad + b"]" if text else b"[,]"
    ):
        result = kairos.analyse(document)
        assert (result.returncode, result.stdout, result.saved) == (1, "", None), document
        assert result.stderr.count("\n") == 1
    if b"\n" not in bad and bad.strip():
        result = kairos.analyse(b"\n".join([FIRST, bad, LAST]))
        assert result.counts == (3, 2, 1)
        assert result.reasons == {"invalid_json": 1}
        assert result.times == ["10:03:00Z"]


@pytest.mark.parametrize(
    "line",
    [
        "{} {}", "{},", "{},{}", f"{FIRST.decode()} {LAST.decode()}", FIRST.decode() + "x",
        FIRST.decode()[:-1], "x" + FIRST.decode(),
    ],
)
def test_a_line_is_one_text(kairos, line):
    result = kairos.analyse("\n".join([FIRST.decode(), line, LAST.decode()]))
    assert result.counts == (3, 2, 1)
    assert result.reasons == {"invalid_json": 1}


def test_lines(kairos):
    """Blank lines are no events, \\r\\n is fine, and the last line needs no newline."""
    document = b"\n \r\n" + FIRST + b"\r\n\t\r\n\n42\n[]\r\n  " + LAST + b" "
    result = kairos.analyse(document)
    assert result.counts == (4, 2, 2)
    assert result.reasons == {"not_an_object": 2}
    assert [event for event, _, _ in result.skipped] == [2, 3]
    assert result.times == ["10:03:00Z"]


# ¶ stands before the first byte that cannot be there.
MARKED = [
    "[1, ¶x]",
    "[¶,]",
    "[1,¶]",
    "[1,\n\n 2 ¶3]",
    "[\n  1,\n  2\n]\n¶]",
    "[\r\n1,\r\n\t¶?]",
    '["é🚨", ¶é]',
    '["é\\n",\n"é🚨é" ¶"é"]',
    "\ufeff[\n1 ¶1]",
    "\ufeff[1 ¶1]",
    " \n\t[0¶1]",
    "[-¶]",
    "[1.¶]",
    "[1e¶,]",
    "[tru¶]",
    "[nul¶L]",
    '["\\¶x"]',
    '["\\u12¶g4"]',
    '["a¶\n"]',
    '["a¶\t"]',
    '["a¶\x00"]',
    "[1]¶\x00",
    '[{"a" ¶1}]',
    '[{"a":1,¶}]',
    "[{¶1:1}]",
    "[[1¶}]",
    '[{"a":[1¶}]',
    "[{}]\n\n\n   ¶{}",
    "[{}¶\x0c]",
    "[" + "1,\n" * 5000 + "¶]",
    "[" + " " * 3_000_000 + "\n" + " " * 70_000 + "¶x]",
]
UNFINISHED = [
    "[", "[1", "[1,\n", '["a', '[{"é": "', "[[[\n\n\n[", '[{"a":1}\n', " \n[", "\ufeff[\n\n "
]


@pytest.mark.parametrize("marked", MARKED, ids=lambda marked: repr(marked)[1:40])
def test_place_of_an_error(kairos, tmp_path, marked):
    before, after = marked.encode().split("¶".encode())
    assert_refused_at(kairos, tmp_path, before + after, len(before))


@pytest.mark.parametrize("bad", [b"\xff", b"\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80"], ids=bytes.hex)
def test_place_of_invalid_utf_8(kairos, tmp_path, bad):
    before = '[\n"é", "🚨'.encode()
    assert_refused_at(kairos, tmp_path, before + bad + b'"]', len(before))


@pytest.mark.parametrize("document", UNFINISHED)
def test_place_of_the_end(kairos, tmp_path, document):
    document = document.encode()
    assert_refused_at(kairos, tmp_path, document, len(document))


def assert_refused_at(kairos, tmp_path, document, offset):
    line, column = 1, 1
    for byte in document[:offset]:
        line, column = (line + 1, 1) if byte == ord("\n") else (line, column + 1)
    path = tmp_path / "events.json"
    path.write_bytes(document)
    results = {path: kairos.run("--file", path), "<stdin>": kairos.run("--file=-", stdin=document)}
    for name, result in results.items():
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith(
            f"kairos: {name}: line {line}, column {column}, byte {offset + 1}: "
        ), result.stderr
        assert result.stderr.endswith("\n") and result.stderr.count("\n") == 1
