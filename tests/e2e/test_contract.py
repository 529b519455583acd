"""The contract, api/openapi.yaml, says what there is and how it answers."""

import re

import pytest

from broken import METHODS, NAME, Requests
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


def parts(node, kind=dict):
    """Every object in a part of the contract, itself included."""
    if isinstance(node, kind):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from parts(child, kind)


def test_schemas_are_schemas():
    for part in parts(CONTRACT.document):
        if isinstance(part.get("schema"), dict):
            CONTRACT.validator({}).check_schema(part["schema"])
    for schema in CONTRACT.document["components"]["schemas"].values():
        CONTRACT.validator({}).check_schema(schema)


def test_answers_say_all_their_fields():
    """So that one which is not in the contract is noticed."""
    answers = [each["responses"] for _, path, each in operations() if path != "/openapi.json"]
    told = [*parts(answers), *parts(CONTRACT.document["components"]["schemas"])]
    event = CONTRACT.component("schemas", "Event")  # what is sent may say more
    objects = [part for part in told if part.get("type") == "object" and part is not event]
    assert len(objects) > 10
    assert not [part for part in objects if "additionalProperties" not in part]


def test_components_are_used():
    used = {part["$ref"] for part in parts(CONTRACT.document) if "$ref" in part}
    used |= {f"#/components/responses/{name}" for name in ("Methods", "MethodNotAllowed", "NotFound")}
    for kind, components in CONTRACT.document["components"].items():
        assert not {name for name in components if f"#/components/{kind}/{name}" not in used}


def test_every_answer_and_body_has_an_example():
    for where, content in contents():
        is_clear = "in" in content or "const" in content["schema"]
        assert is_clear or {"example", "examples"} & content.keys(), where


# Every request that the contract lets one think of


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that may be asked anything; it lives on."""
    with Server(tmp_path_factory.mktemp("asked"), "--threads", 2) as server:
        yield server.ready()
        assert server.get("/health").status == 200
        assert server.stop() == 0


def requests_to(server, method, path):
    """What can be sent, to a service and an incident that there are."""
    server.get(f"/ping/{NAME}/fail")
    server.post(f"/ping/{NAME}/log", b"output")
    values = {"service": NAME, "id": server.service(NAME)["incident"]}
    return Requests(CONTRACT, method, path, values)


def every_operation(function):
    names = [(method, path) for method, path, _ in operations()]
    return pytest.mark.parametrize(("method", "path"), names)(function)


def ask(server, method, case):
    """Sends CASE, and returns what is wrong with the answer, in words."""
    answer = server.exchange(method, case.target, case.body, case.headers)
    said = f"{method} {case.target[:200]} ({case.what}): {answer.status} {answer.body[:200]!r}"
    if answer.status >= 500 or answer.headers["X-Injected"]:
        return said
    if case.valid is None or method == "HEAD":
        return None
    if case.valid != (answer.status < 400):
        return f"{'refused' if case.valid else 'accepted'}: {said}"
    place = re.match("line [0-9]+, column [0-9]+", answer.detail) if not case.valid else None
    if not case.valid and case.names not in answer.detail and not place:
        return f"{case.names!r} is not named: {said}"
    return None


def ask_all(server, method, cases):
    wrong = [found for case in cases if (found := ask(server, method, case))]
    assert not wrong, "\n".join(wrong[:20])


@every_operation
def test_examples_are_accepted_as_printed(server, method, path):
    for case in requests_to(server, method, path).examples():
        case = next(each for each in requests_to(server, method, path).examples() if each.what == case.what)
        case.valid = None if path.startswith("/ping/{key}") else True
        ask_all(server, method, [case])


@every_operation
def test_broken_parameters(server, method, path):
    ask_all(server, method, requests_to(server, method, path).parameters())


@every_operation
def test_broken_bodies(server, method, path):
    ask_all(server, method, requests_to(server, method, path).bodies())


@pytest.mark.parametrize("path", CONTRACT.document["paths"])
def test_other_methods_are_not_allowed(server, path):
    some = next(iter(CONTRACT.operations(path)))
    target = requests_to(server, some, path).target()
    for method in METHODS:
        if method not in CONTRACT.operations(path):
            for body in (None, b"", b"x" * 100000):
                assert server.exchange(method, target, body).status == 405


@pytest.mark.parametrize("count", [255, 257, 400, 450, 500, 1000, 4000])
def test_any_number_of_parameters(tmp_path, count):
    """Beyond what there is room for the connection is closed, at once."""
    with Server(tmp_path, "--header-timeout", "1h") as server:
        server.ready()
        rest = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        status = server.raw(b"GET /ping/x?" + b"a=1&" * count + rest)
        assert status in ((201,) if count < 256 else (201, None))
        assert server.get("/health").status == 200
