"""The container image: built and run where there is an engine."""

import json
import shutil
import socket
import subprocess
import urllib.request
import uuid
from pathlib import Path

import pytest

from conftest import REPOSITORY
from server import wait_until

BASE = "debian:bookworm-slim"
BUILD_TIMEOUT = 900


def docker(*arguments, timeout=120, check=True):
    command = ["docker", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert not check or result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    return result


def why_not():
    """Why no image can be built here; None if one can."""
    if not shutil.which("docker"):
        return "docker is not here"
    info = docker("info", check=False)
    if info.returncode != 0 or "Server Version" not in info.stdout:
        return "no container engine can be reached (docker info)"
    if docker("image", "inspect", BASE, check=False).returncode != 0:
        if docker("pull", BASE, check=False, timeout=300).returncode != 0:
            return f"{BASE} is not here and cannot be pulled"
    return None


@pytest.fixture(scope="module")
def image():
    reason = why_not()
    if reason:
        pytest.skip(reason)
    name = f"kairos-test-{uuid.uuid4().hex[:12]}"
    docker("build", "--network=host", "--file", REPOSITORY / "deploy/docker/Dockerfile", "--tag", name,
           "--build-arg", "SOURCE_DATE_EPOCH=1700000000", "--build-arg", "REVISION=abc",
           REPOSITORY, timeout=BUILD_TIMEOUT)  # fmt: skip
    yield name
    docker("image", "rm", "--force", name, check=False)


def run(image, *arguments, options=()):
    """Runs a container to its end, without a network and with a root that cannot be written to."""
    return docker("run", "--rm", "--network=none", "--read-only", *options, image, *arguments,
                  check=False)  # fmt: skip


def test_without_arguments_it_analyses_the_sample(image):
    result = run(image)
    assert result.returncode == 0
    assert "Alerts Triggered: 1" in result.stdout
    assert "Service:      push" in result.stdout


def test_a_file_of_ones_own(image, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    tmp_path.chmod(0o755)
    times = [f"2025-08-04T10:0{minute}:00Z" for minute in (0, 1, 6)]
    events = [{"service": "mine", "timestamp": time} for time in times]
    data.joinpath("events.json").write_text(json.dumps(events))
    options = ["--volume", f"{data}:/app/data"]
    result = run(image, "--file", "data/events.json", "--json", "--quiet", options=options)
    assert result.returncode == 0, result.stderr
    assert [alert["service"] for alert in json.loads(result.stdout)] == ["mine"]


def test_what_it_is(image):
    (found,) = json.loads(docker("image", "inspect", image).stdout)
    config = found["Config"]
    assert config["User"] == "10001:10001" and config["WorkingDir"] == "/app"
    assert list(config["ExposedPorts"]) == ["8000/tcp"]
    assert list(config["Volumes"]) == ["/var/lib/kairos"]
    assert config["Healthcheck"]["Test"] == ["CMD", "kairos", "status", "--ready"]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.revision"] == "abc"
    version = run(image, "--version").stdout.split()[1]
    assert labels["org.opencontainers.image.version"] == version
    (base,) = json.loads(docker("image", "inspect", BASE).stdout)
    assert found["Size"] - base["Size"] < 40e6
    stat = run(image, "-c", "%Y %U", "/usr/bin/kairos", options=["--entrypoint", "stat"])
    # As the build was told, or one before it of the same bytes, whose layer was used again.
    assert stat.stdout.split() in (["1700000000", "root"], ["0", "root"])
    compiler = run(image, "-c", "command -v gcc npm python3 curl", options=["--entrypoint", "sh"])
    assert compiler.stdout == ""


@pytest.fixture
def volume():
    name = f"kairos-test-{uuid.uuid4().hex[:12]}"
    yield name
    docker("volume", "rm", "--force", name, check=False)


class Container:
    """A server with its state in a volume, at a port of this machine."""

    def __init__(self, image, volume, *arguments):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        port = self.url.rsplit(":", 1)[1]
        self.id = docker(
            "run", "--detach", "--network=host", "--read-only", "--health-interval=1s", "--volume",
            f"{volume}:/var/lib/kairos", "--env", f"KAIROS_URL={self.url}", image, "--api", "--host",
            "0.0.0.0", "--port", port, "--insecure-no-auth", *arguments,
        ).stdout.strip()  # fmt: skip

    def __enter__(self):
        wait_until(lambda: self.get("/ready"), lambda: docker("logs", self.id).stderr)
        return self

    def __exit__(self, *_):
        docker("rm", "--force", self.id)

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def state(self):
        return json.loads(docker("inspect", self.id).stdout)[0]["State"]


def test_it_serves(image, volume):
    """Its state outlives it; it is healthy; and it ends when it is told to."""
    with Container(image, volume) as container:
        assert container.get("/ping/push") == "Created"
        wait_until(lambda: container.state()["Health"]["Status"] == "healthy", "it is healthy")
        process = container.state()["Pid"]
        assert Path(f"/proc/{process}").stat().st_uid == 10001
        docker("kill", "--signal=HUP", container.id)
        wait_until(lambda: "reloaded" in docker("logs", container.id).stderr, "a reload")
        docker("stop", "--time=20", container.id)
        assert container.state()["ExitCode"] == 0
    with Container(image, volume) as container:
        assert container.get("/ping/push") == "OK"


def test_an_unhealthy_one_is_seen(image, volume):
    with Container(image, volume) as container:
        elsewhere = docker("exec", "--env", "KAIROS_URL=http://127.0.0.1:1", container.id, "kairos",
                           "status", "--ready", check=False)  # fmt: skip
        assert elsewhere.returncode == 1
        assert docker("exec", container.id, "kairos", "status", "--ready").stdout == "ready\n"
