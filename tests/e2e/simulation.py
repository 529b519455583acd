"""Drives the live engine under simulated time: `simulate`, of the same build as `kairos`."""

import re
import select
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import ENVIRONMENT, KAIROS, TIMEOUT


@dataclass(frozen=True)
class Fact:
    """A line that was printed: `word name key=value…`; numbers are integers, never is None."""

    word: str
    name: str | None
    values: dict

    def __getattr__(self, key):
        try:
            return self.values[key]
        except KeyError:
            raise AttributeError(key) from None


def fact(line):
    word, *rest = line.split()
    name = rest.pop(0) if rest and "=" not in rest[0] else None
    return Fact(word, name, {key: value(text) for key, text in (pair.split("=") for pair in rest)})


def value(text):
    if text == "never":
        return None
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def options_of(policy):
    return {
        "interval": policy.interval,
        "allowed_misses": policy.allowed_misses,
        "tolerance": policy.tolerance,
    }


SIMULATE = KAIROS.parent / "tests/simulate/simulate"


@dataclass
class Simulation:
    """Runs many engines, one after another, in one process. FOLDER is where it works."""

    folder: Path
    process: subprocess.Popen | None = field(default=None, repr=False)
    script: list[str] = field(default_factory=list, repr=False)  # since the last reset
    unread: bytes = field(default=b"", repr=False)

    def do(self, operation, *words, **values):
        """Returns the lines that the operation prints; the last one is its answer."""
        texts = [operation, *words, *(f"{key}={text}" for key, text in values.items())]
        self.script.append(" ".join("never" if text is None else str(text) for text in texts))
        with suppress(BrokenPipeError):  # then there is nothing to read either
            self.process.stdin.write(f"{self.script[-1]}\n".encode())
        lines = [self.read_line()]
        while lines[-1].split()[0] != operation:
            lines.append(self.read_line())
        return lines

    def read_line(self):
        while b"\n" not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT)
            more = self.process.stdout.read(1 << 16) if ready else b""
            if not more:
                self.process.kill()
                self.stop()
            self.unread += more
        line, self.unread = self.unread.split(b"\n", 1)
        return line.decode()

    def start(self):
        assert SIMULATE.exists(), f"{SIMULATE} is not built"
        shutil.rmtree(self.folder / "registry", ignore_errors=True)
        with open(self.folder / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(
                [SIMULATE, self.folder / "registry"],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=ENVIRONMENT,
            )

    def stop(self):
        """Ends the process, which may have nothing to complain of."""
        process, self.process, self.unread = self.process, None, b""
        process.stdin.close()
        process.stdout.close()
        status, complaint = process.wait(TIMEOUT), (self.folder / "stderr").read_text()
        assert (status, complaint) == (0, ""), f"{self.told}\n{complaint}"

    @property
    def told(self):
        """The script, to be run again with `simulate`; what is very long is cut."""
        return "\n".join(line[:4000] for line in self.script)

    # The same with facts instead of lines.

    def reset(self, now=0, **options):
        if not self.process:
            self.start()
        self.script.clear()
        self.do("reset", now, **options)

    def happens(self, *words, **values):
        """What an operation prints, without its answer."""
        return [fact(line) for line in self.do(*words, **values)[:-1]]

    def answer(self, *words, **values):
        """The answer of an operation by which nothing happens."""
        [answer] = self.do(*words, **values)
        return answer.partition(" ")[2]

    def show(self, name, now):
        """The service, and the incident that is open, or None."""
        *incident, service = self.happens("show", name, now)
        return Fact("service", name, {**service.values, "incident": [*incident, None][0]})


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    simulation = Simulation(tmp_path_factory.mktemp("live"))
    yield simulation
    if simulation.process:
        simulation.stop()
