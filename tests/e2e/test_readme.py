"""The examples in README.md work as printed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def examples() -> list[tuple[str, str]]:
    """The commands in the console blocks, each with all the output printed below it."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a newcomer would stand: beside the sample, with kairos on the PATH."""
    directory = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "data", directory / "data")
    return directory


def mask(text: str) -> str:
    return re.sub(r"\d+\.\dms$", "…ms", text, flags=re.MULTILINE)


def test_examples(directory: Path) -> None:
    """All of them in order: later ones use what earlier ones wrote."""
    binary = Path(os.environ.get("KAIROS", ROOT / "build" / "release" / "kairos"))
    path = f"{binary.parent}{os.pathsep}{os.environ['PATH']}"
    assert len(examples()) >= 10
    for command, expected in examples():
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=directory,
            env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        assert mask(result.stdout) == mask(expected), command


def test_every_option_has_an_example(kairos) -> None:
    options = set(re.findall(r"--[a-z-]+", kairos.run("--help").stdout)) - {"--usage"}
    assert options and not {option for option in options if option not in README}
