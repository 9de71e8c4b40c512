"""Marks that downpour leaves on resources: names of temporary objects, and the prefix ``dpb-``.

A tag, key or description with that prefix says where a resource came from in an earlier move.  It
means nothing in the next one and never enters a bundle; a bundle that holds one is refused [M-16].

The mark of a temporary object, and of a stopped server, is the uuid of the bundle, and after it a
sign of life of the export (docs/adr/0023).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bundle_spec import is_marker, is_reserved

TEMPORARY = re.compile(r"downpour-([0-9a-f]{12})-")
"""How the name of a temporary object begins; the digits are from the uuid of its bundle."""

STOPPED = "dpb-stopped"
"""Metadata key of a server that an export stopped and starts again; it holds the mark."""

_TIME = "%Y-%m-%dT%H:%M:%SZ"
_LIFE = re.compile(
    r"(live|ended) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([0-9a-f]{16}) (\d{1,10}) (\d{1,20})", re.ASCII
)


@dataclass(frozen=True, kw_only=True)
class Process:
    """``machine``: 16 hex digits that stand for a machine since it was switched on.  ``started``:
    when the process began, in clock ticks since then."""

    machine: str
    pid: int
    started: int


@dataclass(frozen=True, kw_only=True)
class Life:
    """``at``: when it was written, by the cloud's clock.  ``ended``: whether the export had done
    all that it would do."""

    at: datetime
    ended: bool
    process: Process


@dataclass(frozen=True, kw_only=True)
class Mark:
    """``life``: None where the rest is missing, or is not what an export writes."""

    bundle: str
    life: Life | None = None

    @classmethod
    def of(cls, text: str) -> Mark:
        """Of the text that stands in the cloud, where others may have written it."""
        bundle, _, rest = text.partition(" ")
        return cls(bundle=bundle, life=_life(rest))

    def __str__(self) -> str:
        if self.life is None:
            return self.bundle
        process, state = self.life.process, "ended" if self.life.ended else "live"
        at = self.life.at.strftime(_TIME)
        return f"{self.bundle} {state} {at} {process.machine} {process.pid} {process.started}"


def _life(text: str) -> Life | None:
    match = _LIFE.fullmatch(text)
    if match is None:
        return None
    state, at, machine, pid, started = match.groups()
    try:
        when = datetime.strptime(at, _TIME).replace(tzinfo=UTC)
    except ValueError:  # as the 31st of February
        return None
    process = Process(machine=machine, pid=int(pid), started=int(started))
    return Life(at=when, ended=state == "ended", process=process)


def is_temporary(name: str) -> bool:
    return TEMPORARY.match(name) is not None


def tags(values: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(sorted(tag for tag in values or () if not is_reserved(tag)))


def mapping(values: Mapping[str, object] | None) -> dict[str, str]:
    """Metadata or properties without what is a mark, be it the key or the value."""
    texts = {key: str(value) for key, value in (values or {}).items()}
    return {k: text for k, text in texts.items() if not is_reserved(k) and not is_marker(text)}


def text(value: str | None) -> str:
    """A description; one that is a mark was left by an import that did not finish."""
    return "" if value is None or is_marker(value) else value
