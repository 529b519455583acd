"""The examples in README.md work as printed."""

import re
import shutil
from pathlib import Path

import pytest

from conftest import REPOSITORY
from examples import Example, blocks, check_session, mask, serves, sessions, shell, texts

README = "README.md"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a newcomer would stand: beside the sample, with kairos on the PATH."""
    directory = tmp_path_factory.mktemp("readme")
    shutil.copytree(REPOSITORY / "data", directory / "data")
    (configuration,) = texts(README, "yaml")
    (directory / "kairos.yaml").write_text(configuration, encoding="utf-8")
    return directory


def test_examples(directory: Path) -> None:
    """All of them in order: later ones use what earlier ones wrote."""
    examples = [example for block in blocks(README) if not serves(block) for example in block]
    assert len(examples) >= 10
    for command, expected in examples:
        assert mask(shell(command, directory)) == mask(expected), command


@pytest.mark.parametrize("session", sessions(README))
def test_server(session: list[Example], directory: Path) -> None:
    check_session(session, directory)


def test_every_option_has_an_example(kairos) -> None:
    options = set(re.findall(r"--[a-z-]+", kairos.run("--help").stdout)) - {"--usage"}
    text = (REPOSITORY / README).read_text(encoding="utf-8")
    assert options and not {option for option in options if option not in text}
