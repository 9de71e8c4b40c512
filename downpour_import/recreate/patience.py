"""Waiting for the target, and asking it again where an answer was lost.

Every wait has an end, says after a minute what it waits for, and is over at once when a signal
comes: nothing here runs in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, TypeVar

from downpour_import.errors import AnswerLost, RecreateError, Refused
from downpour_import.recreate.context import Context

T = TypeVar("T")

TRIES = 3
"""How often a request that changes something is sent at most, if each answer is lost."""

LOOKS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further look for the effect of a request that may still be under way."""

DONE_ALREADY = frozenset({400, 404, 409})
"""Statuses of a refusal that may mean that the same request, sent before, was carried out: what it
asks for stands, or a port or a volume that it names is in use by that."""

TELL_AFTER, TELL_AGAIN = 60.0, 300.0
"""Seconds of a wait after which it is told, and told again."""


def wait_for(
    context: Context,
    fetch: Callable[[], Any],
    ready: Callable[[Any], bool],
    what: str,
    *,
    failed: Callable[[Any], str | None] = lambda item: None,
    gibibytes: float = 0.0,
    seconds: float = 600.0,
) -> Any:
    """Call ``fetch`` until its result is ``ready``, and return that result.

    Raises RecreateError when ``failed`` gives a reason for a result, or after ``seconds`` and one
    minute more for each GiB.
    """
    began = monotonic()
    end, tell_at = began + seconds + 60 * gibibytes, began + TELL_AFTER
    pause = 0.2
    while True:
        item = fetch()
        if ready(item):
            return item
        reason = failed(item)
        if reason:
            raise RecreateError(f"{what}: {reason}")
        now = monotonic()
        waited = f"{(now - began) / 60:.0f} min"
        if now > end:
            raise RecreateError(
                f"{what} takes too long: {waited}{_status(item)}",
                remedy="run the same command again",
            )
        if now > tell_at:
            context.tell(f"waiting for {what} for {waited}{_status(item)}")
            tell_at = now + TELL_AGAIN
        sleep(pause)
        pause = min(pause * 1.5, 5.0)


def _status(item: Any) -> str:
    status = item.get("status") if isinstance(item, dict) else None
    return f", it is {status!r}" if status else ""


def appears(look: Callable[[], T | None], *, late: bool) -> T | None:
    """What ``look`` finds of the effect of a request; None if nothing comes.

    ``late``: the request may still be under way, so that it is looked for a few times.
    """
    for pause in (0.0, *LOOKS) if late else (0.0,):
        sleep(pause)
        found = look()
        if found:
            return found
    return None


def settle(send: Callable[[], object], done: Callable[[], bool]) -> None:
    """``send`` a request that changes what stands; whether it is ``done`` is read at the target
    where the answer is lost, before it is sent again, and where it is refused.

    Raises AnswerLost after the last of TRIES, Refused, RecreateError.
    """
    for number in range(1, TRIES + 1):
        try:
            send()
            return
        except AnswerLost as exc:
            if appears(done, late=exc.late):
                return
            if number == TRIES:
                raise
        except Refused as exc:
            if exc.status in DONE_ALREADY and done():
                return
            raise


def late_arrival(context: Context, look: Callable[[], T | None], what: str) -> T | None:
    """What a request of a run that was killed makes, when it comes so late; None if nothing does.

    All records of a run share the time that is waited for: until ``context.late_until``.
    """
    told = False
    while True:
        left = context.late_until - monotonic()
        found = look()
        if found or left <= 0:
            return found
        if not told:
            context.tell(
                f"waiting up to {left:.0f} s for {what}: a run that was ended may have asked for it"
            )
            told = True
        sleep(min(left, 3.0))
