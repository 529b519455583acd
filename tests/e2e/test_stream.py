"""The event stream: what happens, as it happens."""

import json
import random
import shutil
import socket
import subprocess
from contextlib import ExitStack

import pytest

from metrics import metric
from server import PATIENCE, Server, wait_until
from stream import PATH, Stream, is_gone

OLD = "2020-01-01T00:00:00Z"
CAPACITY = 65536  # events that are kept


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path) as server:
        yield server.ready()


def mark(server, name="the-end"):
    """Makes an event after which there is nothing to come yet."""
    server.put(f"/api/v1/services/{name}", {})
    server.delete(f"/api/v1/services/{name}")
    return is_gone(name)


def types(events):
    return [event.type for event in events]


def changes(events):
    return [(e.data["from"], e.data["to"]) for e in events if e.type == "status"]


def many(server, first, count):
    """COUNT services appear, each an event."""
    for begin in range(first, first + count, 10000):
        numbers = range(begin, min(begin + 10000, first + count))
        answer = server.post("/api/v1/heartbeats", [{"service": f"many-{n}"} for n in numbers])
        assert answer.json["accepted"] == len(numbers)


def run_of(stream):
    return stream.last_id.partition("-")[0]


# ---- What is told ----


def test_an_incident_from_its_alert_to_its_recovery(server):
    with Stream(server).begun() as stream:
        server.beat({"service": "push", "timestamp": OLD})
        created, alert, down = stream.events(3)
        server.get("/ping/push")
        recovery, up = stream.events(2)
    assert types([created, alert, down, recovery, up]) == [
        "status", "alert", "status", "recovery", "status"
    ]  # fmt: skip
    assert changes([created, down, up]) == [(None, "late"), ("late", "down"), ("down", "up")] or (
        changes([created, down, up]) == [(None, "up"), ("up", "down"), ("down", "up")]
    )
    first = server.get("/api/v1/alerts?to=2020-01-01T00:03:01Z").json["alerts"]
    assert [alert.data] == first
    assert recovery.data == server.get(f"/api/v1/incidents/{alert.data['incident']}").json
    assert recovery.data["end"] == "recovered"
    assert alert.data["raised_at"] == down.data["at"]
    assert recovery.data["recovered_at"] == up.data["at"]


def test_numbers_have_no_holes(server):
    with Stream(server).begun() as stream:
        done = mark(server)
        server.get("/ping/push/fail")
        server.get("/ping/push")
        first = stream.until(done)
        events = first + stream.events(4)
    assert [event.number for event in events] == list(range(1, len(events) + 1))


@pytest.mark.parametrize(
    ("method", "path", "end"),
    [("POST", "/pause", "paused"), ("DELETE", "", "deleted")],
)
def test_an_incident_that_is_closed_otherwise(server, method, path, end):
    with Stream(server).begun() as stream:
        server.get("/ping/push/fail")
        alert = stream.until(lambda event: event.type == "alert")[-1]
        server.post(f"/api/v1/incidents/{alert.data['incident']}/acknowledge")
        server.request(method, f"/api/v1/services/push{path}")
        *_, closed, status = stream.until(
            lambda event: event.type == "status" and event.data["to"] != "down"
        )
    assert closed.type == "closed" and closed.data["end"] == end
    assert closed.data["acknowledged_at"] is not None
    assert closed.data == server.get(f"/api/v1/incidents/{alert.data['incident']}").json
    assert status.data["from"] == "down"
    assert status.data["to"] == ("paused" if end == "paused" else None)


def test_every_status(server):
    with Stream(server).begun() as stream:
        server.put("/api/v1/services/push", {})
        server.get("/ping/push")
        server.get("/ping/push")
        server.post("/api/v1/services/push/pause")
        server.post("/api/v1/services/push/resume")
        server.get("/ping/push/fail")
        server.get("/ping/push")
        server.delete("/api/v1/services/push")
        events = stream.until(is_gone("push"))
    assert changes(events) == [
        (None, "new"), ("new", "up"), ("up", "paused"), ("paused", "up"), ("up", "down"),
        ("down", "up"), ("up", None)
    ]  # fmt: skip


def test_a_gap(tmp_path):
    with Server(tmp_path) as server:
        server.ready()
        server.kill()
    with Server(tmp_path) as server:
        server.ready()
        with Stream(server) as now:
            now.block()
        with Stream(server, last_id=f"{run_of(now)}-0") as stream:
            gap = stream.event()
        assert gap.type == "gap"
        assert gap.data == server.get("/api/v1/gaps").json["gaps"][0]


def test_what_was_open_at_the_start_is_no_news(tmp_path):
    with Server(tmp_path) as server:
        server.ready().get("/ping/push/fail")
        server.kill()
    with Server(tmp_path) as server:
        with Stream(server.ready()).begun() as stream:
            server.get("/ping/push")
            assert types(stream.events(2)) == ["recovery", "status"]


# ---- Coming back ----


@pytest.mark.parametrize("seed", range(5))
def test_breaks_lose_and_repeat_nothing(server, seed):
    dice = random.Random(seed)
    actions = ["", "/fail", "/start", "/log", "/1"]
    got, last_id, count = [], None, 0
    stream = Stream(server).begun()
    for _ in range(30):
        for _ in range(dice.randrange(6)):
            server.get(f"/ping/s{dice.randrange(4)}{dice.choice(actions)}")
        if dice.random() < 0.3:
            server.delete(f"/api/v1/services/s{dice.randrange(4)}")
        done = mark(server, f"mark-{count}")
        count += 1
        if dice.random() < 0.5:  # It gets some of what there is, and the rest later.
            while not done(event := stream.event()) and dice.random() < 0.7:
                got.append(event)
            if done(event) or not got or event.number > got[-1].number:
                got.append(event)
        last_id = stream.last_id
        stream.close()
        stream = Stream(server, last_id=last_id)
    done = mark(server)
    got += stream.until(done)
    stream.close()
    assert "reset" not in types(got)
    assert [event.number for event in got] == list(range(1, got[-1].number + 1))
    with Stream(server, f"?last_event_id={run_of(stream)}-0") as whole:
        assert whole.until(done) == got


def test_the_header_is_stronger_than_the_query(server):
    with Stream(server).begun() as stream:
        mark(server, "a")
        first, second = stream.events(2)
    with Stream(server, f"?last_event_id={run_of(stream)}-0", last_id=first.id) as again:
        assert again.event() == second


def test_an_id_of_an_earlier_run(tmp_path):
    with Server(tmp_path) as server:
        with Stream(server.ready()).begun() as stream:
            mark(server)
            stream.events(2)
        server.kill()
    with Server(tmp_path) as server:
        with Stream(server.ready(), last_id=stream.last_id) as again:
            reset = again.event()
            assert (reset.type, reset.data) == ("reset", {"reason": "restart"})
            assert run_of(again) != run_of(stream)
            done = mark(server, "b")
            assert changes(again.until(done)) == [(None, "new"), ("new", None)]
        with Stream(server, last_id=reset.id) as once_more:  # A reset has an id as well.
            assert once_more.event().type == "status"


@pytest.mark.parametrize("last_id", ["nonsense", "-", "1-2-3", "x" * 1000, "0-0x1", "ÿ"])
def test_a_header_that_is_no_id(server, last_id):
    with Stream(server, last_id=last_id.encode("latin-1")) as stream:
        stream.last_id = None
        assert stream.event().data == {"reason": "unknown"}


def test_an_id_that_was_never_sent(server):
    with Stream(server) as stream:
        stream.block()
    with Stream(server, last_id=f"{run_of(stream)}-1") as again:
        assert again.event().data == {"reason": "unknown"}


def test_one_that_comes_back_too_late(server):
    with Stream(server).begun() as stream:
        mark(server)
        stream.events(2)
    many(server, 0, CAPACITY + 1)
    with Stream(server, last_id=stream.last_id) as again:
        reset = again.event()
        assert reset.data == {"reason": "overtaken"}
        done = mark(server, "b")
        assert len(again.until(done)) == 2


# ---- Filters ----


def test_types(server):
    with Stream(server, "?types=alert,recovery").begun() as stream:
        server.get("/ping/push/fail")
        server.get("/ping/push")
        server.get("/ping/sms/fail")
        events = stream.events(3)
    assert types(events) == ["alert", "recovery", "alert"]
    assert [event.data["service"] for event in events] == ["push", "push", "sms"]


def test_services(server):
    with Stream(server, "?service=sms,%20E-Mail").begun() as stream:
        for name in ("push", "sms", "push", "e-mail", "sms-2"):
            server.get(f"/ping/{name}/fail")
        server.delete("/api/v1/services/sms")
        events = stream.until(is_gone("sms"))
    assert {event.data["service"] for event in events} == {"sms", "e-mail"}
    assert len(events) == 2 + 2 + 2


def test_tags(server):
    server.put("/api/v1/services/push", {"tags": ["prod", "team-x"]})
    server.put("/api/v1/services/sms", {"tags": ["prod"]})
    with (
        Stream(server, "?types=alert,status&tag=prod&tag=Team-X").begun() as both,
        Stream(server, "?types=alert,closed&tag=prod").begun() as one,
    ):
        for name in ("push", "email", "sms"):
            server.get(f"/ping/{name}/fail")
        assert [one.event().data["service"] for _ in range(2)] == ["push", "sms"]
        assert types(both.events(2)) == ["alert", "status"]
        server.patch("/api/v1/services/sms", {"tags": []})
        server.post("/api/v1/services/sms/pause")
        server.post("/api/v1/services/push/pause")
        assert one.event().data["service"] == "push"
        assert changes([both.event()]) == [("down", "paused")]
        server.delete("/api/v1/services/push")
        assert both.until(is_gone("push"))


def test_services_given_again(server):
    with Stream(server, "?service=sms&service=push,email").begun() as stream:
        for name in ("push", "other", "email", "sms"):
            server.put(f"/api/v1/services/{name}", {})
        assert [e.data["service"] for e in stream.events(3)] == ["push", "email", "sms"]


def test_a_filter_does_not_forget_what_comes_back(server):
    with Stream(server, "?types=alert").begun() as stream:
        server.get("/ping/push/fail")
        stream.event()
    server.get("/ping/sms")
    server.get("/ping/email/fail")
    with Stream(server, "?types=alert", last_id=stream.last_id) as again:
        assert again.event().data["service"] == "email"


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("types=alert,bogus", "types: 'bogus' is none of"),
        ("types=alert,", "types: '' is none of"),
        ("types=reset", "types: 'reset' is none of"),
        ("types=alert&types=gap", "'types' is given twice"),
        ("service=a%20b", "service: 'a b' is no name"),
        ("service=,", "service: '' is no name"),
        ("service=" + "a" * 101, "service: "),
        ("service=" + ",".join(f"s{i}" for i in range(51)), "service: more than 50"),
        ("tag=a%20b", "tag: 'a b' is none"),
        ("tag=" + ",".join(f"t{i}" for i in range(21)), "tag: more than 20"),
        ("last_event_id=nonsense", "last_event_id: 'nonsense'"),
        ("last_event_id=1-18446744073709551616", "last_event_id: "),
        ("last_event_id=12345678901234567-1", "last_event_id: "),
        ("last_event_id=-1", "last_event_id: "),
        ("bogus=1", "unknown parameter 'bogus'"),
    ],
)
def test_bad_parameters(server, query, detail):
    answer = server.get(f"{PATH}?{query}")
    assert answer.status == 400 and detail in answer.detail


def test_empty_parameters_are_none(server):
    with Stream(server, "?types=&service=&last_event_id=").begun() as stream:
        server.get("/ping/push")
        assert changes([stream.event()]) == [(None, "up")]


# ---- Clients of all kinds ----


def test_head_answers_the_headers_alone(server):
    answer = server.request("HEAD", PATH)
    assert answer.status == 200 and answer.body == b""
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert server.request("HEAD", f"{PATH}?types=x").status == 400
    assert metric(server, "kairos_streams") == 0


def test_other_methods(server):
    assert server.post(PATH).status == 405


def read_until(connection, text):
    received = b""
    while text not in received:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received


def test_http_1_0(server):
    with server.socket() as connection:
        connection.sendall(f"GET {PATH} HTTP/1.0\r\n\r\n".encode())
        head = read_until(connection, b"\nid: ")
        assert b"chunked" not in head.lower()
        server.get("/ping/" + "long-" * 20)
        server.get("/ping/" + "long-" * 20 + "/fail")
        server.get("/ping/" + "long-" * 20)
        body = read_until(connection, b'"from":"down","to":"up"')
        assert body.count(b"\nevent: ") == 5
        assert server.stop() == 0
        assert connection.recv(1) in (b"", b"\n")


def test_a_client_that_has_said_all_is_still_told(server):
    with server.socket() as connection:
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        read_until(connection, b"\nid: ")
        server.get("/ping/push")
        read_until(connection, b'"service":"push"')


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl(server):
    url = f"http://127.0.0.1:{server.port}{PATH}?types=alert"
    with subprocess.Popen(["curl", "-sN", url], stdout=subprocess.PIPE, text=True) as curl:
        assert curl.stdout.readline() == "retry: 2000\n"
        server.get("/ping/push/fail")
        lines = [curl.stdout.readline() for _ in range(5)]
        assert lines[3] == "event: alert\n"
        assert json.loads(lines[4].removeprefix("data: "))["service"] == "push"
        server.stop()
        assert curl.wait(PATIENCE) == 0  # It ended as it should.


def test_a_thousand_streams(server):
    with ExitStack() as stack:
        streams = [stack.enter_context(Stream(server).begun()) for _ in range(1000)]
        assert metric(server, "kairos_streams") == 1000
        done = mark(server)
        for stream in streams:
            assert changes(stream.until(done)) == [(None, "new"), ("new", None)]
    wait_until(lambda: wake(server) and metric(server, "kairos_streams") == 0, "all are gone")
    assert metric(server, "kairos_stream_dropped_total") == 0


def wake(server):
    """Lets streams be written to, so that those that are gone are noticed."""
    return mark(server, "wake")


def test_a_client_that_is_gone(server):
    stream = Stream(server).begun()
    assert metric(server, "kairos_streams") == 1
    stream.close()
    wait_until(lambda: wake(server) and metric(server, "kairos_streams") == 0, "it is gone")


def test_pings_go_on_beside_streams(server):
    with Stream(server).begun() as stream:
        for _ in range(100):
            assert server.get("/ping/push").status in (200, 201)
        server.delete("/api/v1/services/push")
        assert changes(stream.until(is_gone("push"))) == [(None, "up"), ("up", None)]


# ---- The end ----


def test_the_server_stops(server):
    with Stream(server).begun() as stream, Stream(server, "?types=gap").begun() as silent:
        server.get("/ping/push")
        assert server.stop() == 0
        assert changes(stream.rest()) == [(None, "up")]
        assert silent.rest() == []


def slow_reader(server):
    """A connection that takes little, and is not read from."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(PATIENCE)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    read_until(connection, b"\nid: ")
    return connection


def drain(connection):
    """Reads to the end; returns whether the server had said that it was the end."""
    received = b""
    while piece := connection.recv(1 << 20):
        received = (received + piece)[-5:]
    return received == b"0\r\n\r\n"


def test_whoever_is_overtaken_is_dropped(server):
    total = 3 * CAPACITY
    with slow_reader(server) as slow, Stream(server).begun() as quick:
        for first in range(0, total, CAPACITY // 4):
            many(server, first, CAPACITY // 4)
            events = quick.events(CAPACITY // 4)
            assert [event.number for event in events] == list(
                range(first + 1, first + CAPACITY // 4 + 1)
            )
        assert not drain(slow)
        wait_until(lambda: metric(server, "kairos_stream_dropped_total") == 1, "it was dropped")
        assert metric(server, "kairos_streams") == 1


def test_the_server_does_not_wait_for_a_slow_reader(server):
    with slow_reader(server) as slow, Stream(server).begun() as quick:
        many(server, 0, CAPACITY // 2)
        quick.events(CAPACITY // 2)  # the slow one has had as many turns, and is stuck
        assert server.stop() == 0
        assert not drain(slow)


def test_silence_is_broken_and_patience_ends(server):
    """What takes its time: a comment every 15 seconds, and 30 for whoever takes nothing."""
    with (
        slow_reader(server),
        Stream(server).begun() as quick,
        Stream(server, "?types=gap").begun() as silent,
    ):
        many(server, 0, CAPACITY - 1)
        quick.events(CAPACITY - 1)
        # There was nothing for it, and it need not come back to all of that.
        assert silent.block().keys() == {"", "id"} and silent.last_id == quick.last_id
        assert quick.block().keys() == {""}
        wait_until(lambda: metric(server, "kairos_stream_dropped_total") == 1,
                   "the slow one is dropped", 2 * PATIENCE)  # fmt: skip
        done = mark(server)
        assert len(quick.until(done)) == 2
        assert metric(server, "kairos_streams") == 2
