"""Hypothesis strategies: logs of heartbeats in every way that they can be written.

Hypothesis draws a log's outline and one seed per event; an event is written from its seed alone. So
logs can be long, and one that fails shrinks to the events that matter.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from hypothesis import strategies as st

from documents import gz, zst
from model import (
    DAY,
    EPOCH,
    FIRST_MOMENT,
    HOUR,
    LAST_MOMENT,
    MICROSECOND,
    MILLISECOND,
    MINUTE,
    SECOND,
    Policy,
    moment_of_text,
)


def chance(random, probability):
    return random.random() < probability


# Strings


def escaped(text):
    """Every UTF-16 unit of TEXT as \\uXXXX."""
    units = text.encode("utf-16-be", "surrogatepass").hex()
    return '"' + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + '"'


SPELLINGS = (
    lambda text: json.dumps(text).replace("/", "\\/"),
    escaped,
    lambda text: escaped(text).upper().replace("\\U", "\\u"),
    lambda text: escaped(text[:1])[:-1] + json.dumps(text[1:])[1:],
    lambda text: json.dumps(text[:-1])[:-1] + escaped(text[-1:])[1:],
)


def plain(text):
    """TEXT as itself, but for what must be escaped and what UTF-8 cannot write."""
    return json.dumps(text, ensure_ascii="\ud800" in text)


def string(random, text):
    spelling = random.choice(SPELLINGS) if chance(random, 0.15) else plain
    return spelling(text)


# Services

NAMES = ("push", "email", "sms", "svc-000123", "svc-000124", "_", "0", "a" * 99, "a" * 100)
BLANKS = ("", " ", "\t", "\n", "\v", "\f", "\r", " \r\n ")
BAD_NAMES = (
    "a b", "naïve", "\u212a", "ſms", "push.", "pu/sh", "push\0", "\0", "b" * 101, "\u00a0push",
    "push\x1f", "\ud800", "\U0001f6a8", "{", "kp.x", "push\x7f", "push\x85",
)
NO_NAMES = ("null", "true", "false", "0", "17", "[]", "{}", '["push"]', '{"service": "push"}')


def service(random, names):
    name = random.choice(names)
    if chance(random, 0.1):
        name = random.choice((name.upper(), name.title()))
    if chance(random, 0.1):
        name = random.choice(BLANKS) + name + random.choice(BLANKS)
    return string(random, name)


def bad_service(random):
    texts = random.choice((NO_NAMES, BLANKS, BAD_NAMES))
    text = random.choice(texts)
    return text if texts is NO_NAMES else string(random, text)


# Timestamps


def timestamp(random, time):
    """TIME as a JSON value; digits beyond the microsecond change nothing."""
    if chance(random, 0.3):
        return timestamp_number(random, time)
    return string(random, timestamp_text(random, time))


def timestamp_text(random, time):
    offset = random.choice((None, None, None, 0, 60, -330, random.randint(-1439, 1439)))
    local = time + (offset or 0) * MINUTE
    if not FIRST_MOMENT <= local <= LAST_MOMENT:
        offset, local = None, time
    date = EPOCH + local // SECOND * SECOND * MICROSECOND
    clock = f"{date:%H:%M:%S}"
    fraction = f"{local % SECOND:06}".rstrip("0")
    if chance(random, 0.2):
        fraction = fraction.ljust(6, "0") + random.choice(("", "0", "9", "499999999999", "9" * 300))
    if fraction:
        clock += f".{fraction}"
    elif date.second == 0 and chance(random, 0.2):
        clock = f"{date:%H:%M}"
    separator = random.choice("t ") if chance(random, 0.1) else "T"
    return date.date().isoformat() + separator + clock + zone(random, offset)


def zone(random, offset):
    if offset is None:
        return random.choice(("Z", "Z", "Z", "z", ""))
    sign, (hours, minutes) = "-" if offset < 0 else "+", divmod(abs(offset), 60)
    return f"{sign}{hours:02}:{minutes:02}"


def timestamp_number(random, time):
    """TIME in seconds or milliseconds, its point sometimes moved by an exponent."""
    moved = random.randint(-12, 12) if chance(random, 0.3) else 0
    text = f"{Decimal(time).scaleb(random.choice((-6, -3)) + moved):f}"
    if "." in text:
        text += random.choice(("", "0", "9", "5" * 300))
    if moved or chance(random, 0.1):
        sign = "-" if moved > 0 else random.choice(("", "+"))
        text += random.choice("eE") + sign + random.choice(("", "00")) + str(abs(moved))
    return text


BAD_TIMES = (
    " ", "yesterday", "2025-08-04", "2025-08-04T", "2025-08-04T10", "2025-8-4T10:00", "10:00:00",
    "2025-08-04T10:00:00.", "2025-08-04T10:00.5", "2025-08-04T10:00:00,5", "2025-08-04T10:00:60Z",
    "2025-08-04T24:00:00Z", "2025-08-04T10:60Z", "2025-02-29T10:00Z", "2025-00-01T10:00Z",
    "2025-13-01T10:00Z", "2025-01-00T10:00Z", "0000-01-01T00:00Z", "2025-08-04T10:00:00+24:00",
    "2025-08-04T10:00:00+05", "2025-08-04T10:00:00+0530", "2025-08-04T10:00:00+05:60",
    "2025-08-04T10:00:00Z ", " 2025-08-04T10:00:00Z", "2025-08-04  10:00:00Z", "1754301600",
    "2025-08-04T10:00:00ZZ", "2025-08-04T10:00:00Z\0", "+2025-08-04T10:00Z", "２０２５-08-04T10:00Z",
    "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2025-08-04T10:00:00\u221205:00",
    "2025/08/04T10:00:00Z", "2025-08-04T10-00-00Z", "2025-08-04T1 :00:00Z", "2025-08-04T10:00:0Z",
)
NO_TIMES = (
    "null", '""', "true", "false", "[]", "{}", "[1754301600]", "1e400", "-1e400",
    "1e99999999999999999999", "253402300800000", "-62135596800001", "1" * 1000,
)


def bad_timestamp(random):
    return random.choice((random.choice(NO_TIMES), string(random, random.choice(BAD_TIMES))))


# Events

OTHER_KEYS = (
    "id", "", "Service", "services", "timestamp ", "servic", "timestamp\0", "é", "service\u0301",
    "a" * 300, "service", "timestamp",
)
OTHER_VALUES = (
    "null",
    "-0",
    "1e400",
    "0.1E-7",
    '""',
    '"},{"',
    '"}, {"',
    '"\\\\"',
    '"\\"},{\\""',
    '"\\ud800"',
    '"\\u0000"',
    '"é🚨"',
    "[]",
    "{}",
    "[[[]], {}]",
    '[{"service":"ghost","timestamp":"2025-08-04T10:00:00Z"},{}]',
    '{"service": "ghost", "timestamp": 0}',
    "123456789012345678901234567890",
    '"\\/\\b\\f\\n\\r\\t"',
)


def other_value(random, depth=0):
    if depth == 4 or chance(random, 0.7):
        return random.choice(OTHER_VALUES)
    values = [other_value(random, depth + 1) for _ in range(random.randint(0, 3))]
    if chance(random, 0.5):
        return "[" + ",".join(values) + "]"
    return "{" + ",".join(f'"k": {value}' for value in values) + "}"


@dataclass(frozen=True)
class Layout:
    """White space: after {, around each colon, around each comma, before }."""

    spaces: tuple[str, str, str, str, str, str] = ("", "", " ", "", " ", "")

    def write(self, members):
        opening, before_colon, after_colon, before_comma, after_comma, closing = self.spaces
        colon, comma = f"{before_colon}:{after_colon}", f"{before_comma},{after_comma}"
        body = comma.join(key + colon + value for key, value in members)
        return "{" + opening + body + closing + "}"


@dataclass(frozen=True)
class Writer:
    """Writes the events of one log."""

    policy: Policy
    base: int  # the time from which the heartbeats count
    intervals: int  # how far from there they go
    names: tuple[str, ...]
    layouts: tuple[Layout, ...]
    bad: float  # the share of bad services and timestamps
    odd: float  # the share of events with more keys, or another order
    far: float  # the share of heartbeats at any time

    def service(self, random):
        return bad_service(random) if chance(random, self.bad) else service(random, self.names)

    def timestamp(self, random):
        if chance(random, self.bad):
            return bad_timestamp(random)
        return timestamp(random, self.time(random))

    def time(self, random):
        """A time near a deadline, if the last heartbeat was near one."""
        if chance(random, self.far):
            return random.randint(FIRST_MOMENT, LAST_MOMENT)
        nudge = random.choice((0, 0, 0, 1, -1, MILLISECOND, 123_456))
        late = random.choice((0, 0, 1)) * self.policy.tolerance
        time = self.base + random.randint(0, self.intervals) * self.policy.interval + late + nudge
        return min(max(time, FIRST_MOMENT), LAST_MOMENT)

    def event(self, seed):
        random = Random(seed)
        if chance(random, self.bad / 4):
            return random.choice(("42", "[{}]", other_value(random)))
        members = []
        if not chance(random, self.bad / 4):
            members.append((string(random, "service"), self.service(random)))
        if not chance(random, self.bad / 4):
            members.append((string(random, "timestamp"), self.timestamp(random)))
        if chance(random, self.odd):
            for _ in range(random.randint(0, 3)):
                members.append((string(random, random.choice(OTHER_KEYS)), other_value(random)))
            random.shuffle(members)
        return random.choice(self.layouts).write(members)


SPANS = st.one_of(
    st.sampled_from((MILLISECOND, 250 * MILLISECOND, SECOND, MINUTE, HOUR, DAY, 366 * DAY)),
    st.integers(1, 366 * DAY // MILLISECOND).map(lambda count: count * MILLISECOND),
)
POLICIES = st.builds(
    Policy,
    interval=st.one_of(*3 * [st.just(MINUTE)], SPANS),
    allowed_misses=st.one_of(*3 * [st.integers(1, 4)], st.integers(1, 1_000_000)),
    tolerance=st.one_of(*2 * [st.just(0)], st.sampled_from((SECOND, 90 * SECOND)), SPANS),
)
BASES = st.sampled_from(
    (
        "2025-08-04T10:00",
        "1969-12-31T23:58",
        "2000-02-28T23:57",
        "0001-01-02T00:00",
        "9999-12-30T00:00",
    )
).map(moment_of_text)
LINE_SPACES = st.sampled_from(("", " ", "\t", "  ", "\r"))
ARRAY_SPACES = st.sampled_from(("", " ", "\n", "\n    ", "\r\n\t", "\n" * 9))
SHARES = st.sampled_from((0.0, 0.0, 0.1, 0.4))
SEEDS = st.integers(0, 2**32 - 1)


def writers(spaces):
    layouts = st.one_of(st.just(Layout()), st.builds(Layout, st.tuples(*6 * [spaces])))
    return st.builds(
        Writer,
        policy=POLICIES,
        base=BASES,
        intervals=st.sampled_from((10, 60, 300)),
        names=st.integers(1, len(NAMES)).map(lambda count: NAMES[:count]),
        layouts=st.lists(layouts, min_size=1, max_size=3).map(tuple),
        bad=SHARES,
        odd=SHARES,
        far=st.sampled_from((0.0, 0.0, 0.0, 0.1)),
    )


@st.composite
def texts(draw, writer):
    """The events of a log, each a JSON text."""
    size = draw(st.sampled_from((40, 0, 1, 2, 10, 100, 200)))
    seeds = draw(st.lists(SEEDS, min_size=size // 2, max_size=size))
    return [writer.event(seed) for seed in seeds]


# Documents

BOM = st.sampled_from((b"", b"", b"", b"\xef\xbb\xbf"))
BROKEN_LINES = (
    b"{", b"}", b"]", b",", b'"', b"nul", b"NaN", b"-", b"01", b"1.", b".5", b"+1", b"1e", b"'a'",
    b"{} {}", b"{},", b'{"service":"push"', b'{"a":1,}', b"{a:1}", b'{"a"}', b'{"a":}', b"[1,]",
    b"[,]", b"[1 2]", b"/**/{}", b'{"service":"push","timestamp":"2025-08-04T10:00:00Z"} x',
    b'"\t"', b'"\x00"', b"\x00", b"{}\x00", b"\x0c{}",
    b'{"service":"push","timestamp":"2025-08-04T10:00:00Z"', b'"\xff"', b'"\xc3"', b'"\xc0\xaf"',
    b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\\x"', b'"\\u12g4"', b"\xef\xbb\xbf{}", b"", b" ",
    b"\t\r",
)
DAMAGE = st.sampled_from(
    [b"", b"\xc3", b"\xef\xbb\xbf", *(bytes([byte]) for byte in b',][}{"\\\0\xff\n:0e ')]
)


@dataclass(frozen=True)
class Log:
    """A document, and the options to analyse it with."""

    document: bytes
    policy: Policy
    until: str | None
    threads: int

    @property
    def options(self):
        options = [
            f"--interval={duration(self.policy.interval)}",
            f"--allowed-misses={self.policy.allowed_misses}",
            f"--tolerance={duration(self.policy.tolerance)}",
            f"--threads={self.threads}",
        ]
        return options if self.until is None else [*options, f"--until={self.until}"]


def duration(time):
    return f"{time // SECOND}" if time % SECOND == 0 else f"{time // MILLISECOND}ms"


@st.composite
def arrays(draw):
    writer = draw(writers(ARRAY_SPACES))
    edge, gap = draw(ARRAY_SPACES), draw(ARRAY_SPACES)
    body = f"{edge},{gap}".join(draw(texts(writer)))
    return draw(logs(writer, draw(BOM) + f"{edge}[{gap}{body}{edge}]{edge}".encode()))


@st.composite
def ndjson(draw):
    writer = draw(writers(LINE_SPACES))
    lines = [text.encode() for text in draw(texts(writer))]
    for seed in draw(st.lists(SEEDS, max_size=4)):
        random = Random(seed)
        lines.insert(random.randint(0, len(lines)), random.choice(BROKEN_LINES))
    ending = draw(st.sampled_from((b"\n", b"\r\n")))
    document = draw(BOM) + ending.join(lines) + draw(st.sampled_from((b"", ending)))
    return draw(logs(writer, document))


@st.composite
def damaged_arrays(draw):
    """Arrays of which a few bytes were removed or replaced; by chance one may still be an array."""
    log = draw(arrays())
    at = draw(st.integers(0, len(log.document)))
    rest = log.document[at + draw(st.integers(0, 3)) :]
    return Log(log.document[:at] + draw(DAMAGE) + rest, log.policy, log.until, log.threads)


@st.composite
def logs(draw, writer, document):
    seed = draw(st.one_of(st.none(), st.none(), SEEDS))
    until = None if seed is None else timestamp_text(Random(seed), writer.time(Random(seed)))
    return Log(document, writer.policy, until, draw(st.integers(1, 4)))


@dataclass(frozen=True)
class Guises:
    """One log in several guises: how it is laid out, compressed and handed over changes nothing."""

    log: Log  # a plain array
    documents: dict[str, bytes]


@st.composite
def guises(draw):
    writer = draw(writers(LINE_SPACES))
    events = draw(texts(writer))
    log = draw(logs(writer, f"[{','.join(events)}]".encode()))
    edge, gap = draw(ARRAY_SPACES), draw(ARRAY_SPACES)
    roomy = (f"{edge}[{gap}" + f"{edge},{gap}".join(events) + f"{edge}]{edge}").encode()
    documents = {"roomy array": roomy, "gz": gz(log.document), "zst": zst(log.document)}
    cuts = draw(st.lists(st.integers(0, len(roomy)), max_size=3))
    documents["gz of members"] = gz(roomy, cuts)
    if events and not events[0].startswith("["):  # or the lines are an array, too
        lines = "\n".join(events).encode()
        cuts = draw(st.lists(st.integers(0, len(lines)), max_size=2))
        documents |= {
            "NDJSON": lines,
            "NDJSON gz": gz(lines + b"\n"),
            "NDJSON zst of frames": zst(lines, cuts),
        }
    return Guises(log, documents)
