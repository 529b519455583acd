"""Kairós is stopped, or its wall clock is stepped: no false alert, and the dead are told all the same."""

import signal
import struct
import time
from datetime import datetime, timedelta, timezone

import pytest

from conftest import ENVIRONMENT, KAIROS
from server import Server, wait_until

OPTIONS = ("--interval", 1, "--allowed-misses", 1)
HOUR = timedelta(hours=1)
NEARLY = timedelta(seconds=1)  # clocks are read one after the other
STEPPED_WALL = KAIROS.parent / "tests/simulate/stepped_wall.so"


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def incidents(server, name=None):
    query = f"&service={name}" if name else ""
    return server.get(f"/api/v1/incidents?limit=1000{query}").json["incidents"]


def silent_since_before(server, time):
    """Whose last heartbeat before an alert was earlier than TIME."""
    return {
        incident["service"]
        for incident in incidents(server)
        if moment(incident["last_seen"]) < time
    }


def test_stopped_for_longer_than_the_deadline(tmp_path):
    """What waits in the sockets when it goes on is heard before anybody is judged."""
    with Server(tmp_path, *OPTIONS) as server:
        server.ready()
        names = [f"alive-{number}" for number in range(40)]
        server.beat(*({"service": name} for name in names))
        server.get("/ping/dead")
        kept = [server.connect() for _ in names[::2]]
        for connection in kept:
            assert server.get("/health", connection=connection).status == 200
        server.signal(signal.SIGSTOP)
        time.sleep(1.2)  # longer than the deadline, for which a stopped process needs real time
        for name, connection in zip(names[::2], kept, strict=True):
            connection.request("GET", f"/ping/{name}")
        fresh = [server.connect() for _ in names[1::2]]
        for name, connection in zip(names[1::2], fresh, strict=True):
            connection.request("GET", f"/ping/{name}")
        went_on = datetime.now(timezone.utc)
        server.signal(signal.SIGCONT)
        [dead] = wait_until(lambda: incidents(server, "dead"), "the alert of the dead")
        assert dead["kind"] == "silence"
        for connection in kept + fresh:
            assert connection.getresponse().read() == b"OK"
            connection.close()
        assert silent_since_before(server, went_on) == {"dead"}


def test_stopped_while_requests_queue_up(tmp_path):
    """Many requests in one connection, sent without waiting for answers, are all heard first."""
    with Server(tmp_path, *OPTIONS) as server:
        server.ready()
        names = [[f"c{number}-{i}" for i in range(300)] for number in range(20)]
        for some in names:
            server.beat(*({"service": name} for name in some))
        sockets = [server.socket() for _ in names]
        server.signal(signal.SIGSTOP)
        time.sleep(1.2)  # longer than the deadline
        for some, connection in zip(names, sockets, strict=True):
            connection.sendall(
                b"".join(b"GET /ping/%s HTTP/1.1\r\nHost: x\r\n\r\n" % n.encode() for n in some)
            )
        went_on = datetime.now(timezone.utc)
        server.signal(signal.SIGCONT)
        wait_until(
            lambda: b"kairos_heartbeats_total 12000" in server.get("/metrics").body, "all are heard"
        )
        assert silent_since_before(server, went_on) == set()
        for connection in sockets:
            connection.close()


@pytest.fixture
def stepped(tmp_path):
    """A server whose wall clock the returned function sets ahead by a timedelta."""
    if b"__asan_init" in KAIROS.read_bytes() or b"__tsan_init" in KAIROS.read_bytes():
        pytest.skip("a sanitizer's runtime and a preloaded library exclude each other")
    step = tmp_path / "step"

    def set_ahead(ahead):
        new = tmp_path / "step.new"
        new.write_bytes(struct.pack("=q", ahead // timedelta(microseconds=1)))
        new.rename(step)

    set_ahead(timedelta())
    environment = ENVIRONMENT | {"LD_PRELOAD": str(STEPPED_WALL), "STEPPED_WALL": str(step)}
    with Server(tmp_path, *OPTIONS, env=environment) as server:
        yield server.ready(), set_ahead


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, 1000 * HOUR])
def test_wall_clock_is_stepped(stepped, ahead):
    """Times are shown by the new wall clock, senders' times are taken by it, deadlines stay."""
    server, set_ahead = stepped
    server.put("/api/v1/services/daily", {"interval": "1d", "allowed_misses": 1})
    server.get("/ping/daily")
    server.get("/ping/dead")
    before = moment(server.service("daily")["last_seen"])
    set_ahead(ahead)
    wait_until(
        lambda: abs(moment(server.service("daily")["last_seen"]) - before - ahead) < NEARLY,
        "times by the new wall clock",
    )
    now = moment(server.get("/health").json["timestamp"])
    answer = server.beat({"service": "daily", "timestamp": now.isoformat()}).json
    assert (answer["accepted"], answer["rejected"]) == (1, 0)
    assert abs(moment(server.service("daily")["last_seen"]) - now) < NEARLY
    assert server.service("daily")["status"] == "up"

    [dead] = wait_until(lambda: incidents(server, "dead"), "the alert of the dead")
    assert dead["raised_at"] >= dead["started_at"]
    assert moment(dead["started_at"]) - moment(dead["last_seen"]) == timedelta(seconds=1)
    assert {incident["service"] for incident in incidents(server)} == {"dead"}
    assert server.get("/api/v1/gaps").json["gaps"] == []
