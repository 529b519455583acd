"""`kairos services`: what a server was told of services, out to a file and in again."""

import json
import os
import resource
import subprocess
from contextlib import ExitStack

import pytest

from conftest import ENVIRONMENT
from server import PATIENCE, Server
from stub import HANG_UP, Stub, nobody

EXPORT = b"services:\n  - service: backup\n    interval: 86400\n"
YAML, JSON = ("Content-Type", "application/yaml"), ("Content-Type", "application/json")


@pytest.fixture
def stub():
    with Stub() as stub:
        yield stub


@pytest.fixture
def services(kairos, tmp_path, stub):
    def run(*options, url=stub.url, **popen):
        return kairos.run("services", *options, env={**ENVIRONMENT, "KAIROS_URL": url}, cwd=tmp_path, **popen)

    return run


# Export


def test_export(services, stub, tmp_path):
    stub.answer = (200, EXPORT, YAML)
    result = services("export")
    assert (result.returncode, result.stdout, result.stderr) == (0, EXPORT.decode(), "")
    result = services("export", "--output", "services.yaml")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "services.yaml").read_bytes() == EXPORT
    assert stub.paths == ["GET /api/v1/export?format=yaml"] * 2


def test_what_is_exported(services, stub):
    stub.answer = (200, {"services": []}, JSON)
    options = ["--format=json", "--status=down,new", "--tag=a:b", "--tag=c", "--search=mail"]
    assert json.loads(services("export", *options).stdout) == {"services": []}
    assert stub.paths == [
        "GET /api/v1/export?status=down%2Cnew&tag=a%3Ab&tag=c&search=mail&format=json"
    ]


def test_a_large_export(services, stub, tmp_path):
    content = b"x" * 50_000_000
    stub.answer = (200, content, YAML)
    assert services("export", "--output=big").returncode == 0
    assert (tmp_path / "big").read_bytes() == content


BROKEN = {
    "hang up": HANG_UP,
    "cut": b"HTTP/1.1 200 OK\r\nContent-Type: application/yaml\r\nContent-Length: 99\r\n\r\nservices:",
    "cut chunk": b"HTTP/1.1 200 OK\r\nContent-Type: application/yaml\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nser",
    "no end": b"HTTP/1.1 200 OK\r\nContent-Type: application/yaml\r\nTransfer-Encoding: chunked\r\n\r\n1\r\ns\r\n",
    "refused": (400, {"detail": "unknown parameter"}),
    "not there": (404, b"<html>"),
    "of another": (200, b"<html>", ("Content-Type", "text/html")),
    "of no type": (200, b"services: []"),
    "error": (500, {"detail": "no"}),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_whole_or_not_at_all(services, stub, tmp_path, answer):
    """What fails leaves the file that was there as it was, and nothing beside it."""
    (tmp_path / "services.yaml").write_text("old\n")
    stub.answer = answer
    result = services("export", "--output=services.yaml")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"kairos: {stub.url}/api/v1/export?format=yaml: ")
    assert result.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["services.yaml"]
    assert (tmp_path / "services.yaml").read_text() == "old\n"
    assert services("export").returncode == 1


def test_a_full_disk(kairos, stub, tmp_path):
    stub.answer = (200, EXPORT * 10000, YAML)
    (tmp_path / "services.yaml").write_text("old\n")
    result = subprocess.run(
        [kairos.path, "services", "export", "--url", stub.url, "--output=services.yaml"],
        capture_output=True, text=True, env=ENVIRONMENT, cwd=tmp_path, timeout=PATIENCE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000)),
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "kairos: cannot write services.yaml: File too large\n"
    assert [path.name for path in tmp_path.iterdir()] == ["services.yaml"]
    with open("/dev/full", "wb") as full:
        assert services_to(kairos, stub.url, full).returncode == 1


def services_to(kairos, url, stdout):
    words = [kairos.path, "services", "export", "--url", url]
    return subprocess.run(words, stdout=stdout, stderr=subprocess.PIPE, env=ENVIRONMENT, timeout=PATIENCE)


def test_a_reader_that_goes_away(kairos, stub):
    stub.answer = (200, EXPORT * 100000, YAML)
    reader, writer = os.pipe()
    os.close(reader)
    result = services_to(kairos, stub.url, writer)
    os.close(writer)
    assert (result.returncode, result.stderr) == (1, b"")


# Import


ANSWER = {"created": 2, "updated": 1, "unchanged": 0}


@pytest.mark.parametrize(
    "content, kind",
    [(EXPORT, "yaml"), (b'{"services": []}', "json"), (b" \n\t[]", "json"), (b"", "yaml"), (b"- service: a", "yaml"),
     (b"\xef\xbb\xbf{}", "yaml"), (b"\0", "yaml")],
)  # fmt: skip
def test_import(services, stub, tmp_path, content, kind):
    stub.answer = (200, ANSWER)
    (tmp_path / "file").write_bytes(content)
    for options, stdin in ((["file"], subprocess.DEVNULL), (["-"], content)):
        result = services("import", *options, stdin=stdin)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == "created 2, updated 1, unchanged 0\n"
    assert stub.paths == ["POST /api/v1/import"] * 2
    for request in stub.requests:
        assert request.headers["Content-Type"] == f"application/{kind}"
        assert request.body == content


def test_a_large_import(services, stub):
    stub.answer = (200, ANSWER)
    assert services("import", "-", stdin=EXPORT * 500000).returncode == 0
    assert stub.requests[0].body == EXPORT * 500000


@pytest.mark.parametrize(
    "answer, words",
    [((422, {"detail": "line 3: interval: too short"}), "line 3: interval: too short"), ((413, b""), "413"),
     ((200, b"<html>"), "Kairós"), (HANG_UP, "")],
)  # fmt: skip
def test_what_is_not_imported(services, stub, answer, words):
    stub.answer = answer
    result = services("import", "-", stdin=EXPORT)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("kairos: ") and words in result.stderr
    assert len(stub.requests) == 1 or answer == HANG_UP


def test_files_that_cannot_be_read(services, stub, tmp_path):
    for name in ("none.yaml", str(tmp_path)):
        result = services("import", name)
        assert result.returncode == 1 and f"cannot read {name}: " in result.stderr
    assert stub.requests == []


def test_nobody_there(services):
    for options in (["export"], ["import", "-"]):
        result = services(*options, url=nobody(), stdin=EXPORT)
        assert result.returncode == 1 and "Couldn't connect" in result.stderr


# A real server


FILE = """\
services:
  - service: backup
    interval: 1d
    tolerance: 1h
    allowed_misses: 1
    description: "Nightly: 100 % of it, \u00fcber Nacht"
    tags: [prod, team-x]
  - service: mail
    interval: 30s
    paused: true
  - {service: "null", max_runtime: 90}
"""


@pytest.fixture
def servers(tmp_path):
    """Two of them, and their addresses."""
    with ExitStack() as stack:
        started = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            started.append(stack.enter_context(Server(tmp_path / name)).ready())
        yield started, [f"http://127.0.0.1:{server.port}" for server in started]


@pytest.mark.parametrize("notation", ["yaml", "json"])
def test_from_one_server_to_another(services, servers, tmp_path, notation):
    (one, two), (first, second) = servers
    (tmp_path / "services.yaml").write_text(FILE)
    assert services("import", "services.yaml", url=first).stdout == "created 3, updated 0, unchanged 0\n"
    assert services("import", "services.yaml", url=first).stdout == "created 0, updated 0, unchanged 3\n"
    backup = one.service("backup")
    assert (backup["interval"], backup["tolerance"], backup["allowed_misses"]) == (86400, 3600, 1)
    assert backup["tags"] == ["prod", "team-x"]
    assert (one.service("mail")["status"], one.service("null")["max_runtime"]) == ("paused", 90)

    result = services("export", f"--format={notation}", "--output=copy", url=first)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert services("import", "copy", url=second).stdout == "created 3, updated 0, unchanged 0\n"
    for name in ("backup", "mail", "null"):
        assert two.service(name) == one.service(name)
    again = services("export", f"--format={notation}", url=second)
    assert again.stdout == (tmp_path / "copy").read_text()


def test_a_part_of_them(services, servers):
    (one, _), (url, _) = servers
    assert services("import", "-", stdin=FILE.encode(), url=url).returncode == 0
    one.get("/ping/other")

    def names(*options):
        exported = json.loads(services("export", "--format=json", *options, url=url).stdout)
        return sorted(entry["service"] for entry in exported["services"])

    assert names() == ["backup", "mail", "null", "other"]
    assert names("--tag=prod") == ["backup"]
    assert names("--status=paused,up") == ["mail", "other"]
    assert names("--search=b") == ["backup"]
    assert names("--tag=none") == []


@pytest.mark.parametrize(
    "wrong", ["interval: 0", "interval: [", "nonsense: 1", "tags: ['A B']"],
)  # fmt: skip
def test_a_file_that_is_wrong_changes_nothing(services, servers, wrong):
    (one, _), (url, _) = servers
    content = f"services:\n  - service: good\n  - service: bad\n    {wrong}\n"
    result = services("import", "-", stdin=content.encode(), url=url)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"kairos: {url}/api/v1/import: the server answered 4")
    assert one.get("/api/v1/services/good").status == 404


# Wrong usage


REFUSED = [
    [], ["list"], ["--url=x", "export"], ["export", "x"], ["export", "--format=toml"], ["export", "--status=x"],
    ["import"], ["import", "a", "b"], ["import", "--format=yaml", "a"], ["import", "--url=x", "a"], ["Export"],
]  # fmt: skip


@pytest.mark.parametrize("options", REFUSED, ids=" ".join)
def test_refused(kairos, options):
    result = kairos.run("services", *options)
    assert (result.returncode, result.stdout) == (2, "")
    message, hint, *_ = result.stderr.splitlines()
    assert message.startswith("kairos services") and message.isprintable()
    assert hint.startswith("Try `kairos services")
