"""REST calls to the services of one cloud, as one project's token sees it.

Resources are read and written as the plain JSON of the APIs, through openstacksdk's adapters
(catalog, authentication, renewal of tokens): its resource classes rename, add and convert
attributes, and what arrives must equal what left.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

import openstack
import requests
from keystoneauth1 import exceptions as ks_exceptions
from openstack import exceptions as sdk_exceptions

from bundle_spec.errors import DownpourError
from downpour_cloud.catalog import Catalog
from downpour_cloud.microversions import negotiate, version
from downpour_cloud.session import answer_lost, brief, may_be_obeyed

Service = Literal["compute", "network", "image", "block_storage"]
Json = Any

PAGE_SIZE = 500
"""Items asked for in one page; a cloud may give fewer."""

MAX_REASON = 500
"""Characters of a service's own error text that our error repeats."""

MAX_LIST = 512 << 20
"""Bytes of all pages of a list."""

NO_JSON = (ValueError, RecursionError)
"""What the parser raises: for what is no JSON, for a number of too many digits, for depth."""

TRIES_OF_ANSWERS = 3
"""How often a request that is safe to repeat is sent at most while its answer is not JSON: a
proxy's error page, or a body that was cut short."""


class Streamed(NamedTuple):
    """An answer whose body is not read yet.  ``pieces``: (bytes of a piece at most) -> the body."""

    status: int
    headers: Mapping[str, str]
    pieces: Callable[[int], Iterator[bytes]]


class Cloud(ABC):
    """Every method raises the error that ``failure`` makes; ``session.RetryingSession`` says which
    requests are repeated before that."""

    side: ClassVar[str]
    """What errors call this cloud: ``source`` or ``target``."""

    def __init__(self, connection: openstack.connection.Connection) -> None:
        self._connection = connection
        self.project_id: str = connection.current_project_id
        self.auth_url: str = connection.session.auth.auth_url
        self.catalog = Catalog(connection)
        self._microversions: dict[str, str | None] = {}

    @abstractmethod
    def failure(self, message: str, *, where: str, status: int | None) -> DownpourError:
        """The error of this half for a request that failed.

        ``status``: of HTTP, 400 to 599; None where no answer came.
        """

    def unanswered(self, message: str, *, where: str, status: int | None) -> DownpourError:
        """The same for a request that changes something and may have been carried out: its answer
        did not come or is not whole (``status`` None), or is 500, 502 or 504."""
        return self.failure(message, where=where, status=status)

    def lost(self, message: str, *, where: str) -> DownpourError:
        """The same where the cloud as a whole does not answer, although it was asked again, or
        takes no credentials any more."""
        return self.failure(message, where=where, status=None)

    # --- reading ---

    def list(
        self, service: Service, path: str, key: str, params: Mapping[str, Any] | None = None
    ) -> Iterator[Json]:
        """Every item of a list call, page by page; ``key`` holds the items in the answer."""
        query = {"limit": PAGE_SIZE, **(params or {})}
        seen, total = set[str](), 0
        while True:
            page, size = self._json_of_get(service, path, query, ())
            answer = page if isinstance(page, dict) else {}
            items = answer.get(key)
            if not isinstance(items, list):
                raise self.not_whole("GET", path)
            yield from items
            marker = _next_marker(answer, key)
            if marker is None or not items:
                return
            total += size
            if marker in seen or total > MAX_LIST:
                message = f"the {self.side}'s list does not end: {len(seen) + 1} pages came"
                raise self.failure(message, where=path, status=None)
            seen.add(marker)
            query["marker"] = marker

    def get(self, service: Service, path: str, params: Mapping[str, Any] | None = None) -> Json:
        """The JSON answer of a GET."""
        return self._json_of_get(service, path, params, ())[0]

    def get_or_none(self, service: Service, path: str) -> Json | None:
        """The JSON answer of a GET, or None if the object does not exist (404)."""
        return self._json_of_get(service, path, None, (404,))[0]

    def get_optional(
        self, service: Service, path: str, params: Mapping[str, Any] | None = None
    ) -> Json | None:
        """The JSON answer of a GET, or None where the service refuses it with any status: for facts
        that a run can do without."""
        return self._json_of_get(service, path, params, range(400, 600))[0]

    def _json_of_get(
        self,
        service: Service,
        path: str,
        params: Mapping[str, Any] | None,
        none_for: tuple[int, ...] | range,
    ) -> tuple[Json | None, int]:
        """The answer, None for a status in ``none_for``; and how many bytes it has."""
        for attempt in range(1, TRIES_OF_ANSWERS + 1):
            response = self._send(service, "GET", path, params=params)
            if response.status_code in none_for:
                return None, 0
            try:
                return _parsed(self._checked(response)), len(response.content)
            except NO_JSON as exc:
                if attempt == TRIES_OF_ANSWERS:
                    raise self.not_whole("GET", path) from exc
        raise AssertionError("unreachable")

    def extensions(self) -> frozenset[str]:
        """Aliases of what Neutron has beyond the core (Networking API, "List extensions")."""
        answer = self.get("network", "/extensions")
        return frozenset(item["alias"] for item in answer["extensions"])

    # --- writing ---

    def post(self, service: Service, path: str, body: Json) -> Json:
        """POST ``body``; the JSON of the answer, None if it is empty."""
        return self._json_of("POST", service, path, body, tries=1)

    def put(self, service: Service, path: str, body: Json) -> Json:
        """PUT ``body``, again where the answer is not whole; its JSON, None if it is empty."""
        return self._json_of("PUT", service, path, body, tries=TRIES_OF_ANSWERS)

    def _json_of(self, method: str, service: Service, path: str, body: Json, tries: int) -> Json:
        for attempt in range(1, tries + 1):
            response = self.request(service, method, path, json=body)
            try:
                return _parsed(response) if response.content else None
            except NO_JSON as exc:
                if attempt == tries:
                    raise self.not_whole(method, path) from exc
        raise AssertionError("unreachable")

    def delete(self, service: Service, path: str) -> bool:
        """DELETE; whether the object is deleted, being deleted, or did not exist (404).

        False: it is in use or busy (400, 409).
        """
        for _ in range(TRIES_OF_ANSWERS):
            response = self._send(service, "DELETE", path)
            if response.status_code in (400, 409):
                return False
            if response.status_code == 404 or _is_json_or_empty(self._checked(response)):
                return True
        raise self.not_whole("DELETE", path)

    # --- any request ---

    def request(self, service: Service, method: str, path: str, **kwargs: Any) -> Any:
        """One request; the response, which has a good status.

        ``kwargs``: as keystoneauth's ``Session.request`` takes them.
        """
        return self._checked(self._send(service, method, path, **kwargs))

    @contextmanager
    def stream(self, service: Service, path: str, headers: Mapping[str, str]) -> Iterator[Streamed]:
        """GET something large; the answer, whose bytes come piece by piece."""
        response = self.request(service, "GET", path, stream=True, headers=headers)
        try:
            yield Streamed(response.status_code, response.headers, response.iter_content)
        except (requests.RequestException, ks_exceptions.ClientException) as exc:
            raise self.failure(
                f"the download broke off: {brief(exc)}", where=path, status=None
            ) from exc
        finally:
            response.close()

    def _send(self, service: Service, method: str, path: str, **kwargs: Any) -> Any:
        try:
            adapter = getattr(self._connection, service)
            return adapter.request(
                path, method, raise_exc=False, microversion=self.microversion(service), **kwargs
            )
        except (sdk_exceptions.SDKException, ks_exceptions.ClientException) as exc:
            streamed = kwargs.get("data") is not None
            raise self._no_answer(method, path, exc, streamed=streamed) from exc

    def _checked(self, response: Any) -> Any:
        status: int = response.status_code
        if status < 400:
            return response
        method = response.request.method
        error = self.unanswered if may_be_obeyed(method, status) else self.failure
        raise error(
            f"the {self.side} refused {method} with {status}: {_reason(response)}",
            where=urlsplit(response.url).path,
            status=status,
        )

    def _no_answer(
        self, method: str, path: str, exc: Exception, *, streamed: bool = False
    ) -> DownpourError:
        message = f"the {self.side} does not answer {method}: {brief(exc)}"
        if answer_lost(exc, method, streamed=streamed):
            return self.unanswered(message, where=path, status=None)
        return self.lost(message, where=path)

    def not_whole(self, method: str, path: str, why: str = "it is no JSON") -> DownpourError:
        """The error for an answer with a good status that lacks what was asked for."""
        message = f"the {self.side}'s answer to {method} is not whole: {why}"
        error = self.failure if method == "GET" else self.unanswered
        return error(message, where=path, status=None)

    def renew_token(self) -> None:
        """Fetch a new token, so that a long upload does not outlive the old one."""
        try:
            self._connection.session.invalidate()
            self._connection.authorize()
        except (sdk_exceptions.SDKException, ks_exceptions.ClientException) as exc:
            message = f"the {self.side} gives no new token: {brief(exc)}"
            raise self.lost(message, where=self.auth_url) from exc

    # --- microversions ---

    def microversion(self, service: Service) -> str | None:
        """The microversion in use, or None where the service has none."""
        if service not in self._microversions:
            try:
                adapter = getattr(self._connection, service)
                self._microversions[service] = negotiate(adapter, service)
            except (sdk_exceptions.SDKException, ks_exceptions.ClientException) as exc:
                raise self._no_answer("GET", f"the versions of {service}", exc) from exc
        return self._microversions[service]

    def supports(self, service: Service, microversion: str) -> bool:
        """Whether requests are sent with this microversion or a newer one."""
        used = self.microversion(service)
        return used is not None and version(used) >= version(microversion)


def _parsed(response: requests.Response) -> Json:
    """The JSON of an answer; requests would guess an encoding first, from all of the bytes."""
    return json.loads(response.content)


def _is_json_or_empty(response: requests.Response) -> bool:
    """False for a proxy's page, which says 200 of what the service never saw."""
    try:
        return not response.content or _parsed(response) is not None
    except NO_JSON:
        return False


def _reason(response: requests.Response) -> str:
    """The text of a service's error, on one line of at most MAX_REASON characters."""
    try:
        body = _parsed(response)
    except NO_JSON:
        lines = _lines_of_page(response.content[: 16 * MAX_REASON].decode(errors="replace"))
    else:
        lines = _messages(body)
    text = ": ".join(line for line in lines if line != f"{response.status_code} {response.reason}")
    return text[:MAX_REASON] or response.reason or "it gives no reason"


def _messages(body: Json) -> list[str]:
    """The ``message`` of ``{"badRequest": {"message": …}}`` (Nova, Cinder), of
    ``{"NeutronError": {"message": …}}``, or of ``{"message": …}``."""
    objects = [*body.values(), body] if isinstance(body, dict) else []
    messages = (item.get("message") for item in objects if isinstance(item, dict))
    return [message for message in messages if isinstance(message, str)]


def _lines_of_page(page: str) -> list[str]:
    """The lines of text of an HTML page, as Glance and proxies give one, without repetitions."""
    text = re.sub(r"<[^>]*>", "\n", page)
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _next_marker(answer: Mapping[str, Json], key: str) -> str | None:
    """The marker of the next page: Glance gives ``next``, the others ``<key>_links``."""
    more = answer.get(f"{key}_links")
    links = [answer.get("next")] + [
        link.get("href")
        for link in (more if isinstance(more, list) else ())
        if isinstance(link, dict) and link.get("rel") == "next"
    ]
    for link in links:
        markers = parse_qs(urlsplit(link).query).get("marker") if isinstance(link, str) else None
        if markers:
            return markers[0]
    return None
