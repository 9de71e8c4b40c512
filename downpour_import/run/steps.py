"""The steps of the playbook by their Ansible tags, and which resources some of them finish."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Collection

from bundle_spec.errors import LocalError, UsageError
from bundle_spec.form import yaml_reader
from bundle_spec.playbook import static_files

_FINISHED_BY = {
    "address_group": {"security_groups"},
    "trunk": {"ports"},
    # A subnet gets its DHCP when every carried port has its address.
    "subnet": {"subnets", "ports"},
}
"""Type -> tags that must all have run; types that are not here have a tag of their plural."""


@functools.cache
def all_tags() -> tuple[str, ...]:
    """The tags of the playbook, in the order of its steps."""
    plays = yaml_reader.read(static_files()["site.yml"], "site.yml", LocalError).value
    tags = [tag for play in plays for task in play["tasks"] for tag in task["tags"]]
    return tuple(dict.fromkeys(tag for tag in tags if tag != "always"))


def parse(text: str) -> tuple[str, ...]:
    """``networks,subnets`` as tags.  Raises UsageError."""
    tags = tuple(dict.fromkeys(tag.strip() for tag in text.split(",")))
    for tag in tags:
        if tag not in all_tags():
            near = difflib.get_close_matches(tag, all_tags(), n=1)
            raise UsageError(
                f"--tags: there is no step {tag!r}",
                remedy=f"did you mean {near[0]}?" if near else f"it has {', '.join(all_tags())}",
            )
    return tags


def finishes(tags: Collection[str], kind: str) -> bool:
    """Whether a run of these tags (none: of all steps) finishes the resources of type ``kind``."""
    return not tags or _FINISHED_BY.get(kind, {f"{kind}s"}) <= set(tags)
