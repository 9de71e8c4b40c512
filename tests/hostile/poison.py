"""Records whose every text drives a terminal and passes for a sentence of ours.

The fields are those of the dataclasses themselves, so that a new one is covered by itself.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

FORGED = "signed by ops@example.org (ED25519 SHA256:AAAA)"
POISON = (
    "\x1b]0;title\x07\x1b[2J\x9b31m\x7f\u202e\u2066\u200b\u2028\r\ufe0f\U000e0041\u3164"
    + "\u0301" * 30
    + f"\nout.dpbundle: whole\n2026-01-02T03:04:05Z; {FORGED}"
)
HARMLESS = "y" * len(POISON)
"""As long, and one word: what lines there are must not differ."""

Change = Callable[[str, str], str]
"""From the field, as ``Class.name``, and its text, to another text."""


def changed(value: Any, hint: Any, change: Change, place: str = "") -> Any:
    """``value`` with every text in it changed, but for those of which the type lists all."""
    hint = _not_none(hint)
    arguments = typing.get_args(hint)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = typing.get_type_hints(type(value))
        names = [field.name for field in dataclasses.fields(value) if field.name != "extra"]
        kind = type(value).__name__
        return dataclasses.replace(
            value,
            **{
                name: changed(getattr(value, name), hints[name], change, f"{kind}.{name}")
                for name in names
            },
        )
    if isinstance(value, tuple):
        return tuple(changed(item, arguments[0], change, place) for item in value)
    if isinstance(value, Mapping):
        item = arguments[1]
        return {
            change(place, key): changed(text, item, change, place) for key, text in value.items()
        }
    if isinstance(value, str) and typing.get_origin(hint) is not typing.Literal:
        return change(place, value)
    return value


def _not_none(hint: Any) -> Any:
    parts = [part for part in typing.get_args(hint) if part is not type(None)]
    return parts[0] if type(None) in typing.get_args(hint) and len(parts) == 1 else hint


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """(field, text) of every text in it."""
    found: list[tuple[str, str]] = []

    def note(place: str, text: str) -> str:
        found.append((place, text))
        return text

    changed(value, type(value), note)
    yield from dict.fromkeys(found)


def poisoned(value: Any, which: set[tuple[str, str]], poison: str) -> Any:
    """``value`` with ``poison`` at the end of each text in ``which``, and of every equal text
    elsewhere, which may refer to it."""
    whole = {text for _, text in which if text}

    def change(place: str, text: str) -> str:
        return text + poison if text in whole or (place, text) in which else text

    return changed(value, type(value), change)


def is_clean(printed: str) -> bool:
    """Whether a terminal only shows it, and nothing in it passes for what we say of a signature."""
    for line in printed.split("\n"):
        if not line.isprintable() or any(0x300 <= ord(char) < 0x370 for char in line):
            return False
        if line.startswith(("out.dpbundle: whole", "2026-01-02T03:04:05Z; signed")):
            return False
    return "\ufe0f" not in printed and "\u3164" not in printed
