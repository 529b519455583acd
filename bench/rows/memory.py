"""What a service costs in memory."""

from heartbeats import fill, service_name
from measurement import Measurement, number, quotient
from script import MIB, say
from servers import Kairos, Redis
from workbench import Workbench

REDIS_VALUE = "8 bytes."


def kairos_bytes(bench: Workbench, services: int) -> float:
    """Per service, all that the process has in memory."""
    options = ("--interval", "1d", "--max-services", str(services))
    with bench.room(150 * services + 256 * MIB) as directory:
        with Kairos(bench.kairos, directory, *options) as server:
            empty = server.resident()
            with server.connect() as connection:
                fill(connection, services)
            full = server.resident()
    say(f"memory: kairos, {services:,} services: {(full - empty) / MIB:,.0f} MiB")
    return (full - empty) / services


def redis_bytes(bench: Workbench, keys: int) -> float:
    with bench.room() as directory, Redis(directory) as server:
        empty = server.resident()
        server.set_all((service_name(number) for number in range(keys)), REDIS_VALUE)
        return (server.resident() - empty) / keys


def measure(bench: Workbench) -> list[Measurement]:
    services, keys = bench.size(10_000_000, 200_000), bench.size(1_000_000, 100_000)
    ours, theirs = kairos_bytes(bench, services), redis_bytes(bench, keys)
    return [
        Measurement(f"memory, {services:,} services with names of 16 bytes", "≤ 128 bytes each",
                    f"{number(ours)} bytes each",
                    f"redis, {keys:,} such keys with 8 bytes: {number(theirs)} bytes each",
                    quotient(ours, theirs))
    ]  # fmt: skip
