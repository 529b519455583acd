"""What a row of the live benchmark works with."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from script import MIB, Failure, find_program, first_line_of

Size = TypeVar("Size", int, float)

REFERENCES = (("wrk", "-v"), ("nginx", "-v"), ("redis-server", "--version"),
              ("redis-benchmark", "--version"))  # fmt: skip


@dataclass
class Workbench:
    build: Path
    kairos: str
    directory: Path  # Where rows have their temporary directories.
    quick: bool
    runs: int
    versions: list[str]
    remarks: list[str] = field(default_factory=list)

    def size(self, full: Size, quick: Size) -> Size:
        return quick if self.quick else full

    def program(self, name: str) -> str:
        return find_program(self.build, name)

    def remark(self, text: str) -> None:
        self.remarks.append(text)

    @contextmanager
    def room(self, needed: int = 64 * MIB) -> Iterator[Path]:
        """A directory of its own, in which so many bytes will be written."""
        free = shutil.disk_usage(self.directory).free
        if free < needed:
            raise Failure(
                f"{self.directory} has {free / MIB:,.0f} MiB free of {needed / MIB:,.0f} needed; "
                "name another with --dir"
            )
        with tempfile.TemporaryDirectory(dir=self.directory) as name:
            yield Path(name)


def version_of(command: tuple[str, ...]) -> str:
    """wrk tells its version with status 1, as it is asked for nothing else."""
    if command[0] == "wrk":
        return "wrk" if shutil.which("wrk") else ""
    return first_line_of(*command)


def open_workbench(build: Path, directory: Path, quick: bool, runs: int) -> Workbench:
    kairos = os.path.abspath(os.environ.get("KAIROS") or build / "kairos")
    version = first_line_of(kairos, "--version")
    if not version:
        raise Failure(f"{kairos} does not run; scripts/bench builds it")
    found = [version_of(command) for command in REFERENCES]
    for command, answer in zip(REFERENCES, found):
        if not answer:
            raise Failure(f"{command[0]} is not installed; scripts/bench installs it")
    return Workbench(build, kairos, directory, quick, runs, [version, *found])
