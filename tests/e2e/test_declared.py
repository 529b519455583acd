"""Services that the configuration declares, singly and by patterns, at the start and whenever it is read anew."""

import signal
import sqlite3
from contextlib import closing

import pytest
import yaml

from server import wait_until


@pytest.fixture
def start(launch, tmp_path):
    """Starts servers that all have the same data directory, one after another, with a configuration."""

    def start_one(services=None, *options, **keys):
        write(tmp_path, services, **keys)
        return launch("--config", tmp_path / "kairos.yaml", *options).ready()

    return start_one


def write(folder, services, **keys):
    (folder / "kairos.yaml").write_text(yaml.safe_dump({**keys, "services": services or []}))


def reload(server, services, **keys):
    """Writes another configuration, has it read, and waits until it counts."""
    write(server.folder, services, **keys)
    before = len(server.lines("reloaded"))
    server.signal(signal.SIGHUP)
    wait_until(lambda: len(server.lines("reloaded")) > before, "reloaded")


def facts(server, name, *keys):
    service = server.service(name)
    return tuple(service[key] for key in keys)


def becomes(server, name, key, value):
    wait_until(lambda: server.service(name)[key] == value, f"{key} of {name} is {value}")


def test_declared_singly(start):
    server = start([
        {"service": "backup", "interval": "1d", "tags": ["prod"], "description": "Nightly", "max_runtime": "2h"},
        {"service": "mail"},
    ])  # fmt: skip
    assert facts(server, "backup", "status", "declared", "interval", "max_runtime", "tags", "description") == (
        "new", True, 86400, 7200, ["prod"], "Nightly",
    )  # fmt: skip
    assert facts(server, "mail", "declared", "interval", "tags") == (True, 60, [])


def test_what_the_api_changed_holds_until_the_next_reload(start):
    declared = [{"service": "backup", "interval": "1d", "tags": ["prod"]}]
    server = start(declared)
    server.get("/ping/backup")
    seen = server.service("backup")["last_seen"]
    server.patch("/api/v1/services/backup", {"interval": 90, "tags": ["mine"]})
    assert facts(server, "backup", "interval", "tags") == (90, ["mine"])
    reload(server, declared)
    assert facts(server, "backup", "interval", "tags", "last_seen") == (86400, ["prod"], seen)
    server.patch("/api/v1/services/backup", {"interval": 90, "tags": ["mine"]})
    server.stop()
    server = start(declared)
    assert facts(server, "backup", "interval", "tags", "last_seen") == (86400, ["prod"], seen)
    server.delete("/api/v1/services/backup")
    reload(server, declared)
    assert server.service("backup")["status"] == "new"


def test_no_longer_declared(start):
    server = start([{"service": name, "interval": "1d", "tags": ["prod"]} for name in ("beat", "never", "kept")])
    server.get("/ping/beat/fail")
    before = server.service("beat")
    reload(server, [{"service": "kept", "interval": "1d", "tags": ["prod"]}, {"pattern": "be*", "tags": ["by-pattern"]}])
    assert server.get("/api/v1/services/never").status == 404
    assert facts(server, "beat", "declared", "interval", "tags") == (False, 60, ["by-pattern"])
    assert facts(server, "beat", "last_seen", "incident") == (before["last_seen"], before["incident"])
    assert facts(server, "kept", "declared", "tags") == (True, ["prod"])
    server.stop()
    server = start([])  # between two starts it is the same
    assert server.get("/api/v1/services/kept").status == 404
    becomes(server, "beat", "tags", [])


def test_patterns(start):
    patterns = [
        {"pattern": "backup-*", "interval": "1d", "allowed_misses": 1, "tags": ["backup"], "max_runtime": "1h"},
        {"pattern": "*-db", "interval": 90, "description": "A database"},
    ]
    server = start(patterns, interval=30)
    for name in ("backup-db", "mail-db", "mail"):
        server.get(f"/ping/{name}")
    keys = ("declared", "interval", "allowed_misses", "max_runtime", "tags", "description")
    assert facts(server, "backup-db", *keys) == (False, 86400, 1, 3600, ["backup"], "")
    assert facts(server, "mail-db", *keys) == (False, 90, 3, None, [], "A database")
    assert facts(server, "mail", *keys) == (False, 30, 3, None, [], "")
    server.put("/api/v1/services/own-db", {})
    assert facts(server, "own-db", "declared", "interval", "description") == (True, 30, "")

    # What they give is there after a restart.
    server.kill()
    server = start(patterns, interval=30)
    becomes(server, "backup-db", "tags", ["backup"])
    assert facts(server, "backup-db", *keys) == (False, 86400, 1, 3600, ["backup"], "")
    becomes(server, "mail-db", "description", "A database")

    # And is other with others.
    seen = server.service("mail-db")["last_seen"]
    reload(server, [{"pattern": "mail*", "interval": "2h", "tags": ["mail"]}], interval=45)
    for name, interval, tags in (("backup-db", 45, []), ("mail-db", 7200, ["mail"]), ("mail", 7200, ["mail"])):
        becomes(server, name, "tags", tags)
        becomes(server, name, "interval", interval)
        assert server.service(name)["description"] == ""
    assert facts(server, "own-db", "interval", "tags") == (30, [])
    assert server.service("mail-db")["last_seen"] == seen


def test_a_change_of_a_service_by_pattern_keeps_its_tags(start):
    server = start([{"pattern": "*", "tags": ["all"], "interval": 90}])
    for name in ("patched", "paused", "left"):
        server.get(f"/ping/{name}")
    server.patch("/api/v1/services/patched", {"allowed_misses": 7})
    server.post("/api/v1/services/paused/pause")
    server.kill()
    server = start([])
    assert facts(server, "patched", "declared", "interval", "tags") == (True, 90, ["all"])
    assert facts(server, "paused", "declared", "status", "tags") == (True, "paused", ["all"])
    becomes(server, "left", "tags", [])
    becomes(server, "left", "interval", 60)


def test_defaults_change_between_two_starts(start):
    server = start(interval=90)
    server.get("/ping/a")
    server.put("/api/v1/services/b")
    server.stop()
    server = start(interval=45)
    becomes(server, "a", "interval", 45)
    assert server.service("b")["interval"] == 90


def fingerprint(server, value=None):
    """Of the rules that were followed last; first becomes VALUE, if that is given."""
    with closing(sqlite3.connect(server.data / "catalog.db")) as database:
        if value is not None:
            database.execute("UPDATE rules SET fingerprint = ?", (value,))
            database.commit()
        (found,) = database.execute("SELECT fingerprint FROM rules").fetchone()
        return found


def test_what_was_followed_is_not_looked_at_again(start):
    server = start(interval=90)
    server.get("/ping/a")
    server.stop()
    known = {}
    for interval in (91, 92):
        server = start(interval=interval)
        assert server.line("followed")["services"] == "1"
        server.stop()
        known[interval] = fingerprint(server)
    assert known[91] != known[92]
    assert fingerprint(server, known[91]) == known[91]
    server = start(interval=91)  # the catalog says that all follow this
    assert server.service("a")["interval"] == 92
    reload(server, [], interval=91)
    assert server.service("a")["interval"] == 92
    reload(server, [], interval=93)
    becomes(server, "a", "interval", 93)


def test_no_room_for_what_is_declared(start):
    server = start([{"service": name} for name in "abc"], "--max-services", 2)
    assert server.line("not_declared")["service"] == "c"
    assert server.get("/api/v1/services/c").status == 404
    server.delete("/api/v1/services/a")
    reload(server, [{"service": name} for name in "abc"][1:])
    assert server.service("c")["status"] == "new"


def test_a_configuration_that_is_refused_changes_nothing(start):
    server = start([{"service": "a", "interval": 90}])
    write(server.folder, [{"service": "a", "interval": 0}, {"service": "b"}])
    server.signal(signal.SIGHUP)
    server.line("reload_refused")
    assert facts(server, "a", "interval") == (90,)
    assert server.get("/api/v1/services/b").status == 404


def test_many_follow(start):
    """More than are looked at in one go, while they beat."""
    server = start(interval=90)
    server.beat(*({"service": f"s-{i:05}"} for i in range(30_000)))
    reload(server, [{"pattern": "*7", "tags": ["seven"]}], interval=45)
    wait_until(lambda: server.lines("followed"), "followed")
    assert server.line("followed")["services"] == "30000"
    found = server.get("/api/v1/export?tag=seven").json["services"]
    assert len(found) == 3000
    assert {service["interval"] for service in found} == {45}
    assert server.service("s-00001")["interval"] == 45
