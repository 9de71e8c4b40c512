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
from bundle_spec.model.forms import Bytes, Count, GiB, MiB


@dataclass(frozen=True, kw_only=True)
class Reference(Record):
    type: ClassVar[str]

    id: str
    name: str

    @property
    def ref(self) -> Ref:
        return Ref(self.type, self.id)


@dataclass(frozen=True, kw_only=True)
class FlavorReference(Reference):
    """``ram`` and ``swap`` in MiB, ``disk`` and ``ephemeral`` in GiB, as Nova counts them."""

    type = "flavor"

    vcpus: Count
    ram: MiB
    disk: GiB
    ephemeral: GiB = 0
    swap: MiB = 0


@dataclass(frozen=True, kw_only=True)
class NetworkReference(Reference):
    """An external network, or one that another project shares."""

    type = "network"

    external: bool
    shared: bool = False


@dataclass(frozen=True, kw_only=True)
class SubnetReference(Reference):
    """A subnet of a shared network on which a carried port has an address."""

    type = "subnet"

    network_id: str
    cidr: str


@dataclass(frozen=True, kw_only=True)
class ImageReference(Reference):
    """A public image, or one of another project.  ``size`` in bytes; a hash may be unknown."""

    type = "image"

    disk_format: str | None = None
    size: Bytes | None = None
    hash_algo: str | None = None
    hash_value: str | None = None


@dataclass(frozen=True, kw_only=True)
class VolumeTypeReference(Reference):
    """``is_default``: the type that the source gives when none is asked for."""

    type = "volume_type"

    is_default: bool = False


@dataclass(frozen=True, kw_only=True)
class AvailabilityZoneReference(Reference):
    """Its ID is ``compute/NAME`` or ``volume/NAME``: the services' zones are not the same."""

    type = "availability_zone"

    service: Literal["compute", "volume"]


@dataclass(frozen=True, kw_only=True)
class KeypairReference(Reference):
    """A keypair that a server names and that the source does not have."""

    type = "keypair"


@dataclass(frozen=True, kw_only=True)
class QosPolicyReference(Reference):
    """A QoS policy of a network, a port or a floating IP: only an operator makes one."""

    type = "qos_policy"

    shared: bool = False


@dataclass(frozen=True, kw_only=True)
class References(Record):
    """All references of a bundle, by type."""

    flavors: tuple[FlavorReference, ...] = ()
    networks: tuple[NetworkReference, ...] = ()
    subnets: tuple[SubnetReference, ...] = ()
    images: tuple[ImageReference, ...] = ()
    volume_types: tuple[VolumeTypeReference, ...] = ()
    availability_zones: tuple[AvailabilityZoneReference, ...] = ()
    keypairs: tuple[KeypairReference, ...] = ()
    qos_policies: tuple[QosPolicyReference, ...] = ()

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
