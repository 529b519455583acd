"""A program that runs beside the script and ends with it, whatever becomes of the script."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from script import Failure

TICKS = os.sysconf("SC_CLK_TCK")
STOP_WITHIN = 20.0  # Seconds after SIGTERM.
COMPLAINT_KEPT = 4096  # Bytes at the end of what it printed.


def command_on(core: int | None, command: list[str]) -> list[str]:
    """The command, on one core; the kernel kills it when whoever starts it has died."""
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    return ["setpriv", "--pdeathsig", "KILL", *pinned, *command]


def cpu_seconds(stat: Path) -> float:
    """Seconds of processor time, by /proc/…/stat: user and system."""
    fields = stat.read_text().rpartition(")")[2].split()  # The name before may hold anything.
    return (int(fields[11]) + int(fields[12])) / TICKS


class Child:
    """With `talks`, its standard input and output are pipes; else it has neither."""

    def __init__(self, name: str, command: list[str], directory: Path, core: int | None = None,
                 talks: bool = False) -> None:  # fmt: skip
        self.name = name
        self.log = directory / f"{name}.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command_on(core, command), cwd=directory, process_group=0, stderr=log,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else log,
            )  # fmt: skip
        self.proc = Path("/proc") / str(self.process.pid)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ---- What it does and uses ----

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.proc / "stat")

    def thread_seconds(self, *names: str) -> float:
        """Processor time of the threads whose names begin with one of these."""
        total = 0.0
        for task in (self.proc / "task").iterdir():
            if (task / "comm").read_text().startswith(names):
                total += cpu_seconds(task / "stat")
        return total

    def resident(self) -> int:
        """Bytes in memory: VmRSS, what it maps of files included."""
        for line in (self.proc / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Failure(f"{self.name} has ended: {self.complaint()}")

    def complaint(self) -> str:
        """The last line that it printed."""
        with open(self.log, "rb") as log:
            log.seek(max(0, self.log.stat().st_size - COMPLAINT_KEPT))
            lines = log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def wait_until(self, done: Callable[[], bool], seconds: float, what: str,
                   pause: float = 0.005) -> None:  # fmt: skip
        """Looks again and again until it is done; fails if that takes too long, or it ends."""
        give_up = time.monotonic() + seconds
        while not done():
            if self.process.poll() is not None:
                raise Failure(
                    f"{self.name} ended with status {self.process.returncode}: {self.complaint()}"
                )
            if time.monotonic() > give_up:
                raise Failure(f"{self.name}: {what} did not come within {seconds:.0f} s")
            time.sleep(pause)

    # ---- Its lines, if it talks ----

    def read_line(self) -> str:
        line = self.process.stdout.readline().decode().strip()
        if not line:
            raise Failure(f"{self.name} ended early: {self.complaint()}")
        return line

    def finish(self) -> str:
        """Closes its input, which tells it to end; returns the rest of its output."""
        try:
            output, _ = self.process.communicate(timeout=STOP_WITHIN)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end within {STOP_WITHIN:.0f} s") from None
        if self.process.returncode != 0:
            raise Failure(f"{self.name} failed: {self.complaint()}")
        return output.decode().strip()

    # ---- The end ----

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> float:
        """Asks it to end, and makes it end if it does not. Returns how long that took."""
        begin = time.monotonic()
        self._end(signal.SIGTERM)
        return time.monotonic() - begin

    def _end(self, number: int) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"{self.name} did not end within {STOP_WITHIN:.0f} s") from None
        finally:
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
