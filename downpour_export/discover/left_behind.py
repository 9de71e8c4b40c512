"""What a project has that no bundle carries: one table of types, each asked for once.

A plan never fails for it: a service that refuses, is silent, or answers nonsense is told as one
that could not be asked, and a service of the catalog that the table does not know is named.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import Any, NamedTuple

from bundle_spec.errors import DownpourError
from bundle_spec.progress import NULL, Progress
from downpour_export.cloud import SourceCloud

PAGE = 100
"""Things of one type that are asked for; a service may give fewer."""

MAX_SECONDS = 60.0
"""Seconds that all services together are waited for."""

MAX_TEXT = 255
"""Characters of a name, an ID or a type that are kept."""

MAX_UNKNOWN = 50
"""Services of the catalog that are named though the table does not know them."""


class Kind(NamedTuple):
    """A type of things that no bundle carries.

    ``service``: official type in the catalog.  ``key``: of the list in the answer, empty where the
    answer is the list.  ``version``: of the API, for a catalog whose URL has none; ``{project}``
    stands for the project's ID.  ``name``, ``id``: keys of one thing; of a URL the last part is the
    ID.  ``extension``: of Neutron, without which it has no such type.  ``since``: the microversion
    of block storage.
    """

    type: str
    service: str
    path: str
    key: str
    version: str = ""
    name: str = "name"
    id: str = "id"
    extension: str | None = None
    since: str | None = None


def _neutron(kind: str, extension: str, path: str, key: str, name: str = "name") -> Kind:
    return Kind(kind, "network", path, key, extension=extension, name=name)


_MANILA = "shared-file-system"
_MAGNUM = "container-infrastructure-management"

KINDS = (
    Kind("load_balancer", "load-balancer", "/lbaas/loadbalancers", "loadbalancers", "v2"),
    Kind("dns_zone", "dns", "/zones", "zones", "v2"),
    Kind("secret", "key-manager", "/secrets", "secrets", "v1", id="secret_ref"),
    Kind("secret_container", "key-manager", "/containers", "containers", "v1", id="container_ref"),
    # The address of an account is in the catalog.  A container has no ID but its name.
    Kind("object_container", "object-store", "", "", id="name"),
    Kind("share", _MANILA, "/shares", "shares", "v2"),
    Kind("share_snapshot", _MANILA, "/snapshots", "snapshots", "v2"),
    Kind("share_network", _MANILA, "/share-networks", "share_networks", "v2"),
    Kind("stack", "orchestration", "/stacks", "stacks", "v1/{project}", name="stack_name"),
    Kind("cluster", _MAGNUM, "/clusters", "clusters", "v1", id="uuid"),
    Kind("cluster_template", _MAGNUM, "/clustertemplates", "clustertemplates", "v1", id="uuid"),
    Kind("database_instance", "database", "/instances", "instances", "v1.0/{project}"),
    Kind("database_backup", "database", "/backups", "backups", "v1.0/{project}"),
    Kind("container", "application-container", "/containers", "containers", "v1", id="uuid"),
    Kind("lease", "reservation", "/leases", "leases", "v1"),
    Kind("volume_backup", "block-storage", "/backups", "backups"),
    Kind("volume_group", "block-storage", "/groups/detail", "groups", since="3.13"),
    Kind(
        "volume_group_snapshot",
        "block-storage",
        "/group_snapshots/detail",
        "group_snapshots",
        since="3.14",
    ),
    _neutron("qos_policy", "qos", "/qos/policies", "policies"),
    _neutron("subnet_pool", "subnet_allocation", "/subnetpools", "subnetpools"),
    _neutron("address_scope", "address-scope", "/address-scopes", "address_scopes"),
    # It has no name: of what it shares, this tells the type.
    _neutron("rbac_policy", "rbac-policies", "/rbac-policies", "rbac_policies", "object_type"),
    _neutron("vpn_service", "vpnaas", "/vpn/vpnservices", "vpnservices"),
    _neutron("vpn_connection", "vpnaas", "/vpn/ipsec-site-connections", "ipsec_site_connections"),
    _neutron("vpn_ike_policy", "vpnaas", "/vpn/ikepolicies", "ikepolicies"),
    _neutron("vpn_ipsec_policy", "vpnaas", "/vpn/ipsecpolicies", "ipsecpolicies"),
    _neutron(
        "vpn_endpoint_group", "vpn-endpoint-groups", "/vpn/endpoint-groups", "endpoint_groups"
    ),
    _neutron("firewall_group", "fwaas_v2", "/fwaas/firewall_groups", "firewall_groups"),
    _neutron("firewall_policy", "fwaas_v2", "/fwaas/firewall_policies", "firewall_policies"),
    _neutron("firewall_rule", "fwaas_v2", "/fwaas/firewall_rules", "firewall_rules"),
    _neutron("bgp_vpn", "bgpvpn", "/bgpvpn/bgpvpns", "bgpvpns"),
    _neutron("local_ip", "local_ip", "/local_ips", "local_ips"),
    _neutron("ndp_proxy", "l3-ndp-proxy", "/ndp_proxies", "ndp_proxies"),
    _neutron("port_chain", "sfc", "/sfc/port_chains", "port_chains"),
    _neutron("tap_service", "taas", "/taas/tap_services", "tap_services"),
)
"""The paths are those of the API references, as openstacksdk has them too."""

_NOTHING_OF_A_PROJECT = frozenset(
    "identity compute image network block-storage placement baremetal "
    "baremetal-introspection ec2 ec2api cloudformation s3".split()
)
"""Services that are known, or whose things belong to the operator, or that are another way to the
things of a service which is known."""


@dataclass(frozen=True)
class Thing:
    """Something that no bundle carries."""

    type: str
    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """``more``: types of which a service has more than its first page.  ``not_asked``: type -> why
    nobody knows whether there are any.  ``unknown``: services of the catalog that were not asked.
    """

    things: tuple[Thing, ...] = ()
    more: frozenset[str] = frozenset()
    not_asked: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def look_elsewhere(
    cloud: SourceCloud, extensions: frozenset[str], progress: Progress = NULL
) -> Elsewhere:
    """What the project has beside what can be carried; one call for each type that it may have.

    ``extensions``: of Neutron.  Takes no longer than MAX_SECONDS.
    """
    catalog = cloud.catalog.types()
    kinds = [kind for kind in KINDS if _may_exist(kind, cloud, catalog, extensions)]
    with progress.task("look for what stays behind", None, "resources"):
        answers = _answers(cloud, kinds)
    known = {*_NOTHING_OF_A_PROJECT, *(kind.service for kind in KINDS)}
    unknown = [service[:MAX_TEXT] for service in catalog if service not in known]
    pages = [(kind, answer) for kind, answer in answers.items() if isinstance(answer, _Page)]
    return Elsewhere(
        things=tuple(thing for _, page in pages for thing in page.things),
        more=frozenset(kind.type for kind, page in pages if page.more),
        not_asked={
            kind.type: answer for kind, answer in answers.items() if isinstance(answer, str)
        },
        unknown=tuple(unknown[:MAX_UNKNOWN]),
    )


def _may_exist(
    kind: Kind, cloud: SourceCloud, catalog: Iterable[str], extensions: frozenset[str]
) -> bool:
    if kind.service == "network":
        return kind.extension in extensions
    if kind.service == "block-storage":
        return kind.since is None or cloud.supports("block_storage", kind.since)
    return kind.service in catalog


class _Page(NamedTuple):
    things: tuple[Thing, ...]
    more: bool


def _answers(cloud: SourceCloud, kinds: Iterable[Kind]) -> dict[Kind, _Page | str]:
    """For each kind what there is, or why that is not known.

    A thread for each service, which is left alone if it does not end: a service that sends byte
    after byte for ever cannot be interrupted otherwise.
    """
    found: dict[Kind, _Page | str] = {}
    by_service: dict[str, list[Kind]] = {}
    for kind in kinds:
        by_service.setdefault(kind.service, []).append(kind)

    def ask(of_service: list[Kind]) -> None:
        for kind in of_service:
            found[kind] = _ask(cloud, kind)

    end = monotonic() + MAX_SECONDS
    threads = [
        threading.Thread(target=ask, args=(each,), daemon=True) for each in by_service.values()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(end - monotonic(), 0))
    late = f"it does not answer within {MAX_SECONDS:.0f} seconds"
    return {kind: found.get(kind, late) for each in by_service.values() for kind in each}


def _ask(cloud: SourceCloud, kind: Kind) -> _Page | str:
    params: dict[str, str | int] = {"limit": PAGE}
    if kind.service in ("network", "load-balancer"):
        params["project_id"] = cloud.project_id  # an admin's token would list the whole cloud
    if kind.service == "object-store":
        params["format"] = "json"
    headers = {"OpenStack-API-Version": f"volume {kind.since}"} if kind.since else {}
    try:
        answer = cloud.catalog.look(
            kind.service,
            kind.path,
            version=kind.version.format(project=cloud.project_id),
            params=params,
            headers=headers,
        )
    except DownpourError as exc:
        return exc.message[:MAX_TEXT]
    except Exception as exc:  # a library that stumbles over an answer must not stop a plan either
        return f"its answer cannot be read: {type(exc).__name__}"
    return _page(kind, answer, cloud.project_id)


def _page(kind: Kind, answer: Any, project_id: str) -> _Page | str:
    items = answer.get(kind.key) if kind.key and isinstance(answer, dict) else answer
    if not isinstance(items, list):
        return "its answer is not a list"
    things = _things(kind, items, project_id)
    more = len(items) >= PAGE or (isinstance(answer, dict) and _has_next(answer, kind.key))
    return _Page(tuple(islice(things, PAGE)), more)


def _things(kind: Kind, items: Iterable[Any], project_id: str) -> Iterator[Thing]:
    for item in items:
        if not isinstance(item, dict):
            continue
        owner = item.get("project_id") or item.get("tenant_id")
        if owner in (None, project_id):
            identity = _text(item.get(kind.id)).rstrip("/").rpartition("/")[2]
            yield Thing(kind.type, identity[:MAX_TEXT], _text(item.get(kind.name))[:MAX_TEXT])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _has_next(answer: Mapping[str, Any], key: str) -> bool:
    """Whether there is a link to a next page: ``next``, or ``next`` in ``links``, or one of
    ``links`` or ``KEY_links`` whose ``rel`` is ``next``."""
    links = answer.get("links")
    if answer.get("next") or (isinstance(links, dict) and links.get("next")):
        return True
    listed = [links, answer.get(f"{key}_links")]
    return any(
        isinstance(link, dict) and link.get("rel") == "next"
        for several in listed
        if isinstance(several, list)
        for link in several
    )
