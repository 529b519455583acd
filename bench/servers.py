"""The servers that are compared: kairos, and those that do the same or less."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

from child import Child
from connection import Connection
from script import Failure

START_WITHIN = 60.0  # Seconds.
POLL = 0.005

# Threads of kairos that serve requests.
WORKERS = ("worker-", "kairos-http")

# One process that is its own worker: no other that could outlive the script.
NGINX_CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log {access_log};
    keepalive_requests 1000000000;
    client_body_temp_path {directory}/nginx-body;
    proxy_temp_path {directory}/nginx-proxy;
    fastcgi_temp_path {directory}/nginx-fastcgi;
    uwsgi_temp_path {directory}/nginx-uwsgi;
    scgi_temp_path {directory}/nginx-scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            default_type text/plain;
            add_header Cache-Control no-store;
            return 200 "OK";
        }}
    }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server(Child):
    """A child that listens at a port of this machine."""

    def __init__(self, name: str, port: int, command: list[str], directory: Path,
                 core: int | None = None) -> None:  # fmt: skip
        self.port = port
        super().__init__(name, command, directory, core)

    def connect(self) -> Connection:
        return Connection(self.port)

    def listens(self) -> bool:
        try:
            self.connect().socket.close()
        except ConnectionError:
            return False
        return True

    def wait_until_it_listens(self) -> None:
        try:
            self.wait_until(self.listens, START_WITHIN, "its port", POLL)
        except BaseException:
            self.kill()
            raise


class Kairos(Server):
    """`kairos serve` with its registry in `directory`/data, which stays."""

    def __init__(self, program: str, directory: Path, *options: str,
                 core: int | None = None) -> None:  # fmt: skip
        self.begin = time.monotonic()
        port = free_port()
        command = [program, "serve", "--port", str(port), "--data-dir", str(directory / "data"),
                   *options]  # fmt: skip
        super().__init__("kairos", port, command, directory, core)
        try:
            self.wait_until(self.is_ready, START_WITHIN, "/ready", POLL)
        except BaseException:
            self.kill()
            raise
        self.start_seconds = time.monotonic() - self.begin

    def is_ready(self) -> bool:
        """Whoever asks early is kept waiting, until it serves."""
        try:
            with self.connect() as connection:
                return connection.exchange(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 200
        except (ConnectionError, Failure):
            return False

    def registry(self) -> Path:
        return self.log.parent / "data" / "registry"

    def worker_seconds(self) -> float:
        return self.thread_seconds(*WORKERS)

    def ticker_seconds(self) -> float:
        return self.thread_seconds("ticker")


def pages(connection: Connection, path: str, key: str) -> Iterator[dict]:
    """What a listing tells, page by page."""
    cursor = ""
    while cursor is not None:
        page = connection.get_json(f"{path}?limit=1000" + (cursor and f"&cursor={cursor}"))
        yield from page[key]
        cursor = page["next_cursor"]


class Nginx(Server):
    """Its access log is "off", or a file."""

    def __init__(self, directory: Path, core: int | None = None, access_log: str = "off") -> None:
        port = free_port()
        configuration = directory / "nginx.conf"
        configuration.write_text(NGINX_CONFIGURATION.format(
            directory=directory, port=port, access_log=access_log))  # fmt: skip
        command = ["nginx", "-p", str(directory), "-e", "stderr", "-c", str(configuration)]
        super().__init__("nginx", port, command, directory, core)
        self.wait_until_it_listens()


class BareServer(Server):
    def __init__(self, program: str, directory: Path, core: int | None = None) -> None:
        port = free_port()
        super().__init__("bare-server", port, [program, str(port)], directory, core)
        self.wait_until_it_listens()


class Redis(Server):
    """In memory only: nothing is saved."""

    def __init__(self, directory: Path, core: int | None = None) -> None:
        port = free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir",
                   str(directory), "--save", "", "--appendonly", "no"]  # fmt: skip
        super().__init__("redis-server", port, command, directory, core)
        self.wait_until_it_listens()

    def set_all(self, keys: Iterator[str], value: str, at_a_time: int = 1000) -> None:
        keys = list(keys)
        command = f"*3\r\n$3\r\nSET\r\n${{}}\r\n{{}}\r\n${len(value)}\r\n{value}\r\n"
        with self.connect() as connection:
            for first in range(0, len(keys), at_a_time):
                some = keys[first : first + at_a_time]
                text = "".join(command.format(len(key), key) for key in some)
                connection.socket.sendall(text.encode())
                self._expect_ok(connection.socket, len(some))

    def _expect_ok(self, replies: socket.socket, count: int) -> None:
        expected = b"+OK\r\n" * count
        received = b""
        while len(received) < len(expected):
            piece = replies.recv(1 << 16)
            received += piece
            if not piece or not expected.startswith(received):
                raise Failure(f"redis-server answered {received[-80:]!r}")
