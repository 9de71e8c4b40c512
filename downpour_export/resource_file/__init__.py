"""The resource file: what to export and how; a person writes it, and ``query`` adds to it."""

from downpour_export.resource_file.parser import (
    SECTIONS,
    Boot,
    Item,
    ResourceFile,
    decode,
    in_order,
    load,
    parse,
    read,
)

__all__ = [
    "SECTIONS",
    "Boot",
    "Item",
    "ResourceFile",
    "decode",
    "in_order",
    "load",
    "parse",
    "read",
]
