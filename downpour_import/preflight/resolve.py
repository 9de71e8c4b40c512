"""What on the target stands for what the bundle refers to but does not hold.  Pure.

A rule of the mapping decides first.  Without one an unambiguous equivalent is taken.  The rest are
faults, raised all at once with a proposed mapping.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from bundle_spec.model import (
    AvailabilityZoneReference,
    FlavorReference,
    Image,
    ImageReference,
    Keypair,
    KeypairReference,
    Network,
    NetworkReference,
    QosPolicyReference,
    Ref,
    References,
    Resources,
    SecurityGroup,
    Subnet,
    SubnetReference,
    VolumeTypeReference,
)
from bundle_spec.model.playbook import MappingRules
from downpour_cloud import Json
from downpour_import.preflight import addresses, mapping, whose
from downpour_import.preflight.decisions import Decisions
from downpour_import.preflight.flavor_size import FlavorSize, distance, size_of
from downpour_import.preflight.hostnames import hostnames
from downpour_import.preflight.result import Preflight
from downpour_import.preflight.survey import Survey

_SHOWN = 10
"""So many candidates are told at most."""


def preflight(
    references: References, resources: Resources, rules: MappingRules, target: Survey
) -> Preflight:
    """Resolve every reference, and every resource that the mapping replaces."""
    resolver = _Resolver(rules, target)
    for network in references.networks:
        resolver.network(network)
    for carried_network in resources.networks:
        resolver.carried_network(carried_network)
    for subnet in references.subnets:
        resolver.subnet(subnet)
    for carried_subnet in resources.subnets:
        resolver.carried_subnet(carried_subnet)
    for flavor in references.flavors:
        resolver.flavor(flavor)
    for image in references.images:
        resolver.image(image)
    for carried_image in resources.images:
        resolver.carried_image(carried_image)
    for group in resources.security_groups:
        resolver.carried_security_group(group)
    for volume_type in references.volume_types:
        resolver.volume_type(volume_type)
    for zone in references.availability_zones:
        resolver.zone(zone)
    for keypair in references.keypairs:
        resolver.keypair(keypair)
    for policy in references.qos_policies:
        resolver.qos_policy(policy)
    for carried_keypair in resources.keypairs:
        resolver.carried_keypair(carried_keypair)
    resolver.hostnames(resources)
    resolver.warn_of_unused_rules()
    return resolver.result


class _Resolver(Decisions):
    # --- references ---

    def flavor(self, wanted: FlavorReference) -> None:
        flavors = self.target.flavors
        if self.follow_rule("flavors", wanted, flavors):
            return
        size = FlavorSize(wanted.vcpus, wanted.ram, wanted.disk, wanted.ephemeral, wanted.swap)
        equal = [item for item in flavors if size_of(item) == size]
        named = [item for item in equal if item["name"] == wanted.name]
        if len(named or equal) == 1:
            self.take(wanted, (named or equal)[0], size)
            return
        near = min(flavors, key=lambda item: distance(size_of(item), size), default=None)
        self.missing(
            "flavors",
            wanted,
            f"{len(equal)} flavors of the target have {size}: "
            + ", ".join(item["name"] for item in equal)
            if equal
            else f"no flavor of the target has {size}",
            (equal[0] if equal else near),
            size_of,
        )

    def network(self, wanted: NetworkReference) -> None:
        if self.follow_rule("networks", wanted, self.target.networks):
            return
        what = "external" if wanted.external else "shared"
        key = "router:external" if wanted.external else "shared"
        fitting = [item for item in self.target.networks if item.get(key)]
        # One of the same name may be anything, and anybody's: only a person can say.
        if wanted.external and len(fitting) == 1 and whose.is_operators(self.target, fitting[0]):
            self.take(wanted, fitting[0], f"the only {what} network")
            return
        fitting.sort(key=lambda item: bool(item["name"] != wanted.name))
        offered = [whose.network_text(item) for item in fitting[:_SHOWN]]
        message = f"which {what} network of the target is it? it has {', '.join(offered) or 'none'}"
        if wanted.external and len(fitting) == 1:
            message = (
                f"the target has only {offered[0]}, and nothing shows that it is the operator's: "
                "another project may have opened it to yours"
            )
        near = whose.by_unique_name(fitting[0], self.target.networks) if fitting else None
        comment = "; or ".join([f"{what}, {offered[0]}", *offered[1:]]) if offered else ""
        self.missing("networks", wanted, message, near, lambda item: comment)

    def subnet(self, wanted: SubnetReference, carried: bool = False) -> None:
        """The subnet of the mapped network with the same CIDR.

        On a network that was not the project's own, addresses are the cloud's choice: there the
        only subnet of the same IP version will do.  ``carried``: the bundle holds the subnet.
        """
        if self.follow_rule("subnets", wanted, self.target.subnets):
            return
        network = self.result.targets.get(Ref("network", wanted.network_id))
        candidates = [item for item in self.target.subnets if item["network_id"] == network]
        equal = [item for item in candidates if item["cidr"] == wanted.cidr]
        same_family = [item for item in candidates if _family(item["cidr"]) == _family(wanted.cidr)]
        if len(equal) == 1:
            self.take(wanted, equal[0], f"same CIDR {wanted.cidr}")
        elif len(same_family) == 1 and not carried:
            self.take(wanted, same_family[0], "the only subnet of that network; other addresses")
        elif network is not None:
            self.missing(
                "subnets",
                wanted,
                f"no subnet of the mapped network has {wanted.cidr}",
                (same_family or candidates or [None])[0],
                lambda item: str(item["cidr"]),
            )

    def image(self, wanted: ImageReference) -> None:
        if self.follow_rule("images", wanted, self.target.images):
            return
        images = self.target.images
        equal = [item for item in images if _same_bytes(wanted, item)]
        usable = [item for item in equal if whose.is_ours_or_public(self.target, item)]
        if usable:  # the same bytes: any of them will do
            named = [item for item in usable if item["name"] == wanted.name]
            self.take(wanted, (named or usable)[0], "same bytes")
            return
        near = difflib.get_close_matches(wanted.name, [item["name"] or "" for item in images], n=1)
        named = [item for item in images if item["name"] in near]
        self.missing(
            "images",
            wanted,
            "the only images of the same bytes are those of another project, which may change them"
            if equal
            else "no image of the target has the same bytes",
            whose.by_unique_name((equal or named)[0], images) if equal or named else None,
            lambda item: (
                f"{item['size']} bytes, {item['disk_format']}, {item.get('visibility')}, "
                f"of project {item.get('owner')}"
            ),
        )

    def volume_type(self, wanted: VolumeTypeReference) -> None:
        named = [{"id": name, "name": name} for name in self.target.volume_types]
        if self.follow_rule("volume_types", wanted, named, can_drop=True):
            return
        if wanted.name in self.target.volume_types:
            self.result.targets[wanted.ref] = wanted.name
        elif wanted.is_default and self.target.default_volume_type:
            default = self.target.default_volume_type
            self.take(wanted, {"id": default, "name": default}, "both are their cloud's default")
        else:
            near = difflib.get_close_matches(wanted.name, self.target.volume_types, n=1)
            self.missing(
                "volume_types",
                wanted,
                "the target has no volume type of this name, only "
                + ", ".join(self.target.volume_types),
                {"name": (near or self.target.volume_types or [""])[0]},
                lambda item: "look at what it offers",
            )

    def zone(self, wanted: AvailabilityZoneReference) -> None:
        usable = self.target.zones.get(wanted.service, frozenset())
        zones = [{"id": name, "name": name} for name in sorted(usable)]
        if self.follow_rule("availability_zones", wanted, zones, can_drop=True):
            return
        if wanted.name in usable:
            self.result.targets[wanted.ref] = wanted.name
            return
        self.result.targets[wanted.ref] = None
        self.note_choice(wanted, None, "no zone of this name")

    def keypair(self, wanted: KeypairReference) -> None:
        named = [{"id": name, "name": name} for name in self.target.keypairs]
        if self.follow_rule("keypairs", wanted, named, can_drop=True):
            return
        if wanted.name in self.target.keypairs:
            self.result.targets[wanted.ref] = wanted.name
            return
        self.missing(
            "keypairs",
            wanted,
            "the bundle does not hold it and the target has none of this name",
            {"name": mapping.FILL_IN},  # a key is a matter of trust: nothing is proposed
            lambda item: "or drop: the server is made without a key",
        )

    def qos_policy(self, wanted: QosPolicyReference) -> None:
        policies = self.target.qos_policies
        if self.follow_rule("qos_policies", wanted, policies, can_drop=True):
            return
        named = [item for item in policies if item["name"] == wanted.name]
        if len(named) == 1 and whose.is_ours_or_operators(self.target, named[0]):
            self.take(wanted, named[0], "same name")
            return
        near = difflib.get_close_matches(wanted.name, [item["name"] for item in policies], n=1)
        self.missing(
            "qos_policies",
            wanted,
            _qos_message(named),
            {"name": near[0]} if near else {"name": mapping.FILL_IN},
            lambda item: "or drop: without a policy",
        )

    # --- resources in the bundle, which the mapping may replace ---

    def carried_keypair(self, wanted: Keypair) -> None:
        named = [{"id": name, "name": name} for name in self.target.keypairs]
        if self.follow_rule("keypairs", wanted, named):
            return
        public_key = self.target.keypairs.get(wanted.name)
        if public_key is not None and public_key.split()[:2] != wanted.public_key.split()[:2]:
            self.missing(
                "keypairs",
                wanted,
                "the target has another key under this name",
                {"name": wanted.name},
                lambda item: "to use the target's key; or rename or delete that one",
            )

    def carried_network(self, wanted: Network) -> None:
        self.follow_rule("networks", wanted, self.target.networks)

    def carried_image(self, wanted: Image) -> None:
        self.follow_rule("images", wanted, self.target.images)

    def carried_security_group(self, wanted: SecurityGroup) -> None:
        self.follow_rule("security_groups", wanted, self.target.security_groups)

    def carried_subnet(self, wanted: Subnet) -> None:
        """A subnet goes with its network: of a mapped network, the subnet of the same CIDR."""
        if self.follow_rule("subnets", wanted, self.target.subnets):
            return
        if Ref("network", wanted.network_id) in self.result.targets:
            self.subnet(
                SubnetReference(
                    id=wanted.id,
                    name=wanted.name,
                    network_id=wanted.network_id,
                    cidr=wanted.cidr,
                ),
                carried=True,
            )

    def hostnames(self, resources: Resources) -> None:
        """What servers are called in the guest and in DNS, where it cannot be as it was."""
        rules = self.rules.hostnames
        for server in resources.servers:
            self.note_use("hostnames", (server.id, server.name))
        found = hostnames(resources, rules, self.target)
        self.result.targets |= found.targets
        self.result.faults += found.faults
        self.result.warnings += found.warnings
        if found.choices:
            self.result.choices["hostnames"] = dict(found.choices)
        for name, (chosen, reason) in found.choices.items():
            self.result.taken.append(f"host name of server {name!r} -> {chosen!r} ({reason})")


def _same_bytes(wanted: ImageReference, item: Json) -> bool:
    hashes = (item.get("os_hash_algo"), item.get("os_hash_value"))
    return bool(wanted.hash_value) and hashes == (wanted.hash_algo, wanted.hash_value)


def _qos_message(named: Sequence[Json]) -> str:
    if len(named) == 1:
        return "the target's QoS policy of this name is another project's"
    if named:
        return f"{len(named)} QoS policies of the target have this name"
    return "the target has no QoS policy of this name"


def _family(cidr: str) -> int:
    return addresses.network(cidr).version
