"""Starts the real server, talks to it, and ends it; all answers are held against the contract."""

import http.client
import json
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import ENVIRONMENT, KAIROS
from contract import contract

PATIENCE = 30  # seconds; what takes longer has failed
STOP_WITHIN = 5  # seconds, which the server promises
PAUSE = 0.005  # seconds between two looks


def wait_until(condition, what, patience=PATIENCE):
    """Looks until CONDITION gives something true, and returns that."""
    end = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            pytest.fail(f"not within {patience} s: {what}")
        time.sleep(PAUSE)


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        assert self.headers["Content-Type"] == "application/json", self.body
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    @property
    def detail(self):
        """What is wrong, which every error says and says alone."""
        assert self.status >= 400
        assert list(self.json) == ["detail"]
        return self.json["detail"]


class Server:
    """A server on a free port of 127.0.0.1; `folder` holds its data, and the log of each start.
    WRAPPER is a command that becomes the one that follows; with TLS, a context, it is spoken."""

    def __init__(self, folder, *options, wrapper=(), tls=None, **popen):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.log_path = self.folder / f"server-{len(list(self.folder.glob('server-*')))}.log"
        command = [KAIROS, "serve", "--port", "0", "--data-dir", self.data, *map(str, options)]
        command = [*wrapper, *command]
        self.stream = open(self.log_path, "ab")
        popen = {"env": ENVIRONMENT, "stdin": subprocess.DEVNULL, **popen}
        self.process = subprocess.Popen(command, stderr=self.stream, **popen)
        self.port = None
        self.tls = tls

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.stream.close()
        found = re.search("runtime error: |Sanitizer: |Assertion", self.log)
        assert not found, self.log

    @property
    def log(self):
        return self.log_path.read_text()

    def lines(self, event):
        """The log's lines of one kind of event, each as a dict of what it says, in texts."""
        objects = [json.loads(line) for line in self.log.split("\n")[:-1] if line.startswith("{")]
        if objects:
            return [{k: str(v) for k, v in o.items()} for o in objects if o["event"] == event]
        found = re.findall(rf"^\S+ (\w+) {event}(?: (.*))?$", self.log, re.MULTILINE)
        pairs = [re.findall(r"(\w+)=(\"[^\"]*\"|\S+)", rest) for _, rest in found]
        return [dict(pair) for pair in pairs]

    def line(self, event, number=0):
        """Waits for the line NUMBER of EVENT."""
        return wait_until(lambda: self.lines(event)[number:], f"{event} in {self.log}")[0]

    def listening(self):
        """Waits until the server listens."""

        def look():
            if self.process.poll() is not None:
                pytest.fail(f"ended with {self.process.returncode}: {self.log}")
            return self.lines("listening")

        ports = [line["port"] for line in wait_until(look, "listening") if "port" in line]
        self.port = int(ports[-1]) if ports else None
        return self

    def ready(self):
        """Waits until the server judges."""
        self.listening()
        wait_until(lambda: self.get("/ready").status == 200, "ready")
        return self

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=PATIENCE, context=self.tls
            )
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def socket(self):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.tls.wrap_socket(plain) if self.tls else plain

    def request(self, method, path, body=None, headers=None, connection=None):
        """One request, on a connection of its own unless one is given."""
        own = connection or self.connect()
        chunked = body is not None and not isinstance(body, (bytes, str))
        own.request(method, path, body, headers or {}, encode_chunked=chunked)
        response = own.getresponse()
        answer = Answer(response.status, response.headers, body_of(response))
        if not connection:
            own.close()
        contract().check(method, path, answer)
        return answer

    def exchange(self, method, target, body=None, headers=None):
        """One request that no library would send: its target goes as it is, in Latin-1."""
        lines = [f"{method} {target} HTTP/1.1", "Host: x", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += [f"Content-Length: {len(body)}"] if body is not None else []
        with self.socket() as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            answer = Answer(response.status, response.headers, body_of(response))
        contract().check(method, target, answer)
        return answer

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, encoded(body), **options)

    def put(self, path, body=None, **options):
        return self.request("PUT", path, encoded(body), **options)

    def patch(self, path, body=None, **options):
        return self.request("PATCH", path, encoded(body), **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def beat(self, *events, **options):
        """Sends events in one request, as an array."""
        return self.post("/api/v1/heartbeats", list(events), **options)

    def service(self, name):
        return self.get(f"/api/v1/services/{name}").json

    def raw(self, request):
        """Sends bytes as they are and returns the status that comes back; None if there is none."""
        with self.socket() as connection:
            connection.sendall(request)
            answer = b""
            try:
                while received := connection.recv(65536):
                    answer += received
            except ConnectionResetError:
                pass
        found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
        return int(found[1]) if found else None

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, within=STOP_WITHIN):
        """Ends the server as an operator does; returns its exit status."""
        self.signal(signal.SIGTERM)
        return self.process.wait(within)

    def kill(self):
        self.process.kill()
        self.process.wait()


def body_of(response):
    """The body; of a stream, which does not end by itself, what comes up to the first empty line."""
    if response.headers["Content-Type"] != "text/event-stream":
        return response.read()
    lines = b""
    while not lines.endswith(b"\n\n") and (line := response.readline()):
        lines += line
    return lines


def encoded(body):
    return json.dumps(body).encode() if isinstance(body, (dict, list)) else body
