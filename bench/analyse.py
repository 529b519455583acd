#!/usr/bin/env python3
"""Times `kairos --file LOG` against public tools on the same logs, and prints Markdown tables.

Each case is one generated log. It is written, read once so that the page cache is warm, given to
each tool in turn, several times over, and deleted. A figure is the median of its runs; time is
that of the whole process, from its start to its end.

Nothing here fails because something is slow. The exit status is 1 when kairos or the generator
could not run, and 0 otherwise.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from logs import CASES, Case, Log, read_once, require_space, write_log
from machine import CpuTime
from script import ROOT, Failure, positive, say
from tables import Results, footer, header, tables
from tools import Tool, Toolbox, open_toolbox, run, threads_text, tools_for


def measure(case: Case, log: Log, tools: list[Tool], runs: int) -> None:
    read_once(log.path)
    for round_number in range(1, runs + 1):
        for tool in tools:
            if not tool.wants_another():
                continue
            try:
                tool.runs.append(run(tool.command, log.path.parent))
            except Failure as failure:
                tool.failure = str(failure)
                tool.runs.clear()
                say(f"{case.name}: {failure}")
                continue
            say(f"{case.name}: {tool.name}, {threads_text(tool.threads)}, run {round_number}: "
                f"{tool.runs[-1].seconds:.3f} s")  # fmt: skip


def run_case(case: Case, args: argparse.Namespace, box: Toolbox, directory: Path,
             results: Results) -> None:  # fmt: skip
    if case.compression and not shutil.which(case.compression):
        results.remarks.append(f"{case.name} is left out: {case.compression} is not installed.")
        return
    say(f"{case.name}: writing the log …")
    log = write_log(case, args.events, args.seed, box.generator, directory)
    try:
        tools = tools_for(case, log, box, args.full)
        measure(case, log, tools, args.runs)
    finally:
        log.path.unlink()
    results.add(case, log, tools)


def run_cases(args: argparse.Namespace, box: Toolbox) -> Results:
    results = Results(remarks=box.remarks)
    if args.dir:
        args.dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kairos-bench-", dir=args.dir) as name:
        directory = Path(name)
        require_space(directory, args.events)
        for case in args.cases:
            try:
                run_case(case, args, box, directory, results)
            except Failure as failure:
                results.failures.append(str(failure))
    return results


def case_list(text: str) -> list[Case]:
    names = text.split(",")
    unknown = [name for name in names if name not in {case.name for case in CASES}]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no case {', '.join(unknown)}")
    return [case for case in CASES if case.name in names]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench analyse",
        description="Times kairos on generated logs against cat, jq and DuckDB, and prints "
        "Markdown tables. Progress goes to stderr.",
    )
    parser.add_argument("--events", type=positive, default=10_000_000, metavar="N",
                        help="events per log (default: 10,000,000)")  # fmt: skip
    parser.add_argument("--cases", type=case_list, default=list(CASES), metavar="NAME,…",
                        help="only these: " + ", ".join(case.name for case in CASES))  # fmt: skip
    parser.add_argument("--runs", type=positive, default=5, metavar="N",
                        help="runs of each tool (default: 5); slow ones get fewer")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, metavar="N",
                        help="seed of the logs (default: 1)")  # fmt: skip
    parser.add_argument("--dir", type=Path, metavar="DIR",
                        help="where the logs go, one at a time, each deleted after its case "
                        "(default: the system's directory for temporary files)")  # fmt: skip
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", metavar="DIR",
                        help="where kairos and generate-log were built (default: build/release); "
                        "the environment variable KAIROS names another kairos")  # fmt: skip
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--full", action="store_true",
                        help="jq and DuckDB in every case that they can do")  # fmt: skip
    extent.add_argument("--no-references", action="store_true",
                        help="neither jq nor DuckDB: kairos and cat alone")  # fmt: skip
    return parser.parse_args()


def main() -> int:
    args = parse_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # The logs are cleaned up.
    try:
        box = open_toolbox(args.build.resolve(), references=not args.no_references)
        before = CpuTime.now()
        results = run_cases(args, box)
    except Failure as failure:
        say(f"bench: {failure}")
        return 1
    except KeyboardInterrupt:
        say("bench: interrupted")
        return 1
    print(header(args.events, args.runs, box.versions, before), end="\n\n")
    print(tables(results), end="\n\n")
    print(footer(results))
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
