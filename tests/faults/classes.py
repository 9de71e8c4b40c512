"""The classes of faults: what each does, how often, and how long a command may take with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.kinds.altered import (
    Clock,
    Cut,
    FlipData,
    FlipJson,
    RangeIgnored,
    ShortToken,
    Slow,
)
from tests.faults.kinds.instead import Down, Html, Redirect, Reset, Stalled, Status, Unauthorized
from tests.faults.kinds.repeated import Late, Twice
from tests.faults.rules import ALWAYS, Plan, Rule, mixed, nth

MIXED = "mixed"

TENTH = 0.1
SELDOM = 0.03
"""Where each fault costs a time-out."""
QUARTER = 0.25
"""Where only what makes something meets it."""
HALF = 0.5
"""Where a run has only a handful of requests that can meet it."""

TEN_MINUTES = 600.0
"""What an export or import of the small tenant takes on a busy machine, and two time-outs."""

_ITEMS = r"/v2\.1/servers/\{id\}|/v3/\{id\}/(volumes|snapshots)/\{id\}|/v2/images/\{id\}"


@dataclass(frozen=True)
class FaultClass:
    """``seconds``: after which a command counts as one that hangs."""

    name: str
    rules: tuple[Rule, ...]
    chance: float = TENTH
    seconds: float = TEN_MINUTES

    def plan(self, seed: str) -> Plan:
        return Plan(f"{seed} {self.name}", self.rules, self.chance)


def _down(is_refused: bool) -> tuple[Rule, ...]:
    """Each service once or twice: where a list is asked for, and where something is waited for."""
    fault = Down(20.0, is_refused=is_refused)
    return (
        Rule(fault, "GET", "neutron", "/v2.0/ports", nth(2)),
        Rule(fault, "GET", "cinder|glance|nova", _ITEMS, nth(3)),
        Rule(fault, "POST", "keystone", "/v3/auth/tokens", nth(3)),
    )


def _elsewhere() -> tuple[Rule, ...]:
    """Each ends a command, so there are fewer of them than tries."""
    fault = Redirect(is_elsewhere=True)
    return (
        Rule(fault, "GET", "neutron", "/v2.0/subnets", nth(1)),
        Rule(fault, "GET", "glance", r"/v2/images/\{id\}", nth(2)),
        Rule(fault, "POST", "neutron", "/v2.0/networks", nth(1)),
    )


_CLASSES = (
    FaultClass("500", (Rule(Status(500)),)),
    FaultClass("502", (Rule(Status(502)),)),
    FaultClass("503", (Rule(Status(503)),)),
    FaultClass("504", (Rule(Status(504)),)),
    FaultClass("500-obeyed", (Rule(Status(500, is_obeyed=True)),)),
    FaultClass("504-obeyed", (Rule(Status(504, is_obeyed=True)),)),
    FaultClass("429", (Rule(Status(429)),)),
    FaultClass("429-seconds", (Rule(Status(429, "seconds")),)),
    FaultClass("429-date", (Rule(Status(429, "date")),)),
    FaultClass("reset-before", (Rule(Reset(is_obeyed=False)),)),
    FaultClass("reset-after", (Rule(Reset(is_obeyed=True)),)),
    FaultClass("slow", (Rule(Slow(2048, longest=4.0)),), seconds=2 * TEN_MINUTES),
    FaultClass("stalled", (Rule(Stalled(is_begun=False)),), SELDOM, 2 * TEN_MINUTES),
    FaultClass("stalled-begun", (Rule(Stalled(is_begun=True)),), SELDOM, 2 * TEN_MINUTES),
    FaultClass(
        "cut",
        (
            Rule(Cut(is_fitting=False, of_data=False)),
            Rule(Cut(is_fitting=False, of_data=True), by=nth(1, 2)),
        ),
    ),
    FaultClass("cut-json-fitting", (Rule(Cut(is_fitting=True, of_data=False)),)),
    FaultClass("cut-data-fitting", (Rule(Cut(is_fitting=True, of_data=True)),), HALF),
    FaultClass("html", (Rule(Html()),)),
    FaultClass("flip-data", (Rule(FlipData()),), HALF),
    FaultClass("flip-json", (Rule(FlipJson()),)),
    FaultClass("401", (Rule(Unauthorized()),)),
    FaultClass(
        "range-ignored",
        (Rule(RangeIgnored(), by=ALWAYS), Rule(Cut(is_fitting=False, of_data=True))),
        HALF,
    ),
    FaultClass("redirect", (Rule(Redirect(is_elsewhere=False)),)),
    FaultClass("redirect-elsewhere", _elsewhere()),
    FaultClass("down-refused", _down(is_refused=True)),
    FaultClass("down-503", _down(is_refused=False)),
    FaultClass("clock-behind", (Rule(Clock(-5.0), by=ALWAYS),)),
    FaultClass("clock-ahead", (Rule(Clock(5.0), by=ALWAYS),)),
    FaultClass("short-token", (Rule(ShortToken(40), by=ALWAYS),)),
    FaultClass("twice", (Rule(Twice()),), QUARTER),
    FaultClass("late", (Rule(Late(6.0)),), QUARTER),
)

_SELDOM_IN_MIX = frozenset({"redirect-elsewhere"})
"""It ends a command, as it must: of two dozen kinds it would leave none to come to its end."""

_MIX = [rule for each in _CLASSES if each.name not in _SELDOM_IN_MIX for rule in each.rules]
_MIXED = FaultClass(MIXED, tuple(mixed(_MIX)), seconds=2 * TEN_MINUTES)

CLASSES: Mapping[str, FaultClass] = {each.name: each for each in (*_CLASSES, _MIXED)}
