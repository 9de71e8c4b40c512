"""Read the docopt text of a command into records.

docopt parses a command line by the text.  What docopt does not do (strict checks, completion,
manual pages) reads the same text here, so that no option is written down twice.

A text has this form, and a test holds every text to it:

    PROGRAM COMMAND: what it does, in one line.

    Usage:
      PROGRAM COMMAND [options] [--many VALUE]... [--this | --that] ARGUMENT [OPTIONAL]

    A paragraph, or several.

    Heading of a group:
      --option VALUE          What it does.
      -o, --other             Where two names are one option.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

_NAMES = re.compile(r"(?:(-\w), )?(--[a-z][a-z-]*)(?: (\S+))?")
_SAME_AS = re.compile(r"The same as (--[a-z-]+)")
_DEFAULT = re.compile(r" ?\[default: (.*)\]")


@dataclass(frozen=True)
class Entry:
    """An option or an argument of a group: ``label`` as it is written on a command line, ``text``
    its description."""

    label: str
    text: str


@dataclass(frozen=True)
class Group:
    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Option:
    """``metavar``: what its value is; None where it takes none.  ``many``: it may be repeated.
    ``same_as``: the option that it is another name of."""

    name: str
    short: str | None
    metavar: str | None
    text: str
    many: bool
    same_as: str | None

    @property
    def unset(self) -> object:
        """What docopt gives for it where it is not on the command line."""
        if self.many:
            return []
        default = _DEFAULT.search(self.text)
        if self.metavar is None:
            return False
        return default[1] if default else None


@dataclass(frozen=True)
class CommandText:
    """One command of a program by its docopt text."""

    doc: str

    @cached_property
    def _head(self) -> tuple[str, str]:
        invocation, _, summary = self._blocks[0].partition(": ")
        return invocation, summary

    @property
    def program(self) -> str:
        return self._head[0].rpartition(" ")[0]

    @property
    def name(self) -> str:
        return self._head[0].rpartition(" ")[2]

    @property
    def summary(self) -> str:
        """What it does in a few words, with a small letter first and a full stop at the end."""
        return self._head[1]

    @cached_property
    def usage(self) -> str:
        """Its pattern, as it stands below ``Usage:``."""
        return self._blocks[1].partition("\n")[2]

    @cached_property
    def paragraphs(self) -> tuple[str, ...]:
        return tuple(block for block in self._blocks[2:] if not _is_group(block))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        return tuple(_group(block) for block in self._blocks[2:] if _is_group(block))

    @cached_property
    def options(self) -> Mapping[str, Option]:
        """Long name -> option, in the order of the text."""
        many = set(re.findall(r"\[(--[a-z-]+) \S+\]\.\.\.", self.usage))
        options = (
            _option(entry, many)
            for group in self.groups
            for entry in group.entries
            if entry.label.startswith("-")
        )
        return {option.name: option for option in options}

    @cached_property
    def exclusive(self) -> tuple[tuple[str, ...], ...]:
        """The options of which only one may be given."""
        groups = re.findall(r"\[(--[^\]]*\|[^\]]*)\]", self.usage)
        return tuple(tuple(re.findall(r"--[a-z-]+", group)) for group in groups)

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The arguments that it needs, by their names in the pattern."""
        return tuple(word for word in self._positional if not word.startswith("["))

    @cached_property
    def optional_arguments(self) -> tuple[str, ...]:
        return tuple(word.strip("[]") for word in self._positional if word.startswith("["))

    @cached_property
    def _positional(self) -> list[str]:
        without_options = re.sub(r"\[--[^\]]*\](\.\.\.)?", "", self.usage)
        return re.findall(r"\[?\b[A-Z][A-Z_]+\b\]?", without_options)

    @cached_property
    def _blocks(self) -> list[str]:
        return self.doc.strip("\n").split("\n\n")


def _is_group(block: str) -> bool:
    first, _, rest = block.partition("\n")
    return first.endswith(":") and rest.startswith("  ")


def _group(block: str) -> Group:
    title, _, lines = block.partition("\n")
    return Group(title.removesuffix(":"), tuple(_entries(lines)))


def _entries(lines: str) -> Iterator[Entry]:
    """The entries of a group: each begins after two blanks, and lines indented more continue it."""
    for part in re.split(r"^  (?=\S)", lines, flags=re.M)[1:]:
        first, _, rest = part.partition("\n")
        label, _, text = first.partition("  ")
        yield Entry(label, _joined([text, *rest.split("\n")]))


def _joined(lines: Iterable[str]) -> str:
    """The lines joined to one, with two blanks after a sentence, as within a line."""
    text = "\n".join(filter(None, map(str.strip, lines)))
    return text.replace(".\n", ".  ").replace("\n", " ")


def _option(entry: Entry, many: set[str]) -> Option:
    names = _NAMES.fullmatch(entry.label)
    assert names, f"{entry.label!r} does not have the form of an option"
    short, name, metavar = names.groups()
    same = _SAME_AS.search(entry.text)
    return Option(name, short, metavar, entry.text, name in many, same[1] if same else None)
