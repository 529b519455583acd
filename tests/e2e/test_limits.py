"""What clients may take up: time, connections in all, and connections of one address."""

import os
import resource
import select
import signal
import socket
import threading

import pytest

from conftest import KAIROS, run
from metrics import metric
from server import PATIENCE, Server, wait_until
from test_tls import Certificate


def timed_out(server):
    return metric(server, "kairos_http_connections_timed_out_total")


class Dripper(threading.Thread):
    """Sends REQUEST byte by byte, over and over from REPEAT on, until the server has had enough;
    `answer` is what then has come back."""

    def __init__(self, connection, request, repeat=b""):
        super().__init__(daemon=True)
        self.connection, self.request, self.repeat = connection, request, repeat
        self.answer = None
        self.start()

    def run(self):
        self.connection.settimeout(0.01)
        answer, rest = b"", self.request
        while True:
            try:
                rest = rest or self.repeat
                self.connection.sendall(rest[:1])
                rest = rest[1:]
                piece = self.connection.recv(4096)
                answer += piece
                if not piece:
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.answer = answer

    def end(self):
        self.join(PATIENCE)
        assert self.answer is not None, "not closed"
        return self.answer


HEADERS = b"GET /ping/slow HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "repeat"),
    [
        (b"", b"G"),
        (b"GET /" + b"a" * 20, b"a"),
        (HEADERS, b"A: b\r\n"),
        (b"\r\n", b"\r\n"),
    ],
    ids=["method", "path", "headers", "lines"],
)
def test_slow_headers(start, request_bytes, repeat):
    server = start("--header-timeout", "1", "--threads", "1")
    with server.socket() as connection:
        slow = Dripper(connection, request_bytes, repeat)
        while slow.is_alive():
            assert server.get("/ping/other").status in (200, 201)
        assert b"200" not in slow.end()
    assert timed_out(server) >= (0 if repeat == b"\r\n" else 1)
    assert server.get("/api/v1/services/slow").status == 404


@pytest.mark.parametrize("path", ["/ping/slow", "/api/v1/heartbeats", "/nowhere"])
@pytest.mark.parametrize("chunked", [False, True])
def test_slow_body(start, path, chunked):
    server = start("--body-timeout", "1", "--threads", "1")
    kind = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 100000"
    head = b"POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % (path.encode(), kind)
    with server.socket() as connection:
        connection.sendall(head)
        piece = b"1\r\n \r\n" if chunked else b" "
        slow = Dripper(connection, piece, piece)
        while slow.is_alive():
            assert server.get("/ping/other").status in (200, 201)
        assert slow.end().startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert timed_out(server) == 1


def test_idle_connections_are_closed(start):
    server = start("--header-timeout", "1")
    fresh, used = server.socket(), server.connect()
    server.get("/ping/used", connection=used)
    assert fresh.recv(1) == used.sock.recv(1) == b""
    wait_until(lambda: timed_out(server) == 2, "two that were too late")
    fresh.close()
    used.close()


def test_each_request_has_its_own_time(start):
    """A connection may live longer than any of its requests may take."""
    server = start("--header-timeout", "2", "--threads", "1")
    kept = server.socket()
    for _ in range(2):
        with server.socket() as idle:
            while not select.select([idle], [], [], 0)[0]:
                kept.sendall(b"GET /ping/kept HTTP/1.1\r\nHost: x\r\n\r\n")
                assert kept.recv(4096).startswith(b"HTTP/1.1 20")
            assert idle.recv(1) == b""
    kept.close()


def test_the_time_for_headers_goes_on_while_the_server_stops(start):
    server = start("--header-timeout", "1", "--threads", "1")
    with server.socket() as idle, server.socket() as busy:
        busy.sendall(b"POST /ping/x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                     b"Expect: 100-continue\r\n\r\n")  # fmt: skip
        assert b" 100 " in busy.recv(4096)
        server.signal(signal.SIGTERM)
        assert idle.recv(1) == b""
        busy.sendall(b"OK")
        assert busy.recv(4096).startswith(b"HTTP/1.1 201 ")
    assert server.process.wait(PATIENCE) == 0


def test_slow_tls_handshake(start, tmp_path):
    certificate = Certificate(tmp_path)
    server = Server(tmp_path, *certificate.options, "--header-timeout", "1",
                    tls=certificate.context())  # fmt: skip
    with server.listening():
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as plain:
            plain.sendall(b"\x16\x03\x01")
            assert plain.recv(1) == b""
        assert server.get("/ping/x").status == 201


def test_connections_in_all(start):
    server = start("--max-connections", "3", "--header-timeout", "1d")
    refused = metric(server, "kairos_http_connections_refused_total")
    wait_until(lambda: server.get("/health").status == 200, "an answer")
    crowd = [server.connect() for _ in range(2)]
    for connection in crowd:
        assert server.get("/ping/x", connection=connection).status in (200, 201)
    third = server.connect()
    wait_until(lambda: gets(server, third), "an answer")
    with server.socket() as fourth:
        assert fourth.recv(1) == b""
    for connection in crowd:
        connection.close()
    third.close()
    wait_until(lambda: gets(server, server.connect()), "an answer")
    assert metric(server, "kairos_http_connections_refused_total") > refused


def gets(server, connection):
    """Whether the server answers there; one that it has closed opens anew."""
    try:
        return server.get("/ping/x", connection=connection).status in (200, 201)
    except (ConnectionError, OSError):
        connection.close()
        return False


@pytest.mark.parametrize(
    ("options", "limited"),
    [
        (["--trusted-proxies", "192.0.2.0/24"], True),
        (["--trusted-proxies", ""], True),
        ([], False),  # this machine is trusted
        (["--trusted-proxies", "", "--max-connections-per-address", "0"], False),
    ],
)
def test_connections_of_one_address(tmp_path, options, limited):
    options = ["--max-connections-per-address", "5", *options, "--threads", "2"]
    with Server(tmp_path, *options).listening() as server:
        crowd = [server.connect() for _ in range(12)]
        wait_until(lambda: gets(server, crowd[0]), "an answer, once it is ready")
        answered = [gets(server, connection) for connection in crowd]
        assert answered == ([True] * 5 + [False] * 7 if limited else [True] * 12)
        for connection in crowd:
            connection.close()
        wait_until(lambda: gets(server, server.connect()), "an answer")


def test_unix_socket_has_no_address(start, tmp_path):
    link = f"/tmp/kairos-test-limits-{os.getpid()}"
    os.symlink(tmp_path, link)
    try:
        start("--max-connections-per-address", "1", "--trusted-proxies", "",
              "--unix-socket", f"{link}/socket")  # fmt: skip
        crowd = []
        for i in range(5):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(PATIENCE)
            connection.connect(f"{link}/socket")
            connection.sendall(b"GET /ping/x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 20")
            crowd.append(connection)
        for connection in crowd:
            connection.close()
    finally:
        os.unlink(link)


def test_ten_thousand_idle_connections(start):
    count = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 500:
        pytest.skip(f"this machine allows {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = []
    try:
        server = start("--header-timeout", "10m")
        for _ in range(count):
            crowd.append(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE))
        crowd[0].sendall(b"GET /ping/first HTTP/1.1\r\nHost: x\r\n\r\n")
        assert crowd[0].recv(4096).startswith(b"HTTP/1.1 201 ")
        assert server.get("/ping/other").status == 201
        crowd[-1].sendall(b"GET /ping/last HTTP/1.1\r\nHost: x\r\n\r\n")
        assert crowd[-1].recv(4096).startswith(b"HTTP/1.1 201 ")
        assert metric(server, "process_open_fds") > count
        assert server.stop() == 0
    finally:
        for connection in crowd:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-connections", "0"], "--max-connections"),
        (["--max-connections", "65537"], "--max-connections"),
        (["--max-connections-per-address", "-1"], "--max-connections-per-address"),
        (["--trusted-proxies", "10.0.0.0/33"], "'10.0.0.0/33' is neither"),
        (["--trusted-proxies", "localhost"], "'localhost' is neither"),
        (["--header-timeout", "0"], "1s to 1d"),
        (["--header-timeout", "25h"], "1s to 1d"),
        (["--body-timeout", "999ms"], "1s to 1d"),
    ],
)
def test_wrong_usage(options, message):
    result = run([KAIROS, "serve", *options], b"")
    assert result.returncode == 2
    assert message in result.stderr
