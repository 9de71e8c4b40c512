"""What resources of the bundle refer to and the import does not make: the target must have it.

Each record has what is needed to recognise its equal on the target without the source at hand.
``id`` is the one by which resources of the bundle refer to it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from bundle_spec.model.base import Record, Ref
from bundle_spec.model.forms import Bytes, Cidr, Count, GiB, MiB


@dataclass(frozen=True, kw_only=True)
class Reference(Record):
    """Something that the target must have."""

    type: ClassVar[str]

    id: str
    """What resources of the bundle name. Of a flavor, a volume type and a keypair it is the name;
    of a zone `compute/NAME` or `volume/NAME` (M-14)."""
    name: str
    """The name at the source, mostly the best hint of its equal at the target."""

    @property
    def ref(self) -> Ref:
        return Ref(self.type, self.id)


@dataclass(frozen=True, kw_only=True)
class FlavorReference(Reference):
    """A flavor, with the sizes that a server had."""

    type = "flavor"

    vcpus: Count
    """Virtual processors."""
    ram: MiB
    """Memory."""
    disk: GiB
    """The server's own disk; 0: as large as its image."""
    ephemeral: GiB = 0
    """A further disk, which a server gets empty; 0: none."""
    swap: MiB = 0
    """A swap disk; 0: none."""


@dataclass(frozen=True, kw_only=True)
class NetworkReference(Reference):
    """An external network, or one that another project shares."""

    type = "network"

    external: bool
    """Whether floating IPs and gateways of routers come from it."""
    shared: bool = False
    """Whether another project shares it with everybody."""


@dataclass(frozen=True, kw_only=True)
class SubnetReference(Reference):
    """A subnet of a shared network on which a carried port has an address."""

    type = "subnet"

    network_id: str
    """Its network, also a reference or one of the bundle."""
    cidr: Cidr
    """Its addresses, as a CIDR."""


@dataclass(frozen=True, kw_only=True)
class ImageReference(Reference):
    """A public image, or one of another project."""

    type = "image"

    disk_format: str | None = None
    """As Glance calls it; null: unknown."""
    size: Bytes | None = None
    """Of the image file; null: unknown."""
    hash_algo: str | None = None
    """As Glance's `os_hash_algo`; null: unknown."""
    hash_value: str | None = None
    """As Glance's `os_hash_value`, in hex: an image of the target with the same is the same. null:
    unknown."""


@dataclass(frozen=True, kw_only=True)
class VolumeTypeReference(Reference):
    """A volume type, by its name."""

    type = "volume_type"

    is_default: bool = False
    """Whether the source gives this type when none is asked for."""


@dataclass(frozen=True, kw_only=True)
class AvailabilityZoneReference(Reference):
    """An availability zone of one service."""

    type = "availability_zone"

    service: Literal["compute", "volume"]
    """Whose zone it is: the services' zones are not the same."""


@dataclass(frozen=True, kw_only=True)
class KeypairReference(Reference):
    """A keypair that a server names and that the source does not have."""

    type = "keypair"


@dataclass(frozen=True, kw_only=True)
class QosPolicyReference(Reference):
    """A QoS policy of a network, a port or a floating IP: only an operator makes one."""

    type = "qos_policy"

    shared: bool = False
    """Whether another project shares it with everybody."""


@dataclass(frozen=True, kw_only=True)
class References(Record):
    """All references of a bundle, by type."""

    flavors: tuple[FlavorReference, ...] = ()
    """Of servers."""
    networks: tuple[NetworkReference, ...] = ()
    """External ones, and those that other projects share."""
    subnets: tuple[SubnetReference, ...] = ()
    """Of shared networks, where a carried port has an address."""
    images: tuple[ImageReference, ...] = ()
    """That servers boot from or volumes are made of, and that are not the tenant's."""
    volume_types: tuple[VolumeTypeReference, ...] = ()
    """Of volumes."""
    availability_zones: tuple[AvailabilityZoneReference, ...] = ()
    """Of servers and volumes."""
    keypairs: tuple[KeypairReference, ...] = ()
    """That servers name and the source's user does not have."""
    qos_policies: tuple[QosPolicyReference, ...] = ()
    """Of networks, ports and floating IPs."""

    def __iter__(self) -> Iterator[Reference]:
        yield from self.flavors
        yield from self.networks
        yield from self.subnets
        yield from self.images
        yield from self.volume_types
        yield from self.availability_zones
        yield from self.keypairs
        yield from self.qos_policies


SECTIONS: tuple[str, ...] = tuple(
    field.name for field in dataclasses.fields(References) if field.name != "extra"
)
"""``flavors``, ``networks`` …: the keys of the references, and the sections of a mapping."""
