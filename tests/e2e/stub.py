"""A server of the test's own, that behaves as badly as it is told to."""

import json
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from server import wait_until

OK = (200, b"OK")
SILENCE = "silence"  # takes the request, and says nothing
HANG_UP = "hang up"


@dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError, ssl.SSLError):
            self.close_connection = True

    def respond(self):
        stub = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, dict(self.headers), body)
        with stub.lock:
            number = len(stub.requests)
            stub.requests.append(request)
        answer = stub.answers[number] if number < len(stub.answers) else stub.answer
        if callable(answer):
            answer = answer(request)
        self.close_connection = True
        if answer == SILENCE:
            stub.ended.wait(60)
        elif isinstance(answer, bytes):  # as it is
            self.wfile.write(answer)
        elif answer != HANG_UP:
            self.write(*answer)

    def write(self, status, document=b"", *headers):
        self.close_connection = False
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = respond

    def log_message(self, *_):
        pass


def heartbeats_answer(request):
    """What Kairós says to a batch that it takes, and to a ping."""
    if request.path.startswith("/api/v1/heartbeats"):
        events = request.json
        return 200, {"total": len(events), "accepted": len(events), "rejected": 0, "errors": []}
    if request.path.startswith("/api/v1/services/"):
        return 404, {"detail": "there is no such service"}
    return OK


class Stub:
    """Answers the n-th request by ANSWERS[n], and those behind by `answer`."""

    def __init__(self, *, path=None, certificate=None):
        self.answers, self.requests, self.answer = [], [], heartbeats_answer
        self.lock, self.ended = threading.Lock(), threading.Event()
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen(64)
            self.url = f"unix:{path}"
        else:
            self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
            self.port = self.listener.getsockname()[1]
            self.url = f"http://127.0.0.1:{self.port}"
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
            self.url = f"https://localhost:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        try:
            with connection:
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                with connection:
                    Handler(connection, ("stub", 0), self)
        except OSError:
            pass  # the program has gone

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    @property
    def paths(self):
        with self.lock:
            return [f"{request.method} {request.path}" for request in self.requests]

    def heard(self, path):
        """Waits for a request to PATH, and returns it."""

        def look():
            with self.lock:
                return [request for request in self.requests if request.path == path]

        return wait_until(look, f"{path} in {self.paths}")[0]


def nobody():
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def certificate(folder, name="localhost"):
    """Makes a certificate for NAME that signs itself; returns its file and its key's."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
         "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return files
