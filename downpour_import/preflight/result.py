"""The result of a preflight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bundle_spec.model import Ref
from bundle_spec.model.playbook import MappingRules
from downpour_import.errors import TargetError, TargetFaults
from downpour_import.preflight import mapping

Targets = Mapping[Ref, str | None]
"""Reference of the source -> ID on the target (of types and zones the name); None: do without."""


@dataclass
class Preflight:
    """``targets``: the resolved mapping.  ``taken``: a line for each decision without a rule.

    ``choices`` (these decisions) and ``proposals`` (what must be mapped): section -> name at the
    source -> (name at the target, why).  ``warnings``: what does not stop an import.
    """

    targets: dict[Ref, str | None] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    faults: list[TargetError] = field(default_factory=list)
    choices: dict[str, dict[str, tuple[str | None, str]]] = field(default_factory=dict)
    proposals: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)

    def require(self, remedy: str | None = None) -> None:
        """Raise TargetFaults with everything that the target lacks."""
        if self.faults:
            mapped = "say what stands for it with --map" if self.proposals else None
            raise TargetFaults(
                "the target lacks what this bundle needs; nothing was written",
                self.faults,
                remedy=remedy or mapped,
            )

    def proposal(self, rules: MappingRules, *, whole: bool = False) -> str:
        """A mapping file to complete; it begins with the ``rules`` that were given.

        ``whole``: also with what was decided without a rule, to be looked at and changed.
        """
        sections: dict[str, dict[str, tuple[str | None, str]]] = {}
        for by_section in (self.choices if whole else {}, self.proposals):
            for section, items in by_section.items():
                sections.setdefault(section, {}).update(items)
        return mapping.proposal(sections, rules)
