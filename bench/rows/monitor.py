"""A log that is sent to /monitor, beside the command on the same file: whole processes, in turns."""

import json
import subprocess
import time
from pathlib import Path

from logs import CASES, Case, Log, read_once, write_log
from measurement import Measurement, median, quotient, seconds
from script import MIB, Failure, say
from servers import Kairos
from workbench import Workbench

POLICY = {"interval": "60", "allowed_misses": "3", "tolerance": "0"}
BYTES_PER_EVENT = 91


def run(command: list[str]) -> tuple[float, bytes]:
    """How long the command takes, and what it prints."""
    begin = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        raise Failure(f"{command[0]} failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return time.monotonic() - begin, done.stdout


def upload(server: Kairos, path: str, log: Log) -> tuple[float, bytes]:
    form = [text for name, value in POLICY.items() for text in ("--form", f"{name}={value}")]
    return run(["curl", "-sS", "--fail", *form, "--form", f"file=@{log.path}",
                f"http://127.0.0.1:{server.port}{path}"])  # fmt: skip


def command(kairos: str, log: Log, saved: Path) -> float:
    options = [f"--{name.replace('_', '-')}={value}" for name, value in POLICY.items()]
    return run([kairos, f"--file={log.path}", *options, "--quiet", f"--output={saved}"])[0]


def compare(case: Case, bench: Workbench, server: Kairos, directory: Path) -> Measurement:
    log = write_log(case, bench.size(1_000_000, 100_000), 1, bench.program("generate-log"), directory)
    read_once(log.path)
    saved = directory / "alerts.json"
    uploads, commands, thrown_away = [], [], []
    for _ in range(max(5, bench.runs)):
        commands.append(command(bench.kairos, log, saved))
        taken, answer = upload(server, "/monitor", log)
        uploads.append(taken)
        thrown_away.append(upload(server, "/ping/push", log)[0])
        say(f"monitor: {case.name}: {seconds(taken)}, the command {seconds(commands[-1])}")
        if json.loads(answer)["alerts"] != json.loads(saved.read_bytes()):
            raise Failure("/monitor and the command have found different alerts")
    bench.remark(f"monitor: the same upload of the {case.what} to `/ping`, which throws it away, takes "
                 f"{seconds(median(thrown_away))}.")  # fmt: skip
    return Measurement(
        f"`POST /monitor`, {log.events:,} events, {case.what}, `curl --form`", "≤ 1.3 × the command",
        seconds(median(uploads)), f"`kairos --file`: {seconds(median(commands))}",
        quotient(median(uploads), median(commands)))  # fmt: skip


def measure(bench: Workbench) -> list[Measurement]:
    cases = [case for case in CASES if case.name in ("array", "gzip")]
    events = bench.size(1_000_000, 100_000)
    with bench.room(2 * BYTES_PER_EVENT * events + 64 * MIB) as directory:
        with Kairos(bench.kairos, directory) as server:
            return [compare(case, bench, server, directory) for case in cases]
