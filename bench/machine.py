"""The machine: what it is, and how busy others keep it."""

import os
import platform
import re
import time
from dataclasses import dataclass
from pathlib import Path

from script import first_line_of


def cpu_model() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "an unknown distribution"


def description() -> str:
    """The date and the machine, in one line."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    cores = len(os.sched_getaffinity(0))
    return (
        f"{time.strftime('%Y-%m-%d')}: {cpu_model()}, {cores} cores, {memory:.0f} GiB, "
        f"Linux {platform.release()}, {distribution()}"
    )


@dataclass(frozen=True)
class CpuTime:
    """Seconds since the start of the machine (wall), and of this script (its own)."""

    wall: float
    busy: float  # Of all cores and everybody; what a hypervisor took away counts as busy.
    own: float

    @staticmethod
    def now() -> "CpuTime":
        ticks = [int(n) for n in Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]]
        user, nice, system, _idle, _iowait, irq, softirq, steal = ticks
        busy = user + nice + system + irq + softirq + steal
        return CpuTime(time.monotonic(), busy / os.sysconf("SC_CLK_TCK"), sum(os.times()[:4]))


def others_share(before: CpuTime, after: CpuTime) -> float:
    """Which part of the cores others used in between."""
    others = (after.busy - before.busy) - (after.own - before.own)
    return max(0.0, others / ((after.wall - before.wall) * (os.cpu_count() or 1)))


def cores() -> tuple[int, int]:
    """The core of whoever asks, and the core of the server: the same one if there is no other."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[min(1, len(usable) - 1)]


def file_system(directory: Path) -> str:
    """The kind of file system that a directory is on: "ext4"."""
    command = ["findmnt", "-n", "-o", "FSTYPE", "-T", str(directory)]
    return first_line_of(*command) or "an unknown file system"
