"""How long a restart takes with many services, the page cache being warm."""

import subprocess
import time
from pathlib import Path

from heartbeats import fill
from measurement import Measurement, median, quotient, seconds
from script import MIB, Failure, say
from servers import Kairos
from workbench import Workbench


def read_seconds(path: Path) -> float:
    """How long `cat` takes to read the file."""
    begin = time.monotonic()
    subprocess.run(["cat", str(path)], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begin


def check_services(server: Kairos, services: int) -> None:
    with server.connect() as connection:
        found = connection.metrics()['kairos_services{status="up"}']
    if found != services:
        raise Failure(f"of {services:,} services {found:,.0f} are up after a restart")


def measure(bench: Workbench) -> list[Measurement]:
    services = bench.size(10_000_000, 200_000)
    options = ("--interval", "1d", "--max-services", str(services))
    starts: dict[str, list[float]] = {"SIGTERM": [], "kill -9": []}
    reads, stops = [], []
    with bench.room(150 * services + 256 * MIB) as directory:
        server = Kairos(bench.kairos, directory, *options)
        try:
            with server.connect() as connection:
                fill(connection, services)
            say(f"restart: {services:,} services filled in")
            for _ in range(bench.runs):
                for how, times in starts.items():
                    if how == "SIGTERM":
                        stops.append(server.stop())
                    else:
                        server.kill()
                    reads.append(read_seconds(server.registry()))
                    server = Kairos(bench.kairos, directory, *options)
                    times.append(server.start_seconds)
                    say(f"restart: after {how}: {seconds(times[-1])}")
                    check_services(server, services)
        finally:
            server.stop()
    bench.remark(f"restart: from SIGTERM to the end {seconds(max(stops))} at most.")
    return [
        Measurement(f"restart with {services:,} services after {how}, until `/ready`", "≤ 2 s",
                    seconds(median(times)), f"`cat registry >/dev/null`: {seconds(median(reads))}",
                    quotient(median(times), median(reads)))
        for how, times in starts.items()
    ]  # fmt: skip
