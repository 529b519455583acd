"""A kept connection to an HTTP server: no more than is needed, since it is timed as well."""

import json
import socket
from typing import Any

from script import Failure

TIMEOUT = 60.0  # Seconds without a byte.
HEAD_END = b"\r\n\r\n"
RECEIVED_AT_A_TIME = 1 << 18


def get_request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post_request(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == b"content-length":
            return int(value)
    return 0


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Sends a request; returns status and body of the answer."""
        self.socket.sendall(request)
        received = bytearray()
        while (end := received.find(HEAD_END)) < 0:
            self._receive(received)
        head = bytes(received[:end])
        whole = end + len(HEAD_END) + content_length(head)
        while len(received) < whole:
            self._receive(received)
        return int(head.split(b" ", 2)[1]), bytes(received[end + len(HEAD_END) : whole])

    def _receive(self, received: bytearray) -> None:
        piece = self.socket.recv(RECEIVED_AT_A_TIME)
        if not piece:
            raise Failure("the server closed the connection")
        received += piece

    def get(self, path: str) -> bytes:
        status, body = self.exchange(get_request(path))
        if status != 200:
            raise Failure(f"GET {path} was answered {status}: {body[:200].decode()}")
        return body

    def get_json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def metrics(self) -> dict[str, float]:
        """Figures of GET /metrics by name, labels and all."""
        lines = self.get("/metrics").decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def alerts(self) -> float:
        """Alerts that were raised, of every kind."""
        found = self.metrics().items()
        return sum(value for name, value in found if name.startswith("kairos_alerts_total"))
