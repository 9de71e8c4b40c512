"""Network API: ``/address-groups`` (extension ``address-group``)."""

from __future__ import annotations

from dataclasses import dataclass

from bundle_spec.model.base import Resource


@dataclass(frozen=True, kw_only=True)
class AddressGroup(Resource):
    """Addresses (CIDRs) that rules of security groups name together."""

    type = "address_group"

    description: str = ""
    """Text of the tenant."""
    addresses: tuple[str, ...] = ()
    """The networks, in any order, each as a CIDR."""
