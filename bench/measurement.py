"""A figure beside its target and its reference, and how numbers are written."""

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

HEADINGS = ("what", "target", "kairos", "reference", "ratio")


@dataclass(frozen=True)
class Measurement:
    what: str
    target: str
    figure: str
    reference: str  # Empty if there is none.
    ratio: float | None = None  # Of the figure to the reference.

    def cells(self) -> tuple[str, ...]:
        return (self.what, self.target or "-", self.figure, self.reference or "-",
                "-" if self.ratio is None else number(self.ratio))  # fmt: skip


def number(value: float) -> str:
    """Three digits that count, or all before the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def seconds(value: float) -> str:
    """In the unit that suits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{number(value / size)} {unit}"
    return f"{number(value * 1e6)} µs"


def quotient(above: float, below: float) -> float | None:
    return above / below if below > 0 else None


@dataclass(frozen=True)
class Quantiles:
    """Of many durations, in seconds."""

    count: int
    p50: float
    p99: float
    p999: float
    max: float

    @staticmethod
    def of(values: Sequence[float]) -> "Quantiles":
        ordered = sorted(values)

        def rank(thousandths: int) -> float:
            return ordered[(len(ordered) * thousandths + 999) // 1000 - 1] if ordered else 0.0

        return Quantiles(len(ordered), rank(500), rank(990), rank(999), rank(1000))

    @staticmethod
    def read(text: str, name: str) -> "Quantiles":
        """From a line that bench/lateness.c prints."""
        line = re.search(rf"^{name} (.*)$", text, re.MULTILINE)
        if line is None:
            raise ValueError(f"there is no line of {name} in {text!r}")
        found = {key: float(value) for key, value in re.findall(r"(\w+)=([\d.-]+)", line[1])}
        return Quantiles(int(found["count"]), *(found[f"{key}_us"] / 1e6 for key in
                                                ("p50", "p99", "p999", "max")))  # fmt: skip


median = statistics.median
