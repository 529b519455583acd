#!/usr/bin/env python3
"""Measures `kairos serve`, each figure beside a reference in the same run; prints a Markdown table.

Each row starts the servers that it needs, on free ports of this machine and in temporary
directories, and ends them. A row that fails is told and does not end the others.

Nothing here fails because something is slow. The exit status is 1 when a row could not run, and 0
otherwise.
"""

import argparse
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import machine
from machine import CpuTime, others_share
from markdown import table
from measurement import HEADINGS, Measurement
from rows import batch, delay, idle, memory, monitor, outage, page, ping, restart, streams, sync
from script import ROOT, Failure, positive, say
from workbench import Workbench, open_workbench

ROWS: dict[str, Callable[[Workbench], list[Measurement]]] = {
    "ping": ping.measure,
    "access-log": ping.measure_logged,
    "batch": batch.measure,
    "delay": delay.measure,
    "memory": memory.measure,
    "restart": restart.measure,
    "outage": outage.measure,
    "idle": idle.measure,
    "sync": sync.measure,
    "page": page.measure,
    "streams": streams.measure,
    "monitor": monitor.measure,
}


class Results:
    def __init__(self) -> None:
        self.cells: list[tuple[str, ...]] = []
        self.failures: list[str] = []

    def run(self, name: str, bench: Workbench) -> None:
        before = CpuTime.now()
        say(f"{name}: …")
        try:
            measurements = ROWS[name](bench)
        except Failure as failure:
            self.fail(name, str(failure))
            return
        except Exception as error:  # Whatever it is, the other rows can do without this one.
            traceback.print_exc()
            self.fail(name, f"{type(error).__name__}: {error}")
            return
        others = f"{others_share(before, CpuTime.now()):.0%}"
        self.cells += [(*measurement.cells(), others) for measurement in measurements]

    def fail(self, name: str, why: str) -> None:
        say(f"{name}: {why}")
        self.failures.append(f"{name} failed: {why}")


def header(bench: Workbench, before: CpuTime) -> str:
    sizes = ", sizes and times much reduced (--quick)" if bench.quick else ""
    runs = f"medians of {bench.runs} runs for ping, batch and restart, one run for the others"
    others = others_share(before, CpuTime.now())
    return "\n".join([
        f"- {machine.description()}, data on {machine.file_system(bench.directory)}",
        f"- {'; '.join(bench.versions)}",
        f"- {runs if bench.runs > 1 else 'one run each'}{sizes}; others used {others:.0%} of the "
        "cores meanwhile",
    ])  # fmt: skip


def footer(bench: Workbench, results: Results) -> str:
    lines = [
        "`ratio` is kairos's figure over the reference's; `others` is the share of the cores that",
        "others used during the row. Load and server have a core each in ping and batch, and share",
        "all of them elsewhere. CPU is user and system time of the whole server, in batch of the",
        "threads that serve requests.",
    ]
    notes = [*bench.remarks, *results.failures]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)] if notes else lines)


def row_list(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no row {', '.join(unknown)}")
    return [name for name in ROWS if name in names]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench watch",
        description="Measures kairos serve beside nginx, libmicrohttpd and redis, and prints a "
        "Markdown table. Progress goes to stderr.",
    )
    parser.add_argument("--only", type=row_list, default=list(ROWS), metavar="ROW,…",
                        help="only these: " + ", ".join(ROWS))  # fmt: skip
    parser.add_argument("--quick", action="store_true",
                        help="small sizes, to see that all works: under two minutes in all; the "
                        "figures tell little")  # fmt: skip
    parser.add_argument("--runs", type=positive, metavar="N",
                        help="runs of which a median is taken (default: 5, with --quick "
                        "1)")  # fmt: skip
    parser.add_argument("--dir", type=Path, metavar="DIR",
                        help="where temporary data goes, up to 2 GB at a time (default: the "
                        "system's directory for temporary files)")  # fmt: skip
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", metavar="DIR",
                        help="where kairos and the programs of the benchmark were built (default: "
                        "build/release); the environment variable KAIROS names another "
                        "kairos")  # fmt: skip
    return parser.parse_args()


def main() -> int:
    args = parse_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # So that servers are ended.
    if args.dir:
        args.dir.mkdir(parents=True, exist_ok=True)
    runs = args.runs or (1 if args.quick else 5)
    results = Results()
    try:
        with tempfile.TemporaryDirectory(prefix="kairos-bench-", dir=args.dir) as name:
            bench = open_workbench(args.build.resolve(), Path(name), args.quick, runs)
            before = CpuTime.now()
            for row in args.only:
                results.run(row, bench)
            heading = header(bench, before)
    except Failure as failure:
        say(f"bench: {failure}")
        return 1
    except KeyboardInterrupt:
        say("bench: interrupted")
        return 1
    print(heading, end="\n\n")
    print(table((*HEADINGS, "others"), results.cells, texts=4), end="\n\n")
    print(footer(bench, results))
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
