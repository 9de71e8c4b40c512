"""The resource file: what a person asks for, and what ``query`` adds to it."""

from downpour_export.resource_file.parser import (
    SECTIONS,
    Boot,
    Item,
    ResourceFile,
    in_order,
    load,
    parse,
    read,
)

__all__ = ["SECTIONS", "Boot", "Item", "ResourceFile", "in_order", "load", "parse", "read"]
