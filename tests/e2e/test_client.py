"""How commands reach a server: addresses, certificates, answers that are none."""

import json
import subprocess

import pytest

from conftest import ENVIRONMENT
from documents import heartbeats
from server import Server
from stub import HANG_UP, Stub, certificate, nobody

LOG = json.dumps(heartbeats("push", "10:00")).encode()


def replay(kairos, *options, **environment):
    """The simplest request there is."""
    environment = {**ENVIRONMENT, **environment}
    return kairos.run("replay", "-", "--retry-for=0", *options, stdin=LOG, env=environment)


@pytest.fixture
def stub():
    with Stub() as stub:
        yield stub


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return {name: certificate(folder, name) for name in ("localhost", "kairos.invalid")}


def test_the_server_of_the_environment(kairos, stub):
    result = replay(kairos, KAIROS_URL=stub.url)
    assert result.returncode == 0, result.stderr
    assert stub.paths == ["POST /api/v1/heartbeats"]


def test_the_command_line_is_stronger(kairos, stub):
    result = replay(kairos, "--url", stub.url, KAIROS_URL="nonsense")
    assert result.returncode == 0, result.stderr
    assert len(stub.requests) == 1


def test_a_wrong_address_in_the_environment(kairos):
    result = replay(kairos, KAIROS_URL="localhost:8000\n")
    assert (result.returncode, result.stdout) == (2, "")
    assert "KAIROS_URL: 'localhost:8000?' is no address" in result.stderr


def test_an_empty_variable_is_none(kairos):
    """Whoever listens at the default address, the program begins."""
    result = kairos.run("replay", "-", stdin=b"[]", env={**ENVIRONMENT, "KAIROS_URL": ""})
    assert result.returncode == 0, result.stderr


def test_a_server_knows_the_clients_variables(tmp_path):
    """One that stands beside them in an environment warns of none of them."""
    names = ("KAIROS_URL", "KAIROS_CACERT", "KAIROS_SPOOL")
    environment = {**ENVIRONMENT, **dict.fromkeys(names, "/x"), "KAIROS_URLS": "/x"}
    with Server(tmp_path, env=environment) as server:
        server.listening()
        assert [line["name"] for line in server.lines("unknown_variable")] == ['"KAIROS_URLS"']


def test_a_socket(kairos, tmp_path):
    with Stub(path=tmp_path / "kairos.sock") as stub:
        result = replay(kairos, "--url", stub.url, http_proxy=nobody(), all_proxy=nobody())
        assert result.returncode == 0, result.stderr
        assert stub.paths == ["POST /api/v1/heartbeats"]
        assert stub.requests[0].headers["Host"] == "localhost"


def test_a_socket_that_is_not_there(kairos, tmp_path):
    result = replay(kairos, f"--url=unix:{tmp_path}/none.sock")
    assert result.returncode == 1
    assert f"unix:{tmp_path}/none.sock: /api/v1/heartbeats: " in result.stderr


@pytest.mark.parametrize("path", ["", "kairos.sock", "/" + "x" * 108])
def test_an_address_of_no_socket(kairos, path):
    result = replay(kairos, f"--url=unix:{path}")
    assert result.returncode == 2
    assert result.stderr.startswith("kairos replay: --url: 'unix:")


def test_tls(kairos, certificates):
    with Stub(certificate=certificates["localhost"]) as stub:
        trusted = certificates["localhost"][0]
        for options, environment in (
            (["--cacert", trusted], {}),
            ([], {"KAIROS_CACERT": str(trusted)}),
        ):
            result = replay(kairos, "--url", stub.url, *options, **environment)
            assert result.returncode == 0, result.stderr
        assert stub.paths == ["POST /api/v1/heartbeats"] * 2


def test_a_certificate_that_nobody_trusts(kairos, certificates, tmp_path):
    """Neither the system's, nor for another name, nor with a file that is none: and no second try."""
    none = tmp_path / "none.pem"
    empty = tmp_path / "empty.pem"
    empty.write_text("nonsense")
    for name, options in (
        ("localhost", []),
        ("kairos.invalid", ["--cacert", certificates["kairos.invalid"][0]]),
        ("localhost", ["--cacert", none]),
        ("localhost", ["--cacert", empty]),
    ):
        with Stub(certificate=certificates[name]) as stub:
            result = replay(kairos, "--url", stub.url, *options, "--retry-for=1d")
            assert result.returncode == 1
            assert stub.requests == []


@pytest.mark.parametrize(
    "answer",
    [HANG_UP, b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"\0" * 100, b"HTTP/1.1 200", b"HTTP/9.9 200 OK\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200000],
    ids=lambda answer: repr(answer)[:30],
)  # fmt: skip
def test_what_is_no_answer(kairos, stub, answer):
    stub.answer = answer
    result = replay(kairos, "--url", stub.url)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"kairos: {stub.url}/api/v1/heartbeats: ") and last.isprintable()


HANG = "int getaddrinfo(void); unsigned sleep(unsigned);\nint getaddrinfo(void) { sleep(300); return -3; }\n"


def test_a_name_server_that_hangs(kairos, tmp_path):
    """It is not waited for beyond the time of a try."""
    if "libasan" in subprocess.run(["ldd", kairos.path], capture_output=True, text=True).stdout:
        pytest.skip("with AddressSanitizer no function of the library can be replaced")
    library = tmp_path / "hang.so"
    command = ["gcc", "-w", "-shared", "-fPIC", "-x", "c", "-o", library, "-"]
    subprocess.run(command, input=HANG, text=True, check=True)
    result = kairos.run(
        "ping", "backup", "--no-spool", "--retry-for=0", "--url=http://kairos.invalid",
        env={**ENVIRONMENT, "LD_PRELOAD": str(library)},
    )  # fmt: skip
    assert result.returncode == 1 and "Resolving timed out" in result.stderr
