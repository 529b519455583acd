"""wrk, which loads an HTTP server with one thread on a core of its own."""

import re
import subprocess
from dataclasses import dataclass

from child import command_on
from script import Failure


@dataclass(frozen=True)
class Load:
    requests: int
    per_second: float


def run_wrk(url: str, connections: int, seconds: int, core: int, *script: str) -> Load:
    """With a script and its arguments, that makes the requests."""
    options = ["-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s"]
    more = ["-s", script[0], url, "--", *script[1:]] if script else [url]
    done = subprocess.run(
        command_on(core, ["wrk", *options, *more]),
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        raise Failure(f"wrk failed: {(done.stderr or done.stdout).strip()}")
    for trouble in ("Non-2xx or 3xx responses", "Socket errors"):
        if found := re.search(rf"{trouble}: .*", done.stdout):
            raise Failure(f"wrk at {url}: {found[0]}")
    count = re.search(r"(\d+) requests in", done.stdout)
    rate = re.search(r"Requests/sec: +([\d.]+)", done.stdout)
    if count is None or rate is None or int(count[1]) == 0:
        raise Failure(f"wrk at {url} says nothing of its requests: {done.stdout.strip()}")
    return Load(int(count[1]), float(rate[1]))
