"""What was measured as a Markdown table and as CSV.  Only ratios and bounds are judged."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.bench.measure import Run, Spread

Unit = Literal["", "s", "µs", "bytes", "calls"]
"""``""``: a ratio."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    ``goal``: the most that it may be, ``prize``: what would be better still; None: for
    information.  ``note``: how both sides were measured, for people.
    """

    key: str
    what: str
    unit: Unit = ""
    goal: float | None = None
    prize: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Side:
    """What one side took each time; ``cpu_seconds`` for those that are times.

    ``peak``: resident memory in bytes, the most of all times; 0 where nobody looked.
    """

    values: tuple[float, ...]
    unit: Unit
    cpu_seconds: tuple[float, ...] = ()
    peak: int = 0

    @classmethod
    def ours(cls, runs: Sequence[Run]) -> Side:
        """Times of downpour, which is one process and has one peak."""
        return dataclasses.replace(cls.by_hand(runs), peak=max(run.peak for run in runs))

    @classmethod
    def by_hand(cls, runs: Sequence[Run]) -> Side:
        """Times of a shell and what it starts."""
        cpu_seconds = tuple(run.cpu_seconds for run in runs)
        return cls(tuple(run.seconds for run in runs), "s", cpu_seconds)

    @classmethod
    def sizes(cls, sizes: Sequence[int]) -> Side:
        return cls(tuple(map(float, sizes)), "bytes")

    @classmethod
    def calls(cls, numbers: Sequence[int]) -> Side:
        return cls(tuple(map(float, numbers)), "calls")

    def __add__(self, other: Side) -> Side:
        """One after the other."""
        return Side(
            tuple(map(sum, zip(self.values, other.values, strict=True))),
            self.unit,
            tuple(map(sum, zip(self.cpu_seconds, other.cpu_seconds, strict=True))),
        )

    def times(self, number: float) -> Side:
        """What ``number`` times as much would have taken, where it is proportional."""
        return Side(
            tuple(each * number for each in self.values),
            self.unit,
            tuple(each * number for each in self.cpu_seconds),
        )

    def of_cpu(self) -> Side:
        """The CPU seconds as what is compared."""
        return Side(self.cpu_seconds, self.unit)

    def __str__(self) -> str:
        text = show(Spread.of(self.values).median, self.unit)
        if self.cpu_seconds:
            peak = f", {show(self.peak, 'bytes')}" if self.peak else ""
            text += f" ({show(Spread.of(self.cpu_seconds).median, 's')} CPU{peak})"
        return text


@dataclass(frozen=True)
class Measured:
    """A row with its number: the median of ``values``.  The sides it comes from, or what it is
    that has this number, if any."""

    row: Row
    values: tuple[float, ...]
    ours: Side | str | None = None
    other: Side | None = None

    @classmethod
    def ratio(cls, row: Row, ours: Side, other: Side) -> Measured:
        """``ours`` over ``other``, each time by itself."""
        values = tuple(a / b for a, b in zip(ours.values, other.values, strict=True))
        return cls(row, values, ours, other)

    @property
    def spread(self) -> Spread:
        return Spread.of(self.values)

    @property
    def verdict(self) -> str:
        """Judged by the median; empty without a goal."""
        if self.row.goal is None:
            return ""
        return "met" if self.spread.median <= self.row.goal else "MISSED"


def show(value: float, unit: Unit) -> str:
    """A number with its unit, to three figures or so."""
    if unit == "bytes":
        return f"{value / 2**20:.1f} MiB"
    if unit == "calls":
        return f"{value:,.0f} calls"
    if unit == "":
        return f"{value:.2f}"
    return f"{value:.1f} {unit}" if value >= 10 else f"{value:.2f} {unit}"


HEAD = ("", "goal", "measured", "spread", "", "downpour", "by hand")


def table(measured: Sequence[Measured]) -> str:
    """The Markdown table; what misses its goal is bold."""
    lines = [HEAD, ("---", *["---:"] * 3, "---", *["---:"] * 2)]
    for each in measured:
        row, spread, mark = each.row, each.spread, "**" if each.verdict == "MISSED" else ""
        goal = "" if row.goal is None else f"≤ {show(row.goal, row.unit)}"
        if row.prize is not None:
            goal += f" (prize {show(row.prize, row.unit)})"
        lines.append(
            (
                f"{mark}{row.what}{mark}",
                goal,
                f"{mark}{show(spread.median, row.unit)}{mark}",
                f"{show(spread.low, row.unit)} … {show(spread.high, row.unit)}",
                f"{mark}{each.verdict}{mark}",
                str(each.ours or ""),
                str(each.other or ""),
            )
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


COLUMNS = (
    *("key", "what", "unit", "goal", "prize", "median", "low", "high", "values", "verdict"),
    *("ours", "by_hand", "sides_unit", "ours_cpu_seconds", "by_hand_cpu_seconds"),
    "ours_peak_bytes",
)


def to_csv(measured: Sequence[Measured]) -> str:
    """All numbers as they are, in the order of the repeats; medians of the sides."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in measured:
        row, spread = each.row, each.spread
        writer.writerow(
            (
                *(row.key, row.what, row.unit, _number(row.goal), _number(row.prize)),
                *map(_number, (spread.median, spread.low, spread.high)),
                *(" ".join(map(_number, each.values)), each.verdict),
                *(_median(each.ours), _median(each.other), _unit(each.ours)),
                *(_cpu(each.ours), _cpu(each.other)),
                each.ours.peak if isinstance(each.ours, Side) and each.ours.peak else "",
            )
        )
    return text.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _median(side: Side | str | None) -> str:
    return _number(Spread.of(side.values).median) if isinstance(side, Side) else side or ""


def _cpu(side: Side | str | None) -> str:
    if not isinstance(side, Side) or not side.cpu_seconds:
        return ""
    return _number(Spread.of(side.cpu_seconds).median)


def _unit(side: Side | str | None) -> Unit:
    return side.unit if isinstance(side, Side) else ""


def chapter(
    title: str, intro: str, machine: Mapping[str, str], measured: list[Measured], picture: str
) -> str:
    """A section of the page: the picture, the table, the machine, and a note on each claim."""
    notes = "".join(
        f"- **{each.row.what}.** {each.row.note}\n" for each in measured if each.row.note
    )
    facts = "; ".join(f"{name} {value}" for name, value in machine.items())
    shown = f"![What is in the table below]({picture})"
    return f"## {title}\n\n{intro}\n\n{shown}\n\n{table(measured)}\nMachine: {facts}.\n\n{notes}"


PAGE = """# Benchmarks

What downpour costs, held against what one would do by hand with the usual tools. Each chapter is
written by `make bench`; a number is the median of its repeats, in its spread from the lowest to
the highest. A ratio is downpour over by hand: both sides ran in the same run, in turn, from a warm
page cache, and wrote to the same file system. Compare ratios, never seconds of two machines.
"""


def put_chapter(page: str, name: str, text: str) -> str:
    """``page`` with the chapter ``name`` replaced, or added; all else stays as people wrote it."""
    begin, end = f"<!-- {name}: written by make bench -->\n", f"<!-- end of {name} -->\n"
    block = f"{begin}\n{text}\n{end}"
    if begin in page and end in page:
        pattern = re.escape(begin) + ".*?" + re.escape(end)
        return re.sub(pattern, lambda found: block, page, count=1, flags=re.S)
    return f"{page.rstrip()}\n\n{block}"
