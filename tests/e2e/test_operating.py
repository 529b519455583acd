"""How a server is operated: SIGHUP, logs that are rotated, and what the service manager is told."""

import ctypes
import os
import re
import signal
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import ENVIRONMENT
from metrics import samples
from server import wait_until


@pytest.fixture
def start(launch):
    """Starts servers that are not waited for."""
    return launch


class Manager:
    """Plays the service manager's part: hears what a service has to say."""

    def __init__(self, folder):
        self.path = str(Path(folder) / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(self.path)
        self.messages = []

    def environment(self, **more):
        return {"env": {**ENVIRONMENT, "NOTIFY_SOCKET": self.path, **more}}

    def hear(self):
        """All that was said up to now, as a list of dicts."""
        while True:
            try:
                text = self.socket.recv(65536).decode()
            except BlockingIOError:
                return self.messages
            self.messages.append(dict(line.split("=", 1) for line in text.splitlines()))

    def heard(self, key, value=None):
        """How many messages said so."""
        said = [message[key] for message in self.hear() if key in message]
        return len(said) if value is None else said.count(value)

    def wait(self, key, value=None, count=1):
        wait_until(lambda: self.heard(key, value) >= count, f"{key}={value} in {self.messages}")

    @property
    def status(self):
        return [message["STATUS"] for message in self.hear() if "STATUS" in message][-1:]


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path)
    yield manager
    manager.socket.close()


class Load:
    """Pings from several connections that stay open, and from new ones; none may fail."""

    def __init__(self, server):
        self.server, self.over, self.count, self.failures = server, False, 0, []
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(4)]

    def run(self, number):
        connection = self.server.connect()
        while not self.over:
            try:
                own = connection if number % 2 else None
                answer = self.server.get(f"/ping/load-{number}", connection=own)
                if answer.status not in (200, 201):
                    self.failures.append(answer)
            except OSError as error:
                self.failures.append(error)
            self.count += 1
        connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join()
        assert self.failures == []
        assert self.count > 0


def reloads(server, result):
    return samples(server)["kairos_config_reloads_total", f"result={result}"]


# The service manager


def test_the_manager_is_told(start, manager):
    server = start(**manager.environment())
    manager.wait("READY", "1")
    server.ready()
    assert manager.status == ["Watching 0 services, 0 down"]
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    server.signal(signal.SIGHUP)
    manager.wait("READY", "1", count=2)
    reloading, ready = [m for m in manager.messages if "RELOADING" in m or "READY" in m][-2:]
    after = time.clock_gettime(time.CLOCK_MONOTONIC)
    assert reloading["RELOADING"] == "1" and ready["READY"] == "1"
    assert before <= int(reloading["MONOTONIC_USEC"]) / 1e6 <= after
    assert manager.heard("WATCHDOG") == 0  # it did not ask for that
    assert server.stop() == 0
    assert manager.heard("STOPPING", "1") == 1
    assert manager.messages[-1]["STATUS"] == "Stopping"


def test_signs_of_life(start, manager):
    server = start(**manager.environment(WATCHDOG_USEC="600000"))
    manager.wait("WATCHDOG", "1", count=3)
    server.ready().get("/ping/push/fail")
    wait_until(lambda: manager.status == ["Watching 1 services, 1 down"], manager.messages)


def test_a_watchdog_that_is_meant_for_another_process(start, manager):
    server = start(**manager.environment(WATCHDOG_USEC="600000", WATCHDOG_PID="1"))
    manager.wait("READY", "1")
    server.signal(signal.SIGHUP)
    manager.wait("READY", "1", count=2)
    assert manager.heard("WATCHDOG") == 0


def test_no_sign_of_life_while_a_thread_hangs(start, manager):
    """Whichever it is, though all others go on."""
    server = start("--threads", 2, **manager.environment(WATCHDOG_USEC="600000")).ready()
    for name in ("worker-0", "worker-1", "ticker"):
        manager.wait("WATCHDOG", "1", count=manager.heard("WATCHDOG") + 1)
        with held(server.process.pid, name):
            wait_until(lambda: "stuck " in server.log, "it is noticed")
            count = manager.heard("WATCHDOG")
            seen = len(manager.hear())
            wait_until(lambda: any("does not go on" in s for s in manager.status), "it is told")
            time.sleep(0.7)  # longer than the manager waits
            assert manager.heard("WATCHDOG") <= count + 1, manager.messages[seen:]
        manager.wait("WATCHDOG", "1", count=count + 2)
        wait_until(lambda: server.get("/ready").status == 200, "ready again")
        assert server.lines("stuck")[-1]
        server.log_path.write_text("")


PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000


@contextmanager
def held(pid, name):
    """Stops one thread of a child, as a debugger does. What is asked comes from one thread."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    tasks = Path(f"/proc/{pid}/task").iterdir()
    (task,) = [int(t.name) for t in tasks if (t / "comm").read_text().strip() == name]
    if libc.ptrace(PTRACE_SEIZE, task, None, None) != 0:
        pytest.skip(f"ptrace is not allowed here: {os.strerror(ctypes.get_errno())}")
    assert libc.ptrace(PTRACE_INTERRUPT, task, None, None) == 0
    os.waitpid(task, WALL)
    try:
        yield
    finally:
        assert libc.ptrace(PTRACE_DETACH, task, None, None) == 0


# SIGHUP


def test_hangups_without_a_configuration(start):
    """However many there are: nothing changes, and nobody is disturbed."""
    server = start().ready()
    with Load(server):
        for _ in range(300):
            server.signal(signal.SIGHUP)
            time.sleep(0.001)
        wait_until(lambda: reloads(server, "applied") >= 1, "a reload")
    found = samples(server)
    assert found["kairos_config_last_reload_successful", None] == 1
    assert reloads(server, "refused") == 0
    last = found["kairos_config_last_reload_success_timestamp_seconds", None]
    assert abs(last - time.time()) < 60
    assert server.lines("reloaded")
    assert server.stop() == 0


def test_hangups_while_it_starts(start):
    """From the moment on at which it has begun to look after them."""
    server = start()
    wait_until(lambda: ignores_hangups(server.process.pid), "it has begun")

    def hang_up():
        server.signal(signal.SIGHUP)
        return "listening" in server.log

    wait_until(hang_up, "it listens")
    server.ready()
    assert server.stop() == 0


def ignores_hangups(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^SigIgn:\s+(\w+)$", status, re.MULTILINE)[1], 16) & 1


def test_a_log_is_rotated(start, tmp_path):
    """No line is lost, and none is in both files."""
    path, moved = tmp_path / "kairos.log", tmp_path / "kairos.log.1"
    path.touch()
    server = start("--log-file", path)
    server.log_path = path
    server.ready()
    with Load(server):
        for number in range(200):
            server.get(f"/ping/s{number}/fail")
            if number == 100:
                path.rename(moved)
                server.signal(signal.SIGHUP)
    wait_until(path.exists, "a new file")
    assert server.stop() == 0
    lines = (moved.read_text() + path.read_text()).splitlines()
    alerts = re.findall(r" alert service=(s\d+) ", "\n".join(lines))
    assert alerts == [f"s{number}" for number in range(200)]
    assert re.search(r" INFO stopped$", lines[-1])
    assert "reloaded" in path.read_text() and "reloaded" not in moved.read_text()


def test_a_log_that_cannot_be_opened(start, tmp_path):
    """All stays as it was, and says so."""
    folder, moved = tmp_path / "logs", tmp_path / "moved"
    folder.mkdir()
    path = folder / "kairos.log"
    path.touch()
    server = start("--log-file", path)
    server.log_path = path
    server.ready()
    folder.rename(moved)
    server.log_path = moved / "kairos.log"
    for count in (1, 2):
        server.signal(signal.SIGHUP)
        wait_until(lambda: reloads(server, "refused") == count, "a refusal")
    assert f"cannot open {path}: No such file" in server.line("reload_refused", 1)["error"]
    assert samples(server)["kairos_config_last_reload_successful", None] == 0
    moved.rename(folder)
    server.log_path = path
    server.signal(signal.SIGHUP)
    wait_until(lambda: reloads(server, "applied") == 1, "a reload")
    assert samples(server)["kairos_config_last_reload_successful", None] == 1


def test_a_log_that_hangs(start, tmp_path):
    """A reload is refused then; the end comes all the same."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    server = start("--log-file", path, "--log-level", "warning")
    server.port = wait_until(lambda: port_of(server.process.pid), "it listens")
    wait_until(lambda: server.get("/ready").status == 200, "ready")
    for number in range(1500):  # more than a pipe holds
        server.get(f"/ping/{'x' * 90}{number}/fail")
    server.signal(signal.SIGHUP)
    wait_until(lambda: reloads(server, "refused") == 1, "a refusal")
    assert server.get("/ping/push").status == 201
    assert server.stop() == 0
    os.close(reader)


def port_of(pid):
    """The port at which a process listens; None before it does."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes |= set(re.findall(r"socket:\[(\d+)\]", os.readlink(fd)))
        except FileNotFoundError:
            continue
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ports = [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in inodes]
    return ports[0] if ports else None


# The configuration, read anew


class Configured:
    """A server with a configuration file, and its log, which may move."""

    def __init__(self, start, folder, text):
        self.path, self.log = folder / "kairos.yaml", folder / "kairos.log"
        self.log.touch()
        self.path.write_text(f"log_file: {self.log}\n{text}")
        self.server = start("--config", self.path)
        self.server.log_path = self.log
        self.server.ready()

    def reload(self, text, result="applied"):
        """Has the server read TEXT; waits until it has."""
        before = reloads(self.server, result)
        self.path.write_text(text)
        self.server.signal(signal.SIGHUP)
        wait_until(lambda: reloads(self.server, result) == before + 1, f"{result}: {text}")

    @property
    def refusal(self):
        return self.server.line("reload_refused")["error"]


@pytest.fixture
def configured(start, tmp_path):
    return lambda text="": Configured(start, tmp_path, text)


def test_the_log_moves(configured, tmp_path):
    """Level, format and file: all at once, and nothing else."""
    it = configured()
    other = tmp_path / "other.log"
    it.reload(f"log_file: {it.log}\nlog_level: WARNING\n")
    it.server.get("/ping/first/fail")
    it.server.line("alert")
    assert "reloaded" not in it.log.read_text()
    before = it.log.read_text()
    it.reload(f"log_file: {other}\nlog_format: json\nlog_level: INFO\n")
    it.server.get("/ping/second/fail")
    it.server.log_path = other
    assert it.server.line("alert")["service"] == "second"
    assert it.log.read_text() == before
    assert all(line.startswith('{"time": ') for line in other.read_text().splitlines())


def test_what_needs_a_restart_is_named(configured):
    it = configured("port: 0\n")
    text = it.path.read_text()
    it.reload(text.replace("port: 0", "port: 1") + "max_services: 7\nlog_level: WARNING\n")
    line = it.server.line("restart_needed")
    assert line["keys"] == '"max_services"'  # the command line says which port
    it.reload(text.replace("port: 0", "port: 1") + "max_services: 7\nlog_level: WARNING\n")
    it.server.line("restart_needed", 1)  # as long as it is so
    it.reload(text)
    assert len(it.server.lines("restart_needed")) == 2


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("log_level: LOUD\n", ":1: log_level: "),
        ("log_format: json\nmax_service: 7\n", ":2: "),
        ("log_level: DEBUG\nport: 80000\n", ":2: port: "),
        ("log_level: DEBUG\nlog_file: /nowhere/at/all\n", "/nowhere/at/all"),
        ("log_level: [DEBUG\n", ":2"),
        ("log_level: DEBUG\n\x00", ""),
        ("log_level: DEBUG\nlog_level: INFO\n", ":2: "),
        ("- a\n- b\n", ":1"),
    ],
)
def test_what_is_wrong_changes_nothing(configured, text, where):
    it = configured("log_level: INFO\n")
    it.reload(text, "refused")
    assert where in it.refusal
    (line,) = [line for line in it.log.read_text().splitlines() if "reload_refused" in line]
    assert " ERROR " in line
    found = samples(it.server)
    assert found["kairos_config_last_reload_successful", None] == 0
    it.server.get("/ping/push/fail")
    assert it.server.line("alert")  # in the same file, as before
    assert " DEBUG " not in it.log.read_text()


def test_a_file_that_is_gone(configured):
    it = configured()
    text = it.path.read_text()
    it.path.unlink()
    it.server.signal(signal.SIGHUP)
    wait_until(lambda: reloads(it.server, "refused") == 1, "a refusal")
    assert "No such file" in it.refusal
    it.reload(text)
    assert samples(it.server)["kairos_config_last_reload_successful", None] == 1


def test_reloads_under_load(configured):
    """Right, wrong, and cut anywhere: no ping fails, and each is applied wholly or not at all."""
    it = configured()
    right = it.path.read_text() + "log_level: INFO\nallowed_misses: 5\n"
    with Load(it.server) as load:
        for number in range(60):
            text = [right, right + "port: x\n", right[: number % len(right)] + "x: [", right][number % 4]
            it.path.write_text(text)
            it.server.signal(signal.SIGHUP)
            count = load.count
            wait_until(lambda: load.count > count + 20, "pings go on")
        it.reload(right)
    total = reloads(it.server, "applied") + reloads(it.server, "refused")
    assert reloads(it.server, "refused") > 5 and total <= 61
    assert it.server.stop() == 0


def test_the_manager_hears_of_refusals(start, tmp_path, manager):
    path = tmp_path / "kairos.yaml"
    path.write_text("")
    server = start("--config", path, **manager.environment())
    manager.wait("READY", "1")
    path.write_text("port: x\n")
    server.signal(signal.SIGHUP)
    manager.wait("READY", "1", count=2)
    assert f"Reload refused: {path}:1: port: " in manager.status[0]
    server.ready()
