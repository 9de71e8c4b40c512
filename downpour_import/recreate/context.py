"""What every recreator works with: the target, the journal, and the resolved targets."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bundle_spec import MARKER_PREFIX
from bundle_spec.form.marker import marker
from bundle_spec.model import Ref, Resource, Resources
from bundle_spec.read.files import BundleFiles
from downpour_import.cloud import TargetCloud
from downpour_import.errors import RecreateError
from downpour_import.playbook import events
from downpour_import.preflight import Targets, addresses
from downpour_import.state.failures import Failures, Subject
from downpour_import.state.journal import Journal

MARKER_KEY = f"{MARKER_PREFIX}marker"
"""Metadata key or image property that holds the marker."""


def named(record: Resource) -> str:
    """A resource, as people know it."""
    return str(Subject(record.ref, record.name))


@dataclass(eq=False)
class Context:
    """``targets``: what the preflight resolved.  ``bundle``: the files that hold the disks.
    ``manifest_sha256``: that of the verified manifest, in hex; None: of any, for tests.
    ``resources``: all that the run is to make; asked for only after a failure.  ``tell``: is given
    a sentence about what is waited for.
    """

    cloud: TargetCloud
    journal: Journal
    targets: Targets
    bundle_uuid: str
    bundle: BundleFiles
    manifest_sha256: str | None
    resources: Callable[[], Resources] = Resources
    keep_images: bool = False
    """Whether the images that filled volumes stay."""
    tell: Callable[[str], None] = field(default=events.note, repr=False)
    late_until: float = 0.0
    """Until when, as ``time.monotonic`` counts, a request of an earlier run may still arrive."""
    marked: dict[str, dict[str, list[str]]] = field(default_factory=dict, repr=False)
    """API path -> marker -> IDs, as the first list call of this process read them."""
    _extensions: frozenset[str] | None = field(default=None, repr=False)

    @functools.cached_property
    def failures(self) -> Failures:
        """What could not be made in this run."""
        return Failures(self.journal.path.parent)

    def marker(self, ref: Ref) -> str:
        """What marks the object that is made of ``ref``; see ``bundle_spec.form.marker``."""
        return marker(self.bundle_uuid, self.manifest_sha256 or "", ref.id)

    def target(self, ref: Ref) -> str:
        """The target's ID of what ``ref`` names.  Raises RecreateError when there is none."""
        target = self.optional_target(ref)
        if target is None:
            raise RecreateError(
                f"{ref} has not been made yet",
                remedy="run the whole playbook; a run with --tags needs what it refers to",
            )
        return target

    def optional_target(self, ref: Ref) -> str | None:
        """The same; None where the mapping says to do without, or where nothing was made yet."""
        if ref in self.targets:
            return self.targets[ref]
        return self.journal.target(ref)

    def refuse(self, record: Resource, attribute: str, message: str) -> None:
        """Journal and report an optional attribute that the target refused with ``message``."""
        self.journal.refuse(record.ref, record.name, attribute, message)
        self.tell(f"refused: {named(record)}: {attribute}: {message}")

    def has_extension(self, alias: str) -> bool:
        """Whether the target's Neutron has this extension."""
        if self._extensions is None:
            self._extensions = self.cloud.extensions()
        return alias in self._extensions

    @functools.cache  # noqa: B019 - one context lives as long as its process
    def network_is_ours(self, network_id: str) -> bool:
        """Whether a network of the target is this project's: only then it may choose addresses."""
        item = self.cloud.get("network", f"/networks/{network_id}")["network"]
        return bool(item["project_id"] == self.cloud.project_id)

    @functools.cache  # noqa: B019
    def subnet(self, subnet_id: str) -> Any:
        """The target's subnet."""
        return self.cloud.get("network", f"/subnets/{subnet_id}")["subnet"]

    def subnet_gives_addresses(self, subnet_id: str) -> bool:
        """Whether addresses of the target's subnet follow from MACs (SLAAC), not from us."""
        return self.subnet(subnet_id).get("ipv6_address_mode") in ("slaac", "dhcpv6-stateless")

    def takes_address(self, subnet_id: str, address: str) -> bool:
        """Whether a port may ask for this address on the target's subnet."""
        network = addresses.network(self.subnet(subnet_id)["cidr"])
        return not self.subnet_gives_addresses(subnet_id) and (
            ipaddress.ip_address(address) in network
        )
