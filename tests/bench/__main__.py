"""make bench: measure downpour against doing it by hand, and write the page of the results.

A full run takes 12 GiB of disk and as much free memory.  A quick one shows that all works.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bundle_spec.errors import INTERRUPTED_EXIT_CODE
from tests.bench import (
    format,
    growth,
    importing,
    large,
    machine,
    plot,
    profile,
    report,
    tools,
    whole,
)
from tests.bench.errors import BenchError
from tests.bench.section import Bench, Scale, Section

SECTIONS = {
    section.name: section
    for section in (
        whole.SECTION,
        importing.SECTION,
        growth.SECTION,
        format.SECTION,
        profile.SECTION,
        large.SECTION,
    )
}
DOCS = Path(__file__).parents[2] / "docs"
REPEATS: dict[Scale, int] = {"full": 3, "quick": 1, "tiny": 1}
TITLE_OF_SMALL = "{title} (small disks: the numbers tell nothing)"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; returns the exit code: 2 when something is missing, 130 when interrupted."""
    given = _parser().parse_args(argv)
    scale: Scale = "tiny" if given.tiny else "quick" if given.quick else "full"
    out = given.out or (DOCS if scale == "full" else None)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        for section in _sections(given.sections, scale, long=given.long):
            _run(section, scale, out, given.work)
    except BenchError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED_EXIT_CODE
    return 0


def _sections(names: Sequence[str], scale: Scale, *, long: bool) -> list[Section]:
    """Those that are named, else all that are long or all others; tests leave out what starts a
    cloud.  Raises BenchError."""
    if unknown := set(names) - SECTIONS.keys():
        raise BenchError(f"there is no section {', '.join(sorted(unknown))}.")
    if names:
        return [SECTIONS[name] for name in names]
    chosen = [each for each in SECTIONS.values() if each.long == long]
    return [each for each in chosen if not (each.clouds and scale == "tiny")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; else the usual"
    )
    parser.add_argument("--quick", action="store_true", help="small and once, under four minutes")
    parser.add_argument("--long", action="store_true", help="what takes long, instead of the usual")
    parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where the page and the CSV go (docs; quick: nowhere)",
    )
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="where a temporary folder is made for the disks"
    )
    return parser


def _run(section: Section, scale: Scale, out: Path | None, work: Path | None) -> None:
    tools.require(section.tools)
    with tempfile.TemporaryDirectory(prefix="downpour-bench-", dir=work) as folder:
        about = machine.describe(Path(folder))
        # Children run in other directories.
        bench = Bench(scale, REPEATS[scale], Path(folder).resolve(), _say, out)
        measured = [*section.measure(bench)]
    told = {each.row.key for each in measured}
    if missing := [row.key for row in section.rows if row.key not in told]:
        raise RuntimeError(f"section {section.name} did not measure {', '.join(missing)}")
    title = section.title if scale == "full" else TITLE_OF_SMALL.format(title=section.title)
    picture = f"benchmarks/{section.picture or section.name}.svg"
    chapter = report.chapter(title, section.intro, about, measured, picture)
    print(chapter)
    if out:
        page, numbers = out / "benchmarks.md", out / "benchmarks" / f"{section.name}.csv"
        numbers.parent.mkdir(parents=True, exist_ok=True)
        numbers.write_text(report.to_csv(measured))
        if section.picture is None:
            plot.draw(numbers, numbers.with_suffix(".svg"), section.title)
        text = page.read_text() if page.exists() else report.PAGE
        page.write_text(report.put_chapter(text, section.name, chapter))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
