"""Tables in Markdown that can also be read as they are."""


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]], texts: int) -> str:
    """The first `texts` columns stand to the left, the figures to the right."""
    widths = [max(3, *(len(row[i]) for row in [headings, *rows])) for i in range(len(headings))]

    def line(cells: tuple[str, ...]) -> str:
        padded = (c.ljust(w) if i < texts else c.rjust(w)
                  for i, (c, w) in enumerate(zip(cells, widths)))  # fmt: skip
        return "| " + " | ".join(padded) + " |"

    rule = tuple("-" * w if i < texts else "-" * (w - 1) + ":" for i, w in enumerate(widths))
    return "\n".join([line(headings), line(rule), *(line(row) for row in rows)])
