"""The examples in README.md work as printed."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


Example = tuple[str, str]  # a command, and all the output printed below it


def blocks() -> list[list[Example]]:
    """The console blocks with the commands in each."""
    return [
        [part.partition("\n")[::2] for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
        for block in re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    ]


def serves(block: list[Example]) -> bool:
    return block[0][0].startswith("kairos serve")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a newcomer would stand: beside the sample, with kairos on the PATH."""
    directory = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "data", directory / "data")
    return directory


def mask(text: str) -> str:
    """Leaves out what is another one at each run: durations and the present."""
    text = re.sub(r"\d+\.\dms$", "…ms", text, flags=re.MULTILINE)
    return re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|(?<=@)\d+", "…", text)


def shell(script: str, directory: Path) -> str:
    """Runs SCRIPT as somebody would who has kairos on the PATH; returns all that it prints."""
    binary = Path(os.environ.get("KAIROS", ROOT / "build" / "release" / "kairos"))
    path = f"{binary.parent}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-c", script],
        cwd=directory,
        env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return result.stdout


def test_examples(directory: Path) -> None:
    """All of them in order: later ones use what earlier ones wrote."""
    examples = [example for block in blocks() if not serves(block) for example in block]
    assert len(examples) >= 10
    for command, expected in examples:
        assert mask(shell(command, directory)) == mask(expected), command


@pytest.mark.parametrize("block", [block for block in blocks() if serves(block)])
def test_server(block: list[Example], directory: Path) -> None:
    """A block with a server is one session of the shell, on a port that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    separator = "---- next ----"
    script = f"\necho '{separator}'\n".join(command for command, _ in block)
    script = script.replace("kairos serve", f"kairos serve --port {port}").replace(
        "127.0.0.1:8000", f"127.0.0.1:{port}"
    )
    outputs = shell(script, directory).split(f"{separator}\n")
    assert len(outputs) == len(block)
    for (command, expected), output in zip(block, outputs, strict=True):
        assert mask(output) == mask(expected), command


def test_every_option_has_an_example(kairos) -> None:
    options = set(re.findall(r"--[a-z-]+", kairos.run("--help").stdout)) - {"--usage"}
    assert options and not {option for option in options if option not in README}
