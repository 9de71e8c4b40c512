"""The one place of the exporter that opens a connection, and the REST calls over it.

Resources are read as the plain JSON of the APIs, through openstacksdk's adapters (catalog,
authentication, renewal of tokens, microversions): its resource classes rename and convert
attributes, and what arrives must equal what left.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import openstack
from keystoneauth1 import exceptions as ks_exceptions
from openstack import exceptions as sdk_exceptions
from openstack import utils as sdk_utils
from openstack.config import OpenStackConfig

from bundle_spec.errors import Busy, CaptureError, CloudError, OverQuota
from bundle_spec.model import Source

Service = Literal["compute", "network", "image", "block_storage"]
Json = Any

PAGE_SIZE = 500
"""Items asked for in one page; a cloud may give fewer."""

NEWEST = {"compute": "2.100", "block_storage": "3.70"}
"""The newest microversion whose answers this code reads; an older cloud gives its own newest."""


TRIES = 6
"""How often a request is sent that the source cannot answer now."""

LONGEST_PAUSE = 20.0
SILENCE = 300
"""Seconds without a byte after which a connection counts as broken, unless clouds.yaml has an
``api_timeout``."""

# Too many requests, or a service or a proxy that restarts.  A POST is sent again only where the
# answer says that nothing was done.
_NOT_NOW = {"GET": (429, 500, 502, 503, 504), "DELETE": (429, 500, 502, 503, 504)}
_NOT_DONE = (429, 503)

CONFIG_VARIABLE = "OS_CLIENT_CONFIG_FILE"


@dataclass(frozen=True)
class CloudOptions:
    """Which cloud, as every OpenStack client names it.  None: OS_CLOUD, OS_*, clouds.yaml."""

    cloud: str | None = None
    region: str | None = None
    config_file: str | None = None


def find_cloud(options: CloudOptions) -> OpenStackConfig:
    """The configuration that has the cloud; no request is sent.

    An explicit file wins over OS_CLIENT_CONFIG_FILE.  Raises CloudError when the file or the
    cloud does not exist.
    """
    path = options.config_file
    if path is not None and not Path(path).is_file():
        raise CloudError("there is no such file", where=path, remedy="name a clouds.yaml")
    before = os.environ.get(CONFIG_VARIABLE)
    try:
        if path is not None:
            os.environ[CONFIG_VARIABLE] = path
        loader = OpenStackConfig()
        # Without any configuration openstacksdk tells of one cloud, its own defaults.
        names = [name for name in loader.get_cloud_names() if name != "defaults"]
    except sdk_exceptions.SDKException as exc:
        raise CloudError(f"cannot read the configuration: {exc}", where=path) from exc
    finally:
        if path is not None:
            os.environ.pop(CONFIG_VARIABLE)
            if before is not None:
                os.environ[CONFIG_VARIABLE] = before
    wanted = options.cloud or os.environ.get("OS_CLOUD")
    if not wanted and not names and "OS_AUTH_URL" not in os.environ:
        raise CloudError(
            "no cloud is named",
            where=loader.config_filename or "no clouds.yaml was found",
            remedy="name one of clouds.yaml with --cloud or OS_CLOUD, or set OS_AUTH_URL and so on",
        )
    if wanted and wanted not in names:
        raise CloudError(
            f"there is no cloud {wanted!r}",
            where=loader.config_filename or "no clouds.yaml was found",
            remedy=f"it has {', '.join(sorted(names))}"
            if names
            else "name it with --os-client-config",
        )
    return loader


def connect(options: CloudOptions) -> SourceCloud:
    """Open the source cloud and fetch a token.  Raises CloudError."""
    name = options.cloud or "the cloud of the environment"
    loader = find_cloud(options)
    try:
        config = loader.get_one(
            cloud=options.cloud,
            region_name=options.region,
            app_name="downpour-export",
            connect_retries=3,
        )
        connection = openstack.connection.Connection(config=config)
        if connection.session.timeout is None:
            connection.session.timeout = SILENCE
        connection.authorize()
        return SourceCloud(connection)
    except (sdk_exceptions.SDKException, ks_exceptions.ClientException) as exc:
        raise CloudError(
            f"cannot use the source cloud: {exc}",
            where=name,
            remedy="check --cloud, OS_CLOUD and clouds.yaml with `openstack token issue`",
        ) from exc


class SourceCloud:
    """The source cloud as one project's token sees it.

    Every method raises CaptureError when the cloud refuses or fails.
    """

    def __init__(self, connection: openstack.connection.Connection) -> None:
        self._connection = connection
        self.project_id: str = connection.current_project_id
        self._microversions: dict[str, str | None] = {}

    def source(self) -> Source:
        """Where the bundle comes from, for the manifest."""
        config = self._connection.config
        project = self._connection.current_project
        return Source(
            auth_url=self._connection.session.auth.auth_url,
            region=config.region_name or None,
            project_id=self.project_id,
            project_name=project.name or "",
        )

    def list(
        self, service: Service, path: str, key: str, params: Mapping[str, Any] | None = None
    ) -> Iterator[Json]:
        """Every item of a list call, page by page; ``key`` holds the items in the answer."""
        query = {"limit": PAGE_SIZE, **(params or {})}
        while True:
            answer = self.get(service, path, query)
            yield from answer[key]
            marker = _next_marker(answer, key)
            if marker is None or not answer[key]:
                return
            query["marker"] = marker

    def get(self, service: Service, path: str, params: Mapping[str, Any] | None = None) -> Json:
        """The JSON answer of a GET."""
        return self.request(service, "GET", path, params=params).json()

    def get_or_none(self, service: Service, path: str) -> Json | None:
        """The JSON answer of a GET, or None if there is no such thing."""
        response = self._send(service, "GET", path)
        if response.status_code == 404:
            return None
        return self._checked(response).json()

    def extensions(self) -> frozenset[str]:
        """Aliases of what the source's Neutron has beyond the core."""
        found = self.get("network", "/extensions")["extensions"]
        return frozenset(item["alias"] for item in found)

    def post(self, service: Service, path: str, body: Json) -> Any:
        """POST ``body`` as JSON; the answer, whatever it holds."""
        return self.request(service, "POST", path, json=body)

    def delete(self, service: Service, path: str) -> bool:
        """DELETE; False when it is still busy (409 or 400), True when it is going or gone."""
        response = self._send(service, "DELETE", path)
        if response.status_code in (400, 409):
            return False
        if response.status_code != 404:
            self._checked(response)
        return True

    def request(self, service: Service, method: str, path: str, **kwargs: Any) -> Any:
        """One request; the response, which has a good status."""
        return self._checked(self._send(service, method, path, **kwargs))

    def _send(self, service: Service, method: str, path: str, **kwargs: Any) -> Any:
        """One request, as often as it takes within bounds.  An expired token is renewed below."""
        adapter = getattr(self._connection, service)
        for attempt in range(1, TRIES + 1):
            last = attempt == TRIES
            try:
                response = adapter.request(
                    path, method, raise_exc=False, microversion=self.microversion(service), **kwargs
                )
            except (sdk_exceptions.SDKException, ks_exceptions.ClientException) as exc:
                # A POST whose answer was lost may have been obeyed.
                if last or method not in _NOT_NOW or not isinstance(exc, _BROKEN):
                    raise CaptureError(f"the source does not answer: {exc}", where=path) from exc
                time.sleep(_pause(attempt))
                continue
            if last or response.status_code not in _NOT_NOW.get(method, _NOT_DONE):
                return response
            time.sleep(_pause(attempt, response.headers.get("Retry-After")))
        raise AssertionError("unreachable")

    def _checked(self, response: Any) -> Any:
        if response.status_code < 400:
            return response
        # Cinder says 413 when a quota is used up (Block Storage API, "Faults").
        kind = {409: Busy, 413: OverQuota}.get(response.status_code, CaptureError)
        try:
            sdk_exceptions.raise_from_response(response)
        except sdk_exceptions.HttpException as exc:
            raise kind(
                f"the source refused {response.request.method}: {exc.details or exc}",
                where=response.url.partition("?")[0],
            ) from exc
        return response

    def microversion(self, service: Service) -> str | None:
        """The microversion in use, or None where the service has none."""
        if service not in NEWEST:
            return None
        if service not in self._microversions:
            adapter = getattr(self._connection, service)
            # clouds.yaml may pin an older one: ``compute_default_microversion``.
            pinned = getattr(adapter, "default_microversion", None)
            newest = min(filter(None, (NEWEST[service], pinned)), key=_version)
            found: str | None = sdk_utils.maximum_supported_microversion(adapter, newest)
            self._microversions[service] = found
        return self._microversions[service]

    def supports(self, service: Service, microversion: str) -> bool:
        """Whether the service answers as of this microversion or of a newer one."""
        used = self.microversion(service)
        return used is not None and _version(used) >= _version(microversion)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


_BROKEN = (
    ks_exceptions.ConnectFailure,
    ks_exceptions.RetriableConnectionFailure,
    ks_exceptions.UnknownConnectionError,
)


def _pause(attempt: int, told: str | None = None) -> float:
    """Seconds before the next try: as told, else longer each time, and never all at once."""
    if told is not None and told.isascii() and told.isdigit():
        return min(float(told), LONGEST_PAUSE)
    return random.uniform(0.5, 1.0) * min(0.5 * 2.0**attempt, LONGEST_PAUSE)


def _next_marker(answer: Mapping[str, Json], key: str) -> str | None:
    """The marker of the next page: Glance gives ``next``, the others ``<key>_links``."""
    links: list[str | None] = [answer.get("next")] + [
        link.get("href") for link in answer.get(f"{key}_links", ()) if link.get("rel") == "next"
    ]
    for link in links:
        markers = parse_qs(urlsplit(link or "").query).get("marker")
        if markers:
            return markers[0]
    return None
