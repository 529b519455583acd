"""Runs the real program: `kairos` of the release build, or the one that KAIROS names."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from model import REASONS

REPOSITORY = Path(__file__).resolve().parents[2]
KAIROS = Path(os.environ.get("KAIROS", REPOSITORY / "build/release/kairos")).resolve()
TIMEOUT = 60  # seconds; a run that takes longer hangs

# What the results may not depend on: settings of Kairós, languages, time zones.
ENVIRONMENT = {name: text for name, text in os.environ.items() if not name.startswith("KAIROS")}
ENVIRONMENT |= {"LC_ALL": "C.UTF-8", "TZ": "KAI-05:45"}

shared = {"deadline": None, "database": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", derandomize=True, max_examples=300, **shared)
settings.register_profile("explore", max_examples=3000, **shared)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@dataclass
class Result:
    returncode: int
    stdout: str
    stderr: str
    saved: str | None = None  # what --output wrote, when the run was asked for alerts

    @property
    def alerts(self):
        """The full alerts, as --output saved them."""
        return json.loads(self.saved)

    @property
    def times(self):
        """When the alerts are, for tests that have one service and one day."""
        return [alert["alert_at"].removeprefix("2025-08-04T") for alert in self.alerts]

    def value(self, key):
        """The value of one line of the summary."""
        return re.search(rf"^{key}: +(.*)$", self.stdout, re.MULTILINE)[1]

    @property
    def counts(self):
        """Total, valid and invalid events of the summary."""
        return tuple(int(self.value(f"{kind} Events")) for kind in ("Total", "Valid", "Invalid"))

    @property
    def services(self):
        services = self.value("Services")
        return [] if services == "none" else services.split(", ")

    @property
    def reasons(self):
        """The breakdown of skipped events by reason."""
        lines = re.findall(rf"^  ({'|'.join(REASONS)}): +(\d+)$", self.stdout, re.MULTILINE)
        return {reason: int(count) for reason, count in lines}

    @property
    def skipped(self):
        """The skipped events that the log names: (event, byte, reason)."""
        lines = re.findall(r" WARN skipped event=(\d+) byte=(\d+) reason=(\w+) ", self.stderr)
        return [(int(event), int(byte), reason) for event, byte, reason in lines]


# A small parent, since a child starts with the peak of the process that forks it.
MEASURE = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


@dataclass
class Kairos:
    """Starts the program; `path` is the binary, `folder` is where documents are put."""

    path: Path
    folder: Path
    popen: dict = field(default_factory=dict)  # options of each subprocess

    def run(self, *options, stdin=subprocess.DEVNULL, **popen):
        """Runs the program. STDIN is a descriptor, bytes, or an iterable of bytes to pipe."""
        command = [self.path, *map(str, options)]
        return run(command, stdin, **{"cwd": self.folder, **self.popen, **popen})

    def run_measured(self, *options, stdin=subprocess.DEVNULL):
        """Runs the program; returns the result and the peak of its resident memory in bytes."""
        command = [sys.executable, "-I", "-S", "-c", MEASURE, self.path, *map(str, options)]
        result = run(command, stdin, cwd=self.folder)
        *lines, kibibytes = result.stderr.splitlines(keepends=True)
        result.stderr = "".join(lines)
        return result, int(kibibytes) * 1024

    def analyse(self, document, *options, stdin=False, **popen):
        """Analyses DOCUMENT (bytes, text, or a list of events) and saves the alerts as well."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            events, saved = Path(folder, "events"), Path(folder, "alerts.json")
            if stdin:
                source, content = "-", encode(document)
            else:
                source, content = events, subprocess.DEVNULL
                events.write_bytes(encode(document))
            result = self.run("--file", source, "--output", saved, *options, stdin=content, **popen)
            result.saved = saved.read_text() if saved.exists() else None
            return result


def run(command, stdin, **popen):
    """Runs COMMAND to its end, and no longer than TIMEOUT."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        streams = {
            "bufsize": 0,
            "stdin": stdin if isinstance(stdin, int) else subprocess.PIPE,
            "stdout": stdout,
            "stderr": stderr,
            "env": ENVIRONMENT,
        }
        with subprocess.Popen(command, **{**streams, **popen}) as process:
            watchdog = threading.Timer(TIMEOUT, process.kill)
            watchdog.start()
            try:
                if process.stdin:
                    feed(process.stdin, [stdin] if isinstance(stdin, bytes) else stdin)
                process.wait()
            finally:
                watchdog.cancel()
        if process.returncode == -9:
            pytest.fail(f"killed after {TIMEOUT} s: {command}")
        result = Result(process.returncode, content_of(stdout), content_of(stderr))
        if re.search("runtime error: |Sanitizer: ", result.stderr):
            pytest.fail(f"{command}: {result.stderr}")
        return result


def feed(pipe, chunks):
    try:
        for chunk in chunks:
            pipe.write(chunk)
        pipe.close()
    except BrokenPipeError:
        pass  # the program has seen enough


def content_of(stream):
    stream.seek(0)
    return stream.read().decode()


def encode(document):
    if isinstance(document, list):
        document = json.dumps(document)
    return document.encode() if isinstance(document, str) else document


@pytest.fixture(scope="session")
def kairos(tmp_path_factory):
    assert KAIROS.exists(), f"{KAIROS} is not built"
    return Kairos(KAIROS, tmp_path_factory.mktemp("kairos"))


@pytest.fixture
def launch(tmp_path):
    """Starts servers and ends them with the test; all have the same data directory, unless they are given a folder."""
    from server import Server  # which takes the program from here

    servers = []

    def launch_one(*options, folder=tmp_path, **popen):
        servers.append(Server(folder, *options, **popen))
        return servers[-1]

    yield launch_one
    for server in servers:
        server.__exit__()


@pytest.fixture
def start(launch):
    """Starts servers that are ready, and ends them with the test."""
    return lambda *options, **popen: launch(*options, **popen).ready()
