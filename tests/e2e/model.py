"""What Kairós does with a file, written to be read: a model to compare the program with.

Times are integers: microseconds since 1970-01-01T00:00:00Z. Nothing here is fast or clever.
"""

import codecs
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Context, Decimal
from itertools import count, pairwise

MICROSECOND = timedelta(microseconds=1)
MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCH = datetime(1970, 1, 1)
FIRST_MOMENT = (datetime.min - EPOCH) // MICROSECOND  # 0001-01-01T00:00:00Z
LAST_MOMENT = (datetime.max - EPOCH) // MICROSECOND  # 9999-12-31T23:59:59.999999Z

# The first that holds is the reason why an event is skipped. A line that is no JSON has no event.
REASONS = (
    "not_an_object",
    "missing_service",
    "missing_timestamp",
    "empty_service",
    "empty_timestamp",
    "invalid_service_format",
    "invalid_timestamp_format",
    "invalid_json",
)


NOT_JSON = object()  # stands for the event of a line that is no JSON


class BadInput(Exception):
    """The input as a whole is refused."""


class BadEvent(Exception):
    """One event is skipped; the argument is its reason."""


class BadJson(Exception):
    """A text that RFC 8259 forbids."""


class Number(str):
    """A JSON number, as it was written."""


@dataclass(frozen=True)
class Policy:
    interval: int = 60 * SECOND
    allowed_misses: int = 3
    tolerance: int = 0


@dataclass(frozen=True)
class Alert:
    service: str
    alert_at: int
    missed_count: int
    last_seen: int


@dataclass(frozen=True)
class Skipped:
    event: int  # its number, from 1
    byte: int  # where it begins, from 1
    reason: str


@dataclass
class Log:
    """A document that was read: the heartbeats of each service in order of first appearance."""

    heartbeats: dict[str, list[int]] = field(default_factory=dict)
    total: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def valid(self):
        return self.total - len(self.skipped)

    @property
    def services(self):
        return list(self.heartbeats)

    @property
    def reasons(self):
        return Counter(skipped.reason for skipped in self.skipped)

    def add(self, event, byte):
        """Counts one event; EVENT is a JSON value, or NOT_JSON."""
        self.total += 1
        try:
            service, time = heartbeat(event)
            self.heartbeats.setdefault(service, []).append(time)
        except BadEvent as bad:
            self.skipped.append(Skipped(self.total, byte, str(bad)))


# Documents


def read(document: bytes) -> Log:
    """Reads a JSON array or NDJSON; raises BadInput when it is refused as a whole."""
    start = len(codecs.BOM_UTF8) if document.startswith(codecs.BOM_UTF8) else 0
    body = document[start:].lstrip(b" \t\r\n")
    if not body:
        raise BadInput("empty")
    log = Log()
    if body.startswith(b"["):
        read_array(log, document, start)
    else:
        read_lines(log, document, start)
    return log


def read_array(log, document, start):
    try:
        text = document[start:].decode()
        byte, measured = start + 1, 0
        for event, at in array_elements(text):
            byte, measured = byte + len(text[measured:at].encode()), at
            log.add(event, byte)
    except (BadJson, UnicodeDecodeError) as error:
        raise BadInput(str(error)) from error


def array_elements(text):
    """Yields each element of the array that is TEXT, and where it begins."""
    at = skip_space(text, skip_space(text, 0) + 1)
    if not text.startswith("]", at):
        while True:
            event, end = json_value(text, at)
            yield event, at
            at = skip_space(text, end)
            if not text.startswith(",", at):
                break
            at = skip_space(text, at + 1)
    if not text.startswith("]", at):
        raise BadJson("the array is not closed")
    if skip_space(text, at + 1) != len(text):
        raise BadJson("bytes after the array")


def read_lines(log, document, start):
    for line in document[start:].split(b"\n"):
        blanks = len(line) - len(line.lstrip(b" \t\r"))
        if blanks < len(line):
            log.add(line_value(line), start + blanks + 1)
        start += len(line) + 1


def line_value(line):
    """The JSON value that is the whole of LINE, or NOT_JSON."""
    try:
        text = line.decode()
        value, end = json_value(text, skip_space(text, 0))
        return value if skip_space(text, end) == len(text) else NOT_JSON
    except (BadJson, UnicodeDecodeError):
        return NOT_JSON


def skip_space(text, at):
    return re.compile(r"[ \t\r\n]*").match(text, at).end()


def refuse(constant):
    raise BadJson(constant)  # NaN and Infinity, which Python would take


DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=refuse, strict=True)


def json_value(text, at):
    """The JSON value that begins at AT, and where it ends. Of equal keys the last one counts."""
    try:
        return DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise BadJson(str(error)) from error


# Events


def heartbeat(event):
    """The service and the time of EVENT; raises BadEvent with the first reason that holds."""
    if event is NOT_JSON:
        raise BadEvent("invalid_json")
    if not isinstance(event, dict):
        raise BadEvent("not_an_object")
    if "service" not in event:
        raise BadEvent("missing_service")
    if "timestamp" not in event:
        raise BadEvent("missing_timestamp")
    service, timestamp = event["service"], event["timestamp"]
    if service is None or (is_string(service) and not service.strip(" \t\n\v\f\r")):
        raise BadEvent("empty_service")
    if timestamp is None or (is_string(timestamp) and timestamp == ""):
        raise BadEvent("empty_timestamp")
    name = service_name(service)
    if name is None:
        raise BadEvent("invalid_service_format")
    time = moment(timestamp)
    if time is None:
        raise BadEvent("invalid_timestamp_format")
    return name, time


def is_string(value):
    return isinstance(value, str) and not isinstance(value, Number)


def service_name(service):
    if not is_string(service):
        return None
    name = service.strip(" \t\n\v\f\r")
    return name.lower() if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name) else None


# Times


def moment(timestamp):
    """The time that a JSON value stands for, or None."""
    if isinstance(timestamp, Number):
        time = moment_of_number(timestamp)
    elif isinstance(timestamp, str):
        time = moment_of_text(timestamp)
    else:
        return None
    return time if time is not None and FIRST_MOMENT <= time <= LAST_MOMENT else None


TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:[Zz]|([+-])(\d\d):(\d\d))?",
    re.ASCII,
)


def moment_of_text(text):
    match = TIMESTAMP.fullmatch(text)
    if not match:
        return None
    *calendar, second, fraction, sign, hours, minutes = match.groups()
    try:
        local = datetime(*map(int, calendar), int(second or 0))
    except ValueError:
        return None
    offset = 0
    if sign:
        if int(hours) > 23 or int(minutes) > 59:
            return None
        offset = (int(hours) * HOUR + int(minutes) * MINUTE) * (-1 if sign == "-" else 1)
    microseconds = int((fraction or "0")[:6].ljust(6, "0"))
    return (local - EPOCH) // MICROSECOND + microseconds - offset


# Exact for any number that is written in full; exponents out of all reason become infinite or zero.
EXACT = Context(prec=1_000_000, Emax=10**9, Emin=-(10**9), traps=[])


def moment_of_number(text):
    number = EXACT.create_decimal(text)
    magnitude = number.copy_abs()
    if magnitude > Decimal("1e15"):
        return None
    unit = MILLISECOND if magnitude > Decimal("2e10") else SECOND
    return int(EXACT.multiply(number, unit))  # cuts towards zero


def format_time(time):
    return (EPOCH + time * MICROSECOND).isoformat() + "Z"


# Detection


def detect(log, policy, until=None):
    """All alerts, one by one: by service in order of first appearance, then by time."""
    for service, times in log.heartbeats.items():
        for last_seen, end in silences(times, until):
            yield from silence_alerts(service, last_seen, end, policy)


def count_alerts(log, policy, until=None):
    """The number of alerts, without a look at each one."""
    return sum(
        max(0, end - last_seen - policy.tolerance - 1) // policy.interval // policy.allowed_misses
        for times in log.heartbeats.values()
        for last_seen, end in silences(times, until)
    )


def silences(times, until):
    """Pairs of moments: a heartbeat, and what ended the silence after it."""
    if until is None:
        return list(pairwise(sorted(times)))
    heard = sorted(time for time in times if time <= until)
    return list(pairwise(heard + [until])) if heard else []


def silence_alerts(service, last_seen, end, policy):
    for miss in count(policy.allowed_misses, policy.allowed_misses):
        expected = last_seen + miss * policy.interval
        if not expected + policy.tolerance < end:
            return
        yield Alert(service, expected, policy.allowed_misses, last_seen)


# Results, as the program writes them


def full_alerts(alerts):
    return [
        {
            "service": alert.service,
            "alert_at": format_time(alert.alert_at),
            "missed_count": alert.missed_count,
            "last_seen": format_time(alert.last_seen),
        }
        for alert in alerts
    ]


def short_alerts(alerts):
    return [
        {"service": alert.service, "alert_at": format_time(alert.alert_at)} for alert in alerts
    ]
