"""HTTP to a cloud that may be hostile: what it may not do with a request, and with our memory.

Every request of both halves passes here, below keystoneauth, which follows redirects by itself and
sends the token again with each.

- A redirect to another origin (scheme, host and port; RFC 6454) is refused.
- An answer that is not a stream is read up to MAX_ANSWER bytes.
- An answer that is compressed is refused: it was not asked for, and a small one can be endless.
- A token that goes to a host outside of the auth URL's domain, or in clear though the auth URL is
  https, is told once for each: the catalog may lead anywhere.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import session as ks_session

MAX_ANSWER = 64 << 20
"""Bytes of an answer; a page of 500 servers has 2 to 5 MiB."""

MAX_REDIRECTS = 5

_PIECE = 64 << 10
_REDIRECTS = frozenset({301, 302, 303, 305, 307, 308})
"""What keystoneauth follows."""

_PORTS = {"http": 80, "https": 443}
_TOKEN = "x-auth-token"


class HostileAnswer(ks_exceptions.ClientException):
    """The cloud answered with what is not taken from any cloud."""


class Origin(NamedTuple):
    scheme: str
    host: str
    port: int | None

    @classmethod
    def of(cls, url: str) -> Origin:
        """Of the URL as it is when it is sent.  Raises HostileAnswer for what is none."""
        try:
            # Parsers differ in what the host of a malformed URL is: this is the one that sends.
            parts = urlsplit(requests.Request("GET", url).prepare().url or "")
            host = (parts.hostname or "").rstrip(".")
            return cls(parts.scheme, host, parts.port or _PORTS.get(parts.scheme))
        except (requests.RequestException, ValueError) as exc:
            raise _no_address(url) from exc

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class GuardedHttp(requests.Session):
    """``home``: gives the auth URL, None while there is none.  ``tell``: is given a sentence for
    each place outside of its cloud that a token goes to."""

    def __init__(self, home: Callable[[], str | None], tell: Callable[[str], None]) -> None:
        super().__init__()
        self._home = home
        self._tell = tell
        self._told: set[Origin] = set()
        self._lock = threading.Lock()
        for prefix in list(self.adapters):
            self.mount(prefix, ks_session.TCPKeepAliveAdapter())
        self.headers["Accept-Encoding"] = "identity"

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """As that of requests.  Raises HostileAnswer too."""
        wants_stream = kwargs.get("stream", False)
        if _TOKEN in {str(name).lower() for name in kwargs.get("headers") or ()}:
            self._tell_if_elsewhere(url)
        response = super().request(method, url, *args, **{**kwargs, "stream": True})
        try:
            _refuse_redirect_elsewhere(response)
            _refuse_compressed(response)
            if not wants_stream or response.status_code >= 300:
                # As requests keeps it, which reads without a bound.
                response._content = body_of(response, MAX_ANSWER)
        except BaseException:
            response.close()
            raise
        return response

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: keystoneauth follows.  For one that it would follow, requests reads the whole body,
        however long it is."""
        return None

    def _tell_if_elsewhere(self, url: str) -> None:
        home_url = self._home()
        if home_url is None:
            return
        home, there = Origin.of(home_url), Origin.of(url)
        what = _why_elsewhere(home, there)
        with self._lock:
            if what is None or there in self._told:
                return
            self._told.add(there)
        self._tell(f"{there} {what}")


def _refuse_redirect_elsewhere(response: requests.Response) -> None:
    location = response.headers.get("location")
    if response.status_code not in _REDIRECTS or location is None:
        return
    try:
        url = urljoin(response.url, location)
    except ValueError as exc:
        raise _no_address(location) from exc
    here, there = Origin.of(response.url), Origin.of(url)
    if here != there:
        raise HostileAnswer(
            f"{here} redirects to {there}, where neither token nor password is sent: if that is "
            "right, name the new address in clouds.yaml, or have the catalog name it"
        )
    # keystoneauth sends to what stands here, and knows no relative addresses.
    response.headers["location"] = url


def _no_address(text: str) -> HostileAnswer:
    return HostileAnswer(f"it names an address that is none: {text[:200]!r}")


def _refuse_compressed(response: requests.Response) -> None:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise HostileAnswer(
            f"{Origin.of(response.url)} answers compressed ({encoding[:40]!r}), which was not asked"
        )


def body_of(response: requests.Response, most: int) -> bytes:
    """The body of a streamed answer, of at most ``most`` bytes.  Raises HostileAnswer."""
    body = bytearray()
    for piece in response.iter_content(_PIECE):
        body += piece
        if len(body) > most:
            raise HostileAnswer(
                f"the answer of {Origin.of(response.url)} is longer than {most >> 20} MiB"
            )
    return bytes(body)


def _why_elsewhere(home: Origin, there: Origin) -> str | None:
    """What is to be said of a token that goes ``there``; None if that is as it should be."""
    if home.scheme == "https" and there.scheme != "https":
        return "gets the token in clear, though the auth URL is https"
    if _domain(home.host) != _domain(there.host):
        return f"gets the token, and does not belong to the cloud of the auth URL, {home.host}"
    return None


def _domain(host: str) -> str:
    """What the hosts of one cloud share: the last two labels of a name, three where these are like
    ``co.uk``; an address as a whole."""
    try:
        return ipaddress.ip_address(host).compressed
    except ValueError:
        labels = host.split(".")
    short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if short else labels[-2:])
