"""How a resource is made at most once, whatever is killed, lost, or delivered twice.

Before each POST the journal records the intent, after it the result.  The POST itself carries the
marker, so that after a crash in between the next run finds what was made, and this one after an
answer that was lost.
"""

from __future__ import annotations

from typing import TypeVar

from bundle_spec.model import Resource
from downpour_import.errors import AnswerLost, MadeInVain, RecreateError, Refused, TargetLost
from downpour_import.recreate.base import Outcome, Recreator, State, Unmarked
from downpour_import.recreate.context import Context, named
from downpour_import.recreate.patience import DONE_ALREADY, TRIES, appears, late_arrival

R = TypeVar("R", bound=Resource)


def recreate(
    recreator: Recreator[R], context: Context, record: R, *, check: bool = False
) -> Outcome:
    """Make ``record`` true on the target, or with ``check`` say how.  Raises RecreateError."""
    ref, journal = record.ref, context.journal
    if ref in context.targets:
        mapped = context.targets[ref]
        if mapped is not None and journal.target(ref) != mapped and not check:
            journal.reuse(ref, record.name, mapped)
        return Outcome("mapped", mapped)
    journalled = journal.target(ref)
    target = standing(recreator, context, record, check=check)
    entry = journal.entry(ref)
    if target is not None and entry is not None and entry.event == "done":
        return Outcome("unchanged", target)
    if check and target is not None:
        return Outcome("found", target)
    if check:
        equal = recreator.reusable(context, record)
        return Outcome("reused" if equal else "planned", equal)
    state: State = "made" if target is None or journalled else "found"
    if target is None:
        target = recreator.reusable(context, record)
        if target is not None:
            state = "reused"
            journal.record("reused", ref, record.name, target)
        else:
            target = _made(recreator, context, record)
    elif entry is not None and entry.event == "reused":
        # A kill came between "reused" and "done": the object is not ours to complete.
        state = "reused"
    if state != "reused":
        target = _completed(recreator, context, record, target)
    journal.record("done", ref, record.name)
    return Outcome(state, target)


def standing(
    recreator: Recreator[R], context: Context, record: R, *, check: bool = False
) -> str | None:
    """The ID of what this bundle made of ``record``, by the journal or the marker; None if gone.

    A natural key proves nothing without a journalled intent.  Unless ``check``, what is gone or
    broken is journalled as gone (and deleted if broken), so that it is made again."""
    ref, journal = record.ref, context.journal
    entry = journal.entry(ref)
    target = journal.target(ref)
    if target is None:
        target = _found(recreator, context, record, check=check)
        if target is not None and not check:
            journal.record("made", ref, record.name, target)
    if target is None:
        return None
    item = recreator.fetch(context, target)
    done = entry is not None and entry.event == "done"
    if item is not None and (done or not recreator.broken(item)):
        return target
    if check:
        return None
    if item is not None:
        context.tell(f"{named(record)} is broken, {target}: it is deleted and made again")
        recreator.remove(context, target)
    journal.record("gone", ref, record.name, target)
    other = _other(recreator, context, record, target)
    if other is not None:
        journal.record("made", ref, record.name, other)
    return other


def _found(recreator: Recreator[R], context: Context, record: R, *, check: bool) -> str | None:
    """What an earlier run made and did not journal."""
    entry = context.journal.entry(record.ref)
    asked = entry is not None and entry.event == "intent"
    if not recreator.can_be_marked and not asked:
        return None
    target = recreator.find(context, record)
    if target is None and asked and not check:
        return late_arrival(context, lambda: recreator.look(context, record), named(record))
    return target


def _other(recreator: Recreator[R], context: Context, record: R, target: str) -> str | None:
    """Another than ``target`` that bears the marker, and works: a POST had arrived twice."""
    if not recreator.can_be_marked:
        return None
    others = [each for each in recreator.bearers(context, record) if each != target]
    other = recreator.best(context, others)
    item = recreator.fetch(context, other) if other else None
    return None if item is None or recreator.broken(item) else other


def _made(recreator: Recreator[R], context: Context, record: R) -> str:
    """The ID of what a POST makes.  One whose answer is lost is looked for, then sent again."""
    target = _sent(recreator, context, record)
    if isinstance(recreator, Unmarked):
        # There was no equal one before the POST: what is there now has arrived twice.
        _remove_doubles(recreator, context, record, target)
    context.journal.record("made", record.ref, record.name, target)
    return target


def _sent(recreator: Recreator[R], context: Context, record: R) -> str:
    ref, journal = record.ref, context.journal

    def look() -> str | None:
        return recreator.look(context, record)

    for number in range(1, TRIES + 1):
        journal.record("intent", ref, record.name)
        try:
            return recreator.make(context, record)
        except AnswerLost as exc:
            found = appears(look, late=exc.late)
            if found is None and number == TRIES:
                raise
        except Refused as exc:
            found = look() if exc.status in DONE_ALREADY else None
            if found is None:
                if number == 1:
                    journal.record("gone", ref, record.name)  # nothing can still come of it
                raise
        if found is not None:
            return found
        context.tell(
            f"the answer was lost, and nothing was made: {named(record)} is asked for again"
        )
    raise AssertionError("unreachable")


def _remove_doubles(recreator: Unmarked[R], context: Context, record: R, target: str) -> None:
    for double in recreator.equals(context, record):
        if double != target and context.cloud.delete(recreator.service, recreator.path_of(double)):
            context.tell(f"removed {double}: the target had made {named(record)} twice")


def _completed(recreator: Recreator[R], context: Context, record: R, target: str) -> str:
    """The ID of what was completed: ``target``, or what took its place."""
    for number in range(1, TRIES + 1):
        try:
            recreator.complete(context, record, target)
            return target
        except TargetLost:
            raise
        except RecreateError as exc:
            other = None
            if number < TRIES:
                other = _instead(recreator, context, record, target)
                if other is None and isinstance(exc, MadeInVain):
                    context.tell(f"{named(record)} is made again: {exc.message}")
                    other = standing(recreator, context, record) or _made(
                        recreator, context, record
                    )
            if other is None:
                raise
            target = other
    raise AssertionError("unreachable")


def _instead(recreator: Recreator[R], context: Context, record: R, target: str) -> str | None:
    """What is to be used in place of ``target``, which could not be completed."""
    item = recreator.fetch(context, target)
    if not recreator.can_be_marked or (item is not None and not recreator.broken(item)):
        return None
    context.marked.pop(recreator.path, None)  # a double came after the list was read
    if _other(recreator, context, record, target) is None:
        return None
    return standing(recreator, context, record)
