"""Many heartbeats per request, of services in no order: what they cost the server."""

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import machine
from child import command_on
from heartbeats import PATH, body, events, fill, shuffled_batches, stamped_events
from measurement import Measurement, median, number, quotient
from moments import timestamp
from script import ROOT, Failure, say
from servers import Kairos, Redis
from workbench import Workbench
from wrk import run_wrk

SIZE = 1000
CONNECTIONS = 4
SCRIPT = str(ROOT / "bench" / "batches.lua")

# A timestamp so many seconds ahead counts as now, each time that its body is sent.
AHEAD = 240


def write_bodies(path: Path, services: int, part: Callable[[list[int]], bytes]) -> None:
    with open(path, "wb") as file:
        for numbers in shuffled_batches(services, SIZE):
            file.write(body(part(numbers)) + b"\n")


def run_kairos(server: Kairos, bodies: Path, duration: int, core: int) -> float:
    """Heartbeats per second of the workers' CPU."""
    with server.connect() as connection:
        before, cpu = connection.metrics(), server.worker_seconds()
        run_wrk(f"http://127.0.0.1:{server.port}{PATH}", CONNECTIONS, duration, core, SCRIPT,
                str(bodies))  # fmt: skip
        cpu, after = server.worker_seconds() - cpu, connection.metrics()
    count, older = (after[key] - before[key] for key in
                    ("kairos_heartbeats_total", "kairos_heartbeats_older_total"))  # fmt: skip
    if older > count / 100:
        raise Failure(f"{older:,.0f} of {count:,.0f} heartbeats changed nothing")
    if cpu <= 0:
        raise Failure("no thread of kairos has the name of a worker")
    say(f"batch: kairos, {bodies.name}: {number(count / cpu)} heartbeats per second of CPU")
    return count / cpu


def run_redis(server: Redis, keys: int, count: int, core: int) -> float:
    """Keys set per second of CPU."""
    command = ["redis-benchmark", "-p", str(server.port), "-t", "set", "-r", str(keys), "-n",
               str(count), "-P", str(SIZE), "-c", str(CONNECTIONS), "-q"]  # fmt: skip
    cpu = server.cpu_seconds()
    done = subprocess.run(command_on(core, command), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)  # fmt: skip
    cpu = server.cpu_seconds() - cpu
    if done.returncode != 0 or not re.search(r"requests per second", done.stdout) or cpu <= 0:
        raise Failure(f"redis-benchmark failed: {(done.stderr or done.stdout).strip()[-300:]}")
    say(f"batch: redis: {number(count / cpu)} keys per second of CPU")
    return count / cpu


def measure(bench: Workbench) -> list[Measurement]:
    client, core = machine.cores()
    services, duration = bench.size(1_000_000, 100_000), bench.size(5, 2)
    plain, stamped, redis_rates = [], [], []
    with bench.room(200 * services + (256 << 20)) as directory:
        bodies, stamped_bodies = directory / "without-timestamps", directory / "with-timestamps"
        write_bodies(bodies, services, events)
        with (
            Kairos(bench.kairos, directory, "--threads", "1", "--interval", "1d",
                   core=core) as kairos,
            Redis(directory, core) as redis,
        ):  # fmt: skip
            with kairos.connect() as connection:
                fill(connection, services)
            run_redis(redis, services, 4 * services, client)  # All keys but two in a hundred.
            for _ in range(bench.runs):
                plain.append(run_kairos(kairos, bodies, duration, client))
                ahead = timestamp((int(time.time()) + AHEAD) * 1_000_000)
                write_bodies(stamped_bodies, services,
                             lambda numbers: stamped_events(numbers, ahead))  # fmt: skip
                stamped.append(run_kairos(kairos, stamped_bodies, duration, client))
                redis_rates.append(run_redis(redis, services, 10 * services, client))
    reference = median(redis_rates)
    return [
        Measurement(f"`POST {PATH}`, {SIZE:,} per request, {services:,} services known, "
                    f"{what} timestamps", "≥ 2,000,000/s per core",
                    f"{number(median(rates))}/s per core",
                    f"redis, `SET`, -P {SIZE}: {number(reference)}/s per core",
                    quotient(median(rates), reference))
        for what, rates in (("without", plain), ("with", stamped))
    ]  # fmt: skip
