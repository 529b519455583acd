"""`kairos ping`: what a server hears, and what becomes of what it does not hear."""

import json
import os
import re
import resource
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import ENVIRONMENT
from server import PATIENCE, Server, wait_until
from stub import HANG_UP, SILENCE, Stub, nobody


@pytest.fixture
def stub():
    with Stub() as stub:
        yield stub


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def ping(kairos, spool):
    """Pings once, with a single try, and a spool of the test's own."""

    def run(*options, url, retry_for="0", **popen):
        environment = {**ENVIRONMENT, "KAIROS_URL": url, "KAIROS_SPOOL": str(spool)}
        options = ["ping", f"--retry-for={retry_for}", *options]
        return kairos.run(*options, **{"env": environment, **popen})

    return run


def beats(spool):
    """What is in the spool, in order of time."""
    files = sorted(path for path in spool.glob("*.json")) if spool.exists() else []
    assert all(re.fullmatch(r"\d{17}-[0-9a-f]{16}\.json", path.name) for path in files)
    return [json.loads(path.read_text()) for path in files]


def put(spool, service, time, url, **more):
    """Lays a beat into the spool; TIME is in seconds."""
    spool.mkdir(exist_ok=True)
    stamp = f"2025-08-04T10:{time // 60:02}:{time % 60:02}Z"
    number = len(list(spool.iterdir()))
    path = spool / f"{1754301600000000 + time * 1000000:017}-{number:016x}.json"
    path.write_text(json.dumps({"service": service, "time": stamp, "url": url, **more}))
    return stamp


def assert_told(result):
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


# What is told


@pytest.mark.parametrize(
    "options, path",
    [
        ([], "/ping/backup"),
        (["--fail"], "/ping/backup/fail"),
        (["-f"], "/ping/backup/fail"),
        (["--start"], "/ping/backup/start"),
        (["--log"], "/ping/backup/log"),
        (["--exit-status=0"], "/ping/backup"),
        (["--exit-status=1"], "/ping/backup/1"),
        (["-e", "255"], "/ping/backup/255"),
        (["--fail", "--fail"], "/ping/backup/fail"),
    ],
)
def test_what_is_told(ping, stub, options, path):
    assert_told(ping("backup", *options, url=stub.url))
    [request] = stub.requests
    assert (request.method, request.path, request.body) == ("POST", path, b"")
    assert re.fullmatch(r"kairos/\d+\.\d+\.\d+", request.headers["User-Agent"])


@pytest.mark.parametrize("message", ["42 files", "é\n", "x" * 10000])
def test_a_message(ping, stub, message):
    assert_told(ping("backup", "-m", message, url=stub.url))
    [request] = stub.requests
    assert request.body.decode() == message
    assert request.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("name", ["a", "x" * 100, " Backup ", "a-b_c9"])
def test_names(ping, stub, name):
    assert_told(ping(name, url=stub.url))
    assert stub.paths == [f"POST /ping/{name.strip().lower()}"]


def test_a_real_server(ping, tmp_path):
    with Server(tmp_path).ready() as server:
        url = f"http://127.0.0.1:{server.port}"
        assert_told(ping("backup", url=url))
        assert server.service("backup")["status"] == "up"
        assert_told(ping("backup", "--exit-status=3", "-m", "disk full", url=url))
        assert server.service("backup")["status"] == "down"
        assert_told(ping("backup", "--start", url=url))
        assert server.service("backup")["running_since"]
        assert_told(ping("backup", url=url))
        assert server.service("backup")["status"] == "up"


REFUSED = [
    [], [""], ["a b"], ["ä"], ["x" * 101], ["a.b"], ["a/b"], ["a", "b"], ["a", "--fail", "--start"],
    ["a", "--log", "--exit-status=3"], ["a", "--exit-status=256"], ["a", "--exit-status=-1"],
    ["a", "--exit-status=x"], ["a", "--message=" + "x" * 10001], ["a", "--url=x"], ["a", "--spool="],
    ["a", "--cacert="], ["a", "--retry-for=soon"], ["a", "--nonsense"],
]  # fmt: skip


@pytest.mark.parametrize("options", REFUSED, ids=lambda options: ascii(options)[1:-1][:40])
def test_refused(kairos, options):
    result = kairos.run("ping", *options)
    assert (result.returncode, result.stdout) == (2, "")
    message, hint = result.stderr.splitlines()
    assert message.startswith("kairos ping: ") and message.isprintable()
    assert hint.startswith("Try `kairos ping --help'")


# Tries


def test_what_failed_is_tried_again(ping, stub):
    stub.answers = [(503, {"detail": "starting"}), (429, b""), HANG_UP, (500, b"<html>")]
    assert_told(ping("backup", url=stub.url, retry_for="1m"))
    assert stub.paths == ["POST /ping/backup"] * 5


def test_retry_after_is_respected(ping, stub, spool):
    """A server that asks for an hour is asked once more, at the end of the time that there is."""
    stub.answer = (503, b"", ("Retry-After", "3600"))
    result = ping("backup", url=stub.url, retry_for="500ms")
    assert result.returncode == 0 and "kept in" in result.stderr
    assert len(stub.requests) == 2


def test_a_signal_ends_the_trying(kairos, stub, spool):
    stub.answer = (503, b"", ("Retry-After", "3600"))
    with subprocess.Popen(
        [kairos.path, "ping", "backup", "--retry-for=1d", "--url", stub.url, "--spool", spool],
        stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    ) as process:  # fmt: skip
        stub.heard("/ping/backup")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert stderr == f"kairos: interrupted; kept in {spool}, to be sent later\n"
    assert len(beats(spool)) == 1


# The spool


FAILING = {
    "away": None,
    "silence": SILENCE,
    "hang up": HANG_UP,
    "500": (500, {"detail": "no"}),
    "507": (507, {"detail": "full"}),
    "404 of another": (404, b"<html>not here</html>"),
    "200 of another": (200, b"<html>log in</html>"),
    "204": (204, b""),
    "redirect": (302, b"", ("Location", "https://example.com/")),
    "garbage": b"\0\1\2" * 1000,
    "huge": (200, b"OK" * 1000000),
    "huge error": (500, b"x" * 1000000),
}


@pytest.mark.parametrize("answer", FAILING.values(), ids=FAILING)
def test_what_is_not_taken_is_kept(ping, stub, spool, answer):
    stub.answer = answer
    url = stub.url if answer is not None else nobody()
    result = ping("backup", url=url)
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.startswith(f"kairos: {url}/ping/backup: ")
    assert result.stderr.endswith(f"; kept in {spool}, to be sent later\n")
    assert result.stderr.count("\n") == 1
    [beat] = beats(spool)
    assert list(beat) == ["service", "time", "url"]
    assert (beat["service"], beat["url"]) == ("backup", url)
    assert spool.stat().st_mode & 0o777 == 0o700
    assert next(spool.iterdir()).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_what_kairos_refuses_is_not(ping, stub, spool, status):
    stub.answer = (status, {"detail": "unknown\x1b[31m service"})
    result = ping("backup", url=stub.url)
    assert result.returncode == 1
    assert result.stderr == (
        f"kairos: {stub.url}/ping/backup: the server answered {status}: unknown?[31m service\n"
    )
    assert beats(spool) == []


@pytest.mark.parametrize("option", ["--start", "--log"])
def test_what_is_worth_nothing_later(ping, spool, option):
    result = ping("backup", option, url=nobody())
    assert result.returncode == 1 and "kept" not in result.stderr
    assert beats(spool) == []


def test_no_spool(ping, spool):
    result = ping("backup", "--no-spool", url=nobody())
    assert result.returncode == 1 and "kept" not in result.stderr
    assert beats(spool) == []


def test_a_fail_is_kept_with_its_message(ping, spool):
    message = os.fsdecode(b"a\xffb \xf0\x9f\x98\x80 \xed\xa0\x80 \xc3")
    ping("backup", "-e3", "-m", message, url=nobody())
    ping("mail", "--fail", url=nobody())
    first, second = beats(spool)
    assert (first["exit_status"], first["output"]) == (3, "a\ufffdb \U0001f600 \ufffd\ufffd\ufffd \ufffd")
    assert second["exit_status"] is None and "output" not in second


def test_the_default_spool(kairos, tmp_path):
    for number, variables in enumerate(
        [
            {"XDG_STATE_HOME": str(tmp_path / "0"), "HOME": "/nonexistent"},
            {"HOME": str(tmp_path / "1")},
            {"HOME": str(tmp_path / "2"), "XDG_STATE_HOME": "relative"},
        ]
    ):
        environment = {**ENVIRONMENT, "XDG_STATE_HOME": "", **variables}
        result = kairos.run("ping", "a", "--retry-for=0", "--url", nobody(), env=environment)
        base = tmp_path / str(number) / ("" if number == 0 else ".local/state")
        assert result.returncode == 0 and len(beats(base / "kairos" / "spool")) == 1


def test_delivered_later_with_its_own_time(ping, spool, tmp_path):
    path = tmp_path / "server"
    path.mkdir()
    with Server(path).ready() as server:
        url = f"http://127.0.0.1:{server.port}"
        away = nobody()
        for name in ("backup", "mail", "backup"):
            ping(name, url=away)
        kept = beats(spool)
        for file in spool.iterdir():  # the server was there, as it were
            file.write_text(file.read_text().replace(away, url + "/"))
        assert_told(ping("other", url=url))
        assert server.service("backup")["last_seen"] == kept[2]["time"]
        assert server.service("mail")["last_seen"] == kept[1]["time"]
        assert server.service("mail")["status"] == "up"
    assert beats(spool) == []


def test_one_request_for_many(ping, stub, spool):
    for number in range(1500):
        put(spool, f"svc-{number}", number, stub.url)
    assert_told(ping("backup", url=stub.url))
    assert stub.paths == ["POST /ping/backup", *["POST /api/v1/heartbeats"] * 2]
    sent = [event for request in stub.requests[1:] for event in request.json]
    assert sorted(event["service"] for event in sent) == sorted(f"svc-{n}" for n in range(1500))
    assert {"service": "svc-1499", "timestamp": "2025-08-04T10:24:59Z"} in sent
    assert beats(spool) == []


def test_before_a_start(ping, stub, spool):
    """A heartbeat ends the run, whatever its time."""
    put(spool, "backup", 0, stub.url)
    assert_told(ping("backup", "--start", url=stub.url))
    assert stub.paths == ["POST /api/v1/heartbeats", "POST /ping/backup/start"]


def test_only_to_its_own_server(ping, stub, spool):
    put(spool, "backup", 0, "http://elsewhere.invalid")
    assert_told(ping("mail", url=stub.url))
    assert stub.paths == ["POST /ping/mail"] and len(beats(spool)) == 1


def test_a_fail_is_moot_before_a_success(ping, stub, spool):
    put(spool, "backup", 0, stub.url, exit_status=3)
    put(spool, "backup", 1, stub.url)
    assert_told(ping("mail", url=stub.url))
    assert stub.paths == ["POST /ping/mail", "POST /api/v1/heartbeats"]
    assert stub.requests[1].json == [{"service": "backup", "timestamp": "2025-08-04T10:00:01Z"}]
    assert beats(spool) == []


def test_the_newest_fail_is_sent(ping, stub, spool):
    put(spool, "backup", 0, stub.url)
    put(spool, "backup", 1, stub.url, exit_status=2)
    put(spool, "backup", 2, stub.url, exit_status=3, output="disk full")
    put(spool, "mail", 0, stub.url, exit_status=None)
    assert_told(ping("other", url=stub.url))
    assert stub.paths[1:] == [
        "POST /api/v1/heartbeats",
        "GET /api/v1/services/backup", "POST /ping/backup/3",
        "GET /api/v1/services/mail", "POST /ping/mail/fail",
    ]  # fmt: skip
    assert stub.requests[3].body == b"disk full"
    assert beats(spool) == []


def test_a_fail_is_moot_when_the_server_knows_better(ping, spool, tmp_path):
    path = tmp_path / "server"
    path.mkdir()
    with Server(path).ready() as server:
        url = f"http://127.0.0.1:{server.port}"
        put(spool, "backup", 0, url, exit_status=3)
        put(spool, "mail", 0, url, exit_status=3)
        server.get("/ping/backup")
        assert_told(ping("other", url=url))
        assert server.service("backup")["status"] == "up"
        assert server.service("mail")["status"] == "down"
    assert beats(spool) == []


@pytest.mark.parametrize(
    "answer",
    [HANG_UP, (500, b""), (200, b"OK"), (200, {}), (404, b"<html>"), (400, {"detail": "no"}),
     (200, b"x" * 2000000)],
    ids=lambda answer: repr(answer)[:30],
)  # fmt: skip
def test_what_the_spool_is_not_relieved_of(ping, stub, spool, answer):
    """The ping itself is told; what is in the spool stays there, and one line says why."""
    put(spool, "backup", 0, stub.url)
    stub.answers = [(200, b"OK"), answer, answer]  # a connection that breaks is replaced
    result = ping("mail", url=stub.url)
    assert result.returncode == 0
    assert result.stderr.endswith("what is in the spool stays there\n")
    assert result.stderr.count("\n") == 1 and len(beats(spool)) == 1


def test_what_the_server_rejects_is_dropped(ping, spool, tmp_path):
    path = tmp_path / "server"
    path.mkdir()
    with Server(path).ready() as server:
        url = f"http://127.0.0.1:{server.port}"
        spool.mkdir()
        for number, time in enumerate(["2999-01-01T00:00:00Z", "2025-08-04T10:00:00Z"]):
            (spool / f"{number:017}-{number:016x}.json").write_text(
                json.dumps({"service": "backup", "time": time, "url": url})
            )
        result = ping("mail", url=url)
        assert result.returncode == 0
        assert "the server rejected 1 heartbeats of the spool: " in result.stderr
        assert server.service("backup")["last_seen"] == "2025-08-04T10:00:00Z"
    assert beats(spool) == []


DAMAGES = [
    b"", b"{", b"[]", b"null", b"\0" * 100, b"{}", b"x" * 300000,
    b'{"service":"a","time":"2025-08-04T10:00:00Z"}',
    b'{"service":"a","url":"URL"}',
    b'{"service":"a","time":"yesterday","url":"URL"}',
    b'{"service":"A","time":"2025-08-04T10:00:00Z","url":"URL"}',
    b'{"service":"a/../b","time":"2025-08-04T10:00:00Z","url":"URL"}',
    b'{"service":"a\\"},{","time":"2025-08-04T10:00:00Z","url":"URL"}',
    b'{"service":7,"time":"2025-08-04T10:00:00Z","url":"URL"}',
    b'{"service":"a","time":7,"url":"URL"}',
    b'{"service":"a","time":"2025-08-04T10:00:00Z","url":7}',
    b'{"service":"a","time":"2025-08-04T10:00:00Z","url":"URL","exit_status":0}',
    b'{"service":"a","time":"2025-08-04T10:00:00Z","url":"URL","exit_status":256}',
    b'{"service":"a","time":"2025-08-04T10:00:00Z","url":"URL","exit_status":"3"}',
    b'{"service":"a","time":"2025-08-04T10:00:00Z","url":"URL","output":3}',
]  # fmt: skip


def test_damaged_files(ping, stub, spool):
    """They are dropped; what others have put there is left alone."""
    put(spool, "backup", 0, stub.url)
    for number, content in enumerate(DAMAGES):
        path = spool / f"{number:017}-{number:016x}.json"
        path.write_bytes(content.replace(b"URL", stub.url.encode()))
    others = ["notes.txt", "0-0.json", f"{7:017}-{7:016x}.json.bak", f"{7:017}-{7:016X}g.json"]
    for name in others:
        (spool / name).write_text("{")
    os.mkfifo(spool / f"{99:017}-{1:016x}.json")
    (spool / f"{99:017}-{2:016x}.json").symlink_to("notes.txt")
    (spool / f"{99:017}-{3:016x}.json").mkdir()
    result = ping("mail", url=stub.url)
    assert result.returncode == 0
    assert result.stderr == f"kairos: dropped {len(DAMAGES)} damaged files from the spool {spool}\n"
    assert stub.paths == ["POST /ping/mail", "POST /api/v1/heartbeats"]
    assert [event["service"] for event in stub.requests[1].json] == ["backup"]
    assert len(list(spool.iterdir())) == len(others) + 3


def test_a_full_spool(ping, spool):
    """The oldest give way."""
    spool.mkdir()
    for number in range(10005):
        (spool / f"{number:017}-{number:016x}.json").write_text("{}")
    result = ping("backup", url=nobody())
    assert result.returncode == 0
    assert "kairos: 6 that were older were dropped: the spool is full\n" in result.stderr
    names = sorted(path.name for path in spool.iterdir())
    assert len(names) == 10000 and names[0].startswith(f"{6:017}-")


def test_a_spool_of_many_bytes(ping, spool):
    spool.mkdir()
    for number in range(5):
        with open(spool / f"{number:017}-{number:016x}.json", "wb") as file:
            file.truncate(8 * 1024 * 1024)
    result = ping("backup", url=nobody())
    assert "kairos: 2 that were older were dropped: the spool is full\n" in result.stderr
    assert len(list(spool.iterdir())) == 4


def test_what_was_left_unfinished_goes_in_the_end(ping, spool):
    spool.mkdir()
    old, new = spool / f".new-{1:016x}", spool / f".new-{2:016x}"
    for path in (old, new):
        path.write_text("{")
    os.utime(old, (1, 1))
    assert ping("backup", url=nobody()).returncode == 0
    assert not old.exists() and new.exists()


def test_several_processes_at_once(ping, stub, spool):
    away = nobody()
    with ThreadPoolExecutor(16) as pool:
        for result in pool.map(lambda number: ping(f"svc-{number}", url=away), range(64)):
            assert result.returncode == 0
    assert sorted(beat["service"] for beat in beats(spool)) == sorted(f"svc-{n}" for n in range(64))
    for file in spool.iterdir():
        file.write_text(file.read_text().replace(away, stub.url))
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(lambda _: ping("mail", url=stub.url), range(8)):
            assert_told(result)
    heard = {
        event["service"] for request in stub.requests if request.body for event in request.json
    }
    assert heard == {f"svc-{number}" for number in range(64)}
    assert beats(spool) == []


@pytest.mark.parametrize("where", ["a file", "no place", "too long a name"])
def test_a_spool_that_cannot_be_written(ping, tmp_path, where):
    (tmp_path / "file").write_text("")
    spool = {"a file": tmp_path / "file", "no place": "/proc/kairos/spool"}.get(where, "x" * 300)
    result = ping("backup", "--spool", spool, url=nobody())
    assert result.returncode == 1
    assert f"; and lost: cannot write to the spool {spool}: " in result.stderr


def test_a_spool_that_cannot_be_read_disturbs_nobody(ping, stub, tmp_path):
    (tmp_path / "file").write_text("")
    result = ping("backup", "--spool", tmp_path / "file", url=stub.url)
    assert result.returncode == 0 and "cannot open the spool" in result.stderr
    assert stub.paths == ["POST /ping/backup"]


def test_a_disk_that_is_full(kairos, spool):
    """Nothing half written stays behind."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))

    result = subprocess.run(
        [kairos.path, "ping", "backup", "--retry-for=0", "--url", nobody(), "--spool", spool],
        capture_output=True, text=True, env=ENVIRONMENT, preexec_fn=limit, timeout=PATIENCE,
    )  # fmt: skip
    assert result.returncode == 1
    assert "; and lost: cannot write to the spool" in result.stderr
    assert list(spool.iterdir()) == []


def test_while_another_delivers(kairos, ping, stub, spool):
    """One delivers; others do not wait for it."""
    put(spool, "backup", 0, stub.url)
    stub.answers = [(200, b"OK"), SILENCE]
    with subprocess.Popen(
        [kairos.path, "ping", "mail", "--retry-for=0", "--url", stub.url, "--spool", spool],
        stderr=subprocess.DEVNULL, env=ENVIRONMENT,
    ) as process:  # fmt: skip
        stub.heard("/api/v1/heartbeats")
        assert_told(ping("other", url=stub.url))
        assert stub.paths[-1] == "POST /ping/other"
        process.kill()
    wait_until(lambda: ping("third", url=stub.url) and beats(spool) == [], "the spool is empty")


def test_help(kairos):
    result = kairos.run("ping", "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: kairos ping [OPTION...] SERVICE\n")
