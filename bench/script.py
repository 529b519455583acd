"""What the benchmarks' scripts have in common: how they speak, fail and read their arguments."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIB = 1 << 20
GIB = 1 << 30


class Failure(Exception):
    """Something could not run; the text says what."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def first_line_of(*command: str) -> str:
    """What a tool says of its version; empty if it is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def positive(text: str) -> int:
    number = int(text.replace(",", "").replace("_", ""))
    if number < 1:
        raise ValueError(text)
    return number


def find_program(build: Path, name: str) -> str:
    """A program of the benchmark in a folder that Meson built in."""
    path = build / "bench" / name
    if not path.exists():
        raise Failure(f"there is no {name} in {path.parent}; scripts/bench builds it")
    return str(path)
