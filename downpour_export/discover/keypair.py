"""Keypairs.  They belong to the user, not to the project."""

from __future__ import annotations

from bundle_spec.model import Keypair
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud


def discover(cloud: SourceCloud) -> dict[str, Keypair]:
    items = (item["keypair"] for item in cloud.list("compute", "/os-keypairs", "keypairs"))
    return {record.id: record for record in map(record_of, items)}


def record_of(item: Json) -> Keypair:
    """``type`` exists from microversion 2.2 on."""
    return Keypair(
        id=item["name"],
        name=item["name"],
        public_key=item["public_key"].strip(),
        key_type=item.get("type", "ssh"),
    )
