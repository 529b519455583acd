"""A Kairós that is watched by another one, and what it does when nobody takes its heartbeats."""

import resource
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conftest import ENVIRONMENT
from metrics import samples
from server import wait_until

SECRET = "kp.s3cr3t-of-mine"


@pytest.fixture
def start(launch, tmp_path):
    """Starts servers by name, each with a folder of its own."""

    def start_one(name, *options, **popen):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return launch(*options, folder=folder, **popen).ready()

    return start_one


def configured(folder, *urls, interval=1):
    path = folder / "kairos.yaml"
    lines = "".join(f"  - {url}\n" for url in urls)
    path.write_text(f"self_heartbeat:\n{lines or '  []'}\nself_heartbeat_interval: {interval}\n")
    return path


def told(server, result):
    return samples(server)["kairos_self_heartbeats_total", f"result={result}"]


def status(server, name):
    answer = server.get(f"/api/v1/services/{name}")
    return answer.json["status"] if answer.status == 200 else None


@pytest.fixture
def stub():
    """A server that is no Kairós: answers with `stub.status`, notes paths and who asks."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            stub.paths.append(self.path)
            stub.agents.add(self.headers["User-Agent"])
            self.send_response(stub.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    stub = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.status, stub.paths, stub.agents = 200, [], set()
    stub.url = f"http://user:pass@127.0.0.1:{stub.server_port}/ping/{SECRET}/kairos?x={SECRET}"
    threading.Thread(target=stub.serve_forever, daemon=True).start()
    yield stub
    stub.shutdown()
    stub.server_close()


def test_one_watches_the_other(start, tmp_path):
    """While it lives and hears the other sees it up; killed or stopped, down."""
    watcher = start("watcher", "--interval", 1, "--allowed-misses", 2, "--tolerance", 1)
    path = configured(tmp_path, f"http://127.0.0.1:{watcher.port}/ping/kairos-1")
    watched = start("watched", "--config", path)
    wait_until(lambda: status(watcher, "kairos-1") == "up", "it is seen")
    wait_until(lambda: told(watched, "sent") >= 2, "it goes on")
    watched.signal(signal.SIGSTOP)
    wait_until(lambda: status(watcher, "kairos-1") == "down", "an alert")
    watched.signal(signal.SIGCONT)
    wait_until(lambda: status(watcher, "kairos-1") == "up", "a recovery")
    watched.kill()
    wait_until(lambda: status(watcher, "kairos-1") == "down", "an alert")
    assert told(watcher, "sent") == 0


def test_a_kairos_that_is_not_well_says_nothing(start, tmp_path):
    """Its disk is full: /ready says so, and who watches it sees it go silent."""

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))

    watcher = start("watcher", "--interval", 1, "--allowed-misses", 2, "--tolerance", 1)
    path = configured(tmp_path, f"http://127.0.0.1:{watcher.port}/ping/kairos-1")
    watched = start("watched", "--config", path, preexec_fn=small_files)
    wait_until(lambda: status(watcher, "kairos-1") == "up", "it is seen")
    watched.beat(*({"service": f"service-{i}"} for i in range(60_000)))
    assert watched.get("/ready").json["status"] == "degraded"
    wait_until(lambda: status(watcher, "kairos-1") == "down", "an alert")


def test_who_asks_for_what(start, tmp_path, stub):
    server = start("one", "--config", configured(tmp_path, stub.url))
    wait_until(lambda: stub.paths, "a heartbeat")
    assert stub.agents == {f"kairos/{server.get('/health').json['version']}"}
    assert stub.paths[0] == f"/ping/{SECRET}/kairos?x={SECRET}"


@pytest.mark.parametrize("answer", [404, 500, 302])
def test_a_watcher_that_refuses(start, tmp_path, stub, answer):
    """It is counted, logged once with the host alone, and tried again; a redirect is not followed."""
    stub.status = answer
    server = start("one", "--config", configured(tmp_path, stub.url), "--log-level", "debug")
    wait_until(lambda: told(server, "failed") >= 2, "failures")
    line = server.line("self_heartbeat_failed")
    assert line["host"] == '"127.0.0.1"' and line["error"] == f'"the answer was {answer}"'
    stub.status = 204
    server.line("self_heartbeat_taken")
    assert len(server.lines("self_heartbeat_failed")) == 1
    assert "/elsewhere" not in stub.paths
    for text in (server.log, server.get("/metrics").text):
        assert SECRET not in text and "pass" not in text.replace("passed", "")
    assert server.stop() == 0


def test_watchers_that_cannot_be_reached(start, tmp_path, stub):
    """One refuses, one has no name, one never answers: all others are told in time, and a stop
    waits for none of them."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        port = deaf.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as closed:
            refused = closed.getsockname()[1]
        path = configured(
            tmp_path, f"http://127.0.0.1:{port}/{SECRET}", f"http://127.0.0.1:{refused}/{SECRET}",
            "http://nowhere.invalid/x", stub.url, interval="1d",
        )  # fmt: skip
        server = start("one", "--config", path)
        wait_until(lambda: len(stub.paths) == 1, "the one that listens is told")
        wait_until(lambda: len(server.lines("self_heartbeat_failed")) >= 2, server.log)
        assert server.get("/ping/push").status == 201
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 5
        assert SECRET not in server.log


def test_watchers_change_with_a_reload(start, tmp_path, stub):
    server = start("one", "--config", configured(tmp_path))
    assert told(server, "sent") == 0
    configured(tmp_path, stub.url, interval=3600)
    server.signal(signal.SIGHUP)
    wait_until(lambda: told(server, "sent") == 1, "at once")
    server.signal(signal.SIGHUP)  # nothing has changed
    server.line("reloaded", 1)
    configured(tmp_path)
    server.signal(signal.SIGHUP)
    server.line("reloaded", 2)
    assert told(server, "sent") == 1 and len(stub.paths) == 1


@pytest.mark.parametrize(
    "url",
    [f"ftp://a/{SECRET}", f"{SECRET}", f"http:///{SECRET}", f"http://user:{SECRET}@/x",
     f"https://a/{SECRET} b", f"http://:80/{SECRET}", f"http://ä/{SECRET}", "http://",
     ",".join([f"http://a/{SECRET}"] * 11), "http://a/" + SECRET * 200],
)  # fmt: skip
def test_addresses_that_are_none(kairos, url):
    """What is wrong is said without them: they are secret."""
    environment = {**ENVIRONMENT, "KAIROS_SELF_HEARTBEAT": url}
    for command, env in ((["--self-heartbeat", url], ENVIRONMENT), ([], environment)):
        result = kairos.run("serve", "--port", 0, "--data-dir", "x", *command, env=env)
        assert result.returncode in (1, 2), result.stderr
        assert "address" in result.stderr
        assert SECRET not in result.stderr
