"""A keystoneauth session that repeats what is safe to repeat while a cloud cannot answer.

Every request passes here: those of the services, the token's, and the discovery of versions.
keystoneauth's own retries stay off, because they send a POST again whose answer was lost, wait as
long as a Retry-After says (for ever, if it says so), and write their warnings to stderr.

What is repeated, and how often (docs/adr/0015):

- GET, HEAD, PUT, DELETE, and a request for a token: after a connection that failed, and after
  429, 502, 503, 504, for two minutes in all; after 500 twice, because that is seldom an outage.
  A request for a token also after an answer that is no JSON, which keystoneauth takes for final.
- POST and PATCH: after a connection that was never made, and after 429 and 503, where nothing was
  done.  After anything else they may have been obeyed: the caller must look.
- A body that is a stream: after a connection that was never made.

- Any of them but a stream: after 401 twice, each time with a new token.  A wrong password shows
  in the request for that token, which is sent once.

When one request of a service got nothing for all its time, the next ones of that service and method
get SHORT_SECONDS, until one is answered.

Between two tries lie 0.5 to 10 seconds, more each time and never the same for two threads, or what
Retry-After says, up to a minute.
"""

from __future__ import annotations

import email.utils
import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep, time
from typing import Any

import requests
from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import session as ks_session
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from downpour_cloud.guarded import MAX_REDIRECTS, GuardedHttp

RETRY_SECONDS = 120.0
"""Seconds during which one request is repeated, together with the requests for a token and for
versions that it needs first."""

SHORT_SECONDS = 10.0
"""The same after a request like it was repeated for all of RETRY_SECONDS in vain."""

CONNECT_TIMEOUT = 30.0
"""Seconds within which a connection must be made."""

DEFAULT_TIMEOUT = 120.0
"""Seconds without a byte after which a connection counts as broken, unless clouds.yaml has an
``api_timeout``."""

LONGEST_PAUSE = 10.0
"""Seconds between two tries at most."""

LONGEST_RETRY_AFTER = 60.0
"""Seconds of a Retry-After header that are waited for at most."""

TRIES_OF_500 = 3

LATE_SECONDS = 30.0
"""Seconds in which a request may still arrive after its connection broke: proxies hold one back
that long, seldom longer."""
TRIES_OF_401 = 3

TELL_AFTER = 5.0
"""Seconds of repeating after which ``tell`` is called."""

SILENT_AFTER = 60.0
"""Seconds without an answer to one request after which ``tell`` is called."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_UNSAFE_METHODS = frozenset({"POST", "PATCH"})
_TRANSIENT = frozenset({429, 500, 502, 503, 504})
"""Statuses after which a request that is safe to repeat is sent again."""

_NOT_DONE = frozenset({429, 503})
"""Statuses that mean that nothing was done, so that a POST or PATCH is sent again too."""

_CONNECTION_FAILURES = (
    ks_exceptions.ConnectFailure,
    ks_exceptions.ConnectTimeout,
    ks_exceptions.UnknownConnectionError,
)
"""Before the request was sent or after; a body that is cut short is an UnknownConnectionError."""


class RetryingSession(ks_session.Session):
    """``tell`` is given one sentence for each request that is repeated for more than a few
    seconds.  ``met``: whether the cloud has answered yet; before that, a connection that cannot be
    made is more likely a wrong address than an outage, and the error is raised at once.
    ``tells_places``: whether ``tell`` is also given where a token goes outside of the cloud.

    Without a ``session`` of requests, requests go through ``GuardedHttp``."""

    tell: Callable[[str], None] = staticmethod(lambda text: None)
    met = False
    tells_places = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        guarded = GuardedHttp(lambda: getattr(self.auth, "auth_url", None), self._tell_place)
        kwargs["session"] = kwargs.get("session") or guarded
        super().__init__(*args, **{"redirect": MAX_REDIRECTS, **kwargs})
        self.timeout: float | None = self.timeout or DEFAULT_TIMEOUT
        self._budget = threading.local()
        self._in_vain = set[tuple[str | None, str]]()

    def request(self, url: str, method: str, *args: Any, **kwargs: Any) -> requests.Response:
        """As keystoneauth's, but requests are repeated as the module says; with ``repeat=False``
        they never are."""
        wants_error = kwargs.pop("raise_exc", True)
        repeat = kwargs.pop("repeat", True)
        kwargs.update(connect_retries=0, status_code_retries=0, raise_exc=False)
        kwargs.setdefault("timeout", self._timeouts())
        self._budget.service = (kwargs.get("endpoint_filter") or {}).get("service_type")
        like = (self._budget.service, method.upper())
        with self.budget(SHORT_SECONDS if like in self._in_vain else RETRY_SECONDS) as deadline:
            if repeat:
                response = self._sent_like(like, url, method, args, kwargs, deadline)
            else:
                response = super().request(url, method, *args, **kwargs)
        if wants_error and response.status_code >= 400:
            raise ks_exceptions.from_response(response, method, url)
        return response

    def _timeouts(self) -> tuple[float | None, float | None]:
        """For making a connection, and for each byte."""
        return (min(CONNECT_TIMEOUT, self.timeout or CONNECT_TIMEOUT), self.timeout)

    def _sent_like(
        self,
        like: tuple[str | None, str],
        url: str,
        method: str,
        args: Any,
        kwargs: dict[str, Any],
        deadline: float,
    ) -> requests.Response:
        """As ``_send_until``; and remembers whether requests ``like`` it, (service, method), are
        answered."""
        try:
            response = self._send_until(url, method, args, kwargs, deadline)
        except _CONNECTION_FAILURES:
            if monotonic() > deadline:
                self._note_in_vain(like)
            raise
        if response.status_code in _TRANSIENT and monotonic() > deadline:
            self._note_in_vain(like)
        else:
            self._in_vain.discard(like)
        return response

    def _note_in_vain(self, like: tuple[str | None, str]) -> None:
        service, method = like
        if service is not None and like not in self._in_vain:
            self._in_vain.add(like)
            self.tell(
                f"the service {service} does not answer {method}: until it does, it is asked for "
                f"{SHORT_SECONDS:.0f} s each time"
            )

    def _tell_place(self, text: str) -> None:
        if self.tells_places:
            service = getattr(self._budget, "service", None) or "a"
            self.tell(f"warning: {service} request: {text}")

    @contextmanager
    def budget(self, seconds: float = RETRY_SECONDS) -> Iterator[float]:
        """All requests of this thread within the block are repeated for ``seconds`` together.

        Yields the end of that time, as ``monotonic`` counts.
        """
        outer: float | None = getattr(self._budget, "deadline", None)
        self._budget.deadline = monotonic() + seconds if outer is None else outer
        try:
            yield self._budget.deadline
        finally:
            self._budget.deadline = outer

    def _send_until(
        self, url: str, method: str, args: Any, kwargs: dict[str, Any], deadline: float
    ) -> requests.Response:
        request = _Request(url, method.upper(), streamed=kwargs.get("data") is not None)
        began, announced = monotonic(), False
        while True:
            request.tries += 1
            try:
                with self._watched(request, url, method):
                    response: requests.Response = super().request(url, method, *args, **kwargs)
            except _CONNECTION_FAILURES as exc:
                if not request.may_repeat(exc, met=self.met) or request.over(deadline):
                    raise
                problem, pause = brief(exc), _pause(request.tries)
            else:
                self.met = True
                cut = request.is_cut(response)
                again = cut or request.may_repeat(response.status_code)
                if not again or request.over(deadline):
                    return response
                problem = "its answer is cut" if cut else f"it answers {response.status_code}"
                pause = _pause(request.tries, response.headers.get("Retry-After"))
                response.close()
            if not announced and monotonic() + pause - began > TELL_AFTER:
                self.tell(f"waiting for the cloud to answer {method} {url}: {problem}")
                announced = True
            sleep(pause)

    @contextmanager
    def _watched(self, request: _Request, url: str, method: str) -> Iterator[None]:
        """Tell where no answer comes for long.  How long a stream takes, says nothing."""
        text = f"waiting for the cloud to answer {method} {url}: nothing came for a minute"
        timer = threading.Timer(SILENT_AFTER, self.tell, [text])
        timer.daemon = True
        if not request.streamed:
            timer.start()
        try:
            yield
        finally:
            timer.cancel()


class _Request:
    """One request, and whether it may be sent again."""

    def __init__(self, url: str, method: str, *, streamed: bool) -> None:
        self.tries = 0
        self.streamed = streamed
        self._internal_errors = self._unauthorized = 0
        self._for_token = method == "POST" and url.endswith("/auth/tokens")
        self._safe = not streamed and (method in _SAFE_METHODS or self._for_token)

    def over(self, deadline: float) -> bool:
        """Whether it was tried for long enough; twice even where the first try took that long."""
        return self.tries > 1 and monotonic() > deadline

    def is_cut(self, response: requests.Response) -> bool:
        """Whether a token was asked for, and the good answer is not whole: it is no JSON."""
        if not self._for_token or response.status_code >= 300:
            return False
        try:
            json.loads(response.content)
        except (ValueError, RecursionError):
            return True
        return False

    def may_repeat(self, outcome: Exception | int, *, met: bool = True) -> bool:
        """Whether it may be sent again after this exception, or this HTTP status."""
        if isinstance(outcome, Exception):
            return met if _never_sent(outcome) else self._safe
        if outcome == 500:
            self._internal_errors += 1
            return self._safe and self._internal_errors < TRIES_OF_500
        if outcome == 401:
            self._unauthorized += 1
            may = not self.streamed and not self._for_token
            return may and self._unauthorized < TRIES_OF_401
        return not self.streamed and outcome in (_TRANSIENT if self._safe else _NOT_DONE)


def answer_lost(error: Exception, method: str, *, streamed: bool) -> bool:
    """Whether ``error`` broke one request that was sent, and that is not safe to send again: it may
    have been carried out, and the next request may well be answered."""
    broken = isinstance(error, _CONNECTION_FAILURES) and not _never_sent(error)
    return broken and not _Request("", method, streamed=streamed).may_repeat(error)


def may_be_obeyed(method: str, status: int) -> bool:
    """Whether a request that is not safe to send again may have been carried out although it was
    answered with this ``status``."""
    return method in _UNSAFE_METHODS and status in _TRANSIENT - _NOT_DONE


def brief(error: BaseException) -> str:
    """The text of an error, without the nested ones of the libraries below keystoneauth: of these
    only what the operating system says, as ``Connection refused``."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.strerror):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return str(error)
    return re.sub(r"(?s)HTTPS?Connection(Pool)?\(.*", lambda _: str(cause.strerror), str(error))


def _never_sent(error: Exception) -> bool:
    """Whether no connection was made: refused, no route, unknown host, connect timeout.

    keystoneauth's exception has only a text; the original one is its ``__context__``.
    """
    cause = error.__context__
    inner = cause.args[0] if cause is not None and cause.args else None
    return isinstance(getattr(inner, "reason", None), (NewConnectionError, ConnectTimeoutError))


def _pause(tries: int, retry_after: str | None = None) -> float:
    """Seconds before the next try; ``retry_after`` is the header of that name."""
    asked_for = _seconds(retry_after)
    if asked_for is not None:
        return min(max(asked_for, 0.0), LONGEST_RETRY_AFTER)
    return random.uniform(0.5, 1.0) * min(0.5 * 2.0 ** min(tries, 10), LONGEST_PAUSE)


def _seconds(retry_after: str | None) -> float | None:
    """Seconds of a Retry-After header, a number or a date (RFC 9110, 10.2.3); None if neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:6])
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() - time()
    except (ValueError, IndexError, TypeError):
        return None
