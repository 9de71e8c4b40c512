"""A cloud in memory behind a connection: plain JSON collections, and every call remembered.

It stands where openstacksdk's connection stands, so the real clouds of both halves (paging,
refusals, microversions) are what the tests run.
"""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import requests

Json = Any
PROJECT = "11111111111111111111111111111111"
AUTH_URL = "http://cloud:5000/v3"


@dataclass(frozen=True)
class Call:
    service: str
    method: str
    path: str
    params: Mapping[str, Any]
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Collection:
    """``key``: of one object in an answer; None where it is not wrapped (Glance)."""

    service: str
    path: str
    plural: str
    key: str | None
    defaults: Callable[[Json], Json] = lambda body: {}
    items: dict[str, Json] = field(default_factory=dict)


Handler = Callable[[Call, "re.Match[str]"], "requests.Response | None"]
Hook = Callable[[Call], "requests.Response | None"]

_NETWORK = {"description": "", "tags": [], "project_id": PROJECT}


def _network(plural: str, **defaults: Json) -> Collection:
    path = "/" + plural.replace("_", "-")
    key = plural.removesuffix("s")
    return Collection("network", path, plural, key, lambda body: _copy({**_NETWORK, **defaults}))


class FakeCloud:
    """``connection``: what to give to SourceCloud or TargetCloud.

    ``before`` and ``after``: called with each call; what they return is the answer instead.
    ``handlers``: (method, pattern of the path) -> the answer, tried before the collections.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.before: list[Hook] = []
        self.after: list[Hook] = []
        self.extensions = ["address-group", "trunk"]
        self.handlers: dict[tuple[str, str], Handler] = {
            ("GET", "/extensions"): lambda call, match: response(
                200, {"extensions": [{"alias": each} for each in self.extensions]}
            )
        }
        self.page_size = 1000
        self.microversions = {"compute": "2.96", "block_storage": "3.70"}
        self.bytes_of: dict[str, bytes] = {}
        self._ids = itertools.count(1)
        volume_defaults: dict[str, Json] = {
            "status": "available",
            "bootable": "false",
            "attachments": [],
            "metadata": {},
            "description": None,
        }
        collections = (
            _network("networks", **{"router:external": False, "shared": False}),
            _network("subnets", gateway_ip=None, enable_dhcp=True),
            _network("routers"),
            _network("ports", device_id="", device_owner="", fixed_ips=[]),
            _network("floatingips"),
            _network("security_groups", security_group_rules=[]),
            _network("security_group_rules"),
            _network("address_groups"),
            _network("trunks"),
            Collection("image", "/images", "images", None, self._image_defaults),
            Collection(
                "block_storage",
                "/volumes",
                "volumes",
                "volume",
                lambda body: _copy(volume_defaults),
            ),
            Collection(
                "block_storage",
                "/snapshots",
                "snapshots",
                "snapshot",
                lambda body: {"status": "available"},
            ),
            Collection("block_storage", "/types", "volume_types", "volume_type"),
            Collection("block_storage", "/backups", "backups", "backup"),
            Collection("block_storage", "/groups", "groups", "group"),
            Collection("block_storage", "/group_snapshots", "group_snapshots", "group_snapshot"),
            Collection(
                "compute", "/servers", "servers", "server", lambda body: {"status": "ACTIVE"}
            ),
            Collection("compute", "/os-server-groups", "server_groups", "server_group"),
            Collection("compute", "/flavors", "flavors", "flavor"),
            Collection("compute", "/os-keypairs", "keypairs", "keypair"),
        )
        self._collections = {(each.service, each.path): each for each in collections}
        config = SimpleNamespace(
            region_name="here", get_session_endpoint=lambda service: f"http://cloud/{service}"
        )
        session = SimpleNamespace(
            auth=SimpleNamespace(auth_url=AUTH_URL),
            invalidate=lambda: None,
            request=self._request_of_any_service,
        )
        self.catalog: list[Json] = []
        self.connection: Any = SimpleNamespace(
            current_project_id=PROJECT,
            current_project=SimpleNamespace(name="demo"),
            config=config,
            session=session,
            service_catalog=self.catalog,
            authorize=lambda: None,
            **{
                service: _Adapter(self, service)
                for service in ("compute", "network", "image", "block_storage")
            },
        )

    # --- what tests ask and say ---

    def of(self, path: str) -> dict[str, Json]:
        """The objects of a collection by ID: ``/networks``."""
        return next(each for each in self._collections.values() if each.path == path).items

    def add(self, path: str, **item: Json) -> Json:
        """Put an object into a collection."""
        item.setdefault("id", self.new_id())
        self.of(path)[item["id"]] = item
        return item

    def offer(self, service: str, path: str, answer: Json) -> None:
        """Put a service into the catalog, whose URLs have no version; ``path`` has it.

        ``answer``: the JSON of its answer, or the response.
        """
        self.catalog.append({"type": service, "endpoints": [{"region": "here"}]})

        def handler(call: Call, match: re.Match[str]) -> requests.Response:
            whole = isinstance(answer, requests.Response)
            return answer if whole else response(200, answer)

        self.handlers["GET", path] = handler

    def new_id(self) -> str:
        return f"{next(self._ids):08d}-0000-4000-8000-000000000000"

    def sent(self, method: str, path: str = "") -> list[Call]:
        """The calls of this method whose path begins so."""
        return [each for each in self.calls if each.method == method and each.path.startswith(path)]

    @property
    def writes(self) -> list[str]:
        return [str(each) for each in self.calls if each.method != "GET"]

    # --- the REST service ---

    def _request_of_any_service(
        self, url: str, method: str, params: Mapping[str, Any], **kwargs: Any
    ) -> requests.Response:
        service, _, path = url.removeprefix("http://cloud/").partition("/")
        call = Call(service, method, f"/{path}", dict(params), None, kwargs.get("headers", {}))
        return self.request(call, stream=True)

    def request(self, call: Call, stream: bool) -> requests.Response:
        self.calls.append(call)
        for hook in self.before:
            answer = hook(call)
            if answer is not None:
                return answer
        answer = self._answer(call)
        for hook in self.after:
            instead = hook(call)
            answer = answer if instead is None else instead  # an error is false
        return answer

    def _answer(self, call: Call) -> requests.Response:
        for (method, pattern), handler in self.handlers.items():
            match = re.fullmatch(pattern, call.path)
            if method == call.method and match:
                answer = handler(call, match)
                if answer is not None:
                    return answer
        if call.path.startswith("/images/") and call.path.endswith("/file"):
            return _file(self.bytes_of[call.path.split("/")[2]], call.headers.get("Range"))
        head, _, tail = call.path.removeprefix("/").partition("/")
        collection = self._collections.get((call.service, f"/{head}"))
        if collection is None:
            return response(404)
        if tail in ("", "detail"):
            return self._create(collection, call) if call.method == "POST" else self._list(call)
        identity, _, rest = tail.partition("/")
        item = collection.items.get(identity)
        if item is None:
            return response(404)
        if call.method == "DELETE":
            del collection.items[identity]
            return response(204)
        if call.method == "PUT":
            body = call.body if rest else call.body[collection.key]
            item.update(body)
        return response(200, item if collection.key is None else {collection.key: item})

    def _create(self, collection: Collection, call: Call) -> requests.Response:
        if collection.plural in call.body:
            several = [self._made(collection, given) for given in call.body[collection.plural]]
            return response(201, {collection.plural: several})
        item = self._made(
            collection, call.body if collection.key is None else call.body[collection.key]
        )
        return response(201, item if collection.key is None else {collection.key: item})

    def _made(self, collection: Collection, given: Json) -> Json:
        identity = given["name"] if collection.plural == "keypairs" else self.new_id()
        item = {"id": identity, **collection.defaults(given), **given}
        collection.items[identity] = item
        return item

    def _list(self, call: Call) -> requests.Response:
        head = "/" + call.path.split("/")[1]
        collection = self._collections[call.service, head]
        found = [item for item in collection.items.values() if _fits(item, call.params)]
        ids = [item["id"] for item in found]
        start = ids.index(call.params["marker"]) + 1 if "marker" in call.params else 0
        page = found[start : start + self.page_size]
        wrap = collection.plural == "keypairs"
        answer: Json = {
            collection.plural: [{"keypair": item} for item in page] if wrap else page,
        }
        if start + len(page) < len(found):
            href = f"http://cloud{call.path}?marker={page[-1]['id']}"
            answer[f"{collection.plural}_links"] = [{"rel": "next", "href": href}]
        return response(200, answer)

    def _image_defaults(self, body: Json) -> Json:
        return {"status": "queued", "owner": PROJECT, "protected": False}


def _fits(item: Json, params: Mapping[str, Any]) -> bool:
    for name, value in params.items():
        if name in ("limit", "marker") or name not in item:
            continue
        have = item[name]
        if isinstance(have, bool):
            have = str(have).lower()
        if have != value and not (isinstance(have, list) and value in have):
            return False
    return True


class _Adapter:
    def __init__(self, cloud: FakeCloud, service: str) -> None:
        self._cloud = cloud
        self._service = service

    def request(
        self,
        path: str,
        method: str,
        *,
        raise_exc: bool,
        microversion: str | None = None,
        params: Mapping[str, Any] | None = None,
        json: Json = None,
        data: Any = None,
        stream: bool = False,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> requests.Response:
        body = b"".join(data) if data is not None else _copy(json)
        call = Call(self._service, method, path, dict(params or {}), body, headers or {})
        answer = self._cloud.request(call, stream)
        answer.url = f"http://cloud{path}"
        answer.request = requests.Request(method, answer.url).prepare()
        return answer

    def get_endpoint_data(self) -> Any:
        newest = self._cloud.microversions.get(self._service)
        if newest is None:
            return None
        return SimpleNamespace(
            min_microversion=(2, 1) if self._service == "compute" else (3, 0),
            max_microversion=tuple(int(part) for part in newest.split(".")),
        )


def _file(data: bytes, wanted: str | None) -> requests.Response:
    """As Glance answers ("Download image data"): 206 with what the range asks for, or all."""
    if wanted is None:
        return response(200, content=data)
    start = int(wanted.removeprefix("bytes=").removesuffix("-"))
    if start >= len(data):
        return response(416)
    answer = response(206, content=data[start:])
    answer.headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
    return answer


def _copy(value: Json) -> Json:
    return json.loads(json.dumps(value))


def response(status: int, body: Json = None, content: bytes | None = None) -> requests.Response:
    """An answer as the requests library gives it, to be read at once or as a stream."""
    answer = requests.Response()
    answer.status_code = status
    answer.reason = {404: "Not Found", 409: "Conflict"}.get(status, "")
    if content is None:
        content = b"" if body is None else json.dumps(body).encode()
        answer.headers["Content-Type"] = "application/json"
    answer.raw = io.BytesIO(content)
    return answer
