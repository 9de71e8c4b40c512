"""Check the resource graph of a manifest: every reference resolves, and no resource is twice.

The rules M-14 to M-17.  Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from bundle_spec.codes import Code
from bundle_spec.errors import BundleError
from bundle_spec.form import layout
from bundle_spec.form.marker import is_marker, is_reserved
from bundle_spec.model import (
    SECTIONS,
    Image,
    Manifest,
    Ref,
    Resource,
    SecurityGroup,
    Volume,
)
from bundle_spec.model.resources import required_refs


def graph_faults(manifest: Manifest) -> Iterator[BundleError]:
    """A fault for every reference that does not resolve, every resource that is there twice, and
    every tag, key or description in the reserved name space."""
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
                message = f"refers to disk {disk!r}, which is not there"
                yield BundleError(message, where=where, code=Code.DISK_REFERENCE)
            for what in _reserved(resource):
                message = f"{what} is reserved for downpour's own marks"
                yield BundleError(message, where=where, code=Code.RESERVED_MARK)
    for number, reference in enumerate(manifest.references.subnets):
        network = Ref("network", reference.network_id)
        if network not in present:
            where = f"{layout.MANIFEST_NAME}: references.subnets[{number}]"
            message = f"refers to {network}, which is not there"
            yield BundleError(message, where=where, code=Code.REFERENCE)


def _references(resource: Resource) -> Iterator[Ref]:
    yield from required_refs(resource)
    if isinstance(resource, Image) and resource.server_id is not None:
        yield Ref("server", resource.server_id)


def _reserved(resource: Resource) -> Iterator[str]:
    for tag in getattr(resource, "tags", ()):
        if is_reserved(tag):
            yield f"the tag {tag!r}"
    for field in ("metadata", "image_metadata", "properties"):
        values: Mapping[str, str] = getattr(resource, field, {})
        for key in values:
            if is_reserved(key):
                yield f"the key {key!r} of {field}"
    if is_marker(getattr(resource, "description", None) or ""):
        yield "the description"
    if isinstance(resource, SecurityGroup):
        for rule in resource.rules:
            if is_marker(rule.description):
                yield f"the description of the rule {rule.id}"
