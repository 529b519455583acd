"""The library, installed: a program needs nothing but its headers and its pkg-config file."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STRICT = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"]


def run(*command, **options) -> str:
    result = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=120, **options
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Kairós is installed."""
    directory = tmp_path_factory.mktemp("install")
    build, prefix = directory / "build", directory / "prefix"
    run("meson", "setup", build, ROOT, f"--prefix={prefix}", "--libdir=lib")
    run("meson", "install", "-C", build)
    return prefix


def flags(prefix: Path) -> list[str]:
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    return run("pkg-config", "--cflags", "--libs", "kairos", env=environment).split()


def test_example_program(prefix: Path, tmp_path: Path) -> None:
    program = tmp_path / "example"
    run("gcc", "-std=c11", *STRICT, ROOT / "tests/install/example.c", "-o", program, *flags(prefix))
    log = (ROOT / "data" / "events.json").read_text(encoding="utf-8")
    assert run(program, input=log) == "push 2025-08-04T10:05:00Z\n"


@pytest.mark.parametrize("compiler, language", [("gcc", "c"), ("clang", "c"), ("g++", "c++")])
def test_each_header_compiles_alone(prefix: Path, compiler: str, language: str) -> None:
    headers = sorted((prefix / "include" / "kairos").glob("*.h"))
    assert {header.name for header in headers} == {
        header.name for header in (ROOT / "include" / "kairos").glob("*.h")
    }
    for header in headers:
        source = f'#include "{header}"\n'
        options = ["-x", language, "-fsyntax-only", *STRICT, "-I", prefix / "include"]
        run(compiler, *options, "-", input=source)


def test_units_for_systemd(prefix: Path) -> None:
    """systemd finds nothing to complain of, and little that the service might do."""
    units = prefix / "lib" / "systemd" / "system"
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze (package systemd) is not here")
    names = [units / "kairos.service", units / "kairos.socket"]
    run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *names)
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", names[0]]
    assert "Overall exposure level" in run(*command)
    service = names[0].read_text(encoding="utf-8")
    assert f"ExecStart={prefix}/bin/kairos serve\n" in service


def test_program_and_manual_page(prefix: Path) -> None:
    assert run(prefix / "bin" / "kairos", "--version").startswith("kairos ")
    assert (prefix / "share" / "man" / "man1" / "kairos.1").read_text().startswith(".TH KAIROS 1")
