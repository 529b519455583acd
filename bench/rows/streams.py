"""Many open event streams: what each costs, and when the last of them gets an alert."""

import time
from pathlib import Path

from child import Child
from connection import Connection
from measurement import Measurement, quotient, seconds
from moments import microseconds
from script import Failure
from servers import Kairos, free_port
from workbench import Workbench

INTERVAL = 1  # Seconds after which the service that beats once is missed.
PATH = "/api/v1/stream?types=alert"


class Listeners(Child):
    """Connections that listen: bench/listeners.c."""

    def __init__(self, bench: Workbench, directory: Path, port: int, count: int) -> None:
        command = [bench.program("listeners"), str(port), str(count), PATH]
        super().__init__("listeners", command, directory, talks=True)
        expect(self, "open")

    def moments(self) -> tuple[int, int]:
        """When the first and the last one got the alert, microseconds since the epoch."""
        first, last = self.read_line().split()
        return int(first), int(last)


class Sender(Child):
    """What sends the same and does no more: bench/bare_sender.c."""

    def __init__(self, bench: Workbench, directory: Path, port: int, count: int) -> None:
        command = [bench.program("bare-sender"), str(port), str(count)]
        super().__init__("bare-sender", command, directory, talks=True)
        expect(self, "listening")

    def send(self) -> int:
        """Returns when it began, microseconds since the epoch."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return int(self.read_line())


def expect(child: Child, line: str) -> None:
    if (said := child.read_line()) != line:
        raise Failure(f"{child.name} said '{said}' and not '{line}'")


def raised_at(connection: Connection) -> int:
    """When the one alert was raised, microseconds since the epoch."""
    (incident,) = connection.get_json("/api/v1/incidents")["incidents"]
    return microseconds(incident["raised_at"])


def measure_kairos(bench: Workbench, directory: Path, count: int) -> tuple[float, float, float]:
    """Bytes of memory for each stream; seconds to the last one, from the raising and the first."""
    policy = ("--interval", str(INTERVAL), "--allowed-misses", "1")
    with Kairos(bench.kairos, directory, *policy) as server, server.connect() as connection:
        before = server.resident()
        with Listeners(bench, directory, server.port, count) as listeners:
            time.sleep(INTERVAL)  # Until all that there was to do has been done.
            cost = (server.resident() - before) / count
            connection.exchange(b"GET /ping/x HTTP/1.1\r\nHost: x\r\n\r\n")
            first, last = listeners.moments()
        raised = raised_at(connection)
    return cost, (last - raised) / 1e6, (last - first) / 1e6


def measure_sender(bench: Workbench, directory: Path, count: int) -> float:
    port = free_port()
    with (
        Sender(bench, directory, port, count) as sender,
        Listeners(bench, directory, port, count) as listeners,
    ):
        begin = sender.send()
        _, last = listeners.moments()
    return (last - begin) / 1e6


def measure(bench: Workbench) -> list[Measurement]:
    count = bench.size(9500, 1000)
    with bench.room() as directory:
        bare = measure_sender(bench, directory, count)
        cost, whole, spread = measure_kairos(bench, directory, count)
    bench.remark(f"streams: {seconds(spread)} passed between the first and the last one's alert.")
    return [
        Measurement(f"memory of an event stream, {count:,} open", "≤ 24 kB",
                    f"{cost / 1000:.1f} kB", ""),
        Measurement("from an alert's raising to the last of them", "≤ 150 ms", seconds(whole),
                    f"bare sends: {seconds(bare)}", quotient(whole, bare)),
    ]  # fmt: skip
