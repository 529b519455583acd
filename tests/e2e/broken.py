"""Requests that are broken in every way that the contract lets one think of.

A case says what is sent and what has to come back: an answer below 400 if all of it is as the
contract wants it, else a refusal that names what is wrong. What the contract leaves open (`None`)
may be answered either way, but as the contract says.
"""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

NAME = "hostile"  # a service that nothing else uses

# What no parameter can be, or nearly none; encoded when it is sent.
TEXTS = (
    "", " ", "\t", "0", "1", "-1", "+1", "1.0", "1e2", "0x1", "1 ", "9" * 30, "NaN", "null", "true", "[]", "{}",
    ",", ",,", "x", "X" * 101, "a" * 100, "a" * 101, "a" * 1500, "..", "../..", "/", "\\", "a/b", "a b", "a.b", "a@b",
    "café", "🦄", "\u202e", "\x7f", "\x1b[31m", "a\r\nX-Injected: 1", "a\nb", "%", "%25", "'", '"', "<script>", "${x}", "a;b", "a&b",
    "*", "?", "#", "yesterday", "2025-13-01T00:00:00Z", "2025-02-30T00:00:00Z", "2025-01-01T24:00:00Z",
    "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2025-08-04T10:00:00Z", "2025-08-04 10:00", "2025-08-04",
    "2025-08-04T10:00:00+05:30", "1754301600", "1754301600.5",
)  # fmt: skip

# What cannot be decoded, as it is sent.
ESCAPES = ("%", "a%", "%0", "a%0g", "%zz", "%%", "%00", "a%00b")

# Values of a body where others belong.
VALUES = (
    None, True, False, 0, 1, -1, 1.5, 0.0001, 1e300, 10**30, -(10**30), 2**31, 2**32 + 1, 2**63, 2**64, "", " ", "x", "0", "60x",
    "1d", "-1s", "999999999999999999d", "a" * 101, "a" * 501, "é" * 251, "\ud83e\udd84", "\x00", "../x", [], [[]], [1], ["x"], {}, {"x": 1},
)  # fmt: skip

CONTENT_TYPES = (
    "application/json", "application/json; charset=utf-16", "text/plain", "text/html", "application/xml", "nonsense", "", "/",
    "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=", "a" * 5000,
)  # fmt: skip

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "get", "Post", "G" * 500)


@dataclass
class Case:
    what: str
    target: str
    body: bytes | None = None
    headers: dict = field(default_factory=dict)
    valid: bool | None = None
    names: str = ""  # what a refusal has to name


class Requests:
    """What can be sent to one operation. VALUES are the path's parameters that do exist."""

    def __init__(self, contract, method, path, values):
        self.contract, self.method, self.path = contract, method, path
        self.operation = contract.operations(path)[method]
        parameters = contract.parameters(path, self.operation)
        self.in_path = [each for each in parameters if each["in"] == "path"]
        self.in_query = [each for each in parameters if each["in"] == "query"]
        self.values = {each["name"]: values.get(each["name"], each.get("example")) for each in self.in_path}
        self.body = contract.resolve(self.operation.get("requestBody", {}))

    def target(self, query="", **values):
        """The target of a request; VALUES are encoded already."""
        encoded = {name: quote(str(value), safe="@") for name, value in self.values.items()} | values
        path = re.sub(r"\{(\w+)\}", lambda name: encoded[name[1]], self.path)
        return path + (f"?{query}" if query else "")

    def examples(self):
        """What the contract prints, as it prints it."""
        for kind, content in self.body.get("content", {None: {}}).items():
            told = [each["value"] for each in content.get("examples", {}).values()]
            told += [content["example"]] if "example" in content else []
            for example in told or [None]:
                text = example if isinstance(example, str) else json.dumps(example)
                body = None if example is None else text.encode()
                headers = {"Content-Type": kind} if kind else {}
                if kind == "multipart/form-data":
                    body, headers = form_of(example)
                yield Case(f"example {kind}", self.target(self.required_query()), body, headers, True)

    def required_query(self):
        return urlencode({each["name"]: each["example"] for each in self.in_query if each.get("required")})

    def first(self):
        """A request as it should be, to be broken."""
        return next(self.examples())

    # Parameters

    def parameters(self):
        base = self.first()
        for parameter in self.in_path:
            yield from self.of_path(parameter, base)
        for parameter in self.in_query:
            yield from self.of_query(parameter, base)
        yield from self.of_unknown(base)

    def case(self, what, target, base, valid, names=""):
        return Case(what, target, base.body, base.headers, valid, names)

    def of_path(self, parameter, base):
        name = parameter["name"]
        for text in texts(parameter["schema"], self.contract):
            valid = None if self.is_valid(parameter, text) else False
            yield self.case(f"{name} is {text!r}", self.target(**{name: quote(text, safe="")}), base, valid)
        for text in ESCAPES:
            yield self.case(f"{name} is {text}", self.target(**{name: text}), base, False)
        for text in (b"caf\xe9", b"\xff\xfe", "🦄".encode()):
            target = self.target(**{name: "<>"}).encode().replace(b"<>", text).decode("latin-1")
            yield self.case(f"{name} is {text!r}", target, base, False)

    def of_query(self, parameter, base):
        name = parameter["name"]
        opaque = parameter["schema"].get("x-opaque")
        for text in texts(parameter["schema"], self.contract):
            valid = self.is_valid(parameter, text)
            query = f"{name}={quote(text, safe='')}"
            yield self.case(query, self.target(query), base, None if opaque else valid, name)
        for text in ESCAPES:
            yield self.case(f"{name}={text}", self.target(f"{name}={text}"), base, False, "%")
        yield self.case(f"{name} without value", self.target(name), base, True)
        again = self.target(f"{name}=&{name}=")
        yield self.case(f"{name} twice", again, base, parameter.get("explode", False), name)

    def of_unknown(self, base):
        """Refused where there are parameters, else not looked at."""
        valid = False if self.in_query else None
        for name in ("unknown", "UNKNOWN", "limit2", "", "limit[]", "%6eothing", "__proto__"):
            query = f"{name}=1"
            yield self.case(query, self.target(query), base, valid, "unknown parameter" if name else "")
        for query in ("&" * 300, "a=1&" * 300, "%zz", "=", "?", "a" * 8000):
            yield self.case(query[:20], self.target(query), base, None)

    def is_valid(self, parameter, text):
        schema = self.contract.resolve(parameter["schema"])
        if text == "" and parameter["in"] == "query":
            return True
        values = [text]
        if schema.get("type") == "array":
            values = [text.split(",")]
        elif schema.get("type") == "integer" and re.fullmatch("[0-9]+", text):
            values.append(int(text))
        elif re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?(e[0-9]+)?", text):
            values.append(json.loads(text))
        return any(self.contract.is_valid(schema, value) for value in values)

    # Bodies

    def bodies(self):
        """The example, broken in one place each."""
        schema = self.body.get("content", {}).get("application/json", {}).get("schema")
        base = self.first()
        if schema is None or base.body is None:
            return
        told = self.body.get("x-invalid") == "told"  # what is wrong inside is counted, not refused
        example = json.loads(base.body)
        for what, value, key in mutations(example):
            valid = self.contract.is_valid(schema, value)
            text = json.dumps(value).encode()
            yield Case(what, base.target, text, base.headers, None if told else valid, key)
        for what, text in twisted(base.body):
            yield Case(what, base.target, text, base.headers, None if told else False)
        for kind in CONTENT_TYPES:
            yield Case(f"type {kind[:60]}", base.target, base.body, {"Content-Type": kind})


def form_of(fields):
    """FIELDS as a form: its bytes, and the headers that it has."""
    parts = (f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    return "".join([*parts, "--b--"]).encode(), {"Content-Type": "multipart/form-data; boundary=b"}


def texts(schema, contract):
    """Texts that a parameter may be, and others at and beyond each bound."""
    schema = contract.resolve(schema)
    yield from TEXTS
    for part in [schema, *map(contract.resolve, schema.get("anyOf", []))]:
        yield from map(str, contract.resolve(part.get("items", part)).get("enum", []))
        if "minimum" in part:
            yield from map(str, (part["minimum"] - 1, part["minimum"], part["maximum"], part["maximum"] + 1))


def mutations(value, key=""):
    """(what, the value with one thing changed, the key of that)."""
    for other in VALUES:
        yield f"{key or 'all'} is {other!r:.60}", other, key
    if isinstance(value, dict):
        for name, member in value.items():
            rest = {other: kept for other, kept in value.items() if other != name}
            yield f"no {name}", rest, name
            for what, changed, where in mutations(member, name):
                yield what, {**value, name: changed}, where
        for name in ("unknown", "", "__proto__", "a" * 2000, "é\n"):
            yield f"extra {name!r:.60}", {**value, name: 1}, name if name.isalpha() and len(name) < 99 else ""
    if isinstance(value, list):
        for place, member in enumerate(value[:3]):
            for what, changed, where in mutations(member, key):
                yield what, [*value[:place], changed, *value[place + 1 :]], where


def twisted(text):
    """(what, TEXT as no JSON any more)."""
    for length in {1, len(text) // 3, len(text) // 2, len(text) - 1}:
        yield f"first {length} bytes", text[:length]
    yield "more behind it", text + b"x"
    yield "twice", text + text
    yield "no UTF-8", text.replace(b'"', b'"\xff', 1)
    yield "a NUL", b"\0" + text
    yield "a mark of byte order", b"\xef\xbb\xbf" + text
    yield "UTF-16", text.decode().encode("utf-16")
    yield "nested", b"[" * 30000
    yield "nested deep in an object", b'{"interval":' * 5000
    yield "no value", text.replace(b":", b"", 1) if b":" in text else b"{]"
    yield "no number", text[:-1] + b',"interval":NaN}'
    yield "a number beyond all", text[:-1] + b',"interval":1e999}'
    yield "blanks", b" " * 5000
    yield "form", b"interval=60&allowed_misses=3"
