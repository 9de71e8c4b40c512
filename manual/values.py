"""What both shells need to know: what the value of an option or argument is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from bundle_spec.cli.command_text import Option

Kind = Literal["file", "directory", "other"]

_FILES = frozenset({"BUNDLE", "FILE", "KEYFILE", "RECIPIENT", "RESOURCE_FILE", "SOURCE"})


def kind(metavar: str) -> Kind:
    """``FILE`` is a file; a NAME is something that only the cloud knows."""
    if metavar in _FILES:
        return "file"
    return "directory" if metavar == "DIR" else "other"


def of_kind(options: Iterable[Option], wanted: Kind) -> list[str]:
    """The options whose values are of this kind."""
    return [each.name for each in options if each.metavar and kind(each.metavar) == wanted]


def filled(script: str, **values: str) -> str:
    """The script with every ``@NAME@`` replaced."""
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    return script
