"""Reads Prometheus's text format, and holds it against its rules."""

import re

LABEL = r'[a-z_]+="[^"\\\n]*"'
SAMPLE = re.compile(rf"([a-z_]+)(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\d+(?:\.\d+)?)")
TYPE = "text/plain; version=0.0.4; charset=utf-8"


def samples(server):
    """All samples of a server, by name and labels: found["kairos_services", "status=up"]."""
    answer = server.get("/metrics")
    assert answer.headers["Content-Type"] == TYPE
    return read(answer.text)


def metric(server, name):
    """The sample of a server that has no labels."""
    return samples(server)[name, None]


def read(text):
    types, found = {}, {}
    name = None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in types and len(line.split(" ", 3)[3]) > 10
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] == name
            types[name] = line.split(" ")[3]
            assert types[name] in ("counter", "gauge", "histogram")
            assert (types[name] == "counter") == name.endswith("_total")
        else:
            sample, labels, number = SAMPLE.fullmatch(line).groups()
            suffix = r"_(bucket|sum|count)" if types[name] == "histogram" else ""
            assert re.fullmatch(name + suffix, sample), "samples follow their head"
            key = sample, ",".join(labels.replace('"', "").split(",")) if labels else None
            assert key not in found
            found[key] = float(number)
    for name in [name for name, kind in types.items() if kind == "histogram"]:
        check_histogram(found, name)
    return found


def check_histogram(found, name):
    """Buckets only grow, and the last one holds all."""
    buckets = {}
    for (sample, labels), number in found.items():
        if sample == name + "_bucket":
            *others, le = labels.split(",")
            buckets.setdefault(",".join(others) or None, []).append((le, number))
    for labels, row in buckets.items():
        bounds = [float(le.removeprefix("le=").replace("+Inf", "inf")) for le, _ in row]
        numbers = [number for _, number in row]
        assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf")
        assert numbers == sorted(numbers)
        assert found[name + "_count", labels] == numbers[-1]
        assert found[name + "_sum", labels] >= 0
