"""Where the server listens: at Unix sockets, and at sockets that a service manager passes."""

import os
import signal
import socket
import stat
import subprocess
import sys

import pytest

from conftest import KAIROS, run
from server import PATIENCE, wait_until


@pytest.fixture
def start(launch):
    """Starts servers that listen, and ends them with the test."""
    return lambda *options, **popen: launch(*options, **popen).listening()


@pytest.fixture
def path(tmp_path):
    """Where a Unix socket may be: pytest's own folders can be too deep for one."""
    link = f"/tmp/kairos-test-{os.getpid()}-{abs(hash(tmp_path)) % 10**9}"
    os.symlink(tmp_path, link)
    yield f"{link}/socket"
    os.unlink(link)


def connect(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(path)
    return connection


def ping(path, name="unix"):
    """What curl gets at a Unix socket."""
    result = run(["curl", "-sS", "--unix-socket", path, f"http://kairos/ping/{name}"], b"")
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_unix_socket_beside_tcp(start, path):
    server = start("--unix-socket", path)
    assert ping(path) == "Created"
    assert server.get("/ping/unix").text == "OK"
    assert server.lines("listening")[0]["unix_socket"] == f'"{path}"'
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
    assert server.stop() == 0
    assert not os.path.exists(path)


def test_unix_socket_alone(start, path):
    server = start("--host", "none", "--unix-socket", path, "--unix-socket-mode", "0600")
    assert ping(path) == "Created"
    assert [line for line in server.lines("listening") if "port" in line] == []
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_mode_is_not_the_umask_s_matter(start, path):
    start("--unix-socket", path, "--unix-socket-mode", "666", preexec_fn=lambda: os.umask(0o77))
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666


def test_socket_of_a_dead_process_is_replaced(start, path):
    server = start("--unix-socket", path)
    server.kill()
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    start("--unix-socket", path)
    assert ping(path) == "Created"


@pytest.mark.parametrize("kind", ["live", "file", "directory", "link"])
def test_what_is_no_dead_socket_is_not_touched(path, tmp_path, kind):
    other = socket.socket(socket.AF_UNIX)
    if kind == "live":
        other.bind(path)
        other.listen()
    elif kind == "file":
        (tmp_path / "socket").write_text("precious")
    elif kind == "directory":
        os.mkdir(path)
    else:
        os.symlink("precious", path)
    before = os.lstat(path)
    result = run([KAIROS, "serve", "--port", "0", "--data-dir", tmp_path / "d",
                  "--unix-socket", path], b"")  # fmt: skip
    assert result.returncode == 1
    assert f'cannot listen at "{path}": ' in result.stderr
    assert ("another program" if kind == "live" else "no socket") in result.stderr
    after = os.lstat(path)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    other.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--unix-socket", "/nowhere/at/all"], "No such file"),
    ],
)
def test_path_that_cannot_be(tmp_path, options, message):
    result = run([KAIROS, "serve", "--port", "0", "--data-dir", tmp_path / "d", *options], b"")
    assert result.returncode == 1
    assert message in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "none"], "--unix-socket"),
        (["--unix-socket", "x" * 108], "1 to 107 bytes"),
        (["--unix-socket", ""], "1 to 107 bytes"),
        (["--unix-socket", "/x", "--unix-socket-mode", "668"], "octal"),
        (["--unix-socket", "/x", "--unix-socket-mode", "1777"], "octal"),
        (["--unix-socket", "/x", "--unix-socket-mode", ""], "octal"),
    ],
)
def test_wrong_usage(options, message):
    result = run([KAIROS, "serve", *options], b"")
    assert result.returncode == 2
    assert message in result.stderr


def test_another_socket_at_the_path_stays(start, path):
    server = start("--unix-socket", path)
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        assert server.stop() == 0
        assert os.path.exists(path)


def test_term_answers_what_is_under_way_at_a_unix_socket(start, path):
    server = start("--unix-socket", path, "--threads", 1)
    body = b'{"service":"slow"}'
    with connect(path) as upload:
        head = f"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        upload.sendall(head.encode() + body[:5])
        ping(path)  # the one before is under way
        server.signal(signal.SIGTERM)
        wait_until(lambda: not os.path.exists(path), "no more connections")
        upload.sendall(body[5:])
        answer = b""
        while received := upload.recv(65536):
            answer += received
    assert b'"accepted":1' in answer
    assert server.process.wait(PATIENCE) == 0


# Socket activation, as sd_listen_fds(3) has it: descriptors from 3 on, meant for this process.

PASS = """
import fcntl, os, sys
descriptors, command = [int(text) for text in sys.argv[1].split(",")], sys.argv[2:]
apart = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 64) for descriptor in descriptors]
for number, descriptor in enumerate(apart):
    os.dup2(descriptor, 3 + number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(apart))}
os.execv(command[0], command)
"""


def passing(*sockets):
    """The arguments for a server that is passed SOCKETS."""
    descriptors = [each.fileno() for each in sockets]
    wrapper = [sys.executable, "-c", PASS, ",".join(map(str, descriptors))]
    return {"wrapper": wrapper, "pass_fds": descriptors}


def listening_socket(family=socket.AF_INET, address=("127.0.0.1", 0)):
    passed = socket.socket(family)
    passed.bind(address)
    passed.listen()
    return passed


def test_sockets_that_were_passed(start, path):
    with listening_socket() as tcp, listening_socket(socket.AF_UNIX, path) as local:
        early = socket.create_connection(tcp.getsockname(), timeout=PATIENCE)
        early.sendall(b"GET /ping/early HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        server = start("--host", "192.0.2.1", "--insecure-no-auth", **passing(tcp, local))
        assert early.recv(65536).startswith(b"HTTP/1.1 201 ")
        early.close()
        assert server.port == tcp.getsockname()[1]
        assert server.get("/ping/early").text == "OK"
        assert ping(path) == "Created"
        assert len(server.lines("listening")) == 2
        assert server.stop() == 0
        assert os.path.exists(path)  # it is the service manager's


def test_restart_loses_no_connection(start):
    """The service manager holds the socket: who connects in between waits."""
    with listening_socket() as tcp:
        assert start(**passing(tcp)).stop() == 0
        with socket.create_connection(tcp.getsockname(), timeout=PATIENCE) as between:
            between.sendall(b"GET /ping/between HTTP/1.1\r\nHost: x\r\n\r\n")
            start(**passing(tcp))
            assert between.recv(65536).startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize("kind", ["datagram", "not listening", "file", "too many"])
def test_what_cannot_be_listened_at(tmp_path, kind):
    passed = [listening_socket()]
    if kind == "datagram":
        passed.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    elif kind == "not listening":
        passed.append(socket.socket())
    elif kind == "file":
        passed.append(open(os.devnull, "rb"))
    else:
        passed += [listening_socket() for _ in range(16)]
    popen = passing(*passed)
    command = [*popen.pop("wrapper"), KAIROS, "serve", "--data-dir", tmp_path / "d"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **popen)
    for each in passed:
        each.close()
    assert done.returncode == 1
    assert "service manager" in done.stderr


def test_passed_socket_that_others_reach(tmp_path, start):
    with listening_socket(address=("0.0.0.0", 0)) as passed:
        popen = passing(passed)
        command = [*popen.pop("wrapper"), KAIROS, "serve", "--data-dir", tmp_path / "d"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **popen)
        assert done.returncode == 1
        assert "--insecure-no-auth" in done.stderr
        assert start("--insecure-no-auth", **passing(passed)).get("/ping/x").status == 201
