"""How long a heartbeat's store waits while the registry is brought to the disk."""

import machine
from child import Child
from measurement import Measurement, Quantiles, quotient, seconds
from script import MIB
from workbench import Workbench


def measure(bench: Workbench) -> list[Measurement]:
    services, syncs = bench.size(10_000_000, 500_000), bench.size(20, 10)
    with bench.room(150 * services + 256 * MIB) as directory:
        command = [bench.program("store-during-sync"), str(directory / "data"), str(services),
                   str(syncs)]  # fmt: skip
        with Child("store-during-sync", command, directory, talks=True) as program:
            output = program.process.stdout.read().decode()
            program.finish()
        where = machine.file_system(directory)
    registry, memory, sync = (Quantiles.read(output, name) for name in
                              ("registry", "memory", "sync"))  # fmt: skip
    bench.remark(
        f"sync: {syncs} syncs of {services:,} services on {where} took {seconds(sync.p50)} in the "
        f"median and {seconds(sync.max)} at most; a store every 10 µs counts from when it was due."
    )
    rows = [("p50", ""), ("p99", ""), ("p999", "≤ 10 ms"), ("max", "")]
    return [
        Measurement(f"a store into `last_seen` while {services:,} services are synced, "
                    f"{key.replace('999', '99.9')} of {registry.count:,}", target,
                    seconds(getattr(registry, key)),
                    f"into plain memory: {seconds(getattr(memory, key))}",
                    quotient(getattr(registry, key), getattr(memory, key)))
        for key, target in rows
    ]  # fmt: skip
