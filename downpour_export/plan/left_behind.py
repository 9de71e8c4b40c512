"""What of the project stays behind, and why: nothing does so in silence.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bundle_spec.model import Omission
from downpour_export.discover import Inventory, marks
from downpour_export.discover.left_behind import Elsewhere
from downpour_export.plan.graph import Closure
from downpour_export.plan.loose import goes_without_saying, obstacle

MAX_OF_A_TYPE = 1000
"""Things of one type that are kept with their names; beyond that only that there are more."""

_NOT_LISTED = "not in the resource file"
_NO_TYPE_OF_OURS = "downpour does not carry any"


@dataclass(frozen=True, kw_only=True)
class Left:
    type: str
    id: str
    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class LeftBehind:
    """``more``: types of which there are more than ``things`` has.  ``not_asked``: type -> why
    nobody knows whether there are any.  ``unknown``: services that downpour does not know."""

    things: tuple[Left, ...] = ()
    more: frozenset[str] = frozenset()
    not_asked: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def omissions(self) -> Iterator[Omission]:
        """For the manifest: how many of each type, and why.

        Without names: whoever gets a part of a project need not learn what else there is.
        """
        for (kind, reason), count in Counter((t.type, t.reason) for t in self.things).items():
            least = "at least " if kind in self.more else ""
            yield _of_type(kind, f"{least}{count} of the project: {reason}")
        for kind, why in self.not_asked.items():
            yield _of_type(kind, f"whether the project has any is not known: {why}")
        for service in self.unknown:
            yield _of_type(service, "downpour does not know this service of the source")


def _of_type(kind: str, reason: str) -> Omission:
    return Omission(type=kind, id="", name="", attribute=None, reason=reason)


def left_behind(inventory: Inventory, reached: Closure, elsewhere: Elsewhere) -> LeftBehind:
    """All that the project has and ``reached`` does not; types as a resource file orders them."""
    things: list[Left] = []
    counts: Counter[str] = Counter()
    for left in _of_inventory(inventory, reached):
        counts[left.type] += 1
        if counts[left.type] <= MAX_OF_A_TYPE:
            things.append(left)
    things += (
        Left(type=thing.type, id=thing.id, name=thing.name, reason=_NO_TYPE_OF_OURS)
        for thing in elsewhere.things
    )
    beyond = {kind for kind, count in counts.items() if count > MAX_OF_A_TYPE}
    return LeftBehind(
        things=tuple(things),
        more=elsewhere.more | beyond,
        not_asked=elsewhere.not_asked,
        unknown=elsewhere.unknown,
    )


def _of_inventory(inventory: Inventory, reached: Closure) -> Iterator[Left]:
    for records in inventory.listable().values():
        for record in records:
            if (
                record.ref in reached
                or marks.is_temporary(record.name)
                or goes_without_saying(record, inventory)
            ):
                continue
            yield Left(
                type=record.type,
                id=record.id,
                name=record.name,
                reason=obstacle(record, inventory) or _NOT_LISTED,
            )
