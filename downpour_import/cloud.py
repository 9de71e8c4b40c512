"""The one place of the importer that opens a connection to the target, and REST calls over it.

What is sent is the plain JSON of the APIs, through openstacksdk's adapters (catalog,
authentication, microversions): its resource classes rename, add and convert attributes.
"""

from __future__ import annotations

import os
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

from bundle_spec.errors import CloudError, RecreateError

Service = Literal["compute", "network", "image", "block_storage"]
Json = Any

NEWEST = {"compute": "2.100", "block_storage": "3.70"}
"""The newest microversions whose requests this code writes; an older cloud gets its own newest."""


CONFIG_VARIABLE = "OS_CLIENT_CONFIG_FILE"


class Refused(RecreateError):
    """The target answered that it will not: nothing was made.  ``status``: of HTTP, 400 to 499."""

    def __init__(self, message: str, *, where: str, status: int):
        super().__init__(message, where=where)
        self.status = status


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


def connect(options: CloudOptions) -> TargetCloud:
    """Open the target cloud and fetch a token.  Raises CloudError."""
    loader = find_cloud(options)
    try:
        config = loader.get_one(
            cloud=options.cloud, region_name=options.region, app_name="downpour-import"
        )
        connection = openstack.connection.Connection(config=config)
        connection.authorize()
        return TargetCloud(connection, loader.config_filename, loader.secure_config_filename)
    except (sdk_exceptions.SDKException, ks_exceptions.ClientException) as exc:
        raise CloudError(
            f"cannot use the target cloud: {exc}",
            where=options.cloud or "the cloud of the environment",
            remedy="check --cloud, OS_CLOUD and clouds.yaml with `openstack token issue`",
        ) from exc


class TargetCloud:
    """The target as one project's token sees it.

    Every method raises RecreateError when the cloud fails, and Refused when it refuses.  A request
    that writes is sent once: after a lost answer only the marker tells whether it was carried out.
    """

    def __init__(
        self,
        connection: openstack.connection.Connection,
        config_file: str | None = None,
        secure_file: str | None = None,
    ) -> None:
        self._connection = connection
        self.config_file = config_file
        self.secure_file = secure_file
        self.project_id: str = connection.current_project_id
        self.auth_url: str = connection.session.auth.auth_url
        self._microversions: dict[str, str | None] = {}

    def list(
        self, service: Service, path: str, key: str, params: Mapping[str, Any] | None = None
    ) -> Iterator[Json]:
        """Every item of a list call, page by page; ``key`` holds the items in the answer."""
        query = dict(params or {})
        while True:
            answer = self.get(service, path, query)
            yield from answer[key]
            marker = _next_marker(answer, key)
            if marker is None or not answer[key]:
                return
            query["marker"] = marker

    def get(self, service: Service, path: str, params: Mapping[str, Any] | None = None) -> Json:
        """The JSON answer of a GET."""
        return self.request(service, "GET", path, params=params, connect_retries=3).json()

    def get_or_none(self, service: Service, path: str) -> Json | None:
        """The JSON answer of a GET, or None if there is no such thing."""
        response = self._send(service, "GET", path, connect_retries=3)
        return None if response.status_code == 404 else _checked(response).json()

    def post(self, service: Service, path: str, body: Json) -> Json:
        """POST ``body``; the JSON of the answer, None if it is empty."""
        response = self.request(service, "POST", path, json=body)
        return response.json() if response.content else None

    def put(self, service: Service, path: str, body: Json) -> Json:
        """PUT ``body``; the JSON of the answer, None if it is empty."""
        response = self.request(service, "PUT", path, json=body)
        return response.json() if response.content else None

    def delete(self, service: Service, path: str) -> bool:
        """DELETE; False when it is in use (400, 409), True when it is going or gone."""
        response = self._send(service, "DELETE", path)
        if response.status_code in (400, 409):
            return False
        if response.status_code != 404:
            _checked(response)
        return True

    def request(self, service: Service, method: str, path: str, **kwargs: Any) -> Any:
        """One request; the response, which has a good status."""
        return _checked(self._send(service, method, path, **kwargs))

    def renew_token(self) -> None:
        """Fetch a new token, so that a long upload does not outlive the old one."""
        self._connection.session.invalidate()
        self._connection.authorize()

    def microversion(self, service: Service) -> str | None:
        """The microversion in use, or None where the service has none."""
        if service not in NEWEST:
            return None
        if service not in self._microversions:
            found: str | None = sdk_utils.maximum_supported_microversion(
                getattr(self._connection, service), NEWEST[service]
            )
            self._microversions[service] = found
        return self._microversions[service]

    def supports(self, service: Service, microversion: str) -> bool:
        """Whether requests are sent with this microversion or a newer one."""
        used = self.microversion(service)
        return used is not None and version(used) >= version(microversion)

    def _send(self, service: Service, method: str, path: str, **kwargs: Any) -> Any:
        adapter = getattr(self._connection, service)
        kwargs.setdefault("connect_retries", 0)
        try:
            return adapter.request(
                path, method, raise_exc=False, microversion=self.microversion(service), **kwargs
            )
        except (sdk_exceptions.SDKException, ks_exceptions.ClientException) as exc:
            raise RecreateError(
                f"the target does not answer {method}: {exc}",
                where=path,
                remedy="run the same command again",
            ) from exc


def version(text: str) -> tuple[int, ...]:
    """A microversion as numbers, to be compared."""
    return tuple(int(part) for part in text.split("."))


def _checked(response: Any) -> Any:
    if response.status_code < 400:
        return response
    try:
        sdk_exceptions.raise_from_response(response)
    except sdk_exceptions.HttpException as exc:
        status, where = response.status_code, urlsplit(response.url).path
        message = (
            f"the target refused {response.request.method} with {status}: {exc.details or exc}"
        )
        if status < 500:
            raise Refused(message, where=where, status=status) from exc
        raise RecreateError(message, where=where) from exc
    return response


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
