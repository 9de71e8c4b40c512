"""Whose an object of the target is: what another project owns is taken on a person's word only.

Pure.  A tenant can open its network or its image to another project, under any name.
"""

from __future__ import annotations

from collections.abc import Iterable

from downpour_cloud import Json
from downpour_import.preflight.survey import Survey


def is_operators(target: Survey, network: Json) -> bool:
    """Whether only an operator can have offered an external network: who else could neither make
    it the default one (Networking API, "Auto allocated topologies") nor publish images."""
    return bool(network.get("is_default") or network.get("project_id") in target.operators)


def is_ours_or_operators(target: Survey, item: Json) -> bool:
    """Whether an object of Neutron is of this project or of an operator's."""
    owner = item.get("project_id")
    return owner == target.project_id or owner in target.operators


def is_ours_or_public(target: Survey, image: Json) -> bool:
    """Whether an image is of this project, or published, which only an administrator can; a shared
    one, or one of the community, is any project's (Image API, "Image visibility")."""
    return bool(image.get("visibility") == "public" or image.get("owner") == target.project_id)


def network_text(item: Json) -> str:
    """A network that a person is to choose or not."""
    return f"{item['name']!r} ({item['id']}, of project {item.get('project_id')})"


def by_unique_name(item: Json, among: Iterable[Json]) -> Json:
    """``item``, under its ID instead of its name where others are named like it, or nothing is."""
    namesakes = sum(1 for each in among if each["name"] == item["name"])
    return item if item["name"] and namesakes == 1 else {**item, "name": item["id"]}
