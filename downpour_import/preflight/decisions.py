"""What the preflight decides about one reference: by a rule, by itself, or not at all.  Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

from bundle_spec.model import AvailabilityZoneReference, Keypair, Reference, Resource
from bundle_spec.model.playbook import MappingRules
from downpour_cloud import Json
from downpour_import.errors import TargetError
from downpour_import.preflight import mapping
from downpour_import.preflight.result import Preflight
from downpour_import.preflight.survey import Survey

_SECTION_OF = {section.removesuffix("s"): section for section in mapping.SECTIONS} | {
    "qos_policy": "qos_policies"
}


class Decisions:
    """Collects in ``result`` what was decided by ``rules`` for the ``target``."""

    def __init__(self, rules: MappingRules, target: Survey) -> None:
        self.result = Preflight()
        self.rules = rules
        self.target = target
        self._used: set[tuple[str, str]] = set()

    def note_use(self, section: str, names: tuple[str, str]) -> None:
        """Note the rules that fit a resource; ``names``: its ID and its name."""
        fitting = mapping.fitting(getattr(self.rules, section), names)
        self._used |= {(section, name) for name in fitting}

    def follow_rule(
        self,
        section: str,
        wanted: Reference | Resource,
        candidates: Iterable[Json],
        can_drop: bool = False,
    ) -> bool:
        """Do what the mapping says; False without a rule.  One that does not work is a fault."""
        rules = getattr(self.rules, section)
        names = (wanted.id, wanted.name)
        self.note_use(section, names)
        has_rule, value = mapping.rule(rules, names)
        if not has_rule:
            return False
        where = f"mapping {section}: {wanted.name!r}"
        if isinstance(wanted, AvailabilityZoneReference):  # one rule is for the zones of both
            where += f" ({wanted.service})"
        if value is None:
            self.result.targets[wanted.ref] = None
            if isinstance(wanted, Keypair):
                remedy = f"leave it out with --skip keypair/{wanted.name}"
                self.fault("it is in the bundle and is made", where, remedy)
            elif not can_drop:
                self.fault(f"{section} cannot be mapped to drop", where)
            return True
        fitting = [item for item in candidates if value in (item["id"], item["name"])]
        if len(fitting) == 1:
            self.result.targets[wanted.ref] = fitting[0]["id"]
            return True
        # One fault is enough: whatever depends on this one gets no fault of its own.
        self.result.targets[wanted.ref] = None
        if fitting:
            ids = ", ".join(item["id"] for item in fitting)
            self.fault(f"{len(fitting)} are named {value!r} on the target: {ids}", where)
        else:
            offered = sorted({item["name"] or item["id"] for item in candidates})
            near = difflib.get_close_matches(value, offered, n=1)
            has = f"it has {', '.join(offered[:10]) or 'none'}"
            remedy = f"did you mean {near[0]}?" if near else has
            self.fault(f"the target has no {value!r}", where, remedy)
        return True

    def warn_of_unused_rules(self) -> None:
        """Warn of rules that fit nothing in the bundle: their names may be mistyped."""
        for section in mapping.SECTIONS:
            for name in getattr(self.rules, section):
                if (section, name) not in self._used and name != mapping.DEFAULT:
                    self.result.warnings.append(
                        f"mapping {section}: {name!r} names nothing of what is imported"
                    )

    def take(self, wanted: Reference, item: Json, reason: object) -> None:
        self.result.targets[wanted.ref] = item["id"]
        self.note_choice(wanted, item["name"], str(reason))

    def note_choice(self, wanted: Reference, chosen: str | None, reason: str) -> None:
        """``chosen``: a name; None: the cloud's default."""
        section = _SECTION_OF[wanted.type]
        self.result.choices.setdefault(section, {})[wanted.name] = chosen, reason
        kind = wanted.type.replace("_", " ")
        if isinstance(wanted, AvailabilityZoneReference):
            kind = f"{wanted.service} {kind}"
        target = "the cloud's default" if chosen is None else repr(chosen)
        self.result.taken.append(f"{kind} {wanted.name!r} -> {target} ({reason})")

    def missing(
        self,
        section: str,
        wanted: Reference | Resource,
        message: str,
        near: Json | None,
        comment: Callable[[Json], object],
    ) -> None:
        kind = wanted.type.replace("_", " ")
        self.fault(message, f"{kind} {wanted.name!r}")
        proposed: tuple[str, str] = (mapping.FILL_IN, "nothing comes near")
        if near:
            proposed = (near["name"], str(comment(near)))
        self.result.proposals.setdefault(section, {})[wanted.name] = proposed

    def fault(self, message: str, where: str, remedy: str | None = None) -> None:
        self.result.faults.append(TargetError(message, where=where, remedy=remedy))
