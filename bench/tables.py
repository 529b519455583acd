"""What was measured, as Markdown."""

from dataclasses import dataclass, field

import machine
from logs import Case, Log
from machine import CpuTime, others_share
from markdown import table
from script import MIB
from tools import Kairos, Tool, disagreements, peak_floor, threads_text

HEADINGS = ("case", "threads", "seconds", "GB/s", "target", "million events/s", "peak MiB",
            "bound MiB", "time / cat", "jq / time", "DuckDB / time")  # fmt: skip
REFERENCE_HEADINGS = ("case", "tool", "threads", "runs", "seconds", "GB/s", "peak MiB", "finds")


def bound(log: Log, threads: int) -> int:
    """What kairos promises to stay within."""
    return 8 * log.events + 120 * log.services + 32 * MIB + 4 * MIB * threads


def gb_per_second(log: Log, tool: Tool) -> float:
    return log.bytes / tool.seconds() / 1e9


def find(tools: list[Tool], name: str, threads: int) -> Tool | None:
    return next((t for t in tools if t.name == name and t.threads == threads), None)


def ratio(above: Tool | None, below: Tool | None) -> str:
    if above is None or below is None or not above.runs or not below.runs:
        return "-"
    quotient = above.seconds() / below.seconds()
    return f"{quotient:.1f}" if quotient < 10 else f"{quotient:.0f}"


def target_text(case: Case, log: Log, tool: Tool, tools: list[Tool]) -> str:
    if tool.threads == 1:
        return f"≥ {case.target:.1f}" if case.target else "-"
    single = find(tools, "kairos", 1)
    if not case.speedup or single is None or not single.runs:
        return "-"
    return f"≥ {case.speedup * gb_per_second(log, single):.2f}"


def peak_text(tool: Tool) -> str:
    floor = peak_floor()
    return f"{tool.peak() / MIB:.0f}" if tool.peak() > floor else f"< {floor / MIB + 1:.0f}"


def row(case: Case, log: Log, tool: Tool, tools: list[Tool]) -> tuple[str, ...]:
    what = case.what.format(services=f"{log.services:,}")
    if not tool.runs:
        return (what, str(tool.threads), *["-"] * (len(HEADINGS) - 2))
    return (
        what,
        str(tool.threads),
        f"{tool.seconds():.3f}",
        f"{gb_per_second(log, tool):.2f}",
        target_text(case, log, tool, tools),
        f"{log.events / tool.seconds() / 1e6:.1f}",
        peak_text(tool),
        f"≤ {bound(log, tool.threads) / MIB:.0f}",
        ratio(tool, find(tools, "cat", 1)),
        ratio(find(tools, "jq (counts only)", 1), tool),
        ratio(find(tools, "DuckDB", tool.threads), tool),
    )


def reference_row(case: Case, log: Log, tool: Tool) -> tuple[str, ...]:
    what = case.what.format(services=f"{log.services:,}")
    answer = tool.answer()
    return (
        what,
        tool.name,
        str(tool.threads),
        str(len(tool.runs)),
        f"{tool.seconds():.3f}",
        f"{gb_per_second(log, tool):.2f}",
        peak_text(tool),
        "-" if answer is None else f"{answer:,} {tool.counts}",
    )


@dataclass
class Results:
    rows: list[tuple[str, ...]] = field(default_factory=list)
    reference_rows: list[tuple[str, ...]] = field(default_factory=list)
    compared: int = 0  # Counts that were held against the generator's.
    disagreements: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, case: Case, log: Log, tools: list[Tool]) -> None:
        for tool in tools:
            if isinstance(tool, Kairos):
                self.rows.append(row(case, log, tool, tools))
            elif tool.runs:
                self.reference_rows.append(reference_row(case, log, tool))
            if tool.failure:
                notes = self.failures if isinstance(tool, Kairos) else self.remarks
                notes.append(
                    f"{tool.name} with {threads_text(tool.threads)} failed in the case "
                    f"{case.name}: {tool.failure}"
                )
        self.disagreements += disagreements(case, log, tools)
        self.compared += sum(1 for tool in tools if tool.runs and tool.counts)


def tables(results: Results) -> str:
    text = table(HEADINGS, results.rows, texts=1)
    if results.reference_rows:
        text += "\n\n" + table(REFERENCE_HEADINGS, results.reference_rows, texts=2)
    return text


def header(events: int, runs: int, versions: list[str], before: CpuTime) -> str:
    others = others_share(before, CpuTime.now())
    return "\n".join([
        f"- {machine.description()}",
        f"- {'; '.join(versions)}",
        f"- {events:,} events per log, page cache warm, whole processes, median of up to "
        f"{runs} runs, the tools in turn; others used {others:.0%} of the cores meanwhile",
    ])  # fmt: skip


def footer(results: Results) -> str:
    lines = [
        "GB is 10⁹ bytes of uncompressed log. `time / cat` is kairos's time over that of",
        "`cat FILE >/dev/null`; `jq / time` and `DuckDB / time` are theirs over kairos's, DuckDB",
        "with as many threads. DuckDB counts the same alerts, jq only events.",
    ]
    if results.disagreements:
        lines += ["", "**The tools disagree:**", ""]
        lines += [f"- {text}" for text in results.disagreements]
    elif results.compared:
        lines += [f"All {results.compared} counts agree with the generator's own."]
    notes = [*results.remarks, *results.failures]
    if notes:
        lines += ["", *(f"- {note}" for note in notes)]
    return "\n".join(lines)
