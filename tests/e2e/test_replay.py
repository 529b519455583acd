"""`kairos replay`: what a server of the test hears of a log, and what becomes of its answers.

No test waits for a rhythm: logs span milliseconds, at the speeds used here.
"""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import ENVIRONMENT
from documents import event, gz, heartbeats, lines, zst
from server import wait_until

PATH = "/api/v1/heartbeats"
PATIENCE = 60  # seconds until what does not come counts as missing
FAST = "--speed=1000000"


def counts(total, rejected=0, **more):
    """The answer of Kairós to TOTAL heartbeats."""
    return 200, {
        "total": total, "accepted": total - rejected, "created": 0, "older": 0,
        "rejected": rejected, "errors": [], "skipped_reasons": {}, **more,
    }  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        number = len(server.requests)
        server.requests.append((self.path, dict(self.headers), json.loads(body)))
        server.heard.set()
        answer = server.answers[number] if number < len(server.answers) else None
        if callable(answer):
            answer = answer()
        if answer == "hang up":
            self.close_connection = True
            return
        status, document, *headers = answer or counts(len(json.loads(body)))
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
        except ConnectionError:
            pass  # the program has seen enough

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """Answers the n-th request by ANSWERS[n], and those behind as Kairós does if all is well."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers, self.requests, self.connections = [], [], 0
        self.heard = threading.Event()

    def get_request(self):
        self.connections += 1
        return super().get_request()

    @property
    def batches(self):
        """The names in each request."""
        assert all(path == PATH for path, _, _ in self.requests)
        batches = [body for _, _, body in self.requests]
        assert all(list(item) == ["service"] for batch in batches for item in batch)
        return [[item["service"] for item in batch] for batch in batches]

    @property
    def services(self):
        return [service for batch in self.batches for service in batch]


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def replay(kairos, server):
    """Replays a document to the server."""

    def run(document, *options, speed=FAST, **popen):
        text = document if isinstance(document, (str, bytes)) else json.dumps(document)
        content = text.encode() if isinstance(text, str) else text
        return kairos.run(
            "replay", "-", "--url", server.url, *([speed] if speed else []), *options,
            stdin=content, **popen,
        )  # fmt: skip

    return run


def summary(result):
    """Heartbeats, services, requests, rejected and skipped, as the last line says."""
    line = re.search(
        r"^kairos: sent (\d+) heartbeats of (\d+) services in (\d+) requests and \d+\.\d s; "
        r"rejected (\d+), skipped (\d+); largest lag -?\d+\.\d{3} s$",
        result.stderr,
        re.MULTILINE,
    )
    assert line, result.stderr
    return tuple(map(int, line.groups()))


def assert_failed(result, *words):
    """Exit 1, and what is wrong in the last line."""
    assert (result.returncode, result.stdout) == (1, ""), result.stderr
    last = result.stderr.splitlines()[-1]
    assert last.startswith("kairos: ") and last.isprintable()
    for word in words:
        assert str(word) in last


# What is sent


def test_in_order_of_time(replay, server):
    log = [
        event("c", "10:02:00"),
        event("a", "10:00:00"),
        event("d", "10:02:00.000001"),
        event("B", "2025-08-04T12:01:00+02:00"),
        {"service": " E ", "timestamp": 1754301900},
    ]
    result = replay(log)
    assert (result.returncode, result.stdout) == (0, "")
    assert server.services == ["a", "b", "c", "d", "e"]
    assert summary(result) == (5, 5, len(server.requests), 0, 0)


def test_one_moment_keeps_the_order_of_the_log(replay, server):
    names = [f"svc-{i * 7919 % 500}" for i in range(500)]
    log = [event(name, "10:00:01") for name in names[:400]]
    log += [event(name, "10:00:00") for name in names[400:]]
    assert replay(log).returncode == 0
    assert server.services == names[400:] + names[:400]


def test_moments_close_to_one_another_are_one_request(replay, server):
    log = [event(f"svc-{i}", f"10:00:00.{i:03}") for i in range(10)]
    result = replay(log, speed=None)
    assert server.batches == [[f"svc-{i}" for i in range(10)]]
    assert summary(result)[2] == 1


def test_a_thousand_in_a_request_at_most(replay, server):
    log = [event(f"svc-{i}", "10:00:00") for i in range(2500)]
    result = replay(log)
    assert [len(batch) for batch in server.batches] == [1000, 1000, 500]
    assert server.services == [f"svc-{i}" for i in range(2500)]
    assert summary(result) == (2500, 2500, 3, 0, 0)


@pytest.mark.parametrize("speed", [1, 0.5, 60, 1000, 1000000])
def test_speeds(replay, server, speed):
    """Twenty heartbeats, 1 ms apart when they are sent."""
    log = [
        {"service": f"svc-{i}", "timestamp": 1754301900 + i * speed / 1000} for i in range(20)
    ]
    result = replay(log, speed=f"--speed={speed}")
    assert result.returncode == 0
    assert server.services == [f"svc-{i}" for i in range(20)]
    said = f"kairos: at {speed} times the log's speed; divide the intervals and tolerances of the"
    assert (said in result.stderr) == (speed != 1)


def test_the_longest_names(replay, server):
    names = [f"{i:04}" + "x" * 96 for i in range(1000)]
    assert replay([event(name, "10:00:00") for name in names]).returncode == 0
    assert server.batches == [names]


def test_one_connection(replay, server):
    log = [event("push", f"10:{i:02}:00") for i in range(60)]
    result = replay(log)
    assert summary(result)[2] == len(server.requests) and server.services == ["push"] * 60
    assert server.connections == 1


def test_request(replay, server):
    assert replay(heartbeats("push", "10:00")).returncode == 0
    [(path, headers, _)] = server.requests
    assert path == PATH
    assert headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"kairos/\d+\.\d+\.\d+", headers["User-Agent"])
    assert headers["Host"] == server.url.removeprefix("http://")
    assert "Authorization" not in headers and "Expect" not in headers


@pytest.mark.parametrize("suffix", ["", "/", "//", "/kairos", "/a/b/"])
def test_path_of_the_url(kairos, server, suffix):
    result = kairos.run("replay", "-", "--url", server.url + suffix, stdin=b"[]")
    assert (result.returncode, server.requests) == (0, [])
    log = json.dumps(heartbeats("push", "10:00")).encode()
    assert kairos.run("replay", "-", "--url", server.url + suffix, stdin=log).returncode == 0
    assert server.requests[0][0] == suffix.rstrip("/") + PATH


@pytest.mark.parametrize("guise", [bytes, gz, zst], ids=["plain", "gz", "zst"])
@pytest.mark.parametrize("form", [json.dumps, lines], ids=["array", "ndjson"])
def test_guises(kairos, server, tmp_path, form, guise):
    log = [event(name, "10:00") for name in ("push", "email", "sms")]
    path = tmp_path / "log"
    path.write_bytes(guise(form(log).encode()))
    result = kairos.run("replay", path, "--url", server.url)
    assert result.returncode == 0
    assert server.batches == [["push", "email", "sms"]]


@pytest.mark.parametrize("document", ["[]", '[{"service": "push"}]', "x\n"])
def test_nothing_to_send(replay, server, document):
    result = replay(document)
    assert (result.returncode, server.requests) == (0, [])
    assert summary(result)[:4] == (0, 0, 0, 0)


def test_bad_events_are_skipped_and_logged(replay, server):
    log = [event("push", "10:00"), *({"service": f"bad-{i}"} for i in range(30)), [], 7]
    result = replay(log + heartbeats("sms", "10:01"))
    assert result.returncode == 0
    assert server.services == ["push", "sms"]
    assert summary(result)[4] == 32
    assert [number for number, _, _ in result.skipped] == list(range(2, 22))
    assert {reason for _, _, reason in result.skipped} == {"missing_timestamp"}
    assert " WARN skipped_more count=12\n" in result.stderr


def test_log_file(replay, server, tmp_path):
    path = tmp_path / "log"
    server.answers = [(400, {"detail": "no"})]
    result = replay([7, *heartbeats("push", "10:00")], "--log-file", path)
    assert_failed(result, "no")
    assert " WARN skipped event=1 " in path.read_text()
    assert re.search(r' ERROR failed error="http://\S+ the server answered 400: no"\n$', path.read_text())
    assert "WARN" not in result.stderr


# Logs that cannot be read


def test_a_log_that_is_not_well_formed(replay, server, kairos):
    good = json.dumps(heartbeats("push", "10:00", "10:01"))
    for document in (good[:-1], good + "x", "[\n\n" + good[1:-1] + "\n {]", "", " \n"):
        result = replay(document)
        analysis = kairos.run("--file=-", stdin=document.encode())
        assert_failed(result, "line", "column", "byte")
        assert result.stderr == analysis.stderr
    assert server.requests == []


def test_a_log_that_is_not_there(kairos, tmp_path):
    result = kairos.run("replay", tmp_path / "none.json")
    assert_failed(result, tmp_path / "none.json", "No such file", "; name the log to replay")
    assert_failed(kairos.run("replay", tmp_path), "directory")


# Answers


def test_rejected_heartbeats_are_counted(replay, server):
    log = [event(f"svc-{i}", "10:00:00") for i in range(1500)]
    errors = [
        {"event": 3, "reason": "too_many_services", "detail": "no room\x1b[31m \"here\""},
        {"event": 1000, "reason": "nonsense", "detail": 7},
        *({"event": number} for number in (0, -1, 1001, "3", None, 1e300)),
        "what", None, [],
    ]  # fmt: skip
    server.answers = [counts(1000, 2, errors=errors), counts(500, 500, errors=None)]
    result = replay(log)
    assert result.returncode == 0
    assert summary(result) == (1500, 1500, 2, 502, 0)
    rejected = re.findall(r" WARN rejected (.*)", result.stderr)
    assert rejected == [
        r'service=svc-2 reason="too_many_services" detail="no room\x1b[31m \"here\""',
        'service=svc-999 reason="nonsense" detail=""',
    ]
    assert " WARN rejected_more count=500\n" in result.stderr


def test_many_rejected_heartbeats_are_not_logged(replay, server):
    errors = [{"event": i + 1, "reason": "r", "detail": "d"} for i in range(100)]
    server.answers = [counts(100, 100, errors=errors)]
    result = replay([event(f"svc-{i}", "10:00:00") for i in range(100)])
    assert result.stderr.count(" WARN rejected service=") == 20
    assert " WARN rejected_more count=80\n" in result.stderr


def test_what_failed_is_tried_again(replay, server):
    server.answers = [
        (503, {"detail": "starting"}),
        (429, b"slow down"),
        "hang up",
        None,
        (500, b""),
    ]
    log = [event(f"svc-{i}", "10:00:00") for i in range(1001)]
    result = replay(log)
    assert result.returncode == 0
    first, last = [f"svc-{i}" for i in range(1000)], ["svc-1000"]
    assert server.batches == [first] * 4 + [last] * 2
    assert summary(result) == (1001, 1001, 2, 0, 0)
    reasons = re.findall(r" WARN retry wait=\d+\.\d+ reason=(.*)", result.stderr)
    assert len(reasons) >= 3  # a connection that breaks is replaced without a word
    assert "answered 503: starting" in reasons[0] and "answered 429" in reasons[1]


@pytest.mark.parametrize("answer", [(503, {"detail": "full\n\x1b[2J"}), (429, b""), "hang up"])
def test_given_up(replay, server, answer):
    server.answers = [answer] * 10
    result = replay(heartbeats("push", "10:00"), "--retry-for=0")
    assert_failed(result, server.url + PATH, "given up after", "--retry-for")
    assert len(server.requests) == 1
    if answer[0] == 503:
        assert "the server answered 503: full?" in result.stderr
    assert summary(result) == (0, 1, 0, 0, 0)


def test_tried_for_a_while(replay, server):
    server.answers = [(503, b"")] * 100
    result = replay(heartbeats("push", "10:00"), "--retry-for=250ms")
    assert_failed(result, "answered 503; given up after")
    assert len(server.requests) > 1


def test_nobody_listens(kairos):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    log = json.dumps(heartbeats("push", "10:00")).encode()
    result = kairos.run(
        "replay", "-", "--retry-for=100ms", f"--url=http://127.0.0.1:{port}", stdin=log
    )
    assert_failed(result, f"http://127.0.0.1:{port}{PATH}: ", "Couldn't connect", "given up")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
@pytest.mark.parametrize(
    "answer, said",
    [({"detail": "so\x07 not"}, ": so? not"), ({"detail": 7}, ""), (b"<html>", ""), (b"", "")],
)
def test_refused_at_once(replay, server, status, answer, said):
    server.answers = [None, (status, answer)]
    result = replay([event(f"svc-{i}", "10:00:00") for i in range(2500)])
    assert_failed(result)
    assert result.stderr.endswith(f"{server.url}{PATH}: the server answered {status}{said}\n")
    assert len(server.requests) == 2
    assert summary(result) == (1000, 2500, 1, 0, 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(replay, server, status):
    elsewhere = server.url + "/elsewhere"
    server.answers = [(status, b"", ("Location", elsewhere))]
    result = replay(heartbeats("push", "10:00"))
    assert_failed(result, f"answered {status}", elsewhere)
    assert server.batches == [["push"]]


@pytest.mark.parametrize(
    "document",
    [
        b"<html></html>", b"", b"[]", b"null", b"{", {}, {"accepted": 1}, {"rejected": 0},
        {"accepted": "1", "rejected": 0}, {"accepted": 1, "rejected": "0"},
        {"accepted": 1, "rejected": -1}, {"accepted": 1, "rejected": 2},
        {"accepted": 1, "rejected": 0.0}, {"accepted": True, "rejected": False},
        b'{"accepted": 1, "rejected": 99999999999999999999}', b"[" * 100000,
        b" " * 2000000 + b"{}",
    ],
    ids=lambda document: repr(document)[:40],
)  # fmt: skip
def test_answers_of_something_else(replay, server, document):
    server.answers = [(200, document)]
    assert_failed(replay(heartbeats("push", "10:00")), server.url, "Kairós server")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [201, 202])
def test_other_kinds_of_success(replay, server, status):
    server.answers = [(status, counts(1)[1])]
    assert replay(heartbeats("push", "10:00")).returncode == 0


# The way there


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
@pytest.mark.parametrize("proxy", ["http_proxy", "all_proxy", "ALL_PROXY"])
def test_no_proxy_to_this_machine(kairos, server, host, proxy):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {**ENVIRONMENT, proxy: f"http://127.0.0.1:{taken.getsockname()[1]}"}
    result = kairos.run(
        *("replay", "-", "--retry-for=0", f"--url=http://{host}:{server.server_port}"),
        stdin=json.dumps(heartbeats("push", "10:00")).encode(),
        env=environment,
    )
    assert result.returncode == 0, result.stderr
    assert server.services == ["push"]


def test_a_proxy_to_others(kairos, server):
    """The server of the test is taken for a proxy: it gets the whole address."""
    result = kairos.run(
        *("replay", "-", "--retry-for=0", "--url=http://kairos.invalid"),
        stdin=json.dumps(heartbeats("push", "10:00")).encode(),
        env={**ENVIRONMENT, "http_proxy": server.url},
    )
    assert result.returncode == 0, result.stderr
    assert server.requests[0][0] == "http://kairos.invalid" + PATH


# Signals, and a terminal


def start(kairos, server, stderr=subprocess.PIPE):
    """A replay of two heartbeats that are a day apart."""
    process = subprocess.Popen(
        [kairos.path, "replay", "-", "--url", server.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=ENVIRONMENT,
    )
    log = [event("push", "2025-08-04T10:00Z"), event("push", "2025-08-05T10:00Z")]
    process.stdin.write(json.dumps(log).encode())
    process.stdin.close()
    process.stdin = None
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_between_requests(kairos, server, number):
    with start(kairos, server) as process:
        assert server.heard.wait(PATIENCE)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert stderr.splitlines()[-1] == b"kairos: interrupted"
    assert b"sent 1 heartbeats of 1 services in 1 requests" in stderr


def test_a_signal_during_a_request(kairos, server):
    """The request under way is brought to its end."""
    signalled = threading.Event()

    def answer():
        assert signalled.wait(PATIENCE)
        return counts(1)

    server.answers = [answer]
    with start(kairos, server) as process:
        assert server.heard.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        signalled.set()
        _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert stderr.splitlines()[-1] == b"kairos: interrupted"
    assert b"sent 1 heartbeats of 1 services in 1 requests" in stderr


def test_a_signal_while_trying_again(kairos, server):
    server.answers = [(503, {"detail": "starting"}, ("Retry-After", "3600"))]
    with start(kairos, server) as process:
        assert server.heard.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert stderr.splitlines()[-1] == b"kairos: interrupted"
    assert len(server.requests) == 1


def is_pending(process):
    """Whether a signal was sent to PROCESS that it has not taken yet."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"^ShdPnd:\s+([0-9a-f]+)$", status, re.MULTILINE)[1], 16) != 0


def test_a_second_signal_ends_the_request(kairos, server):
    ended = threading.Event()

    def answer():
        ended.wait(PATIENCE)
        return "hang up"

    server.answers = [answer]
    with start(kairos, server) as process:
        assert server.heard.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        wait_until(lambda: not is_pending(process), "the first signal is seen")
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
        ended.set()
        _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert stderr.splitlines()[-1] == b"kairos: interrupted"
    assert b"sent 0 heartbeats" in stderr


def read_until(terminal, pattern):
    """What the program writes to TERMINAL, up to a match of PATTERN or its end."""
    seen = b""
    while not re.search(pattern, seen):
        ready, _, _ = select.select([terminal], [], [], PATIENCE)
        assert ready, seen
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # the program has ended, and with it the terminal
            break
    return seen


def test_progress_on_a_terminal(kairos, server):
    ours, theirs = pty.openpty()
    with start(kairos, server, stderr=theirs) as process:
        os.close(theirs)
        seen = read_until(ours, rb"s left")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        seen += read_until(ours, rb"interrupted\r\n")
    os.close(ours)
    assert re.search(rb"\r\x1b\[K1 of 2 heartbeats \(50 %\), 86\d\d\d s left", seen)
    assert b"left\r\x1b[Kkairos: sent 1 heartbeats" in seen, "the line is taken away at the end"


# Wrong usage


REFUSED = [
    *(["-", f"--speed={text}"] for text in [
        "", "0", "0.0009", "1000001", "1000000.1", "-1", "+1", "1.", ".5", "1e3", "0x10", "1,5", "1 ",
        " 1", "nan", "inf", "1.2.3", "1\n", "½", "9" * 400,
    ]),
    *(["-", f"--url={text}"] for text in [
        "", "x", "127.0.0.1:8000", "localhost:8000", "ftp://127.0.0.1", "file:///etc/passwd",
        "http://", "http://a b", "http://user@127.0.0.1", "http://user:word@127.0.0.1",
        "http://127.0.0.1:99999", "http://127.0.0.1/?a=b", "http://127.0.0.1/#a", "//127.0.0.1",
        "http://127.0.0.1/\n", "\x1b[31m",
    ]),
    *(["-", f"--retry-for={text}"] for text in ["", "-1", "1.5", "1w", "x", "9" * 30]),
    ["-", "--log-level=loud"],
    [],
    ["--speed=2"],
    ["-", "-"],
    ["-", "events.json"],
    ["-", "--api"],
    ["-", "--nonsense"],
    ["-", "--interval=60"],
]  # fmt: skip


@pytest.mark.parametrize("options", REFUSED, ids=lambda options: ascii(options)[1:-1][:40])
def test_refused(kairos, options):
    result = kairos.run("replay", *options, stdin=b"[]")
    assert (result.returncode, result.stdout) == (2, "")
    message, hint = result.stderr.splitlines()
    assert message.startswith("kairos replay: ") and message.isprintable()
    assert (options[-1].split("=")[0] if "-" in options else "log") in message
    assert hint.startswith("Try `kairos replay --help'")


@pytest.mark.parametrize(
    "options",
    [
        ["--speed=0.001"], ["--speed=1000000"], ["--speed=1000000.0"], ["--speed=007.50"],
        ["--url=https://127.0.0.1:1"], ["--url=HTTP://127.0.0.1"], ["--url=http://[::1]:8000/x"],
        ["--retry-for=0"], ["--retry-for=366d"], ["--log-level=debug"], ["-s", "2", "-u", "http://a"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_accepted(kairos, options):
    assert kairos.run("replay", "-", *options, stdin=b"[]").returncode == 0


def test_help(kairos):
    result = kairos.run("replay", "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: kairos replay [OPTION...] FILE\n")
    for option in ("url", "speed", "retry-for", "log-level", "log-file"):
        assert f"--{option}" in result.stdout
