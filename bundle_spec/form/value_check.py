"""Check the values of a manifest's records by the forms that ``model.forms`` gives them.

The rules M-9 (no size is negative), M-21 (moments) and M-22 (addresses).  Pure.
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import re
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any

from bundle_spec.codes import Code
from bundle_spec.model.base import Record
from bundle_spec.model.forms import ADDRESS, CIDR, MOMENT, Form

Fault = tuple[Code, str]
Check = Callable[[Any], Fault | None]


def value_faults(record: Record, prefix: str = "") -> Iterator[tuple[Code, str, str]]:
    """(code, message, place) for each value of ``record``, and of the records in it, that has not
    its form.

    ``prefix``: the place of the record in the manifest, with a dot behind it.
    """
    kind: type = type(record)
    for name, check in _checks(kind):
        value, place = getattr(record, name), prefix + name
        if check is not None:
            if value is not None and (fault := check(value)):
                yield (*fault, place)
        elif isinstance(value, tuple):
            for number, item in enumerate(value):
                yield from value_faults(item, f"{place}[{number}].")
        elif value is not None:
            yield from value_faults(value, f"{place}.")


@functools.cache
def _checks(cls: type) -> Sequence[tuple[str, Check | None]]:
    """The fields of a record that have a form, each with its check; and those with records in
    them, each with None."""
    found: list[tuple[str, Check | None]] = []
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        parts = tuple(_parts(hint))
        forms = [part for part in parts if isinstance(part, Form)]
        if forms and (check := _check_of(forms[0])):
            found.append((name, check))
        elif any(dataclasses.is_dataclass(part) and isinstance(part, type) for part in parts):
            found.append((name, None))
    return found


def _parts(hint: Any) -> Iterator[Any]:
    """The types and forms that a hint is made of; not those of the values of a mapping."""
    origin = typing.get_origin(hint)
    if origin is Annotated:
        yield from typing.get_args(hint)
    elif origin in (types.UnionType, typing.Union, tuple):
        for inner in typing.get_args(hint):
            yield from _parts(inner)
    else:
        yield hint


def _check_of(form: Form) -> Check | None:
    if form.minimum is not None:
        return functools.partial(_least, form.minimum)
    return {MOMENT: _moment, ADDRESS: _address, CIDR: _cidr}.get(form)


def _least(minimum: int, value: int) -> Fault | None:
    if value >= minimum:
        return None
    return Code.NEGATIVE_SIZE, f"{value} is less than {minimum}"


_MOMENT = re.compile(MOMENT.pattern or "", re.ASCII)


def _moment(value: str) -> Fault | None:
    try:
        # ``fromisoformat`` alone takes other forms too.
        if _MOMENT.fullmatch(value) and datetime.fromisoformat(value):
            return None
    except ValueError:
        pass
    return Code.MOMENT_FORM, "not a moment as 2026-01-02T03:04:05Z: UTC, in whole seconds"


def _address(value: str) -> Fault | None:
    try:
        # With a zone it would mean something on one host only.
        if "%" not in value and ipaddress.ip_address(value):
            return None
    except ValueError:
        pass
    return Code.ADDRESS_FORM, "not an IP address"


_PREFIX = re.compile(r"[^/%]+/[0-9]{1,3}", re.ASCII)


def _cidr(value: str) -> Fault | None:
    try:
        if _PREFIX.fullmatch(value) and ipaddress.ip_network(value):
            return None
    except ValueError:
        pass
    return Code.ADDRESS_FORM, "not the addresses of a subnet as 192.0.2.0/24"
