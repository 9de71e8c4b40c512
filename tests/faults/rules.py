"""Which request meets which fault: a pure function of the seed and of what was asked how often.

A path is taken by its shape, with ``{id}`` for IDs, because these are others in the next run; and
a request by how often its shape was asked before.  So a seed does the same again, as far as the
cloud and the threads of the client do.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tests.faults.exchange import Request
from tests.faults.kinds.call import Fault


@dataclass(frozen=True)
class By:
    """When a rule strikes: by chance, always, or for the n-th request of each shape."""

    counts: frozenset[int] = frozenset()
    is_always: bool = False

    @property
    def is_chance(self) -> bool:
        return not self.counts and not self.is_always

    def aims_at(self, count: int) -> bool:
        return self.is_always or count in self.counts


CHANCE = By()
ALWAYS = By(is_always=True)


def nth(*counts: int) -> By:
    return By(frozenset(counts))


@dataclass(frozen=True)
class Rule:
    """``methods``: words.  ``service``, ``shape``: regular expressions for the whole of it."""

    fault: Fault
    methods: str = "GET HEAD POST PUT PATCH DELETE"
    service: str = ".*"
    shape: str = ".*"
    by: By = CHANCE

    def fits(self, request: Request) -> bool:
        return (
            request.method in self.methods.split()
            and re.fullmatch(self.service, request.service) is not None
            and re.fullmatch(self.shape, request.shape) is not None
            and self.fault.fits(request)
        )

    def by_chance(self) -> Rule:
        return replace(self, by=CHANCE)


@dataclass(frozen=True)
class Plan:
    """``chance``: the share of requests that meet a fault, of those that a rule fits."""

    seed: str
    rules: Sequence[Rule] = ()
    chance: float = 0.0

    def rule_for(self, request: Request, count: int) -> Rule | None:
        """The rule that strikes; ``count``: of requests of this shape, from 1 on."""
        fitting = [rule for rule in self.rules if rule.fits(request)]
        for rule in fitting:
            if rule.by.aims_at(count):
                return rule
        by_chance = [rule for rule in fitting if rule.by.is_chance]
        dice = self.dice(request, count)
        if not by_chance or dice.random() >= self.chance:
            return None
        return dice.choice(by_chance)

    def dice(self, request: Request, count: int, use: str = "rule") -> random.Random:
        """Chance for this request; ``use``: so that two decisions on it do not hang together."""
        words = (self.seed, use, request.service, request.method, request.shape, str(count))
        digest = hashlib.sha256("\0".join(words).encode()).digest()
        return random.Random(int.from_bytes(digest))


def mixed(rules: Iterable[Rule]) -> list[Rule]:
    """The same faults, all of them by chance."""
    return [rule.by_chance() for rule in rules]
