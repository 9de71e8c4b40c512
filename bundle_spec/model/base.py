"""What every record of a resource has in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from bundle_spec.text import QUOTED, as_word

ResourceType = Literal[
    "keypair",
    "address_group",
    "security_group",
    "network",
    "subnet",
    "router",
    "port",
    "trunk",
    "floating_ip",
    "image",
    "volume",
    "volume_snapshot",
    "server_group",
    "server",
]


class Ref(NamedTuple):
    """A reference to a resource: its type and its ID at the source.

    A keypair's ID is its name, as in Nova; those of flavors, volume types and availability
    zones are their names too, because a tenant's resources give no more of them.
    """

    type: str
    id: str

    def __str__(self) -> str:
        """For a sentence: printable, and cut where the ID is very long."""
        return f"{self.type.replace('_', ' ')} {as_word(self.id, QUOTED)}"


@dataclass(frozen=True, kw_only=True)
class Record:
    """An object of the manifest.  ``extra``: its keys that this version does not know [M-7]."""

    extra: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True, kw_only=True)
class Resource(Record):
    """A resource of the source that the target shall have.

    Attribute names and values are those of the OpenStack API named in the class, without the
    marks that downpour itself leaves on resources.
    """

    type: ClassVar[ResourceType]

    id: str
    """The ID at the source, by which other records refer to this one; the target gives another. Of
    a keypair it is the name."""
    name: str
    """The name, to be kept; it need not be unique, and may be empty."""

    @property
    def ref(self) -> Ref:
        return Ref(self.type, self.id)

    def references(self) -> tuple[Ref, ...]:
        """Every resource that must be there before this one can be made, in no special order."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Tagged(Resource):
    """A Neutron resource with the standard attributes ``description`` and ``tags``."""

    description: str = ""
    """Text of the tenant."""
    tags: tuple[str, ...] = ()
    """Tags of the tenant, in any order."""
