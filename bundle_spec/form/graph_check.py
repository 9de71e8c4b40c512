"""Check the resource graph of a manifest: every reference resolves, and no resource is twice.

The rules M-14 to M-17.  Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bundle_spec.codes import Code
from bundle_spec.errors import BundleError
from bundle_spec.form import layout
from bundle_spec.form.mark_check import mark_faults
from bundle_spec.model import (
    SECTIONS,
    AvailabilityZoneReference,
    Image,
    Manifest,
    Ref,
    Reference,
    Resource,
    Volume,
)
from bundle_spec.model.resources import required_refs
from bundle_spec.text import quoted


def graph_faults(manifest: Manifest) -> Iterator[BundleError]:
    """A fault for every reference that does not resolve, every resource that is there twice, every
    ID that is not its record's, and every mark."""
    present = Counter(resource.ref for resource in manifest.resources)
    present.update(reference.ref for reference in manifest.references)
    disks = {disk.id for disk in manifest.disks}
    for ref, count in present.items():
        if count > 1:
            message = f"{ref} stands {count} times"
            yield BundleError(message, where=layout.MANIFEST_NAME, code=Code.RESOURCE_TWICE)
    for section in SECTIONS:
        for number, resource in enumerate(getattr(manifest.resources, section)):
            where = f"{layout.MANIFEST_NAME}: resources.{section}[{number}]"
            for ref in _references(resource):
                if ref not in present:
                    message = f"refers to {ref}, which is not there"
                    yield BundleError(message, where=where, code=Code.REFERENCE)
            disk = resource.disk_id if isinstance(resource, (Image, Volume)) else None
            if disk is not None and disk not in disks:
                message = f"refers to disk {quoted(disk)}, which is not there"
                yield BundleError(message, where=where, code=Code.DISK_REFERENCE)
    for number, reference in enumerate(manifest.references.subnets):
        network = Ref("network", reference.network_id)
        if network not in present:
            where = f"{layout.MANIFEST_NAME}: references.subnets[{number}]"
            message = f"refers to {network}, which is not there"
            yield BundleError(message, where=where, code=Code.REFERENCE)
    yield from _id_faults(manifest)
    yield from mark_faults(manifest.resources, manifest.references)


def _references(resource: Resource) -> Iterator[Ref]:
    yield from required_refs(resource)
    if isinstance(resource, Image) and resource.server_id:
        yield Ref("server", resource.server_id)


def _id_faults(manifest: Manifest) -> Iterator[BundleError]:
    """A fault for each record whose ID is to be made of its name, and is not."""
    references = manifest.references
    named: dict[str, Sequence[Resource | Reference]] = {
        "resources.keypairs": manifest.resources.keypairs,
        "references.flavors": references.flavors,
        "references.volume_types": references.volume_types,
        "references.keypairs": references.keypairs,
        "references.availability_zones": references.availability_zones,
    }
    for section, records in named.items():
        for number, record in enumerate(records):
            due = record.name
            if isinstance(record, AvailabilityZoneReference):
                due = f"{record.service}/{record.name}"
            if record.id != due:
                where = f"{layout.MANIFEST_NAME}: {section}[{number}].id"
                message = "not the ID that a record of this name must have"
                yield BundleError(message, where=where, code=Code.NAME_AS_ID)
