"""A section's table as a picture: its ratios as bars, with what they may be.  Drawn of the CSV."""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.bench.overlap import BUSY

MET, MISSED, NO_GOAL = "#3b7a57", "#b3402e", "#8a8f98"
STEPS = {"time": NO_GOAL, "bytes": MET, "resources": "#4f6f9f"}


def draw(numbers: Path, picture: Path, title: str) -> None:
    """Draw ``numbers``, as ``report.to_csv`` wrote them, as an SVG: the same for the same."""
    with numbers.open() as file:
        rows = [row for row in csv.DictReader(file) if not row["unit"]]
    figure = Figure(figsize=(8.5, 1.2 + 0.36 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(reversed(rows)):
        median, low, high = (float(row[key]) for key in ("median", "low", "high"))
        color = {"met": MET, "MISSED": MISSED}.get(row["verdict"], NO_GOAL)
        axes.barh(place, median, color=color, height=0.6)
        axes.plot((low, high), (place, place), color="black", linewidth=1)
        label = high
        if row["goal"]:
            goal = float(row["goal"])
            axes.plot((goal, goal), (place - 0.42, place + 0.42), color="black", linewidth=2)
            # A number beside its mark, never under it.
            label = goal if high < goal < high + 0.2 else high
        axes.annotate(
            f"{median:.2f}", (label, place), (4, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(rows)), [row["what"] for row in reversed(rows)])
    axes.axvline(1, color="#8a8f98", linewidth=0.8, linestyle=":")
    axes.set_xlabel("downpour over by hand: less is better; the black mark is the goal")
    axes.set_title(title)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    _save(figure, picture)


def draw_overlap(steps: Path, picture: Path) -> None:
    """Draw the steps that ``overlap`` noted: what went on at once, and the busy cores below."""
    with steps.open() as file:
        rows = [*csv.DictReader(file)]
    tasks = [row for row in rows if row["step"] != BUSY]
    figure = Figure(figsize=(8.5, 2.2 + 0.3 * len(tasks)), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=(0.3 * len(tasks), 1))
    for place, row in enumerate(tasks):
        began, ended = float(row["began"]), float(row["ended"])
        above.barh(place, ended - began, left=began, color=STEPS[row["unit"]], height=0.6)
    above.set_yticks(range(len(tasks)), [row["step"] for row in tasks])
    above.invert_yaxis()
    above.set_title("An export: gray waits for the cloud, green moves bytes, blue is neither")
    busy = [row for row in rows if row["step"] == BUSY]
    seconds, cores = ([float(row[key]) for row in busy] for key in ("began", "unit"))
    below.fill_between(seconds, cores, step="post", color=MET)
    below.set_ylabel("cores")
    below.set_xlabel("seconds")
    for axes in (above, below):
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    _save(figure, picture)


def _save(figure: Figure, picture: Path) -> None:
    # Without a date and with fixed names, so that a picture only changes with its numbers.
    with mpl.rc_context({"svg.hashsalt": "downpour", "svg.fonttype": "none"}):
        figure.savefig(picture, format="svg", metadata={"Date": None})
