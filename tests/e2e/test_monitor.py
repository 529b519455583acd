"""POST /monitor: the analysis of a log that is sent."""

import contextlib
import gzip
import http.client
import json
import resource
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from documents import gz, zst
from model import BadInput, count_alerts, detect, full_alerts, moment_of_text, read
from server import PATIENCE, Server, wait_until

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "events.json"
LOG = SAMPLE.read_bytes()
BOUNDARY = "----boundary"
ALERT = {
    "service": "push",
    "alert_at": "2025-08-04T10:05:00Z",
    "missed_count": 3,
    "last_seen": "2025-08-04T10:02:00Z",
}
MAX_ALERTS = 2000


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("shared")) as server:
        yield server.ready()


def each(names, rows):
    """The rows are called by their numbers: compressed bodies are others in each process."""
    return pytest.mark.parametrize(names, rows, ids=map(str, range(len(rows))))


def part(name, value, extra="", newline="\r\n"):
    value = value if isinstance(value, bytes) else str(value).encode()
    head = f'Content-Disposition: form-data; name="{name}"{extra}{newline}{newline}'
    return head.encode() + value


def form(*parts, newline="\r\n", boundary=BOUNDARY):
    line = newline.encode()
    delimiter = b"--" + boundary.encode()
    body = b"".join(delimiter + line + each + line for each in parts)
    return body + delimiter + b"--" + line


def send(server, body, query="", content_type=f"multipart/form-data; boundary={BOUNDARY}",
         **headers):  # fmt: skip
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    if content_type:
        headers["Content-Type"] = content_type
    return server.request("POST", f"/monitor{query}", body, headers)


def check_sample(result):
    assert result["alerts"] == [ALERT]
    assert result["services_monitored"] == ["email", "sms", "push"]
    validation = result["validation"]
    assert (validation["total_events"], validation["valid_events"]) == (29, 26)
    assert validation["invalid_events"] == 3
    assert sum(validation["skipped_reasons"].values()) == 3
    assert validation["errors"][0] == 'Event 11: missing_timestamp - the key "timestamp" is missing'
    assert result["monitoring_duration_ms"] >= 0


# ---- Real clients ----


@pytest.fixture(scope="module")
def run():
    def run(*command):
        result = subprocess.run(command, capture_output=True, timeout=PATIENCE, text=True)
        assert result.returncode == 0, result
        return json.loads(result.stdout)

    return run


@pytest.mark.parametrize("fields_first", (True, False))
@pytest.mark.parametrize("expect", ("Expect:", "Expect: 100-continue"))
def test_curl(shared, run, fields_first, expect):
    fields = ["--form", "interval=60s", "--form", "allowed_misses=3", "--form", "tolerance=0"]
    file = ["--form", f"file=@{SAMPLE}"]
    order = fields + file if fields_first else file + fields
    check_sample(run("curl", "-sS", "-H", expect, *order, f"http://127.0.0.1:{shared.port}/monitor"))


def test_curl_sends_the_log_alone(shared, run):
    url = f"http://127.0.0.1:{shared.port}/monitor?interval=60"
    check_sample(run("curl", "-sS", "--data-binary", f"@{SAMPLE}", url))
    check_sample(run("curl", "-sS", "-T", str(SAMPLE), "-X", "POST", url))
    check_sample(run("curl", "-sS", "-T", str(SAMPLE), "-X", "POST", "-H", "Content-Length:",
                     "-H", "Transfer-Encoding: chunked", url))  # fmt: skip


def test_wget(shared, run):
    check_sample(run("wget", "-qO-", f"--post-file={SAMPLE}",
                     f"http://127.0.0.1:{shared.port}/monitor"))  # fmt: skip


def test_requests(shared, run):
    script = (
        "import requests, sys\n"
        "url, path = sys.argv[1:]\n"
        "answer = requests.post(url, files={'file': open(path, 'rb')}, data={'interval': '60'})\n"
        "sys.stdout.write(answer.text)\n"
    )
    url = f"http://127.0.0.1:{shared.port}/monitor"
    check_sample(run("/usr/bin/python3", "-c", script, url, str(SAMPLE)))


def test_fetch(shared, run):
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    script = (
        "const [url, path] = process.argv.slice(-2);\n"
        "const form = new FormData();\n"
        "form.append('file', new Blob([require('fs').readFileSync(path)]), 'naïve \"x\".json');\n"
        "form.append('interval', '1m');\n"
        "fetch(url, {method: 'POST', body: form}).then(a => a.text()).then(t => "
        "process.stdout.write(t));\n"
    )
    url = f"http://127.0.0.1:{shared.port}/monitor"
    check_sample(run("node", "-e", script, "--", url, str(SAMPLE)))


# ---- The same as the command ----


def terms_of(log):
    """The terms of LOG, as the model has them, by the names that /monitor has."""
    terms = {"max_alerts": MAX_ALERTS}
    for option in log.options:
        name, _, value = option.partition("=")
        terms[name.lstrip("-").replace("-", "_")] = value
    del terms["threads"]
    return terms


def query_of(terms):
    pairs = (f"{key}={str(value).replace('+', '%2B').replace(' ', '%20')}"
             for key, value in terms.items())  # fmt: skip
    return "?" + "&".join(pairs)


def compare(shared, log, way, answer):
    try:
        expected = read(log.document)
    except BadInput:
        assert answer.status == 400, (way, answer)
        assert "byte" in answer.detail
        return
    until = None if log.until is None else moment_of_text(log.until)
    alerts = count_alerts(expected, log.policy, until)
    if alerts > MAX_ALERTS:
        assert answer.status == 422 and answer.detail.startswith("max_alerts: ")
        return
    assert answer.status == 200, (way, answer)
    result = answer.json
    assert result["alerts"] == full_alerts(detect(expected, log.policy, until))
    assert result["services_monitored"] == expected.services
    validation = result["validation"]
    assert validation["total_events"] == expected.total
    assert validation["valid_events"] == expected.valid
    assert len(validation["errors"]) == min(100, len(expected.skipped))


@given(log=st.one_of(strategies.arrays(), strategies.ndjson(), strategies.damaged_arrays()),
       way=st.sampled_from(("query", "before", "behind", "around")))  # fmt: skip
def test_the_same_as_the_model(shared, log, way):
    terms = terms_of(log)
    file = part("file", log.document, '; filename="x"')
    if way == "query":
        answer = send(shared, log.document, query_of(terms), "application/json")
    else:
        fields = [part(key, value) for key, value in terms.items()]
        cut = {"before": len(fields), "behind": 0, "around": len(fields) // 2}[way]
        answer = send(shared, form(*fields[:cut], file, *fields[cut:]))
    compare(shared, log, way, answer)


def test_the_same_as_the_output_of_the_command(shared, kairos, tmp_path):
    events = [{"service": f"s{i % 7}", "timestamp": 1754300000 + i * i % 9973 * 13}
              for i in range(3000)]  # fmt: skip
    log = json.dumps(events).encode()
    (tmp_path / "log").write_bytes(log)
    kairos.run("--file", tmp_path / "log", "--interval=7", "--output", tmp_path / "out")
    output = json.loads((tmp_path / "out").read_text())
    assert len(output) > 100
    assert send(shared, form(part("file", log), part("interval", "7"))).json["alerts"] == output
    assert send(shared, log, "?interval=7s", "text/plain").json["alerts"] == output


# ---- Forms ----


@each(
    "body",
    (
        form(part("file", LOG), newline="\n").replace(b"\r\n", b"\n"),
        b"preamble\r\nof two lines\r\n" + form(part("file", LOG)) + b"epilogue\r\n--" * 9,
        form(part("file", LOG)).rstrip(b"\r\n"),
        form(part("file", LOG)).replace(b'name="file"', b"name=file"),
        form(part("file", LOG)).replace(b"Content-Disposition", b"content-DISPOSITION"),
        form(part("file", LOG)).replace(b"form-data; ", b"form-data;\r\n\t filename=\"a;\\\"b\"; "),
        form(b"Content-Type: application/json\r\nX-Odd: 1\r\n" + part("file", LOG)),
        form(part("file", LOG)).replace(b"boundary\r\n", b"boundary \t\r\n"),
        form(part("interval", ""), part("file", LOG)),
        form(part("file", gz(LOG))),
        form(part("file", zst(LOG))),
        form(part("file", gz(LOG[:100]) + gz(LOG[100:]))),
    ),
)
def test_forms(shared, body):
    check_sample(send(shared, body).json)


def test_a_boundary_in_quotes(shared):
    content_type = "Multipart/Form-Data; charset=x; boundary=\"a b'()+_,-./:=?\""
    check_sample(send(shared, form(part("file", LOG), boundary="a b'()+_,-./:=?"),
                      content_type=content_type).json)  # fmt: skip


def test_compressed_bodies(shared):
    for pack, name in ((gz, "gzip"), (gz, "x-gzip"), (zst, "zstd"), (bytes, "identity")):
        body = pack(form(part("file", LOG), part("interval", "60")))
        check_sample(send(shared, body, Content_Encoding=name).json)
    check_sample(send(shared, gz(gz(LOG)), content_type=None, Content_Encoding="gzip").json)
    check_sample(send(shared, gz(LOG), content_type="application/gzip").json)
    check_sample(send(shared, zst(LOG), content_type=None).json)





@each(
    ("status", "word", "body"),
    (
        (422, "file", b"--" + BOUNDARY.encode() + b"--\r\n"),
        (422, "file", form(part("interval", "60"))),
        (422, "file", form(part("file", LOG), part("file", LOG))),
        (422, "'log'", form(part("log", LOG))),
        (422, "interval", form(part("interval", "0"), part("file", LOG))),
        (422, "1ms to 366d", form(part("file", LOG), part("interval", "367d"))),
        (422, "interval", form(part("interval", "60"), part("interval", "61"), part("file", LOG))),
        (422, "allowed_misses", form(part("file", LOG), part("allowed_misses", "0"))),
        (422, "1000000", form(part("file", LOG), part("allowed_misses", "1000001"))),
        (422, "tolerance", form(part("file", LOG), part("tolerance", "-1"))),
        (422, "until", form(part("file", LOG), part("until", "yesterday"))),
        (422, "max_alerts", form(part("file", LOG), part("max_alerts", "0"))),
        (422, "max_alerts", form(part("file", LOG), part("max_alerts", "1000001"))),
        (422, "interval", form(part("interval", "6" * 3000), part("file", LOG))),
        (422, "interval", form(part("interval", b"60\0"), part("file", LOG))),
        (400, "boundary", b""),
        (400, "boundary", LOG),
        (400, "boundary", form(part("file", LOG))[:-8]),
        (400, "boundary", form(part("file", LOG))[:300]),
        (400, "boundary", form(part("file", LOG), boundary="another")),
        (400, "header", form(b"X: " + b"x" * 3_000_000 + b"\r\n" + part("file", LOG))),
        (400, "Disposition", form(b"\r\n" + LOG)),
        (400, "Disposition", form(part("file", LOG)).replace(b"form-data; ", b"attachment; ")),
        (400, "name", form(part("file", LOG)).replace(b'; name="file"', b"")),
        (400, "NUL", form(part("file", LOG)).replace(b'"file"', b'"fi\0le"')),
        (400, "Encoding", form(b"Content-Transfer-Encoding: base64\r\n" + part("file", LOG))),
        (400, "parts", form(b"Content-Type: multipart/mixed; boundary=b\r\n" + part("file", LOG))),
        (400, "line 1, column 1, byte 1: the input is empty", form(part("file", b""))),
        (400, "file: line 2, column 3, byte 5: ", form(part("file", b"[\n  x]"))),
        (400, "complete", form(part("file", gz(LOG)[:-9]))),
        (400, "complete", form(part("file", zst(LOG)[:-9]))),
        (400, "gzip", form(part("file", b"\x1f\x8b" + LOG))),
        (400, "name", form(part("n" * 300, LOG))),
    ),
)
def test_what_is_wrong_with_a_form(shared, status, word, body):
    answer = send(shared, body)
    assert answer.status == status, answer
    assert word in answer.detail


@each(
    ("status", "word", "body", "query", "headers"),
    (
        (400, "body: line 1, column 1, byte 1: the input is empty", b"", "", {}),
        (400, "body: line 1, column 2, byte 2: ", b"[x", "", {}),
        (400, "intervall", LOG, "?intervall=60", {}),
        (422, "interval", LOG, "?interval=1us", {}),
        (422, "tolerance", LOG, "?tolerance=366d1", {}),
        (422, "max_alerts: 1 alerts are more than 0", LOG, "?max_alerts=0", {}),
        (415, "br", LOG, "", {"Content_Encoding": "br"}),
        (415, "gzip", LOG, "", {"Content_Encoding": "gzip, gzip"}),
        (400, "gzip", LOG, "", {"Content_Encoding": "gzip"}),
        (400, "complete", gz(LOG)[:-1], "", {"Content_Encoding": "gzip"}),
    ),
)
def test_what_is_wrong_with_a_log(shared, status, word, body, query, headers):
    answer = send(shared, body, query, "application/json", **headers)
    assert answer.status == status, answer
    assert word in answer.detail


def test_both_ways_may_say_the_same(shared):
    body = form(part("interval", "1m"), part("file", LOG), part("until", "2025-08-04T12:00:00+02:00"))
    assert send(shared, body, "?interval=60&until=2025-08-04T10:00:00Z").json["alerts"] == []
    answer = send(shared, body, "?interval=61")
    assert (answer.status, answer.detail.partition(":")[0]) == (422, "interval")
    answer = send(shared, body, "?until=now")
    assert (answer.status, answer.detail.partition(":")[0]) == (422, "until")


def test_content_types_without_a_boundary(shared):
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=",
                         "multipart/form-data; boundary=" + "b" * 71,
                         'multipart/form-data; boundary="a\tb"'):  # fmt: skip
        answer = send(shared, form(part("file", LOG)), content_type=content_type)
        assert answer.status == 400 and "boundary" in answer.detail


def test_100_000_parts(shared):
    answer = send(shared, form(*[part("interval", "60")] * 100_000, part("file", LOG)))
    check_sample(answer.json)
    answer = send(shared, form(*[part(f"p{i}", "x") for i in range(100_000)]))
    assert answer.status == 422 and "'p0'" in answer.detail


def test_pieces_of_any_size(shared):
    body = form(part("interval", "60"), part("file", LOG), part("tolerance", "0"))
    for size in (1, 7, 1000):
        with shared.socket() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(
                f"POST /monitor HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}"
                f"\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n".encode()
            )
            for at in range(0, len(body), size):
                connection.sendall(body[at : at + size])
            response = http.client.HTTPResponse(connection)
            response.begin()
            check_sample(json.loads(response.read()))


# ---- Bounds ----


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A server that takes 64 KiB."""
    with Server(tmp_path_factory.mktemp("small"), "--monitor-body-max", "64KiB") as server:
        yield server.ready()


def test_too_long(small):
    body = b"[" + b" " * 65534 + b"]"
    assert send(small, body, content_type=None).status == 200
    for longer in (body + b" ", body * 3):
        answer = send(small, longer, content_type=None)
        assert answer.status == 413 and "65536" in answer.detail
        answer = send(small, (longer[at : at + 8192] for at in range(0, len(longer), 8192)),
                      content_type=None)  # fmt: skip
        assert answer.status == 413 and "65536" in answer.detail


def test_bombs(small):
    bomb = gzip.compress(b"[" + b" " * 50_000_000)
    assert len(bomb) < 65536
    for body, headers in ((bomb, {}), (bomb, {"Content_Encoding": "gzip"}),
                          (gzip.compress(bomb), {"Content_Encoding": "gzip"})):  # fmt: skip
        answer = send(small, body, content_type=None, **headers)
        assert answer.status == 413 and "decompressed" in answer.detail, answer
    assert send(small, form(part("file", bomb))).status == 413
    fits = gzip.compress(b"[" + b" " * (4 * 65536 - 2) + b"]")
    assert send(small, fits, content_type=None).status == 200


def test_options_of_it(kairos):
    for value in ("1023", "1099511627777", "1025GiB", "x"):
        result = kairos.run("serve", "--monitor-body-max", value)
        assert result.returncode == 2 and "--monitor-body-max" in result.stderr


# ---- Large ones ----


def big_log(events):
    return b"[" + b",\n".join(b'{"service": "s%d", "timestamp": %d}' % (i % 100, 1754300000 + i)
                              for i in range(events)) + b"]"  # fmt: skip


def test_heartbeats_are_answered_while_logs_are_analysed(shared):
    log = big_log(400_000)
    answers = []

    def upload():
        answers.append(send(shared, form(part("file", log), part("interval", "1ms")),
                            "?max_alerts=1000000"))  # fmt: skip

    threads = [threading.Thread(target=upload) for _ in range(3)]
    for thread in threads:
        thread.start()
    pings = 0
    while any(thread.is_alive() for thread in threads) or pings == 0:
        assert shared.get("/ping/push").status in (200, 201)
        pings += 1
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [422] * 3


def test_a_large_answer(shared):
    log = b'[{"service":"a","timestamp":0},{"service":"a","timestamp":200000}]'
    answer = send(shared, log, "?interval=1&allowed_misses=1", "application/json")
    alerts = answer.json["alerts"]
    assert len(alerts) == 199_999
    assert alerts[-1]["alert_at"] == "1970-01-03T07:33:19Z"


def test_aborted_uploads(shared):
    body = form(part("file", big_log(50_000)))
    for cut in (0, 10, 1000, len(body) // 2, len(body) - 1):
        with shared.socket() as connection:
            connection.sendall(
                f"POST /monitor HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
                f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n".encode()
                + body[:cut]
            )
    check_sample(send(shared, form(part("file", LOG))).json)


def test_the_server_stops_amid_an_upload(tmp_path):
    with Server(tmp_path) as server:
        server.ready()
        with server.socket() as connection:
            connection.sendall(
                f"POST /monitor HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n"
                f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n".encode()
                + form(part("file", big_log(50_000)))
            )
            assert server.stop(PATIENCE) == 0


def test_too_much_at_once(small):
    """Uploads that are under way, and go no further, hold memory; those that follow have to wait."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    head = b"POST /monitor HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" + b" " * 9000
    with contextlib.ExitStack() as stack:
        answer = send(small, LOG, content_type=None)
        for _ in range(60):
            if answer.status != 200:
                break
            for _ in range(50):
                stack.enter_context(small.socket()).sendall(head)
            answer = send(small, LOG, content_type=None)
        assert answer.status == 503, answer
        assert int(answer.headers["Retry-After"]) > 0 and "try again" in answer.detail
        assert small.get("/ping/push").status in (200, 201)
    wait_until(lambda: send(small, LOG, content_type=None).status == 200, "room for a log")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
