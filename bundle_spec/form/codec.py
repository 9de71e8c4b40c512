"""Typed records <-> JSON values <-> canonical JSON bytes.

Records are frozen dataclasses whose field names are the JSON keys.  A record decoded from a
newer bundle keeps the keys that this version does not know in ``extra`` and writes them back,
so that a round trip loses nothing [M-7].  Decoding reports every fault, with its JSON path.
"""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import functools
import json
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from bundle_spec.codes import Code
from bundle_spec.errors import MAX_FAULTS, BundleError, BundleFaults
from bundle_spec.form.canonical import dumps as dumps
from bundle_spec.text import outline, quoted, shortened

Json = Any
"""A JSON value as the json module makes it."""

R = TypeVar("R")

MAX_DEPTH = 32
"""Objects and lists within each other in a JSON document of a bundle [M-4]."""


MAX_INTEGER = 2**53 - 1
"""The greatest number in a JSON document of a bundle, and with a minus the least [M-3]."""

_DIGITS = len(f"-{MAX_INTEGER}")


def loads(data: bytes, where: str) -> Json:
    """Parse strictly: UTF-8, no duplicate keys, integers only, bounded [M-2] to [M-4].

    Raises BundleError located at ``where``.
    """
    if data.startswith(codecs.BOM_UTF8):
        raise BundleError("begins with a byte order mark", where=where, code=Code.UTF8)
    try:
        value = json.loads(
            data.decode("utf-8", "strict"),
            object_pairs_hook=_unique,
            parse_int=integer,
            parse_constant=_no_constant,
            parse_float=_no_fraction,
        )
    except UnicodeDecodeError as exc:
        raise BundleError(f"not UTF-8 at byte {exc.start}", where=where, code=Code.UTF8) from exc
    except RecursionError as exc:
        raise BundleError("nested too deeply", where=where, code=Code.DEPTH) from exc
    except ValueError as exc:
        raise BundleError(f"not JSON: {exc}", where=where, code=Code.JSON) from exc
    if _depth(value) > MAX_DEPTH:
        raise BundleError(f"nested deeper than {MAX_DEPTH} levels", where=where, code=Code.DEPTH)
    return value


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result: dict[str, Json] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {quoted(key)} stands twice in one object")
        result[key] = value
    return result


def integer(text: str) -> int:
    """The number that ``text`` is, in decimal.

    Raises ValueError beyond MAX_INTEGER, where a reader whose numbers are doubles reads another.
    """
    if len(text) > _DIGITS or abs(int(text)) > MAX_INTEGER:
        raise ValueError(f"the number {shortened(text)} is out of range")
    return int(text)


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a JSON number")


def _no_fraction(text: str) -> Json:
    # Two tools need not write one fraction the same way, and no record has any.
    raise ValueError(f"{shortened(text)} is not an integer")


def _depth(value: Json) -> int:
    """The most objects and lists that lie within each other."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        depth += 1
        level = [
            child for item in level for child in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def encode(record: object) -> Json:
    """A record, or a tuple or mapping of them, as a JSON value.

    A key of ``extra`` never hides a field of the record.
    """
    if dataclasses.is_dataclass(record):
        value = {
            field.name: encode(getattr(record, field.name))
            for field in dataclasses.fields(record)
            if field.name != "extra"
        }
        return {**getattr(record, "extra", {}), **value}
    if isinstance(record, (tuple, list)):
        return [encode(item) for item in record]
    if isinstance(record, Mapping):
        return {key: encode(item) for key, item in record.items()}
    return record


def decode(cls: type[R], value: Json, where: str) -> R:
    """The record of type ``cls`` that ``value`` describes.

    ``where`` names the document and the place in it for faults.  Raises BundleFaults with
    every fault up to MAX_FAULTS: a missing key without a default, a value of another type.
    """
    faults, record = _Faults(), None
    with contextlib.suppress(_EnoughError):
        record = _decode(cls, value, where, faults)
    if faults:
        raise BundleFaults("the data does not have the form that the format asks for", faults)
    return typing.cast(R, record)


class _EnoughError(Exception):
    """MAX_FAULTS were found: decoding stops."""


class _Faults(list[BundleError]):
    """Raises _EnoughError once it holds MAX_FAULTS."""

    def append(self, fault: BundleError, /) -> None:
        super().append(fault)
        if len(self) == MAX_FAULTS:
            raise _EnoughError


def _decode(hint: Any, value: Json, where: str, faults: _Faults) -> Any:
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return _decode_record(typing.cast(type, hint), value, where, faults)
    if hint is Any or hint is object:
        return value
    if origin in (types.UnionType, typing.Union):
        options = typing.get_args(hint)
        if value is None and type(None) in options:
            return None
        return _decode(next(o for o in options if o is not type(None)), value, where, faults)
    if origin is tuple:
        if not isinstance(value, list):
            return _fault("a list", value, where, faults)
        item = typing.get_args(hint)[0]
        return tuple(
            _decode(item, child, f"{where}[{index}]", faults) for index, child in enumerate(value)
        )
    if origin is Mapping:
        if not isinstance(value, dict):
            return _fault("an object", value, where, faults)
        if not _string_keys(value, where, faults):
            return None
        item = typing.get_args(hint)[1]
        return {
            key: _decode(item, child, f"{where}.{shortened(key)}", faults)
            for key, child in value.items()
        }
    if origin is typing.Literal:
        allowed = typing.get_args(hint)
        # 6.0 == 6 and True == 1 in Python, but they are other values in JSON.
        if not any(type(value) is type(choice) and value == choice for choice in allowed):
            return _fault("one of " + ", ".join(map(repr, allowed)), value, where, faults)
        return value
    # bool is an int in Python, never in JSON.
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        return _fault(_NAMES[hint], value, where, faults)
    return value


_NAMES = {str: "a string", int: "an integer", bool: "true or false"}


def _fault(expected: str, value: Json, where: str, faults: _Faults) -> None:
    message = f"expected {expected}, found {outline(value)}"
    faults.append(BundleError(message, where=where, code=Code.FORM))


def _string_keys(value: dict[Any, Json], where: str, faults: _Faults) -> bool:
    """Whether every key is a string, as in JSON; what a playbook's task holds may have others."""
    others = [key for key in value if not isinstance(key, str)]
    for key in others:
        message = f"the key {outline(key)} is not a string"
        faults.append(BundleError(message, where=where, remedy="quote it", code=Code.FORM))
    return not others


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _decode_record(cls: type, value: Json, where: str, faults: _Faults) -> Any:
    if not isinstance(value, dict):
        return _fault("an object", value, where, faults)
    if not _string_keys(value, where, faults):
        return None
    known: dict[str, Any] = {}
    before = len(faults)
    for field in dataclasses.fields(cls):
        if field.name == "extra":
            continue
        if field.name in value:
            known[field.name] = _decode(
                _hints(cls)[field.name], value[field.name], f"{where}.{field.name}", faults
            )
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            message = f"the key {field.name!r} is missing"
            faults.append(BundleError(message, where=where, code=Code.FORM))
    extra = {key: child for key, child in value.items() if key not in known}
    if "extra" not in _hints(cls):
        for key in extra:
            message = f"the key {quoted(key)} is not known"
            faults.append(BundleError(message, where=where, code=Code.FORM))
    if len(faults) > before:
        return None
    return cls(**known, **({"extra": extra} if extra else {}))
