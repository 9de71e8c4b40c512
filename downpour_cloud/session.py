"""A keystoneauth session that repeats what is safe to repeat while a cloud cannot answer.

Every request passes here: those of the services, the token's, and the discovery of versions.
keystoneauth's own retries stay off, because they send a POST again whose answer was lost, wait as
long as a Retry-After says (for ever, if it says so), and write their warnings to stderr.

What is repeated, and how often (docs/adr/0015):

- GET, HEAD, PUT, DELETE, and a request for a token: after a connection that failed, and after
  429, 502, 503, 504, for two minutes in all; after 500 twice, because that is seldom an outage.
- POST and PATCH: after a connection that was never made, and after 429 and 503, where nothing was
  done.  After anything else they may have been obeyed: the caller must look.
- A body that is a stream: after a connection that was never made.

Between two tries lie 0.5 to 10 seconds, more each time and never the same for two threads, or what
Retry-After says, up to a minute.
"""

from __future__ import annotations

import email.utils
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep, time
from typing import Any

import requests
from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import session as ks_session
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

PATIENCE = 120.0
"""Seconds during which one request is repeated, with all that it needs: token and discovery."""

SILENCE = 120.0
"""Seconds without a byte after which a connection counts as broken, unless clouds.yaml has an
``api_timeout``."""

LONGEST_PAUSE = 10.0
LONGEST_RETRY_AFTER = 60.0
TRIES_OF_500 = 3
WORD_AFTER = 5.0
"""Seconds of repeating after which a person is told of it."""

_SAFE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_NOT_NOW = frozenset({429, 500, 502, 503, 504})
_NOT_DONE = frozenset({429, 503})

_BROKEN = (
    ks_exceptions.ConnectFailure,
    ks_exceptions.ConnectTimeout,
    ks_exceptions.UnknownConnectionError,
)
"""A connection that failed at any moment; a body that was cut short is one of the last kind."""


class PatientSession(ks_session.Session):
    """``tell`` is given one sentence for each request that is repeated for more than a few
    seconds.  ``met``: whether the cloud has answered yet; before, a connection that cannot be made
    is more likely a wrong address than an outage, and is told at once."""

    tell: Callable[[str], None] = staticmethod(lambda text: None)
    met = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timeout: float | None = self.timeout or SILENCE
        self._budget = threading.local()

    def request(self, url: str, method: str, *args: Any, **kwargs: Any) -> requests.Response:
        """As keystoneauth's, but for what is repeated."""
        wants_error = kwargs.pop("raise_exc", True)
        kwargs.update(connect_retries=0, status_code_retries=0, raise_exc=False)
        with self.budget() as deadline:
            response = self._patiently(url, method, args, kwargs, deadline)
        if wants_error and response.status_code >= 400:
            raise ks_exceptions.from_response(response, method, url)
        return response

    @contextmanager
    def budget(self) -> Iterator[float]:
        """All requests of this thread within are repeated for PATIENCE seconds together.

        Gives the end of that time, as ``monotonic`` counts.
        """
        outer: float | None = getattr(self._budget, "deadline", None)
        self._budget.deadline = monotonic() + PATIENCE if outer is None else outer
        try:
            yield self._budget.deadline
        finally:
            self._budget.deadline = outer

    def _patiently(
        self, url: str, method: str, args: Any, kwargs: dict[str, Any], deadline: float
    ) -> requests.Response:
        request = _Request(url, method.upper(), streamed=kwargs.get("data") is not None)
        began, told = monotonic(), False
        while True:
            request.tries += 1
            try:
                response: requests.Response = super().request(url, method, *args, **kwargs)
            except _BROKEN as exc:
                if not request.may_follow(exc, met=self.met) or request.over(deadline):
                    raise
                problem, pause = str(exc), _pause(request.tries)
            else:
                self.met = True
                if not request.may_follow(response.status_code) or request.over(deadline):
                    return response
                problem = f"it answers {response.status_code}"
                pause = _pause(request.tries, response.headers.get("Retry-After"))
                response.close()
            if not told and monotonic() + pause - began > WORD_AFTER:
                self.tell(f"waiting for the cloud to answer {method} {url}: {problem}")
                told = True
            sleep(pause)


class _Request:
    """One request, and whether it may be sent again."""

    def __init__(self, url: str, method: str, *, streamed: bool) -> None:
        self.tries = 0
        self._internal_errors = 0
        self._streamed = streamed
        self._safe = not streamed and (
            method in _SAFE or (method == "POST" and url.endswith("/auth/tokens"))
        )

    def over(self, deadline: float) -> bool:
        """Whether it was tried for long enough; twice even where the first try took that long."""
        return self.tries > 1 and monotonic() > deadline

    def may_follow(self, outcome: Exception | int, *, met: bool = True) -> bool:
        """Whether it may be sent again after this error, or this status."""
        if isinstance(outcome, Exception):
            return met if _never_sent(outcome) else self._safe
        if outcome == 500:
            self._internal_errors += 1
            return self._safe and self._internal_errors < TRIES_OF_500
        return not self._streamed and outcome in (_NOT_NOW if self._safe else _NOT_DONE)


def _never_sent(error: Exception) -> bool:
    """Whether no connection was made: refused, no route, no such name, no answer to the first
    packet.  keystoneauth keeps only the words of the error that tells."""
    cause = error.__context__
    inner = cause.args[0] if cause is not None and cause.args else None
    return isinstance(getattr(inner, "reason", None), (NewConnectionError, ConnectTimeoutError))


def _pause(tries: int, retry_after: str | None = None) -> float:
    """Seconds before the next try."""
    told = _seconds(retry_after)
    if told is not None:
        return min(max(told, 0.0), LONGEST_RETRY_AFTER)
    return random.uniform(0.5, 1.0) * min(0.5 * 2.0 ** min(tries, 10), LONGEST_PAUSE)


def _seconds(retry_after: str | None) -> float | None:
    """What Retry-After says (RFC 9110, 10.2.3): seconds, or a date; None where it says neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:6])
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() - time()
    except (ValueError, IndexError, TypeError):
        return None
