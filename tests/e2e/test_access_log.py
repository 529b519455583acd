"""The access log: a line for each request, whatever becomes of it."""

import json
import os
import re
import signal
import socket

import pytest

from server import Server, wait_until

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO request method=(?P<method>[A-Za-z]+) "
    r'path="(?P<path>(?:[^"\\]|\\.)*)" status=(?P<status>\d{3}) bytes=(?P<bytes>\d+) '
    r"duration_ms=(?P<duration>\d+\.\d{3}) address=(?P<address>[0-9a-f.:]+|unix) id=(?P<id>[A-Za-z0-9._-]+)"
)


class Log:
    """What stands in FILE; of the program's log the lines of requests."""

    def __init__(self, file):
        self.file = file

    def lines(self):
        """All lines that are whole, each of which has to be one of a request."""
        try:
            text = self.file.read_text()
        except FileNotFoundError:
            return []
        lines = [line for line in text.split("\n")[:-1] if " INFO request " in line]
        return [LINE.fullmatch(line).groupdict() for line in lines]

    def of(self, path):
        """Waits for a line of PATH, and gives the last one."""
        return wait_until(lambda: [line for line in self.lines() if line["path"] == path], path)[-1]


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "access.log")


def test_lines(start, log):
    server = start("--access-log", log.file, "--threads", 2)
    body = server.get("/nowhere?token=secret").body
    line = log.of("/nowhere")
    assert (line["method"], line["status"], line["bytes"]) == ("GET", "404", str(len(body)))
    assert line["address"] == "127.0.0.1"

    server.get("/ping/x")
    line = log.of("/ping/x")
    assert (line["status"], line["bytes"]) == ("201", "7")
    assert re.fullmatch("[0-9a-f]{16}", line["id"])

    server.request("HEAD", "/health", headers={"X-Request-Id": "mine"})
    line = log.of("/health")
    assert (line["method"], line["status"], line["bytes"], line["id"]) == ("HEAD", "200", "0", "mine")

    server.beat({"service": "x"})
    assert log.of("/api/v1/heartbeats")["method"] == "POST"
    server.request("BREW", "/api/v1/gaps")
    line = log.of("/api/v1/gaps")
    assert (line["method"], line["status"]) == ("other", "405")
    assert "secret" not in log.file.read_text()
    assert server.log.count(" request ") == 0


def test_each_request_of_a_connection(start, log):
    server = start("--access-log", log.file)
    count = 500
    paths = [f"/ping/s{i}{'x' * (i % 50)}" for i in range(count)]
    requests = b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode() for path in paths)
    with server.socket() as connection:
        connection.sendall(requests)
        received = b""
        while received.count(b"HTTP/1.1 201 ") < count or not received.endswith(b"Created"):
            received += connection.recv(65536)
    wait_until(lambda: len([x for x in log.lines() if x["path"] != "/ready"]) == count, "all lines")
    lines = [line for line in log.lines() if line["path"] != "/ready"]
    assert [line["path"] for line in lines] == paths
    assert len({line["id"] for line in lines}) == count


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/ping/kp.secret/x", "/ping/kp.***/x"),
        ("/ping/kp.secret/x/fail", "/ping/kp.***/x/fail"),
        ("/ping/kp%2Esecret/x", "/ping/kp.***/x"),
        ("/ping/%6b%70%2esecret/x", "/ping/kp.***/x"),
        ("/ping/kp.secret", "/ping/kp.***"),
        ("/kp.secret", "/kp.***"),
        ("//kp.secret", "//kp.***"),
        ("http://host/ping/kp.secret/x", "http://host/ping/kp.***/x"),
        ("/ping/xkp.y", "/ping/xkp.y"),
        ("/ping/kp", "/ping/kp"),
        ("/ping/kp%", "/ping/kp%"),
        ("/ping/caf%C3%A9", "/ping/caf%C3%A9"),
        ("/ping/" + "a" * 3000, "/ping/" + "a" * 1018 + "..."),
    ],
)
def test_paths(start, log, path, logged):
    server = start("--access-log", log.file)
    server.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    log.of(logged)
    assert "secret" not in log.file.read_text()


def test_hostile_bytes(start, log):
    server = start("--access-log", log.file)
    server.raw(b'GET /a"b\\c\x1b[31m\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    assert log.of(r"/a\"b\\c\x1b[31m\xff")["status"] == "404"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1, 192.0.2.2"], "192.0.2.2"),
        (["192.0.2.1", "192.0.2.2"], "192.0.2.2"),
        (["192.0.2.1, 10.1.1.1, 10.2.2.2"], "192.0.2.1"),
        (["192.0.2.1", "10.1.1.1", "10.2.2.2"], "192.0.2.1"),
        (["10.1.1.1,10.2.2.2"], "10.1.1.1"),
        (["192.0.2.1:8080"], "192.0.2.1"),
        (["[2001:db8::1]:8080"], "2001:db8::1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["192.0.2.1, nonsense"], "127.0.0.1"),
        (["nonsense, 10.1.1.1"], "10.1.1.1"),
        (["192.0.2.1\" x=\"y"], "127.0.0.1"),
        ([""], "127.0.0.1"),
        ([","], "127.0.0.1"),
        (["10.0.0.1"] * 100, "10.0.0.1"),
    ],
)
def test_address_behind_proxies(start, log, forwarded, address):
    server = start("--access-log", log.file, "--trusted-proxies", "127.0.0.1, 10.0.0.0/8")
    fields = "".join(f"X-Forwarded-For: {value}\r\n" for value in forwarded)
    server.raw(f"GET /proxied HTTP/1.1\r\nHost: x\r\n{fields}Connection: close\r\n\r\n".encode())
    assert log.of("/proxied")["address"] == address


def test_others_are_not_believed(start, log):
    server = start("--access-log", log.file, "--trusted-proxies", "10.0.0.0/8")
    server.get("/direct", headers={"X-Forwarded-For": "192.0.2.1"})
    assert log.of("/direct")["address"] == "127.0.0.1"


def test_unix_socket(start, log, tmp_path):
    link = f"/tmp/kairos-test-access-{os.getpid()}"
    os.symlink(tmp_path, link)
    try:
        start("--access-log", log.file, "--unix-socket", f"{link}/socket")
        for fields, address in ((b"", "unix"), (b"X-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7")):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(f"{link}/socket")
                path = b"/from-" + address.encode()
                connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path, fields))
                assert connection.recv(4096).startswith(b"HTTP/1.1 404 ")
            assert log.of(f"/from-{address}")["address"] == address
    finally:
        os.unlink(link)


def test_clients_that_leave(start, log):
    server = start("--access-log", log.file)
    with server.socket() as connection:
        connection.sendall(b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n[")
        server.get("/health")
    line = log.of("/api/v1/heartbeats")
    assert (line["status"], line["bytes"]) == ("499", "0")


def test_into_the_log_of_the_program(start):
    server = start("--access-log", "-")
    server.get("/ping/x")
    assert Log(server.log_path).of("/ping/x")["status"] == "201"
    assert server.stop() == 0
    assert server.lines("stopped")


def test_as_json(tmp_path):
    file = tmp_path / "access.json"
    with Server(tmp_path, "--access-log", file, "--log-format", "json") as server:
        wait_until(lambda: '"listening"' in server.log, "listening")
        port = json.loads([x for x in server.log.splitlines() if '"listening"' in x][0])["port"]
        server.port = int(port)
        server.raw(b'GET /a"b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        text = wait_until(lambda: file.exists() and file.read_text(), "a line")
        [line] = [json.loads(line) for line in text.splitlines()]
        assert line["event"] == "request"
        assert (line["method"], line["path"], str(line["status"])) == ("GET", '/a"b', "404")
        assert server.stop() == 0


def test_rotation(start, log, tmp_path):
    server = start("--access-log", log.file)
    server.get("/before")
    log.of("/before")
    moved = tmp_path / "access.log.1"
    log.file.rename(moved)
    server.get("/between")
    Log(moved).of("/between")
    server.signal(signal.SIGHUP)
    wait_until(log.file.exists, "a new file")
    server.get("/after")
    log.of("/after")
    assert "/after" not in moved.read_text()
    assert "/before" not in log.file.read_text()


def test_lines_are_whole_at_the_end(start, log):
    server = start("--access-log", log.file)
    for _ in range(50):
        server.get("/ping/x")
    assert server.stop() == 0
    assert len([line for line in log.lines() if line["path"] == "/ping/x"]) == 50


def test_a_log_that_hangs_holds_up_nobody(start, tmp_path):
    """A pipe that nobody reads from takes 64 KiB."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        server = start("--access-log", pipe)
        connection = server.connect()
        for _ in range(2000):
            assert server.get("/ping/x", connection=connection).status in (200, 201)
        connection.close()
        server.signal(signal.SIGTERM)
        server.process.wait(10)
    finally:
        os.close(reader)


def test_file_that_cannot_be_opened(tmp_path):
    with Server(tmp_path, "--access-log", tmp_path / "no" / "where") as server:
        assert server.process.wait(10) == 1
        assert "--access-log: cannot open" in server.log


def test_a_client_that_is_too_slow(start, log):
    server = start("--access-log", log.file, "--body-timeout", "1")
    with server.socket() as slow:
        slow.sendall(b"POST /ping/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")
    assert log.of("/ping/slow")["status"] == "408"


@pytest.mark.parametrize(
    ("forwarded", "address"), [("192.0.2.7", "192.0.2.7"), ("nonsense", "unix"), ("", "unix")]
)
def test_whom_a_proxy_at_a_unix_socket_asks_for(start, log, tmp_path, forwarded, address):
    path = f"/tmp/kairos-test-access-{os.getpid()}"
    start("--access-log", log.file, "--unix-socket", path)
    with socket.socket(socket.AF_UNIX) as proxy:
        proxy.connect(path)
        proxy.sendall(b"GET /ping/u HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %s\r\n\r\n"
                      % forwarded.encode())  # fmt: skip
        assert proxy.recv(4096).startswith(b"HTTP/1.1 201 ")
    assert log.of("/ping/u")["address"] == address
