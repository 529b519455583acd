"""Many services at once: bulk changes, exports and imports."""

import json
import random
import resource
import threading

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from server import Server, wait_until


@pytest.fixture
def start(launch, tmp_path_factory):
    """Starts servers that know nothing of each other."""
    return lambda *options, **popen: launch(*options, folder=tmp_path_factory.mktemp("own"), **popen).ready()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("shared")) as server:
        yield server.ready()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two servers, to export from and import to."""
    with (
        Server(tmp_path_factory.mktemp("one")) as one,
        Server(tmp_path_factory.mktemp("two")) as two,
    ):
        yield one.ready(), two.ready()


def export(server, query=""):
    answer = server.get(f"/api/v1/export?{query}")
    assert answer.status == 200
    return answer


def import_(server, text, kind="application/json"):
    text = json.dumps(text) if isinstance(text, (list, dict)) else text
    return server.request(
        "POST", "/api/v1/import", text.encode(), headers={"Content-Type": kind}
    )


def names(server, query=""):
    page = server.get(f"/api/v1/services?limit=1000&{query}").json
    assert page["next_cursor"] is None
    return sorted(service["service"] for service in page["services"])


# Bulk


def fill(server):
    for i in range(30):
        server.put(f"/api/v1/services/s-{i:02}", {"tags": ["even" if i % 2 == 0 else "odd"]})
    server.get("/ping/heard")


def bulk(server, **body):
    answer = server.post("/api/v1/bulk", body)
    assert answer.status == 200, answer.detail
    return answer.json


def test_bulk_by_filter(start):
    server = start()
    fill(server)
    result = bulk(server, action="pause", match={"tag": "even"})
    assert result == {"matched": 15, "done": 15, "failed": []}
    assert names(server, "status=paused") == [f"s-{i:02}" for i in range(0, 30, 2)]
    result = bulk(server, action="resume", match={"status": ["paused"], "search": "S-0"})
    assert result == {"matched": 5, "done": 5, "failed": []}
    result = bulk(server, action="update", match={"tag": ["odd"]}, change={"interval": "5m", "tags": ["new"]})
    assert result["done"] == 15
    assert server.service("s-01")["interval"] == 300
    assert server.service("s-01")["tags"] == ["new"]
    assert server.service("s-00")["interval"] == 60
    assert bulk(server, action="delete", match={"tag": "new"})["done"] == 15
    assert bulk(server, action="delete", match={"tag": "new"}) == {"matched": 0, "done": 0, "failed": []}
    assert bulk(server, action="delete", match={})["done"] == 16
    assert names(server) == []


def test_bulk_by_name(start):
    server = start()
    fill(server)
    result = bulk(server, action="pause", services=["s-01", "S-02", "nobody", "heard"])
    assert result == {
        "matched": 4,
        "done": 3,
        "failed": [{"service": "nobody", "detail": "there is no service nobody"}],
    }
    assert names(server, "status=paused") == ["heard", "s-01", "s-02"]
    assert server.service("heard")["declared"]
    assert bulk(server, action="pause", services=[])["matched"] == 0
    result = bulk(server, action="delete", services=[f"n-{i}" for i in range(1000)])
    assert (result["matched"], result["done"], len(result["failed"])) == (1000, 0, 100)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b"", 400, "line 1"),
        (b"{", 400, "line 1"),
        (b"[]", 422, "no JSON object"),
        ({}, 422, "action: "),
        ({"action": "explode", "services": []}, 422, "action: "),
        ({"action": "pause"}, 422, "'services'"),
        ({"action": "pause", "services": [], "match": {}}, 422, "either"),
        ({"action": "pause", "services": ["a", "b c"]}, 422, "services: the element 2"),
        ({"action": "pause", "services": [7]}, 422, "services: the element 1"),
        ({"action": "pause", "services": "a"}, 422, "services: it has to be an array"),
        ({"action": "pause", "match": []}, 422, "match: "),
        ({"action": "pause", "match": {"tags": "x"}}, 422, "unknown key 'tags'"),
        ({"action": "pause", "match": {"tag": 7}}, 422, "match: 'tag'"),
        ({"action": "pause", "match": {"tag": ""}}, 422, "tag: '' is none"),
        ({"action": "pause", "match": {"status": "broken"}}, 422, "status: 'broken'"),
        ({"action": "pause", "match": {}, "change": {}}, 422, "change: there is none"),
        ({"action": "update", "match": {}}, 422, "change: it is missing"),
        ({"action": "update", "match": {}, "change": {"interval": 0}}, 422, "change: interval: "),
        ({"action": "update", "match": {}, "change": {"paused": True}}, 422, "unknown key 'paused'"),
        ({"action": "pause", "match": {}, "x": 1}, 422, "unknown key 'x'"),
    ],
)
def test_bulk_that_is_refused(shared, body, status, detail):
    answer = shared.post("/api/v1/bulk", body)
    assert answer.status == status
    assert detail in answer.detail


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))


def test_bulk_on_a_full_disk(start):
    server = start(preexec_fn=small_files)
    server.beat(*({"service": f"s-{i:05}"} for i in range(25_000)))
    result = bulk(server, action="update", match={}, change={"description": "x" * 500})
    assert result["matched"] == 25_000
    assert 0 < result["done"] < 25_000
    assert len(result["failed"]) == 100
    assert "catalog.db cannot be written" in result["failed"][0]["detail"]
    failed = result["failed"][0]["service"]
    assert server.service(failed)["description"] == ""
    assert not server.service(failed)["declared"]


# Exports and imports

SMALL = {
    "service": "nightly",
    "interval": 86400,
    "allowed_misses": 1,
    "tolerance": 0.25,
    "max_runtime": 5400,
    "paused": False,
    "description": "Every night: „backup“",
    "tags": ["prod", "team-x"],
}


def test_forms_of_an_export(start):
    server = start()
    assert export(server).body == b'{"services":[]}\n'
    assert export(server, "format=yaml").body == b"services: []\n"
    server.put("/api/v1/services/nightly", {k: v for k, v in SMALL.items() if k not in ("service", "paused")})
    server.get("/ping/heard")
    answer = export(server)
    assert answer.headers["Content-Type"] == "application/json"
    lines = answer.text.splitlines()
    assert lines[0] == '{"services":['
    assert json.loads(lines[1].rstrip(","))["service"] == "heard"
    assert json.loads(lines[2]) == SMALL
    assert lines[3] == "]}"
    answer = export(server, "format=yaml")
    assert answer.headers["Content-Type"] == "application/yaml"
    assert yaml.safe_load(answer.text) == export(server).json
    assert "\n- service: nightly\n  interval: 86400\n" in answer.text
    assert export(server, "search=night").json == {"services": [SMALL]}
    assert export(server, "tag=prod&status=new").json == {"services": [SMALL]}
    assert export(server, "tag=prod&status=up").json == {"services": []}
    assert server.request("HEAD", "/api/v1/export").status == 200
    assert server.get("/api/v1/export?format=xml").detail == "format: 'xml' is neither json nor yaml"


def test_counts_of_an_import(start):
    server = start()
    server.get("/ping/heard")
    entries = [SMALL, {"service": "heard"}, {"service": "p", "paused": True}]
    assert import_(server, entries).json == {"created": 2, "updated": 1, "unchanged": 0}
    assert import_(server, {"services": entries}).json == {"created": 0, "updated": 0, "unchanged": 3}
    assert server.service("heard")["declared"]
    assert server.service("p")["status"] == "paused"
    entries = [{"service": "nightly"}, {"service": "p"}, {"service": "heard", "tags": ["x"]}]
    assert import_(server, entries).json == {"created": 0, "updated": 2, "unchanged": 1}
    nightly = server.service("nightly")
    assert (nightly["interval"], nightly["description"], nightly["tags"]) == (60, "", [])
    assert server.service("p")["status"] == "paused"  # that was not said
    assert import_(server, []).json == {"created": 0, "updated": 0, "unchanged": 0}


@pytest.mark.parametrize(
    ("body", "kind", "status", "detail"),
    [
        ("", "application/json", 400, "line 1"),
        ("[{]", "application/json", 400, "line 1, column 3"),
        ("7", "application/json", 422, "array of services"),
        ("{}", "application/json", 422, "array of services"),
        ('{"services": {}}', "application/json", 422, "array of services"),
        ('{"services": [], "more": 1}', "application/json", 422, "unknown key 'more'"),
        ('[{"service": "a"}, 7]', "application/json", 422, "entry 2: it is no object"),
        ("[{}]", "application/json", 422, "entry 1: service: it is missing"),
        ('[{"service": "a b"}]', "application/json", 422, "entry 1 (a b): service: it is no name"),
        ('[{"service": "a", "interval": 0}]', "application/json", 422, "entry 1 (a): interval: it may be"),
        ('[{"service": "a", "status": "up"}]', "application/json", 422, "entry 1 (a): unknown key 'status'"),
        ('[{"service": "a", "service": "b"}]', "application/json", 422, "duplicate"),
        ('[{"service": "b"}, {"service": "a"}, {"service": " B "}]', "application/json", 422,
         "entry 3 (b): it stands twice, there and as entry 1"),
        ("- service: a\n- service: b\n  interval: 0\n", "application/yaml", 422,
         "line 3: services, entry 2 (b): interval: it may be"),
        ("services:\n- service: a\n  tags: prod\n", "text/yaml; charset=utf-8", 422,
         "line 3: services, entry 1 (a): tags: "),
        ("- 7\n", "application/yaml", 422, "line 1: services, entry 1: it is no object"),
        ("services: 7\n", "application/yaml", 422, "array of services"),
        ("services: []\nmore: 1\n", "application/yaml", 422, "unknown key 'more'"),
        ("", "application/yaml", 422, "array of services"),
        ("a: [\n", "application/yaml", 400, "line "),
        ("- &a {service: a}\n- *a\n", "application/yaml", 400, "line 1"),
        ("- service: a\n  service: b\n", "application/yaml", 400, "line 2"),
    ],
)  # fmt: skip
def test_import_that_is_refused(shared, body, kind, status, detail):
    answer = import_(shared, body, kind)
    assert answer.status == status
    assert detail in answer.detail
    assert shared.get("/api/v1/services/a").status == 404
    assert shared.get("/api/v1/services/b").status == 404


def test_format_of_an_import(shared):
    """The query counts before the type."""
    answer = shared.request(
        "POST", "/api/v1/import?format=yaml", b"- service: by-query\n", headers={"Content-Type": "application/json"}
    )  # fmt: skip
    assert answer.json["created"] == 1
    assert import_(shared, '[{"service": "in-json"}]', "application/yaml").json["created"] == 1
    assert shared.request("POST", "/api/v1/import?format=xml", b"[]").status == 400


def test_import_without_room(start):
    server = start("--max-services", 3)
    server.get("/ping/a")
    answer = import_(server, [{"service": name} for name in "abcd"])
    assert answer.status == 507
    assert "3 services are new, and there is room for 2" in answer.detail
    assert names(server) == ["a"]
    assert import_(server, [{"service": name} for name in "abc"]).json == {"created": 2, "updated": 1, "unchanged": 0}


def test_import_on_a_full_disk(start):
    server = start(preexec_fn=small_files)
    entries = [{"service": f"s-{i:05}", "description": "x" * 500} for i in range(15_000)]
    answer = import_(server, entries)
    assert answer.status == 507
    assert "catalog.db cannot be written" in answer.detail
    assert " of 15000 entries were taken" in answer.detail
    taken = int(answer.detail.split("; ")[-1].split()[0])
    assert 0 < taken < 15_000
    assert len(export(server).json["services"]) == taken


def test_large_import_and_export(pair):
    """Several steps of each; the order of names holds over all of it."""
    one, two = pair
    dice = random.Random(2)
    entries = [
        {"service": f"large-{i:05}", "interval": 60 + i % 7, "tags": [f"t{i % 3}"], "description": f"number {i}"}
        for i in range(20_000)
    ]
    dice.shuffle(entries)
    assert import_(one, entries).json["created"] == 20_000
    answer = export(one, "search=large")
    found = [service["service"] for service in answer.json["services"]]
    assert found == sorted(found)
    assert len(found) == 20_000
    assert import_(two, answer.text).json["created"] == 20_000
    assert export(two, "search=large").body == answer.body
    assert bulk(one, action="delete", match={"search": "large"})["done"] == 20_000
    assert bulk(two, action="delete", match={"search": "large"})["done"] == 20_000


NAMES = st.from_regex(r"[a-z0-9_-]{1,30}", fullmatch=True)
SECONDS = st.one_of(st.integers(1, 31622400), st.integers(1000, 31622400000).map(lambda ms: ms / 1000))
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"service": NAMES},
        optional={
            "interval": SECONDS,
            "tolerance": SECONDS,
            "max_runtime": st.one_of(st.none(), SECONDS),
            "allowed_misses": st.integers(1, 1_000_000),
            "paused": st.booleans(),
            "description": st.text(
                st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=60
            ),
            "tags": st.lists(st.from_regex(r"[a-zA-Z0-9_.:-]{1,20}", fullmatch=True), max_size=5),
        },
    ),
    max_size=8,
    unique_by=lambda entry: entry["service"],
)


@settings(max_examples=150)
@given(ENTRIES, st.sampled_from(["json", "yaml"]))
def test_an_import_elsewhere_gives_the_same_export(pair, entries, form):
    for server in pair:
        bulk(server, action="delete", match={})
    one, two = pair
    assert import_(one, entries).json["created"] == len(entries)
    first = export(one, f"format={form}")
    assert import_(two, first.body.decode(), f"application/{form}").json["created"] == len(entries)
    assert export(two, f"format={form}").body == first.body
    assert export(two).json == export(one).json
    assert import_(two, first.body.decode(), f"application/{form}").json["unchanged"] == len(entries)
    said = {entry["service"]: entry for entry in entries}
    for service in export(one).json["services"]:
        entry = said[service["service"]]
        for key, value in entry.items():
            expected = sorted({tag.lower() for tag in value}) if key == "tags" else value
            assert service[key] == expected, (key, service)


def test_export_while_services_come_and_go(start):
    server = start()
    server.beat(*({"service": f"stays-{i:04}"} for i in range(3000)))
    over = threading.Event()

    def come_and_go():
        connection = server.connect()
        turn = 0
        while not over.is_set():
            turn += 1
            server.get(f"/ping/goes-{turn % 50}", connection=connection)
            server.delete(f"/api/v1/services/goes-{(turn * 7) % 50}", connection=connection)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(5):
            found = [service["service"] for service in export(server).json["services"]]
            assert found == sorted(set(found))
            assert [name for name in found if name.startswith("stays")] == [f"stays-{i:04}" for i in range(3000)]
    finally:
        over.set()
        thread.join()


def test_stop_during_an_import(start):
    server = start()
    connection = server.connect()
    entries = [{"service": f"s-{i:06}", "tags": ["x"]} for i in range(60_000)]
    connection.request("POST", "/api/v1/import", json.dumps(entries))
    wait_until(lambda: names_at_all(server), "the first services")
    assert server.stop(within=15) == 0


def names_at_all(server):
    return server.get("/api/v1/services?limit=1").json["services"]
