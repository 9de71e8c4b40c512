"""Images: the project's own in bulk, others one by one where something needs them."""

from __future__ import annotations

from bundle_spec.model import Image
from downpour_cloud import Json
from downpour_export.cloud import SourceCloud
from downpour_export.discover import marks
from downpour_export.discover.inventory import FoundImage

# The API's own attributes (Image API v2, "Show image"); all other keys are custom properties.
_ATTRIBUTES = frozenset(
    "id name disk_format container_format min_disk min_ram visibility protected os_hidden tags "
    "owner status size virtual_size checksum os_hash_algo os_hash_value created_at updated_at "
    "self file schema locations direct_url stores store deleted deleted_at".split()
)
# Properties that Glance, Nova and Cinder write themselves and that mean nothing elsewhere.
_DROPPED = frozenset(
    "base_image_ref instance_uuid user_id image_type image_state image_location owner_id "
    "owner_project_name owner_user_name boot_roles block_device_mapping bdm_v2 root_device_name "
    "mappings signature_verified clean_attempts".split()
)
_DROPPED_PREFIXES = ("owner_specified.", "os_glance_", "downpour_")


def discover(cloud: SourceCloud) -> dict[str, FoundImage]:
    """Two list calls: hidden images are listed only when asked for (Image API v2.7)."""
    images: dict[str, FoundImage] = {}
    for hidden in ({}, {"os_hidden": "true"}):
        query = {"owner": cloud.project_id, **hidden}
        for item in cloud.list("image", "/images", "images", query):
            images[item["id"]] = found_of(item, cloud.project_id)
    return images


def look_up(cloud: SourceCloud, image_id: str) -> FoundImage | None:
    """One image, whoever owns it; None if it is gone or this project cannot see it."""
    item = cloud.get_or_none("image", f"/images/{image_id}")
    return None if item is None else found_of(item, cloud.project_id)


def found_of(item: Json, project_id: str) -> FoundImage:
    return FoundImage(
        record=Image(
            id=item["id"],
            name=item.get("name") or "",
            disk_id="",  # known when its bytes are in the bundle
            disk_format=item.get("disk_format") or "",
            container_format=item.get("container_format") or "",
            min_disk=item.get("min_disk") or 0,
            min_ram=item.get("min_ram") or 0,
            visibility=item.get("visibility") or "private",
            protected=bool(item.get("protected")),
            hidden=bool(item.get("os_hidden")),
            tags=marks.tags(item.get("tags")),
            properties=properties_of(item),
        ),
        owned=item.get("owner") == project_id,
        status=item["status"],
        size=item.get("size"),
        hash_algo=item.get("os_hash_algo"),
        hash_value=item.get("os_hash_value"),
        virtual_size=item.get("virtual_size"),
        instance_id=item.get("instance_uuid"),
        created_at=item.get("created_at") or "",
        volume_backed=not item.get("size") and bool(item.get("block_device_mapping")),
    )


def properties_of(item: Json) -> dict[str, str]:
    """The custom properties that a tenant can set again on another cloud."""
    texts = {key: value for key, value in sorted(item.items()) if isinstance(value, str)}
    return {
        key: value
        for key, value in marks.mapping(texts).items()
        if key not in _ATTRIBUTES and key not in _DROPPED and not key.startswith(_DROPPED_PREFIXES)
    }
