"""The tool that the live tests stand on refuses what it cannot read."""

import pytest

from conftest import run
from simulation import SIMULATE


@pytest.mark.parametrize(
    "script, line",
    [
        (b"tick 0", 1),
        (b"reset 0\n\n# a comment\nbeat", 4),
        (b"reset 0\nbeat push", 2),
        (b"reset 0\nbeat push soon", 2),
        (b"reset 0\nbeat pu.sh 0", 2),
        (b"reset 0\nbeat push 99999999999999999999", 2),
        (b"reset 0\nbatch 0 push", 2),
        (b"reset 0\nping push dance 0", 2),
        (b"reset 0\nchange push 0 colour=1", 2),
        (b"reset 0\nchange push 0 interval", 2),
        (b"reset 0\nlist dead 0", 2),
        (b"reset 0\ngap 0 1 boredom", 2),
        (b"reset 0\nhalt", 2),
        (b"reset 0 colour=1", 1),
    ],
)
def test_bad_scripts(tmp_path, script, line):
    result = run([SIMULATE, tmp_path / "registry"], script)
    assert result.returncode == 2
    assert result.stderr.startswith(f"simulate: line {line}: ")


def test_a_directory_of_others_is_left_alone(tmp_path):
    result = run([SIMULATE, tmp_path], b"reset 0")
    assert result.returncode == 1 and tmp_path.exists()
