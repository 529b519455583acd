"""kill -9 at random moments, under load: what was acknowledged is there, and no alert is lost or raised twice."""

import json
import random
import threading
import time
from contextlib import suppress
from datetime import datetime
from http.client import HTTPException

from server import Server, wait_until

KILLS = 200
OPTIONS = ("--interval", 1, "--allowed-misses", 1)
LONG_NAME = "n" * 90  # takes two slots


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Sender(threading.Thread):
    """Sends one request after another until the server is gone, and notes what was acknowledged."""

    def __init__(self, server, number, start):
        super().__init__()
        self.server, self.number, self.start_name = server, number, start
        self.acknowledged = {}  # service: the moment before its heartbeat was sent
        self.failing = {}  # service: whether the last report that was acknowledged is a failure
        self.unsure = set()  # services whose last report was not answered

    def run(self):
        dice = random.Random(f"{self.number} {self.start_name}")
        with suppress(OSError, HTTPException):
            connection = self.server.connect()
            for turn in range(1_000_000):
                self.turn(dice, turn, connection)

    def turn(self, dice, turn, connection):
        kind = dice.choice(("ping", "ping", "batch", "new", "fail"))
        name = f"s{self.number}-{dice.randrange(20)}"
        if kind == "new":
            name = f"{LONG_NAME if turn % 2 else 'new'}-{self.number}-{self.start_name}-{turn}"[-100:]
        names = [f"s{self.number}-{i}" for i in range(20)] if kind == "batch" else [name]
        before = time.time()
        self.unsure = set(names)
        if kind == "batch":
            body = json.dumps([{"service": service} for service in names])
            status = self.server.request(
                "POST", "/api/v1/heartbeats", body, connection=connection
            ).status
        else:
            path = f"/ping/{name}" + ("/fail" if kind == "fail" else "")
            status = self.server.get(path, connection=connection).status
        assert status in (200, 201), (kind, status)
        self.acknowledged |= dict.fromkeys(names, before)
        self.failing |= dict.fromkeys(names, kind == "fail")
        self.unsure = set()


def all_of(server, path, key):
    """All pages of a listing."""
    found, cursor = [], ""
    while cursor is not None:
        page = server.get(f"{path}limit=1000{cursor and f'&cursor={cursor}'}").json
        found += page[key]
        cursor = page["next_cursor"]
    return found


def check(server, acknowledged, failing):
    """What was acknowledged before the kill is there after it."""
    services = {view["service"]: view for view in all_of(server, "/api/v1/services?", "services")}
    for name, sent_at in acknowledged.items():
        assert name in services, name
        assert moment(services[name]["last_seen"]) >= sent_at - 0.001, name  # clocks in microseconds
    for name, failed in failing.items():
        if failed:
            assert services[name]["status"] == "down", name


def test_kill_at_any_moment(tmp_path):
    """The dead one is down through all of it, by one incident; the others lose nothing."""
    dice = random.Random(9)
    acknowledged, failing = {}, {}
    dead = None  # the incident of the service that never beats again
    for start in range(KILLS):
        with Server(tmp_path, *OPTIONS) as server:
            server.ready()
            check(server, acknowledged, failing)
            if start == 0:
                server.get("/ping/dead")
            found = server.get("/api/v1/incidents?service=dead").json["incidents"]
            assert len(found) == (1 if dead or found else 0)
            if found:
                assert dead in (None, found[0]["started_at"])
                dead = found[0]["started_at"]
            senders = [Sender(server, number, start) for number in range(2)]
            for sender in senders:
                sender.start()
            time.sleep(dice.uniform(0, 0.06))  # the kill falls anywhere into the load
            server.kill()
            for sender in senders:
                sender.join()
                acknowledged |= sender.acknowledged
                failing |= sender.failing
                failing |= dict.fromkeys(sender.unsure, False)  # it may be either
            assert not server.lines("registry_damaged")
    with Server(tmp_path, *OPTIONS) as server:
        server.ready()
        check(server, acknowledged, failing)
        [found] = wait_until(
            lambda: server.get("/api/v1/incidents?service=dead").json["incidents"], "the alert"
        )
        assert dead in (None, found["started_at"])
    told = [
        line
        for log in tmp_path.glob("server-*.log")
        for line in log.read_text().splitlines()
        if " alert service=dead " in line
    ]
    assert len(told) <= 1, told


def test_alert_is_raised_once(tmp_path):
    """Killed around the moment of the alert, again and again: there is one incident, and it stays."""
    dice = random.Random(4)
    for round in range(10):
        folder = tmp_path / str(round)
        folder.mkdir()
        with Server(folder, *OPTIONS) as server:
            server.ready().get("/ping/push")
            last_seen = server.service("push")["last_seen"]
            time.sleep(dice.uniform(0.98, 1.02))  # the kill falls around the alert
            server.kill()
        with Server(folder, *OPTIONS) as server:
            server.ready()
            [incident] = wait_until(
                lambda: server.get("/api/v1/incidents").json["incidents"], "the alert"
            )
            assert incident["last_seen"] == last_seen
            assert server.service("push")["status"] == "down"
        with Server(folder, *OPTIONS) as server:
            [again] = server.ready().get("/api/v1/incidents").json["incidents"]
            assert again["id"] == incident["id"]
