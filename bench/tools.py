"""The tools that are timed, kairos and those it is compared with, and how one is run."""

import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import BinaryIO

from logs import MAIN_CASE, Case, Log
from script import ROOT, Failure, find_program, first_line_of, say

MODULES = ROOT / "build" / "bench"
DUCKDB_PACKAGE = "@duckdb/node-api@1.5.6-r.1"

OUTPUT_KEPT = 4096  # All figures stand at the beginning; the alerts after them are many.
JQ_MEMORY_PER_BYTE = 12  # jq keeps the whole document: 9 to 10 times its length was seen.
REPEAT_WITHIN = 20.0  # Seconds after which a slow tool is not run again: in the main case
REPEAT_WITHIN_ELSEWHERE = 3.0  # and in the others.


def threads_text(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


@dataclass(frozen=True)
class Run:
    seconds: float
    peak: int  # Bytes.
    output: str  # Its beginning.


@cache
def gnu_time() -> str:
    """The path of GNU time, or nothing.

    The system counts the memory of a child from its fork, when it still is its parent: under this
    script no peak falls below the script's own. GNU time in between is a parent of one megabyte.
    """
    path = shutil.which("time") or ""
    return path if "GNU" in first_line_of(path, "--version") else ""


def peak_floor() -> int:
    """Peaks of so many bytes may in truth be lower."""
    return 0 if gnu_time() else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def memory_file(name: str) -> BinaryIO:
    return os.fdopen(os.memfd_create(name), "r+b")


def read_text(file: BinaryIO, size: int = -1) -> str:
    file.seek(0)
    return file.read(size).decode(errors="replace")


def run(command: list[str], directory: Path) -> Run:
    """Runs to the end and measures. What it prints is kept in memory, off the disks."""
    with memory_file("out") as out, memory_file("err") as err, memory_file("peak") as peak:
        meter = [gnu_time(), "-q", "-f", "%M", "-o", f"/proc/self/fd/{peak.fileno()}"]
        begin = time.perf_counter()
        process = subprocess.Popen(
            [*meter, *command] if gnu_time() else command,
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=directory,
            pass_fds=[peak.fileno()], process_group=0,
        )  # fmt: skip
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            complaint = read_text(err).strip().splitlines()
            raise Failure(
                f"`{Path(command[0]).name}` ended with status {process.returncode}: "
                + (complaint[-1] if complaint else "it said nothing")
            )
        kilobytes = int(read_text(peak)) if gnu_time() else usage.ru_maxrss
        return Run(seconds, kilobytes * 1024, read_text(out, OUTPUT_KEPT))


@dataclass
class Tool:
    """One command on one log. `answer` reads from its output what can be compared."""

    name: str
    threads: int
    command: list[str]
    counts: str  # What the answer is a number of: "alerts", "events", or nothing.
    repeat_within: float = float("inf")
    runs: list[Run] = field(default_factory=list)
    failure: str = ""

    def wants_another(self) -> bool:
        return not self.failure and sum(r.seconds for r in self.runs) < self.repeat_within

    def seconds(self) -> float:
        return statistics.median(r.seconds for r in self.runs)

    def peak(self) -> int:
        return max(r.peak for r in self.runs)

    def answer(self) -> int | None:
        numbers = [int(n) for n in re.findall(r"^(\d+)$", self.runs[0].output, re.MULTILINE)]
        return numbers[0] if self.counts and numbers else None


class Kairos(Tool):
    def said(self, key: str) -> int | None:
        found = re.search(rf"^{key}: +(\d+)$", self.runs[0].output, re.MULTILINE)
        return int(found[1]) if found else None

    def answer(self) -> int | None:
        return self.said("Alerts Triggered")


def disagreements(case: Case, log: Log, tools: list[Tool]) -> list[str]:
    """What the tools and the generator say differently of one log."""
    found = []
    for tool in tools:
        if not tool.runs:
            continue
        claims = [(tool.counts, tool.answer(), getattr(log, tool.counts))] if tool.counts else []
        if isinstance(tool, Kairos):
            claims.append(("events", tool.said("Total Events"), log.events))
            claims.append(("bad events", tool.said("Invalid Events"), log.bad))
        found += [
            f"{case.name}: {tool.name} with {threads_text(tool.threads)} says {answer} {what}, "
            f"the generator {truth}"
            for what, answer, truth in claims
            if answer != truth
        ]
    return found


# ---- What there is on this machine, and what of it goes to work on a log ----


@dataclass
class Toolbox:
    """What there is on this machine."""

    kairos: str
    generator: str
    versions: list[str]
    jq: bool
    duckdb: bool
    remarks: list[str]


def install_duckdb(remarks: list[str]) -> bool:
    if not shutil.which("node") or not shutil.which("npm"):
        remarks.append("DuckDB is left out: node and npm are not both installed.")
        return False
    wanted = DUCKDB_PACKAGE.rpartition("@")
    manifest = MODULES / "node_modules" / wanted[0] / "package.json"
    if manifest.exists() and f'"version": "{wanted[2]}"' in manifest.read_text():
        return True
    say(f"installing {DUCKDB_PACKAGE} into {MODULES} …")
    MODULES.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--prefix", str(MODULES), "--no-save", "--no-package-lock",
               "--no-audit", "--no-fund", "--loglevel=error", DUCKDB_PACKAGE]  # fmt: skip
    if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode != 0:
        remarks.append(f"DuckDB is left out: npm could not install {DUCKDB_PACKAGE}.")
        return False
    return True


def open_toolbox(build: Path, references: bool) -> Toolbox:
    kairos = os.path.abspath(os.environ.get("KAIROS") or build / "kairos")
    version = first_line_of(kairos, "--version")
    if not version:
        raise Failure(f"{kairos} does not run; scripts/bench builds it")
    versions = [version, first_line_of("cat", "--version")]
    remarks: list[str] = []
    if not gnu_time():
        remarks.append("Low peaks of memory are not known exactly: GNU time is not installed.")
    jq = duckdb = False
    if references:
        if jq_version := first_line_of("jq", "--version"):
            jq = True
            versions.append(jq_version)
        else:
            remarks.append("jq is left out: it is not installed.")
        if install_duckdb(remarks):
            duckdb_version = first_line_of("node", str(ROOT / "bench" / "duckdb.mjs"), "--version")
            duckdb = bool(duckdb_version)
            if duckdb:
                versions.append(f"DuckDB {duckdb_version} on Node {first_line_of('node', '-v')}")
            else:
                remarks.append("DuckDB is left out: it does not run here.")
    return Toolbox(kairos, find_program(build, "generate-log"), versions, jq, duckdb, remarks)


def available_memory() -> int:
    found = re.search(r"^MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def jq_for(case: Case, log: Log) -> list[str]:
    if case.layout == "ndjson":
        return ["jq", "-n", "reduce inputs as $event (0; . + 1)", str(log.path)]
    return ["jq", "-c", "length", str(log.path)]


def tools_for(case: Case, log: Log, box: Toolbox, full: bool) -> list[Tool]:
    patience = REPEAT_WITHIN if case.name == MAIN_CASE else REPEAT_WITHIN_ELSEWHERE
    path = str(log.path)
    tools: list[Tool] = [
        Kairos("kairos", n, [box.kairos, "--file", path, "--threads", str(n)], "alerts")
        for n in case.threads
    ]
    if not case.compression:
        tools.append(Tool("cat", 1, ["sh", "-c", 'exec cat "$1" >/dev/null', "sh", path], ""))
    elif shutil.which(case.compression):
        unpack = f'exec {case.compression} -dc "$1" >/dev/null'
        tools.append(Tool(f"{case.compression} -dc", 1, ["sh", "-c", unpack, "sh", path], "",
                          patience))  # fmt: skip
    if box.jq and case.plain and not case.compression and (case.jq or full):
        if available_memory() > log.bytes * JQ_MEMORY_PER_BYTE:
            tools.append(Tool("jq (counts only)", 1, jq_for(case, log), "events", patience))
        else:
            box.remarks.append(f"jq is left out of the case {case.name}: memory is too short.")
    if box.duckdb and case.plain and (case.duckdb or full):
        kind = "unix" if "--numeric" in case.options else "text"
        script = str(ROOT / "bench" / "duckdb.mjs")
        tools += [
            Tool("DuckDB", n, ["node", script, path, str(n), kind], "alerts", patience)
            for n in case.threads
        ]
    return tools
