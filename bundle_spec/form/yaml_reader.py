"""YAML of which only JSON is read: the one way in for every YAML file that is not our own.

YAML has more than the format needs, and each of these has been a door: aliases (a small file that
becomes a large one), tags (types and code), merge keys, keys twice, keys that are no strings,
numbers in base 60, several documents.  Here they are faults, told with their places.  What is left
is a JSON value [M-3] [M-4]: strings, true and false, null, and integers in decimal up to 2^53 - 1.
A word without quotes that is none of these is a string, whatever other readers make of it: ``yes``,
``1:30``, ``1.5``, ``0x10``, ``0815``, ``2024-01-01``.

The events of libyaml, or of PyYAML's own parser, are gone through once.  Pure.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bundle_spec.errors import MAX_FAULTS, DownpourError
from bundle_spec.form import codec
from bundle_spec.form.codec import Json
from bundle_spec.form.places import Keys, Places, Position, place
from bundle_spec.form.yaml_text import Refused, require_no_more, text_of
from bundle_spec.text import quoted, shortened

E = TypeVar("E", bound=DownpourError)


class Limit(NamedTuple):
    """The bytes of a file, and how many keys and values may stand in it."""

    bytes: int
    values: int


BY_HAND = Limit(2**20, 2**17)
"""Of a file that a person writes."""


@dataclass(frozen=True)
class Document(Generic[E]):
    """``value``: the JSON value, null for an empty file; where there are ``faults``, as much of it
    as was understood."""

    value: Json
    places: Places
    faults: tuple[E, ...] = ()

    def with_others(self, found: Iterable[E]) -> list[E]:
        """Its faults, and those that were ``found`` in its value, but for what stands at the place
        of one of its own: that is the same mistake."""
        places = {fault.where for fault in self.faults}
        return [*self.faults, *(fault for fault in found if fault.where not in places)]


def read(
    data: bytes, file: str, error: type[E], *, limit: Limit = BY_HAND, with_places: bool = True
) -> Document[E]:
    """The document in ``data``.

    ``file`` names it in places.  ``error``: the class of its faults.  ``with_places`` False: only
    faults have places, which takes less time and memory.
    """
    walk = _Walk(file, error, limit.values, with_places)
    try:
        text = text_of(data, limit.bytes)
        with _no_garbage():
            walk.document(text)
    except Refused as exc:
        walk.faults.append(error(exc.message, where=place(file, exc.position), remedy=exc.remedy))
    return Document(walk.value, Places(file, walk.keys, walk.values), tuple(walk.faults))


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Python's garbage collector is off: millions of objects are made, and no cycles.  With 10,000
    resources it would take longer than the rest."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Walk(Generic[E]):
    """One pass over the events of a document.

    ``Keys`` None stand for a value whose place nobody asks for.
    """

    def __init__(self, file: str, error: type[E], limit: int, with_places: bool):
        self._file, self._error = file, error
        self._left = limit
        self._root: Keys | None = () if with_places else None
        self._next: Callable[[], Any] = lambda: None
        self.value: Json = None
        self.keys: dict[Keys, Position] = {}
        self.values: dict[Keys, Position] = {}
        self.faults: list[E] = []

    def document(self, text: str) -> None:
        """Read the only document in ``text``.  Raises Refused."""
        loader = _Loader(text)
        self._next = loader.get_event
        try:
            self._next()
            if type(self._next()) is not DocumentStartEvent:
                return
            self.value = self._value(self._next(), self._root, 1)
            end = self._next().end_mark.index
        except yaml.MarkedYAMLError as exc:
            position = _position(exc.problem_mark) if exc.problem_mark else None
            raise Refused(f"not YAML: {shortened(str(exc.problem), 120)}", position) from exc
        except (yaml.YAMLError, ValueError, OverflowError) as exc:
            # PyYAML's own parser takes any number of digits for a version or a character.
            raise Refused(f"not YAML: {shortened(str(exc), 120)}", None) from exc
        finally:
            loader.dispose()
        require_no_more(text, end)

    def tell(self, message: str, position: Position | None, remedy: str | None = None) -> None:
        """Note a fault.  Raises Refused when there are as many as anybody reads."""
        where = place(self._file, position)
        self.faults.append(self._error(message, where=where, remedy=remedy))
        if len(self.faults) == MAX_FAULTS - 1:
            raise Refused("from here on mistakes are not told", position)

    # --- values ---

    def _value(self, event: Any, keys: Keys | None, depth: int) -> Json:
        if keys is not None:
            self.values[keys] = _begin(event)
        self._left -= 1
        if self._left < 0:
            raise Refused("more keys and values than such a file may hold", _begin(event))
        if depth > codec.MAX_DEPTH:
            raise Refused(f"nested deeper than {codec.MAX_DEPTH} levels", _begin(event))
        kind = type(event)
        if kind is AliasEvent:
            self.tell("an alias (*) is not read", _begin(event), "write the value itself")
            return None
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        if kind is ScalarEvent:
            return self._scalar(event)
        if kind is SequenceStartEvent:
            return self._list(keys, depth)
        return self._mapping(keys, depth)

    def _refuse_properties(self, event: Any) -> None:
        if event.anchor is not None:
            self.tell("an anchor (&) is not read", _begin(event), "leave it out")
        if event.tag is not None:
            tag = shortened(event.tag.replace("tag:yaml.org,2002:", "!!", 1))
            self.tell(f"the tag {tag} is not read", _begin(event), "leave it out")

    def _scalar(self, event: Any) -> Json:
        text: str = event.value
        if event.implicit[0]:  # without quotes
            if text in _WORDS:
                return _WORDS[text]
            if _INTEGER.fullmatch(text):
                return self._integer(text, event)
        elif event.style == '"' and not text.isascii() and _SURROGATE.search(text):
            self.tell("not YAML: half of a surrogate pair is no character", _begin(event))
        return text

    def _integer(self, text: str, event: Any) -> Json:
        try:
            return codec.integer(text)
        except ValueError as exc:
            self.tell(str(exc), _begin(event), "quote it if it is a text")
            return None

    def _list(self, keys: Keys | None, depth: int) -> list[Json]:
        found: list[Json] = []
        while type(event := self._next()) is not SequenceEndEvent:
            below = None if keys is None else (*keys, len(found))
            found.append(self._value(event, below, depth + 1))
        return found

    def _mapping(self, keys: Keys | None, depth: int) -> dict[str, Json]:
        found: dict[str, Json] = {}
        while type(event := self._next()) is not MappingEndEvent:
            key = self._key(event, depth)
            if key is not None and key in found:
                self.tell(f"the key {quoted(key)} stands here twice", _begin(event))
                key = None
            if key is None:  # gone through only to find its faults
                self._value(self._next(), None, depth + 1)
                continue
            below = None if keys is None else (*keys, key)
            if below is not None:
                self.keys[below] = _begin(event)
            found[key] = self._value(self._next(), below, depth + 1)
        return found

    def _key(self, event: Any, depth: int) -> str | None:
        """A key; None for one that cannot be one, which has been told."""
        if type(event) is ScalarEvent and event.implicit[0] and event.value == "<<":
            self.tell("a merge key (<<) is not read", _begin(event), "write its keys here")
            return None
        before = len(self.faults)
        key = self._value(event, None, depth + 1)
        if isinstance(key, str):
            return key
        if len(self.faults) == before:
            written = shortened(event.value) or "null" if type(event) is ScalarEvent else "[…]"
            self.tell(f"the key {written} is not a string", _begin(event), "quote it")
        return None


def _begin(event: Any) -> Position:
    return _position(event.start_mark)


def _position(mark: Any) -> Position:
    return mark.line + 1, mark.column + 1
