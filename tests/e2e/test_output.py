"""What services have to say with their pings is kept, up to a limit, and never refused."""

import pytest

from server import Server, wait_until

LIMIT = 10 * 1024  # bytes that are kept


@pytest.fixture(name="server")
def _server(tmp_path):
    with Server(tmp_path) as server:
        yield server.ready()


def output(server, name):
    return server.get(f"/api/v1/services/{name}/output")


@pytest.mark.parametrize("path, action, status", [
    ("", "heartbeat", None), ("/0", "heartbeat", 0), ("/fail", "fail", None), ("/3", "fail", 3), ("/start", "start", None), ("/log", "log", None),
])
def test_kept_with_what_it_came_with(server, path, action, status):
    server.get("/ping/backup")
    assert server.post(f"/ping/backup{path}", "3 of 7 copied\n\"done\"\n").status == 200
    answer = output(server, "backup")
    assert answer.status == 200
    assert answer.json == {"service": "backup", "at": answer.json["at"], "action": action, "exit_status": status, "output": "3 of 7 copied\n\"done\"\n"}


def test_the_newest_one_stays(server):
    server.post("/ping/backup/fail", "no space")
    server.post("/ping/other", "other")
    server.get("/ping/backup")  # says nothing
    assert output(server, "backup").json["output"] == "no space"
    server.post("/ping/backup", "all well")
    assert output(server, "backup").json["output"] == "all well"


def test_cut_and_never_refused(server):
    assert server.post("/ping/backup", b"x" * (5 * LIMIT)).status == 201
    assert output(server, "backup").json["output"] == "x" * LIMIT
    assert server.post("/ping/backup", iter([b"y" * 7] * LIMIT)).status == 200  # chunked
    assert output(server, "backup").json["output"] == ("y" * 7 * LIMIT)[:LIMIT]


def test_any_bytes(server):
    assert server.post("/ping/backup", b"\xff\x00\xe2\x82\xac").status == 201
    assert output(server, "backup").json["output"] == "?\x00€"


def test_nothing_kept(server):
    assert "backup" in output(server, "backup").detail
    assert output(server, "backup").status == 404
    server.post("/ping/backup", "said")
    server.delete("/api/v1/services/backup")
    assert output(server, "backup").status == 404
    assert server.post("/ping/no%20name", "said").status == 400
    assert output(server, "no%20name").status == 400


def test_forgotten_with_its_service(tmp_path):
    options = ("--interval", "1", "--allowed-misses", "1", "--forget-after", "1")
    with Server(tmp_path, *options) as server:
        server.ready().post("/ping/backup", "said")
        wait_until(lambda: server.get("/api/v1/services/backup").status == 404, "it is forgotten")
        assert output(server, "backup").status == 404
