"""What the target has to offer: read once, with list calls, before anything is decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bundle_spec.model import References, Resources
from downpour_cloud import Json, Service
from downpour_cloud.quotas import Quotas
from downpour_import.cloud import TargetCloud
from downpour_import.preflight import limits


@dataclass(frozen=True, kw_only=True)
class Survey:
    """Items of the APIs' list answers, in the order in which the target gave them."""

    flavors: tuple[Json, ...] = ()
    networks: tuple[Json, ...] = ()
    subnets: tuple[Json, ...] = ()
    images: tuple[Json, ...] = ()
    volume_types: tuple[str, ...] = ()
    default_volume_type: str | None = None
    zones: dict[str, frozenset[str]] = field(default_factory=dict)
    """Service (``compute``, ``volume``) -> names of its usable zones."""
    qos_policies: tuple[Json, ...] = ()
    security_groups: tuple[Json, ...] = ()
    """The project's own, with their rules."""
    servers: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    """ID -> name, of the project's own."""
    keypairs: dict[str, str] = field(default_factory=dict)
    """Name -> public key."""
    project_id: str = ""
    operators: frozenset[str] = frozenset()
    """Those of the projects whose networks or policies may be taken that are an operator's."""
    extensions: frozenset[str] | None = None
    """Aliases of Neutron's; None: not asked."""
    compute: str | None = None
    """The microversion that Nova is spoken to with; None: not asked, or it has none."""
    room: Quotas = field(default_factory=dict)
    """What the quotas leave."""


def survey(cloud: TargetCloud, references: References, resources: Resources) -> Survey:
    """Ask only for what the bundle can need.  Raises RecreateError."""
    networks: dict[str, Json] = {}
    for query in (
        {"project_id": cloud.project_id},
        {"router:external": "true"},
        {"shared": "true"},
    ):
        for item in cloud.list("network", "/networks", "networks", query):
            networks[item["id"]] = item
    policies = _qos_policies(cloud) if references.qos_policies else ()
    return Survey(
        flavors=tuple(cloud.list("compute", "/flavors/detail", "flavors"))
        if references.flavors
        else (),
        networks=tuple(networks.values()),
        subnets=_subnets(cloud, networks.values()),
        images=_images(cloud) if references.images or resources.images else (),
        volume_types=tuple(
            item["name"]
            for item in cloud.list("block_storage", "/types", "volume_types")
            if item["name"] != "__DEFAULT__"
        )
        if references.volume_types
        else (),
        default_volume_type=_default_volume_type(cloud) if references.volume_types else None,
        zones=_zones(cloud, references),
        qos_policies=policies,
        security_groups=_security_groups(cloud) if resources.security_groups else (),
        servers=_names(cloud, "compute", "servers") if resources.servers else {},
        volumes=_names(cloud, "block_storage", "volumes")
        if resources.volumes or resources.volume_snapshots
        else {},
        keypairs={
            item["keypair"]["name"]: item["keypair"]["public_key"]
            for item in cloud.list("compute", "/os-keypairs", "keypairs")
        }
        if resources.keypairs or references.keypairs
        else {},
        project_id=cloud.project_id,
        operators=_operators(cloud, references, networks.values(), policies),
        extensions=cloud.extensions() if limits.has_network(resources) else None,
        compute=cloud.microversion("compute") if resources.servers or resources.keypairs else None,
        room=limits.read(cloud, resources),
    )


def occupied(cloud: TargetCloud, networks: Iterable[str]) -> dict[str, frozenset[str]]:
    """The addresses in use on each of these networks of the project."""
    return {
        network: frozenset(
            ip["ip_address"]
            for port in cloud.list("network", "/ports", "ports", {"network_id": network})
            for ip in port["fixed_ips"]
        )
        for network in networks
    }


def _subnets(cloud: TargetCloud, networks: Iterable[Json]) -> tuple[Json, ...]:
    """The project's own in one list, and those of each network that others share with it."""
    queries = [{"project_id": cloud.project_id}]
    queries += [
        {"network_id": network["id"]}
        for network in networks
        if network.get("shared") and network["project_id"] != cloud.project_id
    ]
    items = (
        item for query in queries for item in cloud.list("network", "/subnets", "subnets", query)
    )
    return tuple({item["id"]: item for item in items}.values())


def _security_groups(cloud: TargetCloud) -> tuple[Json, ...]:
    query = {"project_id": cloud.project_id}
    groups = cloud.list("network", "/security-groups", "security_groups", query)
    return tuple(item for item in groups if item["project_id"] == cloud.project_id)


def _names(cloud: TargetCloud, service: Service, collection: str) -> dict[str, str]:
    return {
        item["id"]: item.get("name") or ""
        for item in cloud.list(service, f"/{collection}", collection)
    }


def _images(cloud: TargetCloud) -> tuple[Json, ...]:
    """What servers can boot from: active, the project's own first."""
    active = [
        item for item in cloud.list("image", "/images", "images") if item["status"] == "active"
    ]
    return tuple(sorted(active, key=lambda item: item["owner"] != cloud.project_id))


def _qos_policies(cloud: TargetCloud) -> tuple[Json, ...]:
    """Those that the project may use; none where the target does not know the extension."""
    if cloud.get_or_none("network", "/extensions/qos") is None:
        return ()
    return tuple(cloud.list("network", "/qos/policies", "policies"))


def _operators(
    cloud: TargetCloud, references: References, networks: Iterable[Json], policies: Iterable[Json]
) -> frozenset[str]:
    """The owners of what may be taken that publish an image, which only an administrator can
    (Glance's policy ``publicize_image``).

    No API tells a tenant who offers an external network or a QoS policy: a rule of RBAC is shown
    to its owner only, and any project may open its own network to another one.
    """
    candidates = []
    if any(network.external for network in references.networks):
        candidates.append([item for item in networks if item.get("router:external")])
    for wanted in references.qos_policies:
        candidates.append([item for item in policies if item["name"] == wanted.name])
    owners = {found[0].get("project_id") for found in candidates if len(found) == 1}
    return frozenset(owner for owner in owners if owner and _publishes_images(cloud, owner))


def _publishes_images(cloud: TargetCloud, project: str) -> bool:
    query = {"owner": project, "visibility": "public", "limit": 1}
    answer = cloud.get_optional("image", "/images", query) or {}
    return any(
        (item.get("owner"), item.get("visibility")) == (project, "public")
        for item in answer.get("images", ())
    )


def _default_volume_type(cloud: TargetCloud) -> str | None:
    answer = cloud.get_or_none("block_storage", "/types/default")
    return answer["volume_type"]["name"] if answer else None


def _zones(cloud: TargetCloud, references: References) -> dict[str, frozenset[str]]:
    zones: dict[str, frozenset[str]] = {}
    for service in {zone.service for zone in references.availability_zones}:
        answer = cloud.get(
            "compute" if service == "compute" else "block_storage", "/os-availability-zone"
        )
        zones[service] = frozenset(
            item["zoneName"]
            for item in answer["availabilityZoneInfo"]
            if item["zoneState"]["available"]
        )
    return zones
