"""TLS at the address: real clients, certificates that are wrong, and one that is renewed."""

import os
import re
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from conftest import KAIROS, run
from metrics import samples
from server import PATIENCE, wait_until


class Certificate:
    """A certificate for 127.0.0.1 that signs itself, and its key, in files of FOLDER."""

    def __init__(self, folder, name="server"):
        self.file, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        self.renew()

    def renew(self):
        """Makes another one in its place."""
        run_openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-keyout", self.key, "-out", self.file, "-days", "30",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")  # fmt: skip
        self.key.chmod(0o600)

    @property
    def options(self):
        return ["--tls-cert", self.file, "--tls-key", self.key]

    def context(self):
        """Whom a client trusts."""
        context = ssl.create_default_context(cafile=self.file)
        context.check_hostname = False
        return context

    @property
    def der(self):
        return ssl.PEM_cert_to_DER_cert(self.file.read_text())


def run_openssl(*arguments, **options):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                          timeout=PATIENCE, **options)  # fmt: skip


@pytest.fixture
def certificate(tmp_path):
    return Certificate(tmp_path)


@pytest.fixture
def start(launch, certificate):
    """Starts servers with the certificate, and ends them with the test."""

    def start_one(*options, **popen):
        popen.setdefault("tls", certificate.context())
        return launch(*certificate.options, *options, **popen).listening()

    return start_one


def test_curl(start, certificate):
    server = start()
    url = f"https://127.0.0.1:{server.port}/ping/tls"
    result = run(["curl", "-sS", "--cacert", certificate.file, url, url], b"")
    assert (result.returncode, result.stdout) == (0, "CreatedOK")
    assert server.lines("listening")[0]["tls"] == "on"
    assert server.lines("tls_key") == server.lines("tls_certificate") == []
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("version", "spoken"), [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)]
)
def test_versions(start, version, spoken):
    server = start()
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", version, "-quiet",
               "-cipher", "ALL:@SECLEVEL=0"]  # fmt: skip
    request = b"GET /ping/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    done = subprocess.run(command, input=request, capture_output=True, timeout=PATIENCE)
    assert done.stdout.startswith(b"HTTP/1.1 201 Created") == spoken, done.stderr


def test_what_a_client_may_do(start):
    server = start()
    connection = server.connect()
    for status in (201, 200, 200):
        assert server.get("/ping/kept", connection=connection).status == status
    body = [{"service": f"s{i}"} for i in range(50_000)]
    assert server.beat(*body, connection=connection).json["created"] == 50_000
    listing = server.get("/api/v1/services?limit=1000", connection=connection)
    assert len(listing.json["services"]) == 1000
    connection.close()
    assert server.raw(b"GET /ping/kept HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == 200


def test_plain_http_is_not_answered(start):
    server = start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as plain:
        plain.sendall(b"GET /ping/plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b""
        try:
            while piece := plain.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        assert b"HTTP/1.1" not in received
    assert server.get("/ping/other").status == 201
    assert server.get("/api/v1/services/plain").status == 404


def test_unix_socket_stays_plain(start, tmp_path):
    link = f"/tmp/kairos-test-tls-{os.getpid()}"
    os.symlink(tmp_path, link)
    try:
        start("--unix-socket", f"{link}/socket")
        command = ["curl", "-sS", "--unix-socket", f"{link}/socket", "http://kairos/ping/local"]
        assert run(command, b"").stdout == "Created"
    finally:
        os.unlink(link)


def test_term_answers_what_is_under_way(start):
    server = start("--threads", 1)
    body = b'{"service":"slow"}'
    with server.socket() as upload:
        head = f"POST /api/v1/heartbeats HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        upload.sendall(head.encode() + body[:5])
        assert server.get("/ping/other").status == 201
        server.signal(signal.SIGTERM)
        server.line("stopping")
        upload.sendall(body[5:])
        answer = b""
        while received := upload.recv(65536):
            answer += received
    assert answer.startswith(b"HTTP/1.1 200 OK") and b'"accepted":1' in answer
    assert server.process.wait(PATIENCE) == 0


def shown(server):
    """The certificate that a new connection gets to see."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as plain:
        with context.wrap_socket(plain) as connection:
            return connection.getpeercert(binary_form=True)


def test_certificate_that_is_renewed(start, certificate):
    """While connections are open, of which some are idle and one is sending."""
    server = start("--threads", 2)
    first = certificate.der
    assert shown(server) == first
    kept = [server.connect() for _ in range(5)]
    for connection in kept:
        assert server.get("/ping/kept", connection=connection).status in (200, 201)
    for _ in range(3):
        before = certificate.der
        certificate.renew()
        assert shown(server) == before != certificate.der
        server.signal(signal.SIGHUP)
        wait_until(lambda: shown(server) == certificate.der, "the new certificate")
        for connection in kept:
            assert server.get("/ping/kept", connection=connection).status == 200
    server.tls = certificate.context()
    assert server.get("/ping/new").status == 201
    assert server.stop() == 0


def test_renewal_that_fails_changes_nothing(start, certificate):
    server = start()
    shown_before = shown(server)
    good = certificate.file.read_text(), certificate.key.read_text()
    for cert, key in [("nonsense", good[1]), (good[0], "nonsense"), (good[0][:300], good[1]), ("", "")]:
        certificate.file.write_text(cert)
        certificate.key.write_text(key)
        failures = server.log.count("--tls-")
        server.signal(signal.SIGHUP)
        wait_until(lambda: server.log.count("--tls-") > failures, "a failure in the log")
        assert shown(server) == shown_before
        assert server.get("/health").status == 200


def refused(folder, *options):
    command = [KAIROS, "serve", "--port", "0", "--data-dir", folder / "d", *map(str, options)]
    return run(command, b"")


def test_one_file_alone(tmp_path, certificate):
    for options in (certificate.options[:2], certificate.options[2:]):
        result = refused(tmp_path, *options)
        assert result.returncode == 2
        assert "--tls-cert and --tls-key" in result.stderr


def test_files_that_do_not_do(tmp_path, certificate):
    other = Certificate(tmp_path, "other")
    for cert, key, message in [
        ("nowhere.pem", certificate.key, "--tls-cert: cannot read nowhere.pem"),
        (certificate.file, "nowhere.key", "--tls-key: cannot read nowhere.key"),
        (certificate.key, certificate.key, "--tls-cert: no chain of PEM certificates"),
        (certificate.file, certificate.file, "--tls-key: no PEM private key"),
        (certificate.file, other.key, "is not that of the certificate"),
        (tmp_path, certificate.key, "--tls-cert: cannot read"),
        ("/dev/zero", certificate.key, "--tls-cert: cannot read /dev/zero"),
    ]:
        result = refused(tmp_path, "--tls-cert", cert, "--tls-key", key)
        assert result.returncode == 1
        assert message in result.stderr


def test_tls_alone_lets_nobody_in(tmp_path, certificate):
    result = refused(tmp_path, "--host", "0.0.0.0", *certificate.options)
    assert result.returncode == 2
    assert "--insecure-no-auth" in result.stderr


def test_key_that_everybody_can_read(start, certificate):
    certificate.key.chmod(0o644)
    server = start()
    assert str(certificate.key) in server.line("tls_key")["file"]


def test_certificate_that_has_expired(start, certificate):
    request = certificate.file.with_suffix(".csr")
    run_openssl("req", "-new", "-key", certificate.key, "-out", request, "-subj", "/CN=localhost")
    run_openssl("x509", "-req", "-in", request, "-signkey", certificate.key, "-days", "-1",
                "-out", certificate.file)  # fmt: skip
    server = start()
    assert re.fullmatch(r"20\d\d-.*Z", server.line("tls_certificate")["expired_at"])
    assert server.process.poll() is None


class Shaker:
    """A client's side of a handshake, of which each flight is sent as the test wants it."""

    def __init__(self, server, version=ssl.TLSVersion.TLSv1_3):
        context = server.tls
        context.maximum_version = version
        self.received, self.to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.received, self.to_send)
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do(self, action, *arguments):
        """Does ACTION, as far as it can be with what was received; returns what is to be sent."""
        try:
            action(*arguments)
            return True, self.to_send.read()
        except ssl.SSLWantReadError:
            return False, self.to_send.read()

    def shake(self, send):
        """Shakes hands, each flight but the last going through SEND; returns the last one."""
        while True:
            done, flight = self.do(self.tls.do_handshake)
            if done:
                return flight
            send(flight)
            self.received.write(self.socket.recv(65536))

    def answer(self):
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.received.write(self.socket.recv(65536))


def rests(server):
    """How often the first worker has had nothing to do."""
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        if (task / "comm").read_text() == "worker-0\n":
            found = re.search(r"^voluntary_ctxt_switches:\s(\d+)", (task / "status").read_text(),
                              re.MULTILINE)  # fmt: skip
            return int(found.group(1))
    return pytest.fail("there is no worker")


@pytest.mark.parametrize("size", [0, 1, 6, 100, 10_000])
def test_an_unfinished_handshake_costs_nothing(start, size):
    """Whoever says nothing more may not keep a worker from its rest, nor from what others send."""
    server = start("--threads", "1")
    shaker = Shaker(server)
    shaker.socket.sendall(shaker.do(shaker.tls.do_handshake)[1][:size])
    if size == 10_000:
        assert shaker.socket.recv(1) != b""
    before = rests(server)
    wait_until(lambda: rests(server) > before + 10, "a worker that rests")
    assert server.get("/ping/x").status == 201
    assert server.stop() == 0


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_handshake_in_single_bytes(start, version):
    server = start("--threads", "1")
    shaker = Shaker(server, version)

    def send(flight):
        for byte in flight:
            shaker.socket.sendall(bytes([byte]))

    send(shaker.shake(send))
    send(shaker.do(shaker.tls.write, b"GET /ping/x HTTP/1.1\r\nHost: x\r\n\r\n")[1])
    assert shaker.answer().startswith(b"HTTP/1.1 201")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_request_together_with_the_end_of_the_handshake(start, version):
    server = start("--threads", "1")
    shaker = Shaker(server, version)
    last = shaker.shake(shaker.socket.sendall)
    request = shaker.do(shaker.tls.write, b"GET /ping/x HTTP/1.1\r\nHost: x\r\n\r\n")[1]
    shaker.socket.sendall(last + request)
    assert shaker.answer().startswith(b"HTTP/1.1 201")


def test_clients_that_leave_in_the_middle_of_their_handshake(start):
    server = start("--threads", "1")
    for _ in range(20):
        shaker = Shaker(server)
        shaker.socket.sendall(shaker.do(shaker.tls.do_handshake)[1][:100])
        shaker.socket.close()
    wait_until(lambda: samples(server)["kairos_http_connections", None] <= 1, "nobody but us")
    assert server.stop() == 0


def test_requests_that_wait_for_a_job(start):
    """Suspended as well, but for another reason."""
    server = start("--threads", "1")
    log = b'{"service":"a","timestamp":"2025-08-04T10:00:00Z"}\n' * 100_000
    kept = server.connect()
    for connection in (kept, None, None, kept, None, kept):
        answer = server.post("/monitor", log, connection=connection)
        assert (answer.status, answer.json["validation"]["total_events"]) == (200, 100_000)
    assert server.stop() == 0
