"""How long after a deadline the alert is raised, under load.

By `raised_at`, and seen from outside: until the alert's line is in the log.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from child import Child
from heartbeats import service_name, shuffled_batches
from loads import Feeder
from measurement import Measurement, Quantiles, quotient, seconds
from moments import microseconds
from script import Failure, say
from servers import Kairos, pages
from workbench import Workbench

BATCHES_PER_SECOND = 100
TOLERANCE = 5  # Seconds. A feeder that falls behind by less makes nobody late.
MORTAL_SHARE = 0.05
ALERTS_WITHIN = 20  # Seconds after the last deadline.


def mortal_names(services: int, batch: int, mortal: int) -> set[str]:
    """Those that the feeder lets stop."""
    return {service_name(n) for numbers in shuffled_batches(services, batch)
            for n in numbers[:mortal]}  # fmt: skip


def read_delays(server: Kairos, mortal: set[str]) -> list[float]:
    """Seconds from each deadline to its alert."""
    with server.connect() as connection:
        incidents = list(pages(connection, "/api/v1/incidents", "incidents"))
    silent = {incident["service"] for incident in incidents}
    if silent != mortal or len(incidents) != len(mortal):
        raise Failure(
            f"{len(silent - mortal):,} services that beat had an incident, "
            f"{len(mortal - silent):,} of {len(mortal):,} that stopped had none, and "
            f"{len(incidents) - len(silent):,} had more than one"
        )
    return [
        (microseconds(incident["raised_at"]) - microseconds(incident["started_at"])) / 1e6
        - TOLERANCE
        for incident in incidents
    ]


def read_log_delays(log: Path) -> list[float]:
    """Seconds from each deadline to the alert's line, whose time is cut to the millisecond."""
    lines = re.findall(r"^(\S+) WARN +alert .* alert_at=(\S+)", log.read_text(), re.MULTILINE)
    return [(microseconds(written) - microseconds(due)) / 1e6 - TOLERANCE
            for written, due in lines]  # fmt: skip


@dataclass(frozen=True)
class Delays:
    raised: list[float]
    logged: list[float]
    wakes: Quantiles  # The reference.


def measure_delays(bench: Workbench, services: int, batch: int, interval: int,
                   mortal: int) -> Delays:  # fmt: skip
    names = mortal_names(services, batch, mortal)
    policy = ["--interval", str(interval), "--allowed-misses", "1", "--tolerance", str(TOLERANCE)]
    with (
        bench.room(200 * services + (256 << 20)) as directory,
        Kairos(bench.kairos, directory, *policy) as server,
        Feeder(server, directory, services, batch, interval, mortal) as feeder,
    ):
        for line in ("filled", "stopped"):
            feeder.wait_for(line)
            say(f"delay: {line}")
        # From now on deadlines pass: the first alert is due in TOLERANCE seconds.
        oversleep = [bench.program("oversleep"), str(TOLERANCE + interval)]
        with (
            Child("oversleep", oversleep, directory, talks=True) as sleeper,
            server.connect() as connection,
        ):
            server.wait_until(
                lambda: connection.alerts() >= len(names),
                TOLERANCE + interval + ALERTS_WITHIN, f"{len(names):,} alerts", pause=0.5,
            )  # fmt: skip
            wakes = Quantiles.read(sleeper.finish(), "oversleep")
        late = json.loads(feeder.finish())
        bench.remark(
            f"delay: the feeder sent {late['batches']:,} batches, p99 {seconds(late['p99'])} and "
            f"at most {seconds(late['max'])} late."
        )
        return Delays(read_delays(server, names), read_log_delays(server.log), wakes)


def measure(bench: Workbench) -> list[Measurement]:
    services, interval = bench.size(1_000_000, 100_000), bench.size(10, 4)
    batch = services // (interval * BATCHES_PER_SECOND)
    delays = measure_delays(bench, services, batch, interval, int(batch * MORTAL_SHARE))
    found, logged, wakes = Quantiles.of(delays.raised), Quantiles.of(delays.logged), delays.wakes
    early = sum(1 for delay in delays.raised if delay <= 0)
    what = f"{services:,} services, {batch * BATCHES_PER_SECOND:,} heartbeats/s"
    rows = [("p50", "≤ 2 ms"), ("p99", "≤ 10 ms"), ("p999", "≤ 50 ms"), ("max", "")]
    return [
        *(Measurement(f"from deadline to alert, {key.replace('999', '99.9')} of {found.count:,}; "
                      f"{what}", target, seconds(getattr(found, key)),
                      f"a thread that sleeps, late by {seconds(getattr(wakes, key))}",
                      quotient(getattr(found, key), getattr(wakes, key)))
          for key, target in rows),
        Measurement("until its line in the log (time cut to the ms), p50, p99, p99.9, max of "
                    f"{logged.count:,}", "",
                    ", ".join(seconds(getattr(logged, key)) for key, _ in rows), ""),
        Measurement("of these alerts, early", "0", f"{early:,}", ""),
    ]  # fmt: skip
