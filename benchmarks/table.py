"""What was measured, as rows of one table, and how it grows with size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of ours beside another one.

    :param ratio: what is compared with *target*; None: this row is for information only.
    :param at_least: *target* is a lower bound; else an upper one.
    :param spread: the lowest and the highest ratio of the rounds, of which *ratio* is the median.
    """

    what: str
    ours: str
    beside: str = ""
    ratio: float | None = None
    target: float | None = None
    at_least: bool = True
    spread: tuple[float, float] | None = None
    unit: str = "x"
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        if self.ratio is None or self.target is None:
            return None
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target


@dataclass(frozen=True)
class Growth:
    """One figure at several sizes, the smallest first."""

    what: str
    unit: str
    at: tuple[tuple[int, float], ...]

    def __str__(self) -> str:
        parts, before = [], 0.0
        for size, value in self.at:
            growth = f" (x{value / before:.2f})" if before else ""
            parts.append(f"{size:,}: {value:,.1f} {self.unit}{growth}")
            before = value
        return f"{self.what}: {' → '.join(parts)}"


def missing(what: str, why: str) -> Row:
    """A row for what this checkout does not have."""
    return Row(what=what, ours="missing", note=why)


def text(found: Iterable[Row | Growth]) -> str:
    """All rows as one table, the growths below it."""
    rows: list[Row] = []
    growths: list[Growth] = []
    for item in found:
        if isinstance(item, Row):
            rows.append(item)
        else:
            growths.append(item)
    header = ("what", "ours", "beside", "ratio", "rounds", "target", "met", "note")
    lines = [header, *(_cells(row) for row in rows)]
    shown = _aligned(lines)
    if growths:
        shown += ["", "growth", *(f"  {growth}" for growth in growths)]
    return "\n".join(shown)


def _cells(row: Row) -> tuple[str, ...]:
    target = ""
    if row.target is not None:
        target = f"{'≥' if row.at_least else '≤'} {row.target:g} {row.unit}"
    return (
        row.what,
        row.ours,
        row.beside,
        "" if row.ratio is None else f"{row.ratio:.2f} {row.unit}",
        "{:.2f}-{:.2f}".format(*row.spread) if row.spread else "",
        target,
        {None: "", True: "yes", False: "NO"}[row.is_met],
        row.note,
    )


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    padded = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return [padded[0], "  ".join("─" * width for width in widths), *padded[1:]]
