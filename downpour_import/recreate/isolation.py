"""One failure stops only what needs what failed (docs/adr/0018).

A resource that cannot be made is written down, and the run goes on.  Whatever needs it is not
tried.  What makes every other step useless ends the run: a target that is gone, a state directory
that cannot be written, a bundle that is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bundle_spec.errors import DownpourError
from bundle_spec.model import Resource
from bundle_spec.text import printable
from downpour_import.errors import RecreateError, TargetLost
from downpour_import.recreate.base import Outcome
from downpour_import.recreate.context import Context
from downpour_import.recreate.needs import needed
from downpour_import.state.failures import Failure, Failures, Subject


def isolated(context: Context, step: str, record: Resource, act: Callable[[], Outcome]) -> Outcome:
    """What ``act``, the ``step`` of ``record``, gives; or that it failed, or was not tried.

    Raises what ends the run: where the playbook does not tell of failures in the end, each of them.
    """
    failures = context.failures
    if not failures.isolate:
        return act()
    before = failures.of(record.ref)
    if before:
        return Outcome(before.state, None)
    failure = _lacking(context, step, record)
    if failure is None:
        try:
            return act()
        except RecreateError as exc:
            if isinstance(exc, TargetLost):
                raise
            failure = Failure(Subject(record.ref, record.name), step, _reason(exc, record))
    failures.add(failure)
    return Outcome(failure.state, None, failure.message)


@contextmanager
def ending_the_run(failures: Failures) -> Iterator[None]:
    """After an error in the block no process of this run tries anything more.

    Raises RunEnded where there was one before.
    """
    failures.require_going_on()
    try:
        yield
    except DownpourError as exc:
        failures.end(str(exc))
        raise


def _lacking(context: Context, step: str, record: Resource) -> Failure | None:
    """Why the step is not to be tried; None if all is there that it needs."""
    failures = context.failures
    if not failures.all():
        return None
    for group in needed(context.resources(), step, record):
        lost = [failure for ref in group if (failure := failures.of(ref))]
        if len(lost) == len(group):
            return _because_of(lost[0], step, record)
    return None


def _reason(error: RecreateError, record: Resource) -> str:
    """The error for whoever is told of the resource beside it."""
    kind = record.type.replace("_", " ")
    text = str(error)
    for what in (f"{kind} {record.name!r}: ", f"{record.ref} {record.name!r}: "):
        text = text.removeprefix(what)
    return printable(text)


def _because_of(lost: Failure, step: str, record: Resource) -> Failure:
    reason = "which failed"
    if lost.because:
        reason = f"which was not made, because {lost.because} failed"
    message = f"it needs {lost.subject}, {reason}"
    subject = Subject(record.ref, record.name)
    return Failure(subject, step, message, lost.because or lost.subject)
