"""The contract of the HTTP API, api/openapi.yaml, and what it says of an answer."""

import gzip
import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator, FormatChecker, RefResolver, ValidationError
from jsonschema.validators import extend

PATH = Path(__file__).resolve().parents[2] / "api" / "openapi.yaml"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

UNITS = {"ms": 0.001, "s": 1, "": 1, "m": 60, "h": 3600, "d": 86400}

formats = FormatChecker(formats=[])


@formats.checks("date-time", raises=ValueError)
def is_moment(text):
    if not isinstance(text, str):
        return True
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return re.match(r".{10}[T ]..:", text) and moment


def check_bytes(validator, most, value, schema):
    """x-bytes: of a text in UTF-8."""
    if isinstance(value, str) and len(value.encode(errors="surrogatepass")) > most:
        yield ValidationError(f"{value!r} has more than {most} bytes")


def check_bounds(validator, bounds, value, schema):
    """x-bounds: of a duration, in seconds, whether it is a number or text with a unit."""
    if isinstance(value, str) and (text := re.fullmatch(r"([0-9]+)(ms|s|m|h|d)?", value)):
        value = int(text[1]) * UNITS[text[2] or ""]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    steps = value / bounds["step"]
    if not bounds["minimum"] <= value <= bounds["maximum"] or abs(steps - round(steps)) > 1e-4:
        yield ValidationError(f"{value} is out of {bounds}")


def is_integer(checker, value):
    """Written as one, too: 3.0 is none."""
    return isinstance(value, int) and not isinstance(value, bool)


Validator = extend(
    Draft202012Validator,
    validators={"x-bounds": check_bounds, "x-bytes": check_bytes},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer),
)


class Contract:
    def __init__(self, document):
        self.document = document
        self.resolver = RefResolver("", document)
        self.patterns = [
            (re.compile(re.sub(r"\\\{[^}]*\}", "[^/]*", re.escape(path))), path)
            for path in sorted(document["paths"], key=lambda path: path.count("{"))
        ]

    def resolve(self, part):
        """The part of the document that PART is, or refers to."""
        while "$ref" in part:
            part = self.resolver.resolve(part["$ref"])[1]
        return part

    def path_of(self, target):
        """The path of the contract that the target of a request has; None if there is none."""
        path = re.sub(r"^[a-z]+://[^/?]*", "", target).partition("?")[0] or "/"
        return next((name for pattern, name in self.patterns if pattern.fullmatch(path)), None)

    def operations(self, path):
        """The path's operations by method, those that go without saying too."""
        item = self.document["paths"][path]
        named = {method: item[method.lower()] for method in METHODS if method.lower() in item}
        unsaid = {"OPTIONS": {"responses": {"204": self.component("responses", "Methods")}}}
        if "get" in item:
            unsaid["HEAD"] = item["get"]
        return unsaid | named

    def allowed(self, path):
        return set(self.operations(path))

    def parameters(self, path, operation):
        item = self.document["paths"][path]
        found = item.get("parameters", []) + operation.get("parameters", [])
        return [self.resolve(parameter) for parameter in found]

    def validator(self, schema):
        return Validator(schema, resolver=self.resolver, format_checker=formats)

    def is_valid(self, schema, value):
        return self.validator(schema).is_valid(value)

    def component(self, kind, name):
        return self.document["components"][kind][name]

    def expected(self, method, path):
        """The answers that a request may get, by status."""
        if path is None:
            return {"404": self.component("responses", "NotFound")}
        operation = self.operations(path).get(method)
        if operation is None:
            return {"405": self.component("responses", "MethodNotAllowed")}
        return operation["responses"]

    def check(self, method, target, answer):
        """Holds ANSWER, to METHOD of TARGET, against the contract."""
        path = self.path_of(target)
        where = f"{method} {target}: {answer.status} {answer.body[:500]!r}"
        expected = self.expected(method, path)
        assert str(answer.status) in expected, f"not among {list(expected)}: {where}"
        response = self.resolve(expected[str(answer.status)])
        self.check_headers(response, answer, where)
        self.check_body(method, response, answer, where)
        if answer.status == 405:
            allowed = set(answer.headers["Allow"].split(", "))
            assert allowed == self.allowed(path), f"Allow is not {self.allowed(path)}: {where}"

    def check_headers(self, response, answer, where):
        for name, header in response.get("headers", {}).items():
            header, value = self.resolve(header), answer.headers[name]
            assert value is not None or not header.get("required"), f"no {name}: {where}"
            if value is not None:
                self.validate(header["schema"], value, f"{name} of {where}")

    def check_body(self, method, response, answer, where):
        kind = answer.headers["Content-Type"]
        content = response.get("content")
        if content is None:
            assert kind is None and answer.body == b"", f"a body: {where}"
            return
        assert kind in content, f"{kind} is not among {list(content)}: {where}"
        if method == "HEAD":
            assert answer.body == b"", f"a body: {where}"
            return
        self.validate(content[kind].get("schema", True), decoded(answer), where)

    def check_event(self, path, kind, data):
        """Holds the DATA of an event of KIND in the stream at PATH against the contract."""
        answer = self.document["paths"][path]["get"]["responses"]["200"]
        events = answer["content"]["text/event-stream"]["x-events"]
        assert kind in events, f"no event of {path}: {kind} {data}"
        self.validate(events[kind], data, f"event {kind} of {path}: {data}")

    def validate(self, schema, value, where):
        for error in self.validator(schema).iter_errors(value):
            raise AssertionError(f"{error.json_path}: {error.message} in {where}")


def decoded(answer):
    """The body: JSON as what it says, anything else as text."""
    body = answer.body
    if answer.headers["Content-Encoding"] == "gzip":
        body = gzip.decompress(body)
    if answer.headers["Content-Type"] == "application/json":
        return parse(body)
    if answer.headers["Content-Type"] == "application/yaml":
        return yaml.safe_load(body)
    return body.decode(errors="replace")


def parse(text):
    """JSON as strictly as there is."""

    def unique(pairs):
        assert len({key for key, _ in pairs}) == len(pairs), f"a key stands twice: {text!r}"
        return dict(pairs)

    def refuse(name):
        raise AssertionError(f"{name} is no JSON: {text!r}")

    return json.loads(text.decode(), object_pairs_hook=unique, parse_constant=refuse)


@cache
def contract():
    return Contract(yaml.safe_load(PATH.read_text(encoding="utf-8")))
