"""A page of services out of many, by status and by tag too."""

import json
import time
from pathlib import Path

from connection import Connection, get_request
from heartbeats import fill, service_name
from measurement import Measurement, Quantiles, quotient, seconds
from script import MIB, Failure
from servers import Kairos
from workbench import Workbench

REQUESTS = 50
LIMIT = 100
FEW = 50  # Services that are down, fewer than a page holds: all others have to be passed over.

# Names end in a digit; every service has two tags.
CONFIGURATION = """\
services:
- pattern: '*[05]'
  tags: [all, fifth]
- pattern: '*'
  tags: [all, other]
"""


def fail_few(connection: Connection, services: int) -> None:
    for i in range(FEW):
        connection.get(f"/ping/{service_name(i * services // FEW)}/fail")


def time_requests(connection: Connection, path: str) -> tuple[Quantiles, bytes]:
    request = get_request(path)
    times = []
    for _ in range(REQUESTS):
        begin = time.monotonic()
        status, answer = connection.exchange(request)
        times.append(time.monotonic() - begin)
        if status != 200:
            raise Failure(f"GET {path} was answered {status}: {answer[:200].decode()}")
    return Quantiles.of(times), answer


def configuration(directory: Path) -> Path:
    path = directory / "kairos.yaml"
    path.write_text(CONFIGURATION)
    return path


def measure(bench: Workbench) -> list[Measurement]:
    services = bench.size(1_000_000, 100_000)
    rows = []
    with (
        bench.room(300 * services + 256 * MIB) as directory,
        Kairos(bench.kairos, directory, "--interval", "1d", "--config",
               str(configuration(directory))) as server,
        server.connect() as connection,
    ):  # fmt: skip
        fill(connection, services)
        fail_few(connection, services)
        health, _ = time_requests(connection, "/health")
        for what, query, expected in (
            ("up", "status=up", LIMIT),
            ("down", "status=down", FEW),
            ("down and have one of two tags", "status=down&tag=fifth", FEW),
            ("down and have another", "status=down&tag=other", 0),
        ):
            path = f"/api/v1/services?{query}&limit={LIMIT}"
            found, answer = time_requests(connection, path)
            count = len(json.loads(answer)["services"])
            if count != expected:
                raise Failure(f"GET {path} told of {count} services, not {expected}")
            rows.append(
                Measurement(f"a page of services that are {what}, {services:,} in all, {FEW} "
                            "down", "≤ 20 ms",
                            f"{seconds(found.p50)}, at most {seconds(found.max)}",
                            f"`GET /health`: {seconds(health.p50)}",
                            quotient(found.p50, health.p50))  # fmt: skip
            )
    return rows
