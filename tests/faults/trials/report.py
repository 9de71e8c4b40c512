"""The table at the end, and how each failure is replayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tests.faults.trials.trial import Result

_HEAD = ("class", "phase", "commands", "exit codes", "faults", "seconds", "verdict")


def row(result: Result) -> Sequence[str]:
    phase = result.phase
    return (
        result.name,
        phase.name,
        str(len(phase.tries)),
        " ".join("hung" if each.code is None else str(each.code) for each in phase.tries),
        str(result.faults),
        f"{phase.seconds:.0f}",
        _verdict(result),
    )


def _verdict(result: Result) -> str:
    if result.phase.wrong:
        return "WRONG"
    return "right" if result.faults else "met none"


def table(results: Iterable[Result]) -> Iterator[str]:
    rows = [_HEAD, *map(row, results)]
    widths = [max(len(each[column]) for each in rows) for column in range(len(_HEAD))]
    for each in rows:
        yield "  ".join(
            word.ljust(width) for word, width in zip(each, widths, strict=True)
        ).rstrip()


def wrongs(results: Iterable[Result], seed: str) -> Iterator[str]:
    """What went wrong, and the command that does it again."""
    for result in results:
        if result.phase.wrong:
            yield f"{result.name}, {result.phase.name}:"
            yield from (f"  {each}" for each in result.phase.wrong)
            half = "export" if result.phase.name == "export" else "import"
            chosen = f"FAULTS_SEED={seed} FAULTS_CLASSES={result.name} FAULTS_HALVES={half}"
            yield f"  {chosen} make faults"
