"""Documents for the tests: events, and the guises that a log of heartbeats can take."""

import gzip
import json
import subprocess

DAY = "2025-08-04"


def event(service, time, **more):
    """A heartbeat; a TIME without a date is one of DAY, in UTC."""
    timestamp = time if "-" in time else f"{DAY}T{time}Z"
    return {"service": service, "timestamp": timestamp, **more}


def heartbeats(service, *times):
    return [event(service, time) for time in times]


def lines(events):
    """NDJSON."""
    return "".join(json.dumps(event) + "\n" for event in events)


def gz(document, cuts=()):
    """Gzip with one member for each part between CUTS."""
    return b"".join(gzip.compress(part, 1) for part in parts(document, cuts))


def zst(document, cuts=()):
    """Zstandard with one frame for each part between CUTS."""
    return b"".join(zstd(part) for part in parts(document, cuts))


def zstd(document):
    command = ["zstd", "--quiet", "--stdout", "-1"]
    return subprocess.run(command, input=document, capture_output=True, check=True).stdout


def parts(document, cuts):
    borders = [0, *sorted(cuts), len(document)]
    return [document[start:end] for start, end in zip(borders, borders[1:])]
