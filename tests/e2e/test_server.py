"""The server, asked over HTTP."""

import fcntl
import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import threading
from datetime import datetime, timedelta, timezone

import pytest

from conftest import ENVIRONMENT, KAIROS, run
from metrics import samples
from server import PATIENCE, STOP_WITHIN, Server, wait_until


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A server for tests that leave it as it was but for services of their own."""
    with Server(tmp_path_factory.mktemp("shared"), "--allowed-misses", 2) as server:
        yield server.ready()


def timestamp(offset=timedelta()):
    return (datetime.now(timezone.utc) + offset).isoformat()


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


# Pings

A100 = "a" * 100


@pytest.mark.parametrize(
    "path",
    ["/ping/p1", "/ping/P1", "/ping/%20p1%20", "/ping/p%31", "/ping/p1/0", "/ping/p1?rid=7",
     "/ping/p1/log", "/ping/p1/start", "/ping/p1/255", "/ping/p1/fail", "/ping/p1/f%61il"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_ping(shared, path, method):
    shared.get("/ping/p1")
    answer = shared.request(method, path)
    assert answer.status == 200
    assert answer.body == (b"" if method == "HEAD" else b"OK")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Content-Length"] == "2"


def test_first_ping_creates(shared):
    answer = shared.get(f"/ping/{A100}")
    assert (answer.status, answer.text) == (201, "Created")
    assert answer.headers["Cache-Control"] == "no-store"
    assert shared.get(f"/ping/{A100}").status == 200
    service = shared.service(A100)
    assert service["status"] == "up"
    assert not service["declared"]


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/ping/", 400, "empty"),
        ("/ping/%20", 400, "empty"),
        ("/ping/a%20b", 400, "1 to 100 characters"),
        ("/ping/caf%C3%A9", 400, "1 to 100 characters"),
        (f"/ping/{A100}a", 400, "1 to 100 characters"),
        ("/ping/a%2Fb", 400, "1 to 100 characters"),
        ("/ping/%00", 400, "hexadecimal"),
        ("/ping/a%0", 400, "hexadecimal"),
        ("/ping/a%zz", 400, "hexadecimal"),
        ("/ping/a/", 400, "exit status"),
        ("/ping/a/FAIL", 400, "exit status"),
        ("/ping/a/256", 400, "exit status"),
        ("/ping/a/-1", 400, "exit status"),
        ("/ping/kp.abc/a", 404, "ping key"),
        ("/ping/kp.abc/a/fail", 404, "ping key"),
        ("/ping/kp%2Eabc/a", 404, "ping key"),
        ("/ping/my.service", 404, "ping key"),
        ("/ping/a/fail/more", 404, "/ping/NAME/ACTION"),
        ("/ping", 404, "no such path"),
        ("/ping/a/b/c/d", 404, "no such path"),
    ],
)
def test_bad_ping(shared, path, status, detail):
    answer = shared.get(path)
    assert answer.status == status
    assert detail in answer.detail
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("size", [1, 65536, 5_000_000])
def test_ping_body_is_never_too_long(shared, size):
    assert shared.post("/ping/bodies", b"x" * size).status in (200, 201)
    assert shared.post("/ping/bodies", iter([b"x" * size] * 2)).status == 200


def test_keep_alive(shared):
    connection = shared.connect()
    shared.get("/ping/keep", connection=connection)
    port = connection.sock.getsockname()
    for path, status in [("/ping/keep", 200), ("/ping/a b".replace(" ", "%20"), 400),
                         ("/nowhere", 404), ("/api/v1/services", 200), ("/ping/keep", 200)] * 20:  # fmt: skip
        assert shared.get(path, connection=connection).status == status
        assert connection.sock.getsockname() == port
    assert shared.post("/ping/keep", b"x" * 100000, connection=connection).status == 200
    assert shared.put("/ping/keep", b"x" * 1000, connection=connection).status == 405
    assert connection.sock.getsockname() == port
    connection.close()


def test_pipelined(shared):
    count = 50
    shared.get("/ping/pipe")
    with shared.socket() as connection:
        connection.sendall(b"GET /ping/pipe HTTP/1.1\r\nHost: x\r\n\r\n" * count)
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < count or not received.endswith(b"OK"):
            received += connection.recv(65536)


def test_unknown_service_without_auto_create(start):
    server = start("--auto-create", "off")
    answer = server.get("/ping/push")
    assert answer.status == 404
    assert "PUT /api/v1/services/push" in answer.detail
    assert server.beat({"service": "push"}).json["skipped_reasons"] == {"unknown_service": 1}
    assert server.put("/api/v1/services/push").status == 201
    assert server.get("/ping/push").status == 200


def test_as_many_services_as_allowed(start):
    server = start("--max-services", 2)
    assert [server.get(f"/ping/{name}").status for name in ("a", "b", "c", "a")] == [
        201, 201, 507, 200,
    ]  # fmt: skip
    assert "--max-services" in server.get("/ping/c").detail
    assert server.put("/api/v1/services/c").status == 507
    answer = server.beat({"service": "a"}, {"service": "c"}, {"service": "d"})
    assert answer.status == 507
    assert "--max-services" in answer.json["detail"]
    assert answer.json["accepted"] == 1
    assert answer.json["skipped_reasons"] == {"too_many_services": 2}
    assert [error["event"] for error in answer.json["errors"]] == [2, 3]
    assert server.delete("/api/v1/services/a").status == 204
    assert server.get("/ping/c").status == 201


def small_files():
    """Lets the child write no file longer than 6 MB: the registry's first segment, and no second."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))


def test_registry_that_cannot_grow(start):
    server = start(preexec_fn=small_files)
    server.get("/ping/first")
    answer = server.beat(*({"service": f"service-{i}"} for i in range(60_000)))
    assert answer.status == 507
    result = answer.json
    assert "no space" in result["detail"]
    assert result["created"] == result["accepted"] > 10_000
    assert result["skipped_reasons"] == {"no_space": 60_000 - result["accepted"]}

    assert server.get("/ping/another").status == 507
    assert "no space" in server.get("/ping/another").detail
    assert server.put("/api/v1/services/another").status == 507
    assert server.get("/ping/first").status == 200  # those that there are go on
    assert server.beat({"service": "service-0"}).status == 200
    ready = server.get("/ready")
    assert ready.status == 200
    assert ready.json["status"] == "degraded"
    assert "no space" in ready.json["reasons"][0]
    assert samples(server)["kairos_registry_full", None] == 1
    assert server.delete("/api/v1/services/service-0").status == 204
    assert server.get("/ping/another").status == 201  # there is room for as many as leave


# Many heartbeats at once


def test_heartbeats(shared):
    now, past, future = timestamp(), timestamp(-timedelta(hours=1)), timestamp(timedelta(hours=1))
    answer = shared.beat(
        {"service": "B1"},
        {"service": "b2", "timestamp": now},
        {"service": "b2", "timestamp": past},
        {"service": "b3", "timestamp": future},
        {"service": "no name"},
        {"timestamp": now},
        {"service": "b1", "timestamp": ""},
        7,
        {"service": "b4", "timestamp": timestamp(timedelta(minutes=4)), "ignored": [1]},
    )
    assert answer.status == 200
    errors = answer.json.pop("errors")
    assert answer.json | {"errors": None} == {
        "total": 9,
        "accepted": 4,
        "created": 3,
        "older": 1,
        "rejected": 5,
        "errors": None,
        "skipped_reasons": {
            "not_an_object": 1,
            "missing_service": 1,
            "empty_timestamp": 1,
            "invalid_service_format": 1,
            "timestamp_in_future": 1,
        },
    }
    assert [(error["event"], error["reason"]) for error in answer.json["errors"]] == [
        (4, "timestamp_in_future"),
        (5, "invalid_service_format"),
        (6, "missing_service"),
        (7, "empty_timestamp"),
        (8, "not_an_object"),
    ]
    assert all(error["detail"] for error in errors)
    assert shared.get("/api/v1/services/b3").status == 404
    assert moment(shared.service("b2")["last_seen"]) == moment(now)
    assert moment(shared.service("b4")["last_seen"]) <= datetime.now(timezone.utc)


def test_heartbeats_as_lines(shared):
    body = b'{"service":"line-1"}\nnonsense\n\n{"service":"line-2","timestamp":1}'
    answer = shared.post("/api/v1/heartbeats", body).json
    assert (answer["total"], answer["accepted"], answer["created"]) == (3, 2, 2)
    assert answer["skipped_reasons"] == {"invalid_json": 1}
    assert [error["event"] for error in answer["errors"]] == [2]
    assert shared.service("line-2")["last_seen"] == "1970-01-01T00:00:01Z"


def test_heartbeats_in_small_pieces(shared):
    body = json.dumps([{"service": f"piece-{i}"} for i in range(300)]).encode()
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    assert shared.post("/api/v1/heartbeats", iter(pieces)).json["created"] == 300


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "line 1, column 1, byte 1: "),
        (b"[", "line 1, column 2, byte 2: "),
        (b'[{"service":"bad-1"}', "line 1, column 21, byte 21: "),
        (b'[{"service":"bad-1"},\n x]', "line 2, column 2, byte 24: "),
        (b'[{"service":"bad-1"}] []', "line 1, column 23, byte 23: "),
        (b'[{"service":"bad-1"},' + b" " * 100000 + b"\n\n}", "line 3, column 1, byte 100024: "),
    ],
)
def test_malformed_array_applies_nothing(shared, body, detail):
    answer = shared.post("/api/v1/heartbeats", body)
    assert answer.status == 400
    assert answer.detail.startswith(detail)
    assert shared.get("/api/v1/services/bad-1").status == 404


def test_first_errors_are_told(shared):
    answer = shared.beat(*[7] * 1000).json
    assert answer["rejected"] == 1000
    assert answer["skipped_reasons"] == {"not_an_object": 1000}
    assert [error["event"] for error in answer["errors"]] == list(range(1, 101))


def test_too_many_heartbeats(shared):
    line = b'{"service":"many"}\n'
    assert shared.post("/api/v1/heartbeats", line * 200_000).json["accepted"] == 200_000
    answer = shared.post("/api/v1/heartbeats", line * 200_001)
    assert answer.status == 413
    assert "200000" in answer.detail


def test_too_long_body(shared):
    headers = b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\n"
    assert shared.raw(headers) == 413
    assert shared.raw(headers.replace(b"16777217", b"9" * 18)) == 413
    assert shared.post("/api/v1/heartbeats", iter([b" " * 1_000_000] * 17)).status == 413
    change = shared.put("/api/v1/services/long", iter([b" " * 10_000] * 7))
    assert change.status == 413
    assert "65536" in change.detail
    assert shared.raw(headers.replace(b"POST /api/v1/heartbeats", b"PUT /api/v1/services/x")) == 413


# Services

DEFAULTS = {
    "status": "new",
    "declared": True,
    "interval": 60,
    "allowed_misses": 2,
    "tolerance": 0,
    "max_runtime": None,
    "last_seen": None,
    "next_deadline": None,
    "running_since": None,
    "missed_count": 0,
    "incident": None, "description": "", "tags": [],
}


def test_service_is_declared_changed_and_deleted(shared):
    path = "/api/v1/services/S1"
    assert shared.get(path).status == 404
    answer = shared.put(path, {"interval": "5m", "tolerance": 1.5, "max_runtime": 3600})
    assert answer.status == 201
    assert answer.json == DEFAULTS | {
        "service": "s1", "interval": 300, "tolerance": 1.5, "max_runtime": 3600,
    }  # fmt: skip
    assert shared.get(path).json == answer.json

    assert shared.patch(path, {"allowed_misses": 7}).json == answer.json | {"allowed_misses": 7}
    assert shared.patch(path, {"max_runtime": None}).json["max_runtime"] is None
    answer = shared.put(path, {"interval": 90})  # what is not said becomes the default
    assert answer.status == 200
    assert answer.json == DEFAULTS | {"service": "s1", "interval": 90}

    assert shared.delete(path).status == 204
    for answer in (shared.get(path), shared.patch(path, {}), shared.delete(path)):
        assert answer.status == 404
        assert "s1" in answer.detail
    assert shared.get("/ping/s1").status == 201
    assert not shared.service("s1")["declared"]


def test_next_deadline_follows_the_policy(shared):
    shared.get("/ping/s2")
    service = shared.service("s2")
    seen, deadline = moment(service["last_seen"]), moment(service["next_deadline"])
    assert deadline - seen == timedelta(seconds=120)
    shared.put("/api/v1/services/s2", {"interval": 10, "allowed_misses": 3, "tolerance": 2})
    service = shared.service("s2")
    assert moment(service["last_seen"]) == seen
    assert moment(service["next_deadline"]) - seen == timedelta(seconds=32)


def test_pause_and_resume(shared):
    shared.get("/ping/s3")
    assert shared.post("/api/v1/services/s3/pause").json["status"] == "paused"
    assert shared.post("/api/v1/services/s3/pause").json["status"] == "paused"
    assert shared.get("/ping/s3").status == 200
    assert shared.service("s3")["status"] == "paused"
    resumed = shared.post("/api/v1/services/s3/resume").json
    assert resumed["status"] == "up"
    assert resumed["declared"]
    assert shared.post("/api/v1/services/never/pause").status == 404
    assert shared.post("/api/v1/services/never/resume").status == 404


def test_run_under_way(shared):
    shared.put("/api/v1/services/s4", {"max_runtime": "1h"})
    shared.get("/ping/s4/start")
    service = shared.service("s4")
    begin = moment(service["running_since"])
    assert moment(service["next_deadline"]) - begin == timedelta(hours=1)
    shared.get("/ping/s4")
    assert shared.service("s4")["running_since"] is None


@pytest.mark.parametrize(
    ("key", "accepted", "refused"),
    [
        (
            "interval",
            [1, 1.001, "1s", "1500ms", "366d", 31622400, 0.1e2],
            [0, 0.999, 1.0005, "999ms", "367d", 31622400.001, -60, 1e300, 2**63 - 1, "60x", "", None,
             True, [], {}],
        ),
        ("allowed_misses", [1, 1_000_000], [0, 1_000_001, -1, 3.0, 1.5, "3", None, True, 2**32 + 1]),
        ("tolerance", [0, 0.001, "366d"], [-0.001, 0.0001, "367d", None, False]),
        ("max_runtime", [None, 0.001, "366d"], [-1, 0.0001, "367d", True, "soon"]),
    ],
)  # fmt: skip
def test_bounds(shared, key, accepted, refused):
    for value in accepted:
        assert shared.put("/api/v1/services/bounds", {key: value}).status in (200, 201), value
    before = shared.service("bounds")
    for method in (shared.put, shared.patch):
        for value in refused:
            answer = method("/api/v1/services/bounds", {key: value})
            assert answer.status == 422, value
            assert answer.detail.startswith(f"{key}: it may be ")
    assert shared.service("bounds") == before


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b'{"intervall":60}', 422, "unknown key 'intervall'"),
        (b'{"interval":60,"interval":60}', 422, "duplicate"),
        (b"[]", 422, "no JSON object"),
        (b"60", 422, "no JSON object"),
        (b"{", 400, "line 1, column 1"),
        (b'{"interval":\n60', 400, "line 2, column "),
        (b'{"interval":60}x', 400, "line 1, column "),
        (b"interval=60", 400, "line 1, column "),
        (b'{"\xff":1}', 400, "line 1, column "),
        (b'{"a\\u001b[31m":1}', 422, "unknown key 'a?[31m'"),
        (b"[" * 60000, 400, "line 1, column "),
    ],
)
def test_bad_change(shared, body, status, detail):
    for method in (shared.put, shared.patch):
        answer = method("/api/v1/services/bad-change", body)
        assert answer.status == status
        assert detail in answer.detail
    assert shared.get("/api/v1/services/bad-change").status == 404


@pytest.mark.parametrize("name", ["a%20b", "a.b", A100 + "a", "%", "%00", "", "%20"])
def test_bad_name_of_a_service(shared, name):
    for answer in (
        shared.get(f"/api/v1/services/{name}"),
        shared.put(f"/api/v1/services/{name}"),
        shared.delete(f"/api/v1/services/{name}"),
        shared.post(f"/api/v1/services/{name}/pause"),
    ):
        assert answer.status == 400
        assert "1 to 100 characters" in answer.detail


def pages(server, path, key):
    """All items of a listing, page by page, and how many there were on each."""
    items, sizes, cursor = [], [], ""
    while cursor is not None:
        page = server.get(path + cursor).json
        assert list(page) == [key, "next_cursor"]
        items += page[key]
        sizes.append(len(page[key]))
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    return items, sizes


def test_pages_of_services(start):
    server = start()
    names = [f"service-{i}" for i in range(250)]
    server.beat(*({"service": name} for name in names))
    for name in names[:30]:
        server.post(f"/api/v1/services/{name}/pause")
    for name in names[30:35]:
        server.get(f"/ping/{name}/fail")
    server.put("/api/v1/services/declared")

    def listed(query):
        items, _ = pages(server, f"/api/v1/services?{query}", "services")
        return [item["service"] for item in items]

    assert sorted(listed("limit=7")) == sorted([*names, "declared"])
    assert sorted(listed("status=paused")) == sorted(names[:30])
    assert sorted(listed("status=paused,down&limit=4")) == sorted(names[:35])
    assert listed("status=new") == ["declared"]
    assert listed("status=late") == []
    assert sorted(listed("status=up&limit=1000")) == sorted(names[35:])
    _, sizes = pages(server, "/api/v1/services?", "services")
    assert sizes == [100, 100, 51]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("status=broken", "status: 'broken' is none of"),
        ("status=up,", None),
        ("status=up,,down", "status: '' is none of"),
        ("status=UP", "status: 'UP'"),
        ("limit=0", "limit: '0' is not a whole number from 1 to 1000"),
        ("limit=1001", "limit: "),
        ("limit=-1", "limit: "),
        ("limit=x", "limit: "),
        ("limit=1&limit=2", "'limit' is given twice"),
        ("cursor=x", "cursor: 'x' was not handed out here"),
        ("cursor=18446744073709551616", "cursor: "),
        ("cursor=18446744073709551615", None),
        ("limt=5", "unknown parameter 'limt'; known here: status, tag, search, sort, "
         "limit, cursor"),
        ("limit=%", "hexadecimal"),
        ("limit=%00", "hexadecimal"),
        ("status=" + "x" * 3000, "longer than"),
        ("status=&limit=&cursor=", None),
        ("", None),
    ],
)
def test_bad_query(shared, query, detail):
    answer = shared.get(f"/api/v1/services?{query}")
    assert answer.status == (400 if detail else 200)
    if detail:
        assert detail in answer.detail


# Incidents and alerts


def incidents(server, query=""):
    return pages(server, f"/api/v1/incidents?{query}", "incidents")[0]


def alerts(server, query=""):
    return pages(server, f"/api/v1/alerts?{query}", "alerts")[0]


def test_fail_opens_an_incident_and_a_heartbeat_closes_it(start):
    server = start()
    server.get("/ping/push")
    server.get("/ping/push/fail")
    server.get("/ping/push/3")
    service = server.service("push")
    assert service["status"] == "down"
    [incident] = incidents(server)
    assert incident["id"] == service["incident"]
    assert server.get(f"/api/v1/incidents/{incident['id']}").json == incident
    assert server.get(f"/api/v1/incidents/{incident['id'].replace('@', '%40')}").status == 200
    assert {key: incident[key] for key in ("service", "kind", "state", "end", "fails")} == {
        "service": "push", "kind": "fail", "state": "open", "end": None, "fails": 1,
    }  # fmt: skip
    assert incident["ended_at"] is None and incident["recovered_at"] is None
    assert (incident["alert_count"], incident["missed_count"]) == (1, 0)
    [alert] = alerts(server)
    assert alert == {
        "service": "push",
        "alert_at": incident["started_at"],
        "missed_count": 0,
        "last_seen": incident["last_seen"],
        "kind": "fail",
        "raised_at": incident["raised_at"],
        "incident": incident["id"],
        "ordinal": 1,
    }

    server.get("/ping/push")
    [incident] = incidents(server)
    assert (incident["state"], incident["end"]) == ("closed", "recovered")
    assert incident["recovered_at"] == incident["ended_at"] != None  # noqa: E711
    assert server.service("push")["incident"] is None
    assert server.line("recovered")["started_at"] == incident["started_at"]
    assert server.line("alert")["kind"] == "fail"


def test_acknowledging_an_incident(start):
    server = start()
    server.get("/ping/push/fail")
    [incident] = incidents(server)
    assert incident["acknowledged_at"] is None
    path = f"/api/v1/incidents/{incident['id']}/acknowledge"
    acknowledged = server.post(path)
    assert acknowledged.status == 200
    assert acknowledged.json == {**incident, "acknowledged_at": acknowledged.json["acknowledged_at"]}
    assert acknowledged.json["acknowledged_at"] >= incident["raised_at"]
    assert server.post(path).json == acknowledged.json  # the first one stays
    assert incidents(server) == [acknowledged.json]

    server.get("/ping/push")
    assert server.get(f"/api/v1/incidents/{incident['id']}").json["acknowledged_at"] == acknowledged.json["acknowledged_at"]
    assert server.post(path).status == 409
    assert server.post("/api/v1/incidents/push@1/acknowledge").status == 404
    assert server.post("/api/v1/incidents/push/acknowledge").status == 400
    assert server.get(path).status == 405


def test_incident_that_is_closed_otherwise(start):
    server = start()
    for name in ("paused", "deleted"):
        server.get(f"/ping/{name}/fail")
    server.post("/api/v1/services/paused/pause")
    server.delete("/api/v1/services/deleted")
    assert {item["service"]: item["end"] for item in incidents(server)} == {
        "paused": "paused", "deleted": "deleted",
    }  # fmt: skip
    assert all(item["recovered_at"] is None for item in incidents(server))
    assert all(item["ended_at"] for item in incidents(server))
    assert {line["end"] for line in (server.line("closed"), server.line("closed", 1))} == {
        "paused", "deleted",
    }  # fmt: skip


def test_silence_raises_an_alert_and_repeats_it(start):
    server = start("--interval", 1, "--allowed-misses", 1)
    server.get("/ping/push")
    line = server.line("alert")
    seen, due, raised = (moment(line[key]) for key in ("last_seen", "alert_at", "raised_at"))
    assert due - seen == timedelta(seconds=1)
    assert raised > due  # never early
    assert (line["service"], line["kind"], line["missed_count"]) == ("push", "silence", "1")

    wait_until(lambda: incidents(server)[0]["alert_count"] >= 3, "three alerts")
    server.post("/api/v1/services/push/pause")  # no more are to follow
    [incident] = incidents(server, "state=closed")
    count = incident["alert_count"]
    found = alerts(server)
    assert [alert["ordinal"] for alert in found] == list(range(count, 0, -1))
    assert [moment(alert["alert_at"]) for alert in found] == [
        due + timedelta(seconds=ordinal) for ordinal in range(count - 1, -1, -1)
    ]
    assert moment(incident["last_alert_at"]) == moment(found[0]["alert_at"])
    assert all(moment(alert["last_seen"]) == seen for alert in found)
    assert [alert["raised_at"] is None for alert in found] == [True] * (count - 1) + [False]

    for limit in (1, 2, count, count + 1):
        paged, sizes = pages(server, f"/api/v1/alerts?limit={limit}", "alerts")
        assert paged == found
        assert all(size == limit for size in sizes[:-1])
    middle = found[1]["alert_at"]
    assert alerts(server, f"from={middle}") == found[:2]
    assert alerts(server, f"to={middle}") == found[2:]
    assert alerts(server, f"from={middle}&to={found[0]['alert_at']}") == found[1:2]
    assert alerts(server, "state=open") == []
    assert alerts(server, "service=other") == []


def test_recovery_after_silence(start):
    server = start("--interval", 1, "--allowed-misses", 1)
    server.get("/ping/push")
    server.line("alert")
    assert server.service("push")["status"] == "down"
    server.get("/ping/push")
    assert server.service("push")["status"] == "up"
    line = server.line("recovered")
    [incident] = incidents(server, "state=closed")
    assert line["recovered_at"] == incident["recovered_at"]


def test_filters_and_pages_of_incidents(start):
    server = start()
    for i in range(40):
        server.get(f"/ping/s{i % 4}/fail")
        if i < 36:
            server.get(f"/ping/s{i % 4}")
    found = incidents(server)
    assert len(found) == 40
    times = [moment(item["started_at"]) for item in found]
    assert times == sorted(times, reverse=True)
    assert incidents(server, "limit=7") == found
    for query, wanted in [
        ("state=open", lambda item: item["state"] == "open"),
        ("state=closed&limit=3", lambda item: item["state"] == "closed"),
        ("service=S2&limit=4", lambda item: item["service"] == "s2"),
        ("service=s2&state=open", lambda item: item["service"] == "s2" and item["state"] == "open"),
        (f"from={found[9]['started_at']}", lambda item: item in found[:10]),
        (f"to={found[9]['started_at']}&limit=6", lambda item: item in found[10:]),
    ]:
        assert incidents(server, query) == [item for item in found if wanted(item)], query
        expanded = [alert["incident"] for alert in alerts(server, query)]
        assert expanded == [item["id"] for item in found if wanted(item)], query


@pytest.mark.parametrize("what", ["incidents", "alerts"])
@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("state=down", "state: 'down' is neither open nor closed"),
        ("service=a%20b", "service: 'a b' is no name"),
        ("from=yesterday", "from: 'yesterday' is not a timestamp"),
        ("to=2025-08-04T10:00:00+01:00", "%2B"),
        ("to=2025-08-04T10:00:00%2B01:00", None),
        ("to=1754301600", None),
        ("limit=1001", "limit: "),
        ("status=up", "unknown parameter 'status'"),
        ("cursor=-1", "cursor: "),
        ("cursor=1.x", "cursor: "),
        ("cursor=1.2.push", "cursor: "),
        ("cursor=18446744073709551615", None),
    ],
)
def test_bad_query_of_history(shared, what, query, detail):
    answer = shared.get(f"/api/v1/{what}?{query}")
    assert answer.status == (400 if detail else 200)
    if detail:
        assert detail in answer.detail


def test_cursor_of_alerts_that_was_made_up(shared):
    for cursor in ("0.7.push@1", "9.0.push@1", "1.18446744073709551615.push@-1"):
        assert shared.get(f"/api/v1/alerts?cursor={cursor}").status == 200
    for cursor in ("1.2.", "1..push@1", ".1.push@1", "1.2.push@x", "1.2.p.ush@1", "1.2.3.push@1"):
        assert shared.get(f"/api/v1/alerts?cursor={cursor}").status == 400


@pytest.mark.parametrize("name", ["push", "push@", "push@x", "@1", "a%20b@1", "%", "%00@1"])
def test_bad_id_of_an_incident(shared, name):
    answer = shared.get(f"/api/v1/incidents/{name}")
    assert answer.status == 400
    assert "'@'" in answer.detail


def test_unknown_incident(shared):
    assert shared.get("/api/v1/incidents/push@1").status == 404


# What holds for all paths


def test_root_lists_every_endpoint(shared):
    answer = shared.get("/").json
    assert list(answer) == ["name", "version", "endpoints"]
    assert answer["name"] == "kairos"
    paths = [endpoint["path"] for endpoint in answer["endpoints"]]
    assert len(set(paths)) == len(paths)
    for endpoint in answer["endpoints"]:
        path = re.sub(r"{\w+}", "x", endpoint["path"])
        answer = shared.request("TRACE", path)
        assert answer.status == 405
        assert answer.headers["Allow"] == ", ".join([*endpoint["methods"], "OPTIONS"])
        assert "takes" in answer.detail


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/ping/x", "GET, HEAD, POST"),
        ("GET", "/api/v1/heartbeats", "POST"),
        ("POST", "/api/v1/services", "GET, HEAD"),
        ("POST", "/api/v1/services/x", "GET, HEAD, PUT, PATCH, DELETE"),
        ("GET", "/api/v1/services/x/pause", "POST"),
        ("DELETE", "/health", "GET, HEAD"),
        ("get", "/health", "GET, HEAD"),
    ],
)
def test_method_not_allowed(shared, method, path, allow):
    answer = shared.request(method, path)
    assert answer.status == 405
    assert answer.headers["Allow"] == f"{allow}, OPTIONS"


@pytest.mark.parametrize("path", ["/nowhere", "//", "/api", "/api/v1", "/api/v1/services/a/b", "/.."])
def test_unknown_path(shared, path):
    assert shared.get(path).status == 404
    assert "GET /" in shared.get(path).detail


@pytest.mark.parametrize(
    "path",
    ["/health", "/ready", "/metrics", "/", "/api/v1/services", "/api/v1/gaps", "/api/v1/alerts",
     "/api/v1/incidents"],
)  # fmt: skip
def test_head_is_get_without_the_body(shared, path):
    get, head = shared.get(path), shared.request("HEAD", path)
    assert head.status == get.status == 200
    assert head.body == b"" != get.body
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert get.headers["Cache-Control"] == head.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /ping/raw HTTP/1.0", 201),
        (b"GET http://somewhere/ping/raw HTTP/1.1", 200),
        (b"GET http://somewhere:80 HTTP/1.1", 200),
        (b"GET * HTTP/1.1", 404),
        (b"GET /" + b"a" * 10000 + b" HTTP/1.1", 404),
        (b"GET /ping/" + b"a" * 10000 + b" HTTP/1.1", 400),
        (b"GET /ping/" + b"%61" * 3000 + b" HTTP/1.1", 400),
    ],
    ids=range(7),
)
def test_request_line(shared, request_line, status):
    answer = shared.raw(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer == status or (answer == 200 and status == 201)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"\r\n\r\n",
        b"GET",
        b"\x00\x01\x02\r\n\r\n",
        b"GET /ping/x HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100000 + b"\r\n",
        b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=range(10),
)
def test_nonsense_harms_nobody(shared, request_bytes):
    with shared.socket() as connection:
        try:
            connection.sendall(request_bytes)
        except ConnectionError:
            pass  # it has seen enough
    assert shared.get("/health").status == 200


# Health, readiness, gaps, metrics


def test_health(shared):
    health = shared.get("/health").json
    assert list(health) == ["status", "version", "timestamp", "uptime_seconds"]
    assert health["status"] == "ok"
    assert abs(moment(health["timestamp"]) - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert 0 < health["uptime_seconds"] < 3600
    assert shared.get("/health").json["uptime_seconds"] > health["uptime_seconds"]
    result = run([KAIROS, "--version"], b"")
    assert result.stdout == f"kairos {health['version']}\n"


def test_ready(shared):
    assert shared.get("/ready").json == {"status": "ready"}


def test_gap_of_a_restart(start):
    server = start()
    assert server.get("/api/v1/gaps").json == {"gaps": []}
    stop, again = timestamp(), None
    assert server.stop() == 0
    server = start()
    again = timestamp()
    [gap] = server.get("/api/v1/gaps").json["gaps"]
    assert list(gap) == ["from", "to", "reason", "seconds"]
    assert gap["reason"] == "restart"
    begin, end = moment(gap["from"]), moment(gap["to"])
    assert moment(stop) - timedelta(seconds=1) < begin < end < moment(again)
    assert timedelta(seconds=gap["seconds"]) == end - begin
    assert server.line("gap")["reason"] == "restart"
    assert server.stop() == 0
    server = start()
    newest, oldest = server.get("/api/v1/gaps").json["gaps"]
    assert (oldest["reason"], oldest["seconds"]) == (gap["reason"], gap["seconds"])
    assert moment(newest["from"]) > moment(oldest["to"])


@pytest.mark.parametrize("descriptors", [28, 64])
def test_too_many_connections(start, descriptors):
    """Some are closed at once, or wait; nothing spins, and when they go all is well."""

    def few_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    server = start("--threads", 2, preexec_fn=few_files)
    crowd = [server.socket() for _ in range(100)]
    for connection in crowd:
        connection.close()
    wait_until(lambda: succeeds(lambda: server.get("/ping/push")), "an answer")
    assert server.stop() == 0


def succeeds(ask):
    try:
        return ask().status in (200, 201)
    except (ConnectionError, http.client.HTTPException):
        return False


# Start and end


def test_what_was_acknowledged_outlives_a_kill(start):
    server = start()
    seen = {}
    for i in range(100):
        server.get(f"/ping/s{i % 10}")
    for i in range(10):
        seen[f"s{i}"] = server.service(f"s{i}")
    server.kill()
    server = start()
    for name, service in seen.items():
        again = server.service(name)
        difference = moment(again["last_seen"]) - moment(service["last_seen"])
        assert abs(difference) < timedelta(milliseconds=1)  # two readings of the clocks
        assert again["status"] == "up"
    assert server.lines("listening")[-1]["services"] == "10"


def test_open_incidents_are_no_news_after_a_restart(start):
    server = start()
    for i in range(5):
        server.get(f"/ping/s{i}/fail")
    server.line("alert", 4)
    found = incidents(server)
    assert server.stop() == 0
    server = start()
    assert server.line("open_incidents") == {"count": "5"}
    assert [item["id"] for item in incidents(server)] == [item["id"] for item in found]
    assert server.lines("alert") == []
    assert server.service("s0")["status"] == "down"
    server.get("/ping/s0")
    assert incidents(server, "state=closed")[0]["service"] == "s0"


class Upload:
    """A request whose body has come in half."""

    def __init__(self, server, service):
        self.socket = server.socket()
        self.body = b'[{"service":"' + service.encode() + b'"}]'
        head = f"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nContent-Length: {len(self.body)}\r\n"
        self.socket.sendall(head.encode() + b"\r\n" + self.body[:5])
        # It is under way once the server answers another request on its other end.
        server.get("/health")

    def finish(self):
        self.socket.sendall(self.body[5:])
        answer = b""
        while received := self.socket.recv(65536):
            answer += received
        self.socket.close()
        return answer


def refuses(server):
    """Whether the server listens no longer."""
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=STOP_WITHIN).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass  # just as it closed
    return False


def test_term_answers_what_is_under_way(start):
    server = start("--threads", 1)
    idle = server.connect()
    server.get("/ping/before", connection=idle)
    upload = Upload(server, "under-way")
    server.signal(signal.SIGTERM)
    wait_until(lambda: refuses(server), "no more connections", STOP_WITHIN)
    answer = upload.finish()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer.lower()
    assert b'"accepted":1' in answer
    assert server.process.wait(STOP_WITHIN) == 0
    assert idle.sock.recv(1) == b""
    assert server.lines("stopped")
    assert start().service("under-way")["status"] == "up"


def test_term_does_not_wait_for_ever(start):
    server = start()
    upload = Upload(server, "never-finished")
    assert server.stop() == 0
    upload.socket.close()
    assert start().get("/api/v1/services/never-finished").status == 404


def test_second_term_ends_at_once(start):
    server = start()
    upload = Upload(server, "never-finished")
    server.signal(signal.SIGTERM)
    server.line("stopping")
    server.signal(signal.SIGTERM)
    assert server.process.wait(STOP_WITHIN) == 1
    upload.socket.close()


def test_interrupt_ends_too_and_hangup_does_not(start):
    server = start()
    server.signal(signal.SIGHUP)
    assert server.get("/health").status == 200
    server.signal(signal.SIGINT)
    assert server.process.wait(STOP_WITHIN) == 0


def refused(*options, env=None, **popen):
    """What the server says when it does not start."""
    environment = {} if env is None else {"env": env}
    return run([KAIROS, "serve", *map(str, options)], b"", **environment, **popen)


def test_one_process_at_a_time(start):
    server = start()
    result = refused("--port", 0, "--data-dir", server.data)
    assert result.returncode == 1
    assert str(server.data) in result.stderr
    assert str(server.process.pid) in result.stderr
    assert server.get("/health").status == 200


def test_port_in_use(start, tmp_path):
    server = start()
    result = refused("--port", server.port, "--data-dir", tmp_path / "other")
    assert result.returncode == 1
    assert f"port {server.port}" in result.stderr
    assert "--port" in result.stderr


def test_read_only_directory(tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(0o555)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.owner() == folder.owner() and parent != parent.parent and os.geteuid() == 0:
            parent.chmod(parent.stat().st_mode | 0o055)
    popen = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    try:
        result = refused("--port", 0, "--data-dir", folder / "data", **popen)
    except PermissionError:
        pytest.skip("another user cannot run the binary")
    assert result.returncode == 1
    assert "--data-dir" in result.stderr and "Permission denied" in result.stderr


def test_data_dir_that_is_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    result = refused("--port", 0, "--data-dir", path)
    assert result.returncode == 1
    assert str(path) in result.stderr


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_STATE_HOME": "{}/state", "HOME": "{}/home"}, "state/kairos"),
        ({"XDG_STATE_HOME": "relative", "HOME": "{}/home"}, "home/.local/state/kairos"),
        ({"HOME": "{}/home"}, "home/.local/state/kairos"),
        ({"STATE_DIRECTORY": "{}/lib/kairos", "HOME": "{}/home"}, "lib/kairos"),
    ],
)
def test_default_data_dir(tmp_path, environment, folder):
    environment = {key: text.format(tmp_path) for key, text in environment.items()}
    log = tmp_path / "default.log"
    with open(log, "wb") as stream:
        process = subprocess.Popen([KAIROS, "serve", "--port", "0"], env=environment, stderr=stream)
        try:
            wait_until(lambda: "listening" in log.read_text(), "listening")
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_WITHIN) == 0
        finally:
            process.kill()
            process.wait()
    assert (tmp_path / folder).is_dir()


def test_no_default_data_dir():
    result = refused("--port", 0, env={})
    assert result.returncode == 2
    assert "--data-dir" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "0.0.0.0"], "--insecure-no-auth"),
        (["--host", "::"], "--insecure-no-auth"),
        (["--host", "no such host"], "--host: "),
        (["--port", "65536"], "--port: '65536'"),
        (["--port", "x"], "--port: 'x'"),
        (["--data-dir", ""], "--data-dir: "),
        (["--data-dir", "x" * 5000], "--data-dir: "),
        (["--interval", "999ms"], "--interval: '999ms' is out of range; it may be 1s to 366d"),
        (["--interval", "367d"], "--interval: "),
        (["--interval", "soon"], "--interval: "),
        (["--allowed-misses", "0"], "--allowed-misses: "),
        (["--tolerance", "367d"], "--tolerance: "),
        (["--auto-create", "yes"], "--auto-create: 'yes' is neither on nor off"),
        (["--max-services", "0"], "--max-services: "),
        (["--max-services", "100000001"], "--max-services: "),
        (["--forget-after", "0"], "--forget-after: "),
        (["--threads", "0"], "--threads: "),
        (["--threads", "257"], "--threads: "),
        (["--log-level", "loud"], "--log-level: "),
        (["extra"], "unexpected argument 'extra'"),
        (["--nonsense"], "nonsense"),
    ],
)
def test_wrong_usage(tmp_path, options, message):
    result = refused("--port", 0, "--data-dir", tmp_path / "data", *options)
    assert result.returncode == 2
    assert message in result.stderr
    assert not (tmp_path / "data").exists()


def test_help():
    result = refused("--help")
    assert result.returncode == 0
    for option in ("--host", "--data-dir", "--insecure-no-auth", "--forget-after", "--max-services"):
        assert option in result.stdout


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_hosts_of_this_machine(tmp_path, host):
    with Server(tmp_path, "--host", host) as server:
        wait_until(lambda: server.lines("listening") or server.process.poll() is not None, "a start")
        if host == "::1" and server.process.poll() is not None:
            pytest.skip("no IPv6 here")
        line = server.line("listening")
        with socket.create_connection((line["address"], int(line["port"])), timeout=STOP_WITHIN):
            pass


def test_log_file_and_api_option(tmp_path):
    log = tmp_path / "kairos.log"
    with Server(tmp_path, "--log-file", log, "--api") as server:
        wait_until(lambda: log.exists() and "listening" in log.read_text(), "listening")
        assert server.stop() == 0
        assert server.log == ""
    assert log.read_text().endswith("INFO stopped\n")


def test_policy_of_options(start):
    server = start("--interval", "90s", "--allowed-misses", 5, "--tolerance", "1500ms")
    server.get("/ping/push")
    service = server.service("push")
    assert (service["interval"], service["allowed_misses"], service["tolerance"]) == (90, 5, 1.5)


# Everything at once


def test_threads_that_do_all_at_once(start):
    server = start("--threads", 4, "--interval", 1, "--allowed-misses", 1)
    rounds, failures = 60, []

    def ask(number):
        connection = server.connect()

        def expect(answer, *statuses):
            assert answer.status in statuses, answer

        for i in range(rounds):
            name = f"s{(number + i) % 7}"
            expect(server.get(f"/ping/{name}", connection=connection), 200, 201)
            expect(server.get(f"/ping/{name}/fail", connection=connection), 200, 201)
            batch = [{"service": f"b{number}-{i}-{k}"} for k in range(50)] + [{"service": name}]
            expect(server.beat(*batch, connection=connection), 200)
            path = f"/api/v1/services/{name}"
            expect(server.put(path, {"interval": 1 + i % 3}, connection=connection), 200, 201)
            expect(server.post(path + "/pause", connection=connection), 200, 404)
            expect(server.post(path + "/resume", connection=connection), 200, 404)
            for what in ("services?status=down", "incidents", "alerts", "gaps"):
                expect(server.get(f"/api/v1/{what}", connection=connection), 200)
            expect(server.get("/metrics", connection=connection), 200)
            expect(server.get("/ready", connection=connection), 200)
            if i % 5 == 4:
                expect(server.delete(path, connection=connection), 204, 404)
        connection.close()

    def guarded(number):
        try:
            ask(number)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert server.get("/api/v1/services?status=up,down,late,new&limit=1000").json["next_cursor"]
    figures = samples(server)
    assert figures["kairos_heartbeats_total", None] >= 8 * rounds * 51
    assert server.stop() == 0


def test_log_that_hangs_holds_up_nobody(tmp_path):
    """Nobody reads what the server logs: heartbeats are kept, and it ends in time."""
    if b"__tsan_init" in KAIROS.read_bytes():
        pytest.skip("ThreadSanitizer itself waits for the log when the program ends")
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    command = [KAIROS, "serve", "--port", "0", "--data-dir", tmp_path / "data"]
    process = subprocess.Popen(command, stderr=write, env=ENVIRONMENT)
    try:
        log = os.read(read, 4096).decode()
        while "listening" not in log:
            log += os.read(read, 4096).decode()
        port = int(re.search(r"listening .*port=(\d+)", log)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        for number in range(100):  # each a line of the log, more than the pipe holds
            connection.request("GET", f"/ping/service-{number}/fail")
            assert connection.getresponse().read() == b"Created"
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_WITHIN) == 0
    finally:
        process.kill()
        process.wait()
        os.close(read)
        os.close(write)
    with Server(tmp_path) as server:
        assert server.ready().service("service-99")["status"] == "down"
