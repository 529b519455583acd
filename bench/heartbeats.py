"""The services of a benchmark, and their heartbeats as bodies of requests."""

import json
import random
from collections.abc import Sequence

from connection import Connection, post_request
from script import Failure

PATH = "/api/v1/heartbeats"
FILL_SIZE = 10_000  # Heartbeats per request where it does not matter.


def service_name(number: int) -> str:
    """16 bytes."""
    return f"service-{number:08d}"


def events(numbers: Sequence[int]) -> bytes:
    """Heartbeats of now."""
    return b",".join(b'{"service":"service-%08d"}' % number for number in numbers)


def stamped_events(numbers: Sequence[int], timestamp: str) -> bytes:
    end = b'","timestamp":"%b"}' % timestamp.encode()
    return b",".join(b'{"service":"service-%08d' % number + end for number in numbers)


def body(*parts: bytes) -> bytes:
    return b"[" + b",".join(part for part in parts if part) + b"]"


def request(*parts: bytes) -> bytes:
    return post_request(PATH, body(*parts))


def send(connection: Connection, message: bytes, count: int) -> None:
    """Sends a request with so many heartbeats; all must be accepted."""
    status, answer = connection.exchange(message)
    if status != 200 or json.loads(answer)["accepted"] != count:
        raise Failure(f"POST {PATH} was answered {status}: {answer[:300].decode()}")


def fill(connection: Connection, services: int, timestamp: str | None = None) -> None:
    """Lets the services 0 to `services` - 1 appear, in that order."""
    for first in range(0, services, FILL_SIZE):
        numbers = range(first, min(first + FILL_SIZE, services))
        part = stamped_events(numbers, timestamp) if timestamp else events(numbers)
        send(connection, request(part), len(numbers))


def shuffled_batches(services: int, size: int) -> list[list[int]]:
    """All services, each in one batch: in no order, but in the same one each time."""
    numbers = list(range(services))
    random.Random(1).shuffle(numbers)
    return [numbers[first : first + size] for first in range(0, services, size)]
