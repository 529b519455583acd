"""/metrics: what it counts, and that Prometheus's own checker accepts it."""

import re
import shutil
import signal
import socket
import struct
import subprocess
import threading

import pytest

from metrics import samples
from server import wait_until


def sample(server, name, labels=None):
    return samples(server).get((name, labels), 0)


def some_traffic(server):
    """Of every kind that is counted."""
    server.beat({"service": "a"}, {"service": "b"}, {"service": "a", "timestamp": 1}, {}, 7)
    server.beat({"service": "c", "timestamp": 4102444800})
    for path in ("/ping/a/fail", "/ping/a", "/ping/b/start", "/ping/b/log", "/nowhere", "/ready"):
        server.get(path)
    server.put("/api/v1/services/d")
    server.post("/metrics", b"")
    server.request("BREW", "/ping/\"\\%22{}")


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (package prometheus) is not here")
def test_promtool_accepts_it(start):
    server = start("--interval", 1, "--allowed-misses", 1)
    for when in ("at once", "later"):
        text = server.get("/metrics").body
        command = ["promtool", "check", "metrics"]
        result = subprocess.run(command, input=text, capture_output=True, check=False)
        assert (result.returncode, result.stdout, result.stderr) == (0, b"", b""), when
        some_traffic(server)
        wait_until(lambda: server.service("a")["status"] == "down", "an alert")


def test_what_is_counted(start):
    server = start("--interval", 60)
    some_traffic(server)
    found = samples(server)
    expected = {
        ("kairos_heartbeats_total", None): 4,
        ("kairos_heartbeats_older_total", None): 1,
        ("kairos_heartbeats_rejected_total", "reason=timestamp_in_future"): 1,
        ("kairos_events_total", None): 6,
        ("kairos_events_invalid_total", "reason=missing_service"): 1,
        ("kairos_events_invalid_total", "reason=not_an_object"): 1,
        ("kairos_events_invalid_total", "reason=invalid_json"): 0,
        ("kairos_fails_total", None): 1,
        ("kairos_starts_total", None): 1,
        ("kairos_logs_total", None): 1,
        ("kairos_services", "status=new"): 1,
        ("kairos_services", "status=up"): 2,
        ("kairos_services", "status=down"): 0,
        ("kairos_services_created_total", None): 3,
        ("kairos_alerts_total", "kind=fail"): 1,
        ("kairos_alerts_total", "kind=silence"): 0,
        ("kairos_recoveries_total", None): 1,
        ("kairos_gaps_total", "reason=restart"): 0,
        ("kairos_ingest_stalls_total", None): 0,
        ("kairos_ready", None): 1,
        ("kairos_registry_full", None): 0,
        ("kairos_registry_sync_failed", None): 0,
        ("kairos_detection_delay_seconds_count", None): 0,
        ("kairos_jobs_queued", None): 0,
    }
    assert expected.items() <= found.items()
    assert found["process_resident_memory_bytes", None] > 1e6
    assert found["process_open_fds", None] > 5
    assert found["kairos_http_connections", None] >= 1
    assert found["kairos_registry_slots", None] > found["kairos_registry_slots_free", None] > 3
    size = server.data.joinpath("registry").stat().st_size
    assert found["kairos_registry_size_bytes", None] == size
    version = server.get("/health").json["version"]
    build = [labels for name, labels in found if name == "kairos_build_info"]
    assert len(build) == 1 and re.fullmatch(rf"version={version},compiler=(gcc|clang) .+", build[0])
    assert sample(server, "process_cpu_seconds_total") >= found["process_cpu_seconds_total", None]


def test_requests_by_route_and_status(start):
    """Never by what a client has sent; each is counted once, whatever becomes of it."""
    server = start()
    before = samples(server)
    some_traffic(server)
    name = "kairos_http_requests_total"

    def all_counted():
        found = samples(server)
        return found.get((name, "route=other,code=405"), 0) > 0 and found

    found = wait_until(all_counted, "the last request is counted")
    expected = {
        "route=/api/v1/heartbeats,code=200": 2,
        "route=/ping/{service},code=200": 1,
        "route=/ping/{service}/{action},code=200": 3,
        "route=other,code=404": 1,
        "route=other,code=405": 2,  # POST /metrics, and a method that there is not
        "route=/api/v1/services/{service},code=201": 1,
    }
    for labels, count in expected.items():
        assert found[name, labels] - before.get((name, labels), 0) == count, labels
    route = "route=/api/v1/heartbeats"
    assert found["kairos_http_request_duration_seconds_count", route] == 2
    assert not any("BREW" in str(labels) or "nowhere" in str(labels) for _, labels in found)


def test_requests_that_nobody_waits_for(start):
    server = start()
    head = b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue"
    with server.socket() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert b" 100 " in connection.recv(100)
        # With a reset: the library sees an end that comes together with a byte at its timeout only.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: sample(server, "kairos_http_requests_aborted_total") == 1, "an abort")


def test_many_workers_count_as_one(start):
    server = start("--threads", 4)
    labels = "route=/ping/{service},code=200"

    def ping():
        connection = server.connect()
        for _ in range(50):
            server.get("/ping/push", connection=connection)
        connection.close()

    server.get("/ping/push")
    threads = [threading.Thread(target=ping) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: sample(server, "kairos_http_requests_total", labels) == 400, "all pings")


def test_the_delay_of_detection(start):
    server = start("--interval", 1, "--allowed-misses", 1)
    server.beat(*({"service": f"s{i}"} for i in range(20)))
    wait_until(lambda: sample(server, "kairos_alerts_total", "kind=silence") == 20, "alerts")
    found = samples(server)
    assert found["kairos_detection_delay_seconds_count", None] == 20
    assert found["kairos_detection_delay_seconds_sum", None] > 0


def test_a_stall_is_counted(start):
    """A process that is stopped hears nothing for so long."""
    server = start()
    server.signal(signal.SIGSTOP)
    wait_until(lambda: stopped(server.process.pid), "it is stopped")
    threading.Event().wait(1.2)  # a time that passes is what is tested
    server.signal(signal.SIGCONT)
    wait_until(lambda: sample(server, "kairos_ingest_stalls_total") == 1, "a stall")
    wait_until(lambda: sample(server, "kairos_ingest_lag_seconds") < 1, "all is heard")


def stopped(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "T"
