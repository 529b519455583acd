"""The logs that the benchmarks read: what they are, and how they are written."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from script import MIB, Failure

MAX_BYTES_PER_EVENT = 91  # The indented layout, rounded up.


@dataclass(frozen=True)
class Case:
    name: str
    what: str
    layout: str = "array"
    options: tuple[str, ...] = ()
    many_services: bool = False
    compression: str = ""  # The compressor, "gzip" or "zstd".
    threads: tuple[int, ...] = (1,)
    target: float = 0.0  # GB/s with one thread; 0 is none.
    speedup: float = 0.0  # Of two threads over one; 0 is none.
    jq: bool = False  # Whether jq and DuckDB run without --full.
    duckdb: bool = False
    plain: bool = True  # Whether other tools can do it: every event is good.

    def services(self, events: int) -> int:
        """A thousand, or so many that each beats ten times."""
        return min(1_000_000, max(1, events // 10)) if self.many_services else 1_000

    def file_name(self) -> str:
        suffix = {"": "", "gzip": ".gz", "zstd": ".zst"}[self.compression]
        return self.name + (".ndjson" if self.layout == "ndjson" else ".json") + suffix


CASES = (
    Case("array", "JSON array", threads=(1, 2), target=2.0, speedup=1.7, jq=True, duckdb=True),
    Case("ndjson", "NDJSON", layout="ndjson", threads=(1, 2), duckdb=True),
    Case("indented", "indented array", layout="indented", target=2.5),
    Case("gzip", "array, `.gz`", compression="gzip", duckdb=True),
    Case("zstd", "array, `.zst`", compression="zstd"),
    Case("local", "array, locally disordered", options=("--order", "local")),
    Case("shuffled", "array, shuffled", options=("--order", "shuffled"), target=0.6, duckdb=True),
    Case("services", "array, {services} services", many_services=True, target=0.5, duckdb=True),
    Case("services-shuffled", "array, {services} services, shuffled", many_services=True,
         options=("--order", "shuffled"), duckdb=True),
    Case("bad", "array, 30 % bad events", options=("--bad", "30"), plain=False),
    Case("numeric", "array, Unix timestamps", options=("--numeric",)),
)  # fmt: skip
MAIN_CASE = "array"


@dataclass(frozen=True)
class Log:
    path: Path
    events: int
    bad: int
    services: int
    alerts: int
    bytes: int  # Uncompressed.


def require_space(directory: Path, events: int) -> None:
    needed = events * MAX_BYTES_PER_EVENT + 64 * MIB
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise Failure(
            f"{directory.parent} has {free / MIB:,.0f} MiB free of {needed / MIB:,.0f} needed; "
            "name another with --dir, or use fewer --events"
        )


def write_log(case: Case, events: int, seed: int, generator: str, directory: Path) -> Log:
    path = directory / case.file_name()
    command = [generator, "--report", "--events", str(events), "--seed", str(seed),
               "--services", str(case.services(events)), "--layout", case.layout,
               *case.options]  # fmt: skip
    with open(path, "wb") as file:
        packer = None
        target = file
        if case.compression:
            packer = subprocess.Popen(
                [case.compression, "-c"], stdin=subprocess.PIPE, stdout=file
            )
            target = packer.stdin
        made = subprocess.run(command, stdout=target, stderr=subprocess.PIPE, text=True)
        if packer:
            packer.stdin.close()
        if made.returncode != 0:
            raise Failure(f"the log {case.name} could not be made: {made.stderr.strip()}")
        if packer and packer.wait() != 0:
            raise Failure(f"{case.compression} could not pack the log {case.name}")
        os.fsync(file.fileno())  # Else writing back goes on under the first runs.
    report = {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)", made.stderr)}
    return Log(path, **report)


def read_once(path: Path) -> None:
    with open(path, "rb", buffering=0) as file:
        while file.read(MIB):
            pass
