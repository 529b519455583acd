"""docs/API.md is complete, and its examples work as printed."""

import re

import pytest

from conftest import REPOSITORY
from contract import contract
from examples import Example, check_session, sessions

PAGE = "docs/API.md"
TEXT = (REPOSITORY / PAGE).read_text(encoding="utf-8")


@pytest.mark.parametrize("session", sessions(PAGE))
def test_session(session: list[Example], tmp_path) -> None:
    assert len(session) > 10
    check_session(session, tmp_path)


@pytest.mark.parametrize("path", contract().document["paths"])
def test_every_route_is_described(path: str) -> None:
    for method in contract().operations(path):
        if method not in ("HEAD", "OPTIONS"):
            named = rf"`[A-Z, ]*\b{method}\b[A-Z, ]* {re.escape(path)}(\?[a-z_=&…]*)?`"
            assert re.search(named, TEXT), f"{method} {path} is not in {PAGE}"


def test_every_parameter_and_field_is_described() -> None:
    names = set()
    for path, item in contract().document["paths"].items():
        for operation in contract().operations(path).values():
            names |= {each["name"] for each in contract().parameters(path, operation)}
    for schema in contract().document["components"]["schemas"].values():
        names |= schema.get("properties", {}).keys()
        names |= {name for name in schema.get("enum", []) if name}
    missing = {name for name in names if not re.search(rf"\b{re.escape(name)}\b", TEXT)}
    assert not missing


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (REPOSITORY / "docs" / target).exists(), target
