"""What people say of services: tags and descriptions, kept on disk; and lists of services by them."""

import random
import resource
import signal
import sqlite3
import threading
from contextlib import suppress
from http.client import HTTPException

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import Server, wait_until

LABEL = {"description": "Nightly backup\nof the „database“ 🚨", "tags": ["prod", "team-x"]}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A server for tests that leave it as it was but for services of their own."""
    with Server(tmp_path_factory.mktemp("shared")) as server:
        yield server.ready()


def label(server, name):
    service = server.service(name)
    return {key: service[key] for key in ("description", "tags")}


def pages(server, query):
    """The names of all services that QUERY gives, page by page."""
    names, cursor = [], ""
    while cursor is not None:
        page = server.get(f"/api/v1/services?{query}{cursor}").json
        names += [service["service"] for service in page["services"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    return names


# Tags and descriptions


def test_put_and_patch(shared):
    path = "/api/v1/services/label-1"
    answer = shared.put(path, {"interval": 60, **LABEL})
    assert answer.status == 201
    assert answer.json | LABEL == answer.json
    assert label(shared, "label-1") == LABEL
    assert shared.patch(path, {"tags": ["Z", "b", "b"]}).json["tags"] == ["b", "z"]
    assert label(shared, "label-1") == {**LABEL, "tags": ["b", "z"]}
    assert shared.patch(path, {"description": ""}).json["description"] == ""
    assert shared.patch(path, {"interval": 90}).json["tags"] == ["b", "z"]
    assert shared.post(f"{path}/pause").json["tags"] == ["b", "z"]
    answer = shared.put(path, {"interval": 90})  # what is not said becomes the default
    assert answer.status == 200
    assert answer.json["tags"] == []
    assert answer.json["status"] == "paused"


def test_a_label_goes_with_its_service(shared):
    shared.put("/api/v1/services/label-2", LABEL)
    assert shared.delete("/api/v1/services/label-2").status == 204
    assert shared.delete("/api/v1/services/label-2").status == 404
    assert shared.patch("/api/v1/services/label-2", LABEL).status == 404
    shared.get("/ping/label-2")
    assert label(shared, "label-2") == {"description": "", "tags": []}


@pytest.mark.parametrize(
    "body",
    [
        {"description": "x" * 500},
        {"description": "ü" * 250},
        {"description": "\t\r\n\x01\x7f\u2028\ufeff\U0010ffff"},
        {"tags": [f"{i:050d}" for i in range(20)]},
        {"tags": ["a"] * 30},
        {"tags": ["a-b_c.d:e"]},
        {"tags": []},
    ],
)
def test_within_bounds(shared, body):
    assert shared.put("/api/v1/services/bounds", body).status in (200, 201)
    expected = {key: sorted(set(each)) if key == "tags" else each for key, each in body.items()}
    assert shared.service("bounds") | expected == shared.service("bounds")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"description": "x" * 501}, "description"),
        ({"description": "ü" * 251}, "description"),
        ({"description": "a\0b"}, "description"),
        ({"description": None}, "description"),
        ({"description": 7}, "description"),
        ({"description": ["x"]}, "description"),
        ({"tags": [f"t{i}" for i in range(21)]}, "tags"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"tags": [""]}, "tags"),
        ({"tags": ["a b"]}, "tags"),
        ({"tags": ["a,b"]}, "tags"),
        ({"tags": ["ä"]}, "tags"),
        ({"tags": [7]}, "tags"),
        ({"tags": "prod"}, "tags"),
        ({"tags": None}, "tags"),
        ({"tags": {"a": 1}}, "tags"),
        ({"paused": True}, "unknown key 'paused'"),
        ({"service": "x"}, "unknown key 'service'"),
    ],
)
def test_out_of_bounds(shared, body, key):
    for method in (shared.put, shared.patch):
        answer = method("/api/v1/services/out-of-bounds", {"interval": 60, **body})
        assert answer.status == 422
        assert answer.detail.startswith(key)
    assert shared.get("/api/v1/services/out-of-bounds").status == 404


# What is kept


def test_labels_outlive_a_restart(start):
    server = start()
    server.put("/api/v1/services/a", LABEL)
    server.put("/api/v1/services/b", {"tags": ["x"]})
    server.put("/api/v1/services/c", LABEL)
    server.put("/api/v1/services/d", LABEL)
    server.put("/api/v1/services/c", {})
    server.delete("/api/v1/services/d")
    server.get("/ping/d")
    assert server.stop() == 0
    server = start()
    assert label(server, "a") == LABEL
    assert label(server, "b") == {"description": "", "tags": ["x"]}
    assert label(server, "c") == label(server, "d") == {"description": "", "tags": []}
    assert not server.lines("catalog_dropped")


def test_labels_of_services_that_are_gone(start):
    server = start()
    server.put("/api/v1/services/a", LABEL)
    server.stop()
    for file in server.data.glob("registry*"):
        file.unlink()
    server = start()
    assert server.line("catalog_dropped")["count"] == "1"
    assert pages(server, "") == []


class Labeller(threading.Thread):
    """Changes labels until the server is gone, and notes what was acknowledged."""

    def __init__(self, server, number):
        super().__init__()
        self.server, self.number = server, number
        self.known = {}  # service: its label; None if it was deleted
        self.unsure = None

    def run(self):
        dice = random.Random(self.number)
        with suppress(OSError, HTTPException):
            connection = self.server.connect()
            for turn in range(1_000_000):
                self.unsure = name = f"s{self.number}-{dice.randrange(30)}"
                path, wanted = f"/api/v1/services/{name}", None
                if dice.random() < 0.2:
                    status = self.server.delete(path, connection=connection).status
                else:
                    wanted = {"description": f"turn {turn}", "tags": [f"t{turn % 7}"]}
                    status = self.server.put(path, wanted, connection=connection).status
                assert status in (200, 201, 204, 404), status
                self.known[name] = wanted
                self.unsure = None


def test_kill(tmp_path):
    dice = random.Random(4)
    known = {}
    for _ in range(8):
        with Server(tmp_path) as server:
            server.ready()
            for name, wanted in known.items():
                if wanted is None:
                    assert server.get(f"/api/v1/services/{name}").status == 404
                else:
                    assert label(server, name) == wanted
            labellers = [Labeller(server, number) for number in range(3)]
            for labeller in labellers:
                labeller.start()
            enough = dice.randrange(20, 300)
            wait_until(lambda: sum(len(each.known) for each in labellers) > enough / 5, "changes")
            server.kill()
            for labeller in labellers:
                labeller.join()
                known |= labeller.known
                known.pop(labeller.unsure, None)
            assert not server.lines("catalog_damaged")


def small_catalog():
    """Lets the child write no file longer than 6 MB, and the catalog has but little left of that."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))


def test_full_disk(start):
    server = start(preexec_fn=small_catalog)
    number = 0
    while True:
        answer = server.put(f"/api/v1/services/s-{number}", {"description": "x" * 500})
        if answer.status == 507:
            break
        assert answer.status == 201
        number += 1
    assert "catalog.db cannot be written" in answer.detail
    assert server.get(f"/api/v1/services/s-{number}").status == 404  # nothing has changed
    assert server.patch("/api/v1/services/s-0", {"interval": 77, "tags": ["a"]}).status == 507
    assert server.service("s-0")["interval"] == 60
    assert server.service("s-0")["tags"] == []
    assert server.put("/api/v1/services/plain").status == 201  # which the registry has room for
    server.kill()
    server = start()
    assert server.service(f"s-{number - 1}")["description"] == "x" * 500
    assert server.get(f"/api/v1/services/s-{number}").status == 404
    assert server.patch("/api/v1/services/s-0", {"tags": ["a"]}).status == 200


def test_damaged_catalog(start):
    server = start()
    server.put("/api/v1/services/a", LABEL)
    server.stop()
    catalog = server.data / "catalog.db"
    catalog.write_bytes(b"no database" * 1000)
    server = start()
    line = server.line("catalog_damaged")
    assert "not a database" in line["damage"]
    aside = line["set_aside"].strip('"')
    assert open(aside, "rb").read() == b"no database" * 1000
    assert label(server, "a") == {"description": "", "tags": []}
    server.put("/api/v1/services/a", LABEL)
    server.stop()
    server = start()
    assert not server.lines("catalog_damaged")
    assert label(server, "a") == LABEL


def test_newer_catalog(start, tmp_path):
    server = start()
    server.stop()
    with sqlite3.connect(server.data / "catalog.db") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with Server(tmp_path) as other:
        assert other.process.wait(10) == 1
        assert "newer version" in other.log


# Lists


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A hundred services: tags by number, some of them paused or down."""
    with Server(tmp_path_factory.mktemp("many")) as server:
        server.ready()
        for i in range(100):
            name, tags = f"{'mail' if i % 2 else 'backup'}-{i:02}", [f"mod-{i % 4}", "all"]
            server.put(f"/api/v1/services/{name}", {"tags": tags})
            if i % 10:
                server.get(f"/ping/{name}")
            if i % 7 == 0:
                server.post(f"/api/v1/services/{name}/pause")
        server.put("/api/v1/services/other", {})
        yield server


def names_of(numbers):
    return [f"{'mail' if i % 2 else 'backup'}-{i:02}" for i in numbers]


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("tag=all", lambda i: True),
        ("tag=mod-1", lambda i: i % 4 == 1),
        ("tag=mod-1&tag=all", lambda i: i % 4 == 1),
        ("tag=all,MOD-2", lambda i: i % 4 == 2),
        ("tag=mod-1,mod-2", lambda i: False),
        ("tag=unknown", lambda i: False),
        ("tag=mod-1&status=paused", lambda i: i % 4 == 1 and i % 7 == 0),
        ("tag=mod-1&status=new", lambda i: i % 4 == 1 and i % 7 and i % 10 == 0),
        ("search=mail", lambda i: i % 2),
        ("search=AIL-1", lambda i: i % 2 and 10 <= i < 20),
        ("search=p-4&tag=mod-0", lambda i: i % 4 == 0 and 40 <= i < 50),
        ("search=%C3%A4", lambda i: False),
        ("search=7&status=paused", lambda i: i % 7 == 0 and "7" in f"{i:02}"),
    ],
)
def test_filters(many, query, chosen):
    expected = names_of(i for i in range(100) if chosen(i))
    for sort in ("", "&sort=name", "&sort=-last_seen", "&sort=-name", "&sort=last_seen"):
        for limit in (1000, 7):
            assert sorted(pages(many, f"{query}&limit={limit}{sort}")) == sorted(expected)


def test_orders(many):
    everything = many.get("/api/v1/services?limit=1000").json["services"]
    by_name = sorted(service["service"] for service in everything)
    by_time = [
        service["service"]
        for service in sorted(everything, key=lambda s: (s["last_seen"] or "", s["service"]))
    ]
    for limit in (1, 10, 100, 101, 1000):
        assert pages(many, f"sort=name&limit={limit}") == by_name
        assert pages(many, f"sort=-name&limit={limit}") == by_name[::-1]
        assert pages(many, f"sort=last_seen&limit={limit}") == by_time
        assert pages(many, f"sort=-last_seen&limit={limit}") == by_time[::-1]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("sort=status", "sort: 'status' is none of name, -name, last_seen, -last_seen"),
        ("sort=--name", "sort: "),
        ("sort=Name", "sort: "),
        ("sort=name&sort=name", "'sort' is given twice"),
        ("tag=a%20b", "tag: 'a b' is none"),
        ("tag=a,,b", "tag: '' is none"),
        ("tag=" + "x" * 51, "tag: "),
        ("tag=" + ",".join(f"t{i}" for i in range(21)), "tag: more than 20"),
        ("&".join(f"tag={'y' * 40}-{i}" for i in range(15)), None),
        ("&".join(f"tag={'y' * 40}-{i}" for i in range(60)), "longer than"),
        ("search=" + "x" * 101, "search: it is longer than any name"),
        ("search=" + "x" * 100, None),
        ("sort=name&cursor=7", "cursor: '7' was not handed out here"),
        ("cursor=name:push", "cursor: "),
        ("sort=name&cursor=-name:push", "cursor: "),
        ("sort=-name&cursor=-name:push", None),
        ("sort=name&cursor=name:", "cursor: "),
        ("sort=name&cursor=name:a b".replace(" ", "%20"), "cursor: "),
        ("sort=last_seen&cursor=name:push", "cursor: "),
        ("sort=last_seen&cursor=last_seen:push", "cursor: "),
        ("sort=last_seen&cursor=last_seen:7:", "cursor: "),
        ("sort=last_seen&cursor=last_seen:x:push", "cursor: "),
        ("sort=last_seen&cursor=last_seen:18446744073709551615:push", None),
        ("sort=&tag=&search=", None),
    ],
)
def test_parameters(shared, query, detail):
    answer = shared.get(f"/api/v1/services?{query}")
    if detail is None:
        assert answer.status == 200
    else:
        assert answer.status == 400
        assert detail in answer.detail


@pytest.mark.parametrize("sort", ["", "&sort=name", "&sort=-name", "&sort=last_seen", "&search=s"])
def test_pages_while_services_come_and_go(tmp_path, sort):
    stay = [f"stays-{i:03}" for i in range(0, 200)]
    with Server(tmp_path) as server:
        server.ready()
        for name in stay:
            server.get(f"/ping/{name}")
        over = threading.Event()

        def come_and_go():
            dice = random.Random(1)
            connection = server.connect()
            while not over.is_set():
                name = f"s{dice.choice('abtz')}-goes-{dice.randrange(60)}"
                if dice.random() < 0.5:
                    server.get(f"/ping/{name}", connection=connection)
                else:
                    server.delete(f"/api/v1/services/{name}", connection=connection)

        thread = threading.Thread(target=come_and_go)
        thread.start()
        try:
            for limit in (3, 7, 20) * 2:
                found = pages(server, f"limit={limit}{sort}")
                assert sorted(name for name in found if name in stay) == stay
        finally:
            over.set()
            thread.join()


def test_head_of_a_list(shared):
    shared.get("/ping/head")
    for query in ("", "?sort=name", "?search=head"):
        answer = shared.request("HEAD", f"/api/v1/services{query}")
        assert answer.status == 200
        assert answer.body == b""


# Any label

TAGS = st.lists(st.from_regex(r"[a-zA-Z0-9_.:-]{1,50}", fullmatch=True), max_size=20)
DESCRIPTIONS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=125
)


@given(TAGS, DESCRIPTIONS)
def test_any_label(shared, tags, description):
    answer = shared.put("/api/v1/services/any", {"tags": tags, "description": description})
    assert answer.status in (200, 201)
    assert answer.json["tags"] == sorted({tag.lower() for tag in tags})
    assert answer.json["description"] == description
    assert shared.service("any")["description"] == description


def test_stop_while_a_label_is_written(start):
    """Requests that wait for a job end when the server does."""
    server = start()
    thread = Labeller(server, 1)
    thread.start()
    wait_until(lambda: len(thread.known) > 5, "changes")
    server.signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    thread.join()
    known = dict(thread.known)
    known.pop(thread.unsure, None)
    server = start()
    for name, wanted in known.items():
        if wanted is not None:
            assert label(server, name) == wanted
