"""All services silent at once: when the last alert is raised, and how pings fare meanwhile."""

import json
import time
from itertools import islice

from connection import Connection
from heartbeats import fill
from loads import Pinger
from measurement import Measurement, Quantiles, quotient, seconds
from moments import microseconds, timestamp
from script import MIB, Failure, say
from servers import Kairos, pages
from workbench import Workbench

ALERTS_WITHIN = 60.0  # Seconds after the deadline.
LOOK_EVERY = 0.005
NEWEST = 10_000  # Incidents that are looked at; the last one raised is among the newest.


def last_raised(connection: Connection) -> int:
    """Microseconds since the epoch."""
    newest = islice(pages(connection, "/api/v1/incidents", "incidents"), NEWEST)
    return max(microseconds(incident["raised_at"]) for incident in newest)


def wait_for_alerts(server: Kairos, connection: Connection, count: int, deadline: int) -> int:
    """Returns when the last one was seen to be raised, microseconds since the epoch."""
    time.sleep(max(0.0, deadline / 1e6 - time.time()))
    server.wait_until(
        lambda: connection.alerts() >= count,
        ALERTS_WITHIN, f"{count:,} alerts", pause=LOOK_EVERY,
    )  # fmt: skip
    return int(time.time() * 1e6)


def measure(bench: Workbench) -> list[Measurement]:
    services, interval = bench.size(1_000_000, 100_000), bench.size(20, 8)
    policy = ("--interval", str(interval), "--allowed-misses", "1")
    with (
        bench.room(500 * services + 256 * MIB) as directory,
        Kairos(bench.kairos, directory, *policy) as server,
        server.connect() as connection,
    ):
        beat = int(time.time() * 1e6)
        deadline = beat + interval * 1_000_000
        fill(connection, services, timestamp(beat))
        if time.time() * 1e6 > deadline - 2_000_000:
            raise Failure("the services took too long to fill in; is the machine busy?")
        say(f"outage: {services:,} services filled in; their deadline comes")
        with Pinger(server, directory) as pings:
            end = wait_for_alerts(server, connection, services, deadline)
            answers = json.loads(pings.finish())
        raised = last_raised(connection)
    before = Quantiles.of([late for due, late in answers if due < deadline / 1e6 - 1])
    during = Quantiles.of([late for due, late in answers if deadline / 1e6 <= due <= end / 1e6])
    bench.remark(
        f"outage: {during.count:,} pings meanwhile took {seconds(during.max)} at most, "
        f"{before.count:,} before {seconds(before.max)}. That all alerts are raised is seen from "
        f"outside, by `/metrics`; the latest `raised_at` is {seconds((raised - deadline) / 1e6)} "
        f"after the deadline."
    )
    return [
        Measurement(f"{services:,} services silent at once: all alerts raised", "≤ 2 s",
                    seconds((end - deadline) / 1e6), ""),
        Measurement("pings to another service meanwhile, p99", "≤ 50 ms", seconds(during.p99),
                    f"before: {seconds(before.p99)}", quotient(during.p99, before.p99)),
    ]  # fmt: skip
