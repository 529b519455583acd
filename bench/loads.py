"""Programs that load kairos while a row measures it. Each tells what it saw when it is finished."""

import sys
from pathlib import Path

from child import Child
from script import ROOT, Failure
from servers import Server


class Feeder(Child):
    """Keeps services alive: bench/feeder.py."""

    def __init__(self, server: Server, directory: Path, services: int, batch: int, interval: int,
                 mortal: int = 0) -> None:  # fmt: skip
        command = [sys.executable, str(ROOT / "bench" / "feeder.py"), "--port", str(server.port),
                   "--services", str(services), "--batch", str(batch), "--interval",
                   str(interval), "--mortal", str(mortal)]  # fmt: skip
        super().__init__("feeder", command, directory, talks=True)

    def wait_for(self, line: str) -> None:
        if (said := self.read_line()) != line:
            raise Failure(f"the feeder said '{said}' and not '{line}'")


class Pinger(Child):
    """Pings a service on a schedule: bench/pinger.py."""

    def __init__(self, server: Server, directory: Path) -> None:
        command = [sys.executable, str(ROOT / "bench" / "pinger.py"), str(server.port)]
        super().__init__("pinger", command, directory, talks=True)
