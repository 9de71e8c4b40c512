"""The services in a token's catalog, and one short look at any of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import openstack
import os_service_types
import requests
from keystoneauth1 import exceptions as ks_exceptions
from openstack import exceptions as sdk_exceptions

from downpour_cloud.errors import CloudError
from downpour_cloud.guarded import HostileAnswer, body_of
from downpour_cloud.session import brief

LOOK_BYTES = 2 << 20
"""Bytes of an answer that are read at most."""

_SILENCE = 15.0
"""Seconds without a byte after which a service counts as silent."""

# These have adapters of openstacksdk, which finds their version.
_ADAPTERS = {"block-storage": "block_storage", "network": "network"}

_VERSION = re.compile(r"/v\d+(\.\d+)?(/|$)")


class Catalog:
    """``connection``: of openstacksdk, with a token."""

    def __init__(self, connection: openstack.connection.Connection) -> None:
        self._connection = connection

    def types(self) -> tuple[str, ...]:
        """The official types of the services of this region, sorted; a type that the service types
        authority does not know is as the catalog has it."""
        known = os_service_types.ServiceTypes()
        region = self._connection.config.region_name
        types = {
            service.get("type")
            for service in self._connection.service_catalog
            if _is_in(service, region)
        }
        named = [kind for kind in types if isinstance(kind, str)]
        return tuple(sorted({known.get_service_type(kind) or kind for kind in named}))

    def look(
        self,
        service_type: str,
        path: str,
        *,
        version: str = "",
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON of one GET, which is never repeated.

        ``version``: of the API, as ``v2`` or ``v1/PROJECT``, for a catalog whose URL has none.
        Raises CloudError where no JSON comes, for whatever reason; a service that sends byte after
        byte can hold the caller up.
        """
        wanted = {"Accept": "application/json", **(headers or {})}
        try:
            with closing(self._get(service_type, path, version, params, wanted)) as response:
                if response.status_code >= 300:
                    raise CloudError(_refusal(response.status_code))
                return json.loads(body_of(response, LOOK_BYTES))
        except (ValueError, RecursionError) as exc:
            raise CloudError("its answer is no JSON") from exc
        except HostileAnswer as exc:
            raise CloudError(str(exc)) from exc
        except (
            requests.RequestException,
            sdk_exceptions.SDKException,
            ks_exceptions.ClientException,
        ) as exc:
            raise CloudError(f"it does not answer: {brief(exc)}") from exc

    def _get(
        self,
        service_type: str,
        path: str,
        version: str,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> requests.Response:
        how = {
            "params": dict(params or {}),
            "headers": dict(headers),
            "raise_exc": False,
            "stream": True,
            "timeout": _SILENCE,
            "redirect": False,  # the token goes to addresses of the catalog only
            "repeat": False,
        }
        response: requests.Response
        if service_type in _ADAPTERS:
            adapter = getattr(self._connection, _ADAPTERS[service_type])
            response = adapter.request(path, "GET", **how)
        else:
            url = self._address(service_type, version) + path
            response = self._connection.session.request(url, "GET", **how)
        return response

    def _address(self, service_type: str, version: str) -> str:
        url = self._connection.config.get_session_endpoint(service_type)
        if not url:
            raise CloudError("the catalog has no address of it for this interface")
        base: str = url.rstrip("/")
        return base if not version or _VERSION.search(urlsplit(base).path) else f"{base}/{version}"


def _refusal(status: int) -> str:
    why = ": the roles of this user do not allow it" if status == 403 else ""
    return f"it answers {status}{why}"


def _is_in(service: Mapping[str, Any], region: str | None) -> bool:
    regions = [
        endpoint.get("region_id") or endpoint.get("region")
        for endpoint in service.get("endpoints") or ()
    ]
    return bool(regions) and (not region or region in regions)
