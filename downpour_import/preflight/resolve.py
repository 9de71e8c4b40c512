"""What stands for what on the target.  Pure.

A rule of the mapping decides first; then an unambiguous equivalent is taken; what is left is a
fault, and all faults are told at once with a proposal.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Callable, Iterable

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
    Reference,
    References,
    Resource,
    Resources,
    Subnet,
    SubnetReference,
    VolumeTypeReference,
)
from bundle_spec.model.playbook import MappingRules
from downpour_cloud import Json
from downpour_import.errors import TargetError
from downpour_import.preflight import mapping
from downpour_import.preflight.flavor_size import FlavorSize, distance, size_of
from downpour_import.preflight.result import Preflight
from downpour_import.preflight.survey import Survey

_SECTION_OF = {section.removesuffix("s"): section for section in mapping.SECTIONS} | {
    "qos_policy": "qos_policies"
}


def preflight(
    references: References, resources: Resources, rules: MappingRules, target: Survey
) -> Preflight:
    """Resolve every reference, and every resource that the mapping replaces."""
    work = _Work(rules, target)
    for network in references.networks:
        work.network(network)
    for mapped in resources.networks:
        work.mapped_network(mapped)
    for subnet in references.subnets:
        work.subnet(subnet)
    for own_subnet in resources.subnets:
        work.mapped_subnet(own_subnet)
    for flavor in references.flavors:
        work.flavor(flavor)
    for image in references.images:
        work.image(image)
    for own_image in resources.images:
        work.mapped_image(own_image)
    for volume_type in references.volume_types:
        work.volume_type(volume_type)
    for zone in references.availability_zones:
        work.zone(zone)
    for keypair in references.keypairs:
        work.keypair(keypair)
    for policy in references.qos_policies:
        work.qos_policy(policy)
    for own_keypair in resources.keypairs:
        work.own_keypair(own_keypair)
    work.unused()
    return work.result


class _Work:
    def __init__(self, rules: MappingRules, target: Survey) -> None:
        self.result = Preflight()
        self._rules = rules
        self._target = target
        self._used: set[tuple[str, str]] = set()

    # --- references ---

    def flavor(self, wanted: FlavorReference) -> None:
        flavors = self._target.flavors
        if self._ruled("flavors", wanted, flavors):
            return
        size = FlavorSize(wanted.vcpus, wanted.ram, wanted.disk, wanted.ephemeral, wanted.swap)
        equal = [item for item in flavors if size_of(item) == size]
        named = [item for item in equal if item["name"] == wanted.name]
        if len(named or equal) == 1:
            self._take(wanted, (named or equal)[0], size)
            return
        near = min(flavors, key=lambda item: distance(size_of(item), size), default=None)
        self._missing(
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
        if self._ruled("networks", wanted, self._target.networks):
            return
        what = "external" if wanted.external else "shared"
        key = "router:external" if wanted.external else "shared"
        fitting = [item for item in self._target.networks if item.get(key)]
        named = [item for item in fitting if item["name"] == wanted.name]
        # A shared network of the same name may be anything: only a person can say.
        chosen = fitting if wanted.external and len(fitting) == 1 else named
        if wanted.external and len(chosen) == 1:
            self._take(wanted, chosen[0], f"the only {what} network" if not named else "same name")
            return
        self._missing(
            "networks",
            wanted,
            f"which {what} network of the target is it? it has "
            + (", ".join(item["name"] for item in fitting) or "none"),
            (named or fitting or [None])[0],
            lambda item: f"{what}, {item['id']}",
        )

    def subnet(self, wanted: SubnetReference, carried: bool = False) -> None:
        """The subnet of the mapped network with the same CIDR.

        On a network that was not the project's own, addresses are the cloud's choice: there the
        only subnet of the family will do as well.  ``carried``: one that would have been made.
        """
        if self._ruled("subnets", wanted, self._target.subnets):
            return
        network = self.result.targets.get(Ref("network", wanted.network_id))
        candidates = [item for item in self._target.subnets if item["network_id"] == network]
        equal = [item for item in candidates if item["cidr"] == wanted.cidr]
        same_family = [item for item in candidates if _family(item["cidr"]) == _family(wanted.cidr)]
        if len(equal) == 1:
            self._take(wanted, equal[0], f"same CIDR {wanted.cidr}")
        elif len(same_family) == 1 and not carried:
            self._take(wanted, same_family[0], "the only subnet of that network; other addresses")
        elif network is not None:
            self._missing(
                "subnets",
                wanted,
                f"no subnet of the mapped network has {wanted.cidr}",
                (same_family or candidates or [None])[0],
                lambda item: str(item["cidr"]),
            )

    def image(self, wanted: ImageReference) -> None:
        if self._ruled("images", wanted, self._target.images):
            return
        equal = [
            item
            for item in self._target.images
            if wanted.hash_value
            and (item.get("os_hash_algo"), item.get("os_hash_value"))
            == (wanted.hash_algo, wanted.hash_value)
        ]
        if equal:  # the same bytes: any of them will do
            named = [item for item in equal if item["name"] == wanted.name]
            self._take(wanted, (named or equal)[0], "same bytes")
            return
        near = difflib.get_close_matches(
            wanted.name, [item["name"] or "" for item in self._target.images], n=1
        )
        self._missing(
            "images",
            wanted,
            "no image of the target has the same bytes",
            next((item for item in self._target.images if item["name"] in near), None),
            lambda item: f"{item['size']} bytes, {item['disk_format']}",
        )

    def volume_type(self, wanted: VolumeTypeReference) -> None:
        named = [{"id": name, "name": name} for name in self._target.volume_types]
        if self._ruled("volume_types", wanted, named, can_drop=True):
            return
        if wanted.name in self._target.volume_types:
            self.result.targets[wanted.ref] = wanted.name
        elif wanted.is_default and self._target.default_volume_type:
            default = self._target.default_volume_type
            self._take(wanted, {"id": default, "name": default}, "both are their cloud's default")
        else:
            near = difflib.get_close_matches(wanted.name, self._target.volume_types, n=1)
            self._missing(
                "volume_types",
                wanted,
                "the target has no volume type of this name, only "
                + ", ".join(self._target.volume_types),
                {"name": (near or self._target.volume_types or [""])[0]},
                lambda item: "look at what it offers",
            )

    def zone(self, wanted: AvailabilityZoneReference) -> None:
        known = self._target.zones.get(wanted.service, frozenset())
        zones = [{"id": name, "name": name} for name in sorted(known)]
        if self._ruled("availability_zones", wanted, zones, can_drop=True):
            return
        if wanted.name in known:
            self.result.targets[wanted.ref] = wanted.name
            return
        self.result.targets[wanted.ref] = None
        self._say(wanted, None, "no zone of this name")

    def keypair(self, wanted: KeypairReference) -> None:
        named = [{"id": name, "name": name} for name in self._target.keypairs]
        if self._ruled("keypairs", wanted, named, can_drop=True):
            return
        if wanted.name in self._target.keypairs:
            self.result.targets[wanted.ref] = wanted.name
            return
        self._missing(
            "keypairs",
            wanted,
            "the bundle does not hold it and the target has none of this name",
            {"name": mapping.FILL_IN},  # a key is a matter of trust: nothing is proposed
            lambda item: "or drop: the server is made without a key",
        )

    def qos_policy(self, wanted: QosPolicyReference) -> None:
        policies = self._target.qos_policies
        if self._ruled("qos_policies", wanted, policies, can_drop=True):
            return
        named = [item for item in policies if item["name"] == wanted.name]
        if len(named) == 1:
            self._take(wanted, named[0], "same name")
            return
        near = difflib.get_close_matches(wanted.name, [item["name"] for item in policies], n=1)
        self._missing(
            "qos_policies",
            wanted,
            "the target has no QoS policy of this name"
            if not named
            else f"{len(named)} QoS policies of the target have this name",
            {"name": near[0]} if near else {"name": mapping.FILL_IN},
            lambda item: "or drop: without a policy",
        )

    # --- resources that the target's own can replace ---

    def own_keypair(self, wanted: Keypair) -> None:
        named = [{"id": name, "name": name} for name in self._target.keypairs]
        if self._ruled("keypairs", wanted, named):
            return
        there = self._target.keypairs.get(wanted.name)
        if there is not None and there.split()[:2] != wanted.public_key.split()[:2]:
            self._missing(
                "keypairs",
                wanted,
                "the target has another key under this name",
                {"name": wanted.name},
                lambda item: "to use the target's key; or rename or delete that one",
            )

    def mapped_network(self, wanted: Network) -> None:
        self._ruled("networks", wanted, self._target.networks)

    def mapped_image(self, wanted: Image) -> None:
        self._ruled("images", wanted, self._target.images)

    def mapped_subnet(self, wanted: Subnet) -> None:
        """A subnet goes with its network: of a mapped network, the subnet of the same CIDR."""
        if self._ruled("subnets", wanted, self._target.subnets):
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

    # --- the same for all ---

    def _ruled(
        self,
        section: str,
        wanted: Reference | Resource,
        candidates: Iterable[Json],
        can_drop: bool = False,
    ) -> bool:
        """Whether the mapping says what to do; a rule that cannot be followed is a fault."""
        rules = getattr(self._rules, section)
        names = (wanted.id, wanted.name)
        self._used |= {(section, each) for each in mapping.fitting(rules, names)}
        found, value = mapping.rule(rules, names)
        if not found:
            return False
        where = f"mapping {section}: {wanted.name!r}"
        if value is None:
            self.result.targets[wanted.ref] = None
            if not can_drop:
                self._fault(f"{section} cannot be mapped to drop", where)
            return True
        fitting = [item for item in candidates if value in (item["id"], item["name"])]
        if len(fitting) == 1:
            self.result.targets[wanted.ref] = fitting[0]["id"]
            return True
        # One fault is enough: what depends on this one is not asked about as well.
        self.result.targets[wanted.ref] = None
        if fitting:
            ids = ", ".join(item["id"] for item in fitting)
            self._fault(f"{len(fitting)} are named {value!r} on the target: {ids}", where)
        else:
            there = sorted({item["name"] or item["id"] for item in candidates})
            near = difflib.get_close_matches(value, there, n=5) or there[:10]
            self._fault(f"the target has no {value!r}; it has {', '.join(near) or 'none'}", where)
        return True

    def unused(self) -> None:
        """Warn of rules for which the bundle has nothing: a mistyped one looks like that."""
        for section in mapping.SECTIONS:
            for name in getattr(self._rules, section):
                if (section, name) not in self._used and name != mapping.DEFAULT:
                    self.result.warnings.append(
                        f"mapping {section}: {name!r} names nothing of what is imported"
                    )

    def _take(self, wanted: Reference, item: Json, reason: object) -> None:
        self.result.targets[wanted.ref] = item["id"]
        self._say(wanted, item["name"], str(reason))

    def _say(self, wanted: Reference, chosen: str | None, reason: str) -> None:
        """``chosen``: a name; None: the cloud's default."""
        section = _SECTION_OF[wanted.type]
        self.result.choices.setdefault(section, {})[wanted.name] = chosen, reason
        kind = wanted.type.replace("_", " ")
        if isinstance(wanted, AvailabilityZoneReference):
            kind = f"{wanted.service} {kind}"
        told = "the cloud's default" if chosen is None else repr(chosen)
        self.result.taken.append(f"{kind} {wanted.name!r} -> {told} ({reason})")

    def _missing(
        self,
        section: str,
        wanted: Reference | Resource,
        message: str,
        near: Json | None,
        comment: Callable[[Json], object],
    ) -> None:
        kind = wanted.type.replace("_", " ")
        self._fault(message, f"{kind} {wanted.name!r}")
        proposed: tuple[str, str] = (mapping.FILL_IN, "nothing comes near")
        if near:
            proposed = (near["name"], str(comment(near)))
        self.result.proposals.setdefault(section, {})[wanted.name] = proposed

    def _fault(self, message: str, where: str) -> None:
        self.result.faults.append(TargetError(message, where=where))


def _family(cidr: str) -> int:
    return ipaddress.ip_network(cidr).version
