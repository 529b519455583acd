"""A ping over kept connections: how many a second, and what one costs the server."""

from contextlib import ExitStack
from dataclasses import dataclass, field

import machine
from measurement import Measurement, median, number, quotient, seconds
from script import GIB, say
from servers import BareServer, Kairos, Nginx, Server
from workbench import Workbench
from wrk import run_wrk

CONNECTIONS = 64


@dataclass
class Runs:
    server: Server
    per_second: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # Seconds per request.
    busy: list[float] = field(default_factory=list)  # Parts of its core.

    def run(self, duration: int, core: int, what: str) -> None:
        before = self.server.cpu_seconds()
        load = run_wrk(f"http://127.0.0.1:{self.server.port}/ping/x", CONNECTIONS, duration, core)
        self.per_second.append(load.per_second)
        self.cpu.append((self.server.cpu_seconds() - before) / load.requests)
        self.busy.append(self.cpu[-1] * load.per_second)
        say(f"{what}: {self.server.name}: {number(load.per_second)}/s, "
            f"{seconds(self.cpu[-1])} of CPU each")  # fmt: skip


def run_all(bench: Workbench, what: str, servers: list[Server]) -> list[Runs]:
    """Loads the servers in turn, and ends them."""
    client, _ = machine.cores()
    with ExitStack() as stack:
        runs = [Runs(stack.enter_context(server)) for server in servers]
        for each in runs:
            run_wrk(f"http://127.0.0.1:{each.server.port}/ping/x", CONNECTIONS, 1, client)
        for _ in range(bench.runs):
            for each in runs:
                each.run(bench.size(5, 2), client, what)
    bench.remark(f"{what}: the servers used " + ", ".join(
        f"{median(each.busy):.0%} ({each.server.name})" for each in runs) + " of their core; where "
        "that is far from 100 %, wrk or others were the limit.")  # fmt: skip
    return runs


def measure(bench: Workbench) -> list[Measurement]:
    _, core = machine.cores()
    with bench.room() as directory:
        kairos, nginx, bare = run_all(bench, "ping", [
            Kairos(bench.kairos, directory, "--threads", "1", core=core),
            Nginx(directory, core),
            BareServer(bench.program("bare-server"), directory, core),
        ])  # fmt: skip
    rate, nginx_rate = median(kairos.per_second), median(nginx.per_second)
    cost, bare_cost = median(kairos.cpu), median(bare.cpu)
    return [
        Measurement(f"`GET /ping/x`, kept alive, {CONNECTIONS} connections", "≥ 0.85 × nginx",
                    f"{number(rate)}/s", f"nginx, `return 200`: {number(nginx_rate)}/s",
                    quotient(rate, nginx_rate)),
        Measurement("the server's CPU per such request", "≤ 1.15 × bare",
                    seconds(cost), f"bare libmicrohttpd: {seconds(bare_cost)}",
                    quotient(cost, bare_cost)),
    ]  # fmt: skip


def measure_logged(bench: Workbench) -> list[Measurement]:
    """The same with a line in the access log for each request."""
    _, core = machine.cores()
    with bench.room(2 * GIB) as directory:
        kairos, nginx = run_all(bench, "access log", [
            Kairos(bench.kairos, directory, "--threads", "1", "--access-log",
                   str(directory / "kairos-access.log"), core=core),
            Nginx(directory, core, access_log=str(directory / "nginx-access.log")),
        ])  # fmt: skip
    rate, nginx_rate = median(kairos.per_second), median(nginx.per_second)
    return [
        Measurement("the same with the access log on", "≥ 0.75 × nginx", f"{number(rate)}/s",
                    f"nginx, `access_log FILE`: {number(nginx_rate)}/s",
                    quotient(rate, nginx_rate)),
    ]  # fmt: skip
