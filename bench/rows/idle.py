"""What it costs the engine's own thread to watch services that all beat."""

import json
import time

from loads import Feeder
from measurement import Measurement, quotient, seconds
from script import MIB, Failure, say
from servers import Kairos
from workbench import Workbench

SIZE = 1000


def measure(bench: Workbench) -> list[Measurement]:
    services, interval = bench.size(1_000_000, 100_000), bench.size(60, 6)
    duration = 2 * interval if bench.quick else interval
    with (
        bench.room(200 * services + 256 * MIB) as directory,
        Kairos(bench.kairos, directory, "--interval", str(interval)) as server,
        Feeder(server, directory, services, SIZE, interval) as feeder,
    ):
        feeder.wait_for("filled")
        say(f"idle: {services:,} services filled in")
        time.sleep(interval)  # Until they beat as the feeder says, and no more as they appeared.
        begin = time.monotonic()
        ticker, workers = server.ticker_seconds(), server.worker_seconds()
        time.sleep(duration)
        elapsed = time.monotonic() - begin
        ticker, workers = server.ticker_seconds() - ticker, server.worker_seconds() - workers
        late = json.loads(feeder.finish())
        with server.connect() as connection:
            alerts = connection.alerts()
    if alerts > 0:
        raise Failure(f"{alerts:,.0f} alerts were raised though all services beat")
    bench.remark(
        f"idle: the feeder sent {late['batches']:,} batches, p99 {seconds(late['p99'])} and at "
        f"most {seconds(late['max'])} late."
    )
    return [
        Measurement(f"the engine's thread, {services:,} services that beat every {interval} s",
                    "≤ 2 % of a core", f"{ticker / elapsed:.2%} of a core",
                    f"its workers: {workers / elapsed:.2%} of a core", quotient(ticker, workers))
    ]  # fmt: skip
