"""The contract, api/openapi.yaml, says what there is and how it answers."""

import pytest

from contract import contract
from server import Server

CONTRACT = contract()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("shared")) as server:
        yield server.ready()


def operations():
    """Every (method, path, operation) that is written down."""
    for path, item in CONTRACT.document["paths"].items():
        for method, operation in CONTRACT.operations(path).items():
            if method.lower() in item:
                yield method, path, operation


def contents():
    """Every (where, media type) of a body, a parameter or a header: what has schema and example."""
    for method, path, operation in operations():
        where = f"{method} {path}"
        bodies = [("body", operation.get("requestBody", {}))]
        bodies += operation["responses"].items()
        for name, body in bodies:
            for kind, content in CONTRACT.resolve(body).get("content", {}).items():
                yield f"{where} {name} {kind}", content
        for parameter in CONTRACT.parameters(path, operation):
            yield f"{where} {parameter['name']}", parameter


def test_every_route_is_in_the_contract(shared):
    endpoints = shared.get("/", headers={"Accept": "application/json"}).json["endpoints"]
    routes = {endpoint["path"]: {*endpoint["methods"], "OPTIONS"} for endpoint in endpoints}
    assert routes == {path: CONTRACT.allowed(path) for path in CONTRACT.document["paths"]}


def test_names_of_operations_are_unique():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)


def test_every_path_says_its_parameters():
    for method, path, operation in operations():
        named = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        told = CONTRACT.parameters(path, operation)
        assert named == {each["name"] for each in told if each["in"] == "path"}, (method, path)


@pytest.mark.parametrize(("where", "content"), contents())
def test_examples_are_valid(where, content):
    examples = [each["value"] for each in content.get("examples", {}).values()]
    for example in examples + [content[key] for key in ("example",) if key in content]:
        CONTRACT.validate(content["schema"], example, where)


def test_every_answer_and_body_has_an_example():
    for where, content in contents():
        is_clear = "in" in content or "const" in content["schema"]
        assert is_clear or {"example", "examples"} & content.keys(), where
