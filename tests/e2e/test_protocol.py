"""HTTP itself: what clients may send in how many ways, what may not be sent, and what every answer
carries."""

import gzip
import json
import re
import socket

import pytest

from server import PATIENCE, Answer, Server, wait_until


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A server for tests that leave it as it was but for services of their own."""
    with Server(tmp_path_factory.mktemp("shared")) as server:
        yield server.ready()


def exchange(server, request, shut=False):
    """Sends bytes as they are, and gives all that comes back up to the end of the connection."""
    with server.socket() as connection:
        try:
            connection.sendall(request)
            if shut:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has seen enough
        return received(connection)


def received(connection):
    answer = b""
    try:
        while piece := connection.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def statuses(answer):
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d+) ", answer)]


def exists(server, name):
    return server.get(f"/api/v1/services/{name}").status == 200


CLOSE = b"Connection: close\r\n\r\n"


# What a body may look like


def chunked(*lines):
    head = b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(lines)


@pytest.mark.parametrize(
    "lines",
    [
        [b"12\r\n", b'{"service":"chunk"}'[:18], b"\r\n1\r\n}\r\n0\r\n\r\n"],
        [b"0013\r\n", b'{"service":"chunk"}', b"\r\n0\r\n\r\n"],
        [b'13;name=value;quoted="a b"\r\n', b'{"service":"chunk"}', b"\r\n0;last\r\n\r\n"],
        [b"13\r\n", b'{"service":"chunk"}', b"\r\n0\r\nTrailer: one\r\nOther: two\r\n\r\n"],
        [b'13\r\n{"service":"chunk"}\r\n', b"0\r\nContent-Length: 5\r\n\r\n"],
    ],
    ids=["two", "zeros", "extensions", "trailers", "length in a trailer"],
)
def test_chunks(shared, lines):
    answer = exchange(shared, chunked(*lines))
    assert statuses(answer) == [200]
    assert b'"accepted":1' in answer


@pytest.mark.parametrize(
    "lines",
    [
        [b"x\r\n{}\r\n0\r\n\r\n"],
        [b"-1\r\n{}\r\n0\r\n\r\n"],
        [b"\r\n{}\r\n0\r\n\r\n"],
        [b'13\r\n{"service":"wrong"}0\r\n\r\n'],
        [b'10\r\n{"service":"wrong"}\r\n0\r\n\r\n'],
        [b'fffffffffffffffff\r\n{"service":"wrong"}\r\n0\r\n\r\n'],
        [b"1" * 70000],
        [b'13\r\n{"service":"wrong"}\r\n0\r\n', b"A: b\r\n" * 20000],
    ],
    ids=["no number", "negative", "empty", "no end", "too short", "too large", "endless",
         "endless trailers"],
)  # fmt: skip
def test_chunks_that_are_wrong(shared, lines):
    answer = exchange(shared, chunked(*lines), shut=True)
    assert all(status >= 400 for status in statuses(answer))
    assert not exists(shared, "wrong")
    assert shared.get("/health").status == 200


def test_body_in_single_bytes(shared):
    body = b'{"service":"bytes"}'
    with shared.socket() as connection:
        connection.sendall(b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\n")
        for byte in b"Content-Length: %d\r\n" % len(body) + CLOSE + body:
            connection.sendall(bytes([byte]))
        assert statuses(received(connection)) == [200]


def test_expect_100_continue(shared):
    body = b'{"service":"continue"}'
    with shared.socket() as connection:
        connection.sendall(b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                           b"Content-Length: %d\r\n" % len(body) + CLOSE)  # fmt: skip
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert b'"accepted":1' in received(connection)


def test_expect_100_continue_of_what_is_too_long(shared):
    """The body need not be sent."""
    answer = exchange(shared, b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\n"
                      b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")  # fmt: skip
    assert statuses(answer) == [413]


def test_aborted_uploads(shared):
    for size in (0, 1, 100, 10_000):
        with shared.socket() as connection:
            connection.sendall(b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\n"
                               b"Content-Length: 100000\r\n\r\n" + b" " * size)  # fmt: skip
    with shared.socket() as connection:
        connection.sendall(b'POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n'
                           b'[{"service":"aborted"},')  # fmt: skip
    assert shared.get("/health").status == 200
    assert not exists(shared, "aborted")


def test_half_closed(tmp_path):
    """Whoever has nothing more to say still gets his answers; and nobody waits for him for ever."""
    with Server(tmp_path, "--header-timeout", 1, "--body-timeout", 1) as server:
        server.ready()
        request = b"GET /ping/half HTTP/1.1\r\nHost: x\r\n\r\n"
        assert statuses(exchange(server, request, shut=True)) == [201]
        assert statuses(exchange(server, request * 3, shut=True)) == [200] * 3
        assert statuses(exchange(server, request[:-1], shut=True)) == []
        body = b'{"service":"half"}'
        head = b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        assert statuses(exchange(server, head % len(body) + body, shut=True)) == [200]
        assert statuses(exchange(server, head % 1000 + body, shut=True)) in ([], [400], [408])


def test_pipelined_requests_of_all_kinds(shared):
    body = b'{"service":"pipe"}'
    request = (b"GET /ping/pipe HTTP/1.1\r\nHost: x\r\n\r\n"
               b"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
               b"HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n"
               b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
               b"OPTIONS /ping/x HTTP/1.1\r\nHost: x\r\n\r\n") % (len(body), body)  # fmt: skip
    answer = exchange(shared, request * 20 + b"GET / HTTP/1.1\r\nHost: x\r\n" + CLOSE)
    assert statuses(answer)[1:] == ([200, 200, 200, 404, 204] * 20 + [200])[1:]


# HTTP/1.0


def test_http_1_0(shared):
    shared.get("/ping/old")
    answer = exchange(shared, b"GET /ping/old HTTP/1.0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nOK")
    assert re.match(rb"HTTP/1\.[01] 200 ", answer)


def test_http_1_0_that_keeps_the_connection(shared):
    shared.get("/ping/old")
    request = b"GET /ping/old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    with shared.socket() as connection:
        for _ in range(3):
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"OK"):
                answer += connection.recv(4096)
            assert b"connection: keep-alive" in answer.lower()


def test_http_1_0_with_a_body(shared):
    answer = exchange(shared, b"POST /api/v1/heartbeats HTTP/1.0\r\nContent-Length: 17\r\n\r\n"
                      b'{"service":"old"}')  # fmt: skip
    assert b'"accepted":1' in answer


# What may not be sent

SECOND = b"GET /ping/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("method", [b"GET", b"POST", b"PATCH", b"DELETE", b"BREW", b"OPTIONS"])
@pytest.mark.parametrize(
    "fields",
    [
        [b"Content-Length: 5", b"Content-Length: 5"],
        [b"Content-Length: 0", b"Content-Length: 40"],
        [b"Content-Length: 4", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 4"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"],
        [b"Transfer-Encoding: gzip, chunked"],
        [b"Transfer-Encoding: xchunked"],
        [b"Transfer-Encoding: chunked, identity"],
        [b"Transfer-Encoding:"],
        [b"Content-Length: +5"],
        [b"Content-Length: 5, 5"],
        [b"Content-Length: 0x5"],
        [b"Content-Length: -1"],
        [b"Content-Length:"],
        [b"Content-Length : 5"],
        [b"Transfer-Encoding : chunked"],
        [b"Transfer-Encoding\x0b: chunked"],
        [b"Transfer-Encoding: \x0bchunked"],
        [b"Host: other"],
        [b"A B: two words"],
        [b"\x01: control"],
        [b"Caf\xc3\xa9: no token"],
        [b"A: \x01control"],
        [b"A: \x7fcontrol"],
        [b"no colon"],
    ],
)
def test_what_could_hide_a_second_request(shared, method, fields):
    head = method + b" /ping/first HTTP/1.1\r\nHost: x\r\n" + b"\r\n".join(fields) + b"\r\n\r\n"
    answer = exchange(shared, head + b"0\r\n\r\n" + SECOND, shut=True)
    assert set(statuses(answer)) <= {400, 413}
    assert not exists(shared, "smuggled")
    assert not exists(shared, "first")


def test_chunks_in_http_1_0(shared):
    answer = exchange(shared, b"POST /ping/first HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
                      b"0\r\n\r\n" + SECOND, shut=True)  # fmt: skip
    assert statuses(answer) == [400]
    assert not exists(shared, "smuggled")


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        (b"Content-Length: 0\r\nContent-Length: 0", "more than one Content-Length"),
        (b"Transfer-Encoding: gzip", "chunked alone"),
        (b"A B: c", "name"),
        (b"A: \x01", "control character"),
    ],
)
def test_a_refusal_says_why(shared, fields, detail):
    answer = exchange(shared, b"GET /health HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in head.lower()
    assert detail in json.loads(body)["detail"]


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (b"GET /ping/" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414, 431)),
        (b"GET /health HTTP/1.1\r\nA: " + b"b" * 100_000 + b"\r\n\r\n", (431,)),
        (b"GET /health HTTP/1.1\r\n" + b"A: b\r\n" * 20_000 + b"\r\n", (431,)),
    ],
    ids=["path", "one field", "many fields"],
)
def test_huge_headers(shared, request_bytes, expected):
    found = statuses(exchange(shared, request_bytes))
    assert found == [] or found[0] in expected
    assert shared.get("/health").status == 200


def test_fields_that_are_odd_and_harmless(shared):
    fields = {"!#$%&'*+-.^_`|~": "token", "Empty": "", "Text": "caf\xe9 \t ok", "Long": "x" * 8000,
              "Accept-Encoding": ";;,,q=;=", "X-Forwarded-For": ",,,", "Cookie": "a=b; c=\"d"}  # fmt: skip
    fields["Nul"] = "a\0Content-Length: 5"  # of which the library sees no more than the beginning
    fields |= {f"Field-{i}": "value" for i in range(100)}
    assert shared.get("/health", headers=fields).status == 200


# OPTIONS


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/", "GET, HEAD, OPTIONS"),
        ("/ping/x", "GET, HEAD, POST, OPTIONS"),
        ("/api/v1/heartbeats", "POST, OPTIONS"),
        ("/api/v1/services/x", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
    ],
)
def test_options(shared, path, allow):
    answer = shared.request("OPTIONS", path)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Allow"] == allow


def test_options_of_the_server(shared):
    answer = exchange(shared, b"OPTIONS * HTTP/1.1\r\nHost: x\r\n" + CLOSE)
    assert statuses(answer) == [204]
    assert b"\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" in answer


def test_options_of_every_path(shared):
    for endpoint in shared.get("/").json["endpoints"]:
        answer = shared.request("OPTIONS", re.sub(r"{\w+}", "x", endpoint["path"]))
        assert answer.status == 204
        assert set(endpoint["methods"]) <= set(answer.headers["Allow"].split(", "))
        assert ("GET" in endpoint["methods"]) == ("HEAD" in endpoint["methods"])


def test_options_of_no_path(shared):
    assert shared.request("OPTIONS", "/nowhere").status == 404
    assert shared.request("OPTIONS", "/ping/x", b"a body" * 1000).status == 204


# What every answer carries


def test_request_id(shared):
    made = [shared.get("/health").headers["X-Request-Id"] for _ in range(20)]
    assert all(re.fullmatch("[0-9a-f]{16}", text) for text in made)
    assert len(set(made)) == 20
    for text in ("x", "A.b_c-9", "a" * 64):
        for path in ("/health", "/nowhere", "/ping/id"):
            assert shared.get(path, headers={"X-Request-Id": text}).headers["X-Request-Id"] == text
    for text in ("", "a" * 65, "a b", "a\"b", "caf\xe9", "a/b"):
        answer = shared.get("/health", headers={"X-Request-Id": text})
        assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-Id"])


def test_pings_carry_an_id_only_if_they_were_given_one(shared):
    shared.get("/ping/id")
    assert shared.get("/ping/id").headers["X-Request-Id"] is None
    answer = shared.get("/ping/id", headers={"X-Request-Id": "mine"})
    assert (answer.text, answer.headers["X-Request-Id"]) == ("OK", "mine")
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_answer_is_to_be_guessed_at(shared):
    for method, path in [("GET", "/health"), ("GET", "/nowhere"), ("GET", "/ping/a%20b"),
                         ("DELETE", "/health"), ("GET", "/metrics")]:  # fmt: skip
        assert shared.request(method, path).headers["X-Content-Type-Options"] == "nosniff"


# gzip


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True), ("GZIP", True), ("br, gzip", True), ("*", True),
        ("gzip;q=0.001", True), ("gzip ; q=1", True), ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*;q=0.1, gzip;q=0", False), ("gzip;q=0", False), ("gzip;q=0.000", False), ("*;q=0", False),
        ("identity", False), ("", False), ("gzipped", False), (None, False),
        ("br", False), ("deflate", False),
    ],
)  # fmt: skip
def test_accept_encoding(shared, accepted, compressed):
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    answer = shared.get("/metrics", headers={"Accept-Encoding": "identity"} | headers)
    assert answer.headers["Content-Encoding"] == ("gzip" if compressed else None)
    assert answer.headers["Vary"] == "Accept-Encoding"
    body = gzip.decompress(answer.body) if compressed else answer.body
    assert body.startswith(b"# HELP kairos_build_info")


def test_what_is_short_or_long_is_sent_as_it_is(shared):
    headers = {"Accept-Encoding": "gzip"}
    shared.get("/ping/gz")
    for path in ("/ping/gz", "/health", "/nowhere", "/api/v1/services/gz"):
        answer = shared.get(path, headers=headers)
        assert answer.headers["Content-Encoding"] is None
        assert answer.headers["Vary"] is None
    shared.beat(*({"service": f"service-{'x' * 80}-{i}"} for i in range(1000)))
    page = shared.get("/api/v1/services?limit=200", headers=headers)
    assert page.headers["Content-Encoding"] == "gzip"
    listed = json.loads(gzip.decompress(page.body))["services"]
    assert len(listed) == 200
    head = shared.request("HEAD", "/api/v1/services?limit=200", headers=headers)
    assert head.headers["Content-Length"] == str(len(page.body)) or head.body == b""


def test_curl_decompresses(shared):
    import subprocess

    command = ["curl", "-sS", "--compressed", f"http://127.0.0.1:{shared.port}/metrics"]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE)
    assert done.stdout.startswith(b"# HELP ")
