"""Texts that the target's services refuse: too long, or of other characters.  Pure.

The limits are those of the services' request schemas.  A source of the same services keeps to
them; one of another age, or whoever edited the records, may not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from bundle_spec.model import (
    AddressGroup,
    FloatingIp,
    Image,
    Keypair,
    Resource,
    SecurityGroup,
    Server,
    ServerGroup,
    Volume,
)
from bundle_spec.model.base import Tagged
from bundle_spec.text import counted
from downpour_cloud.microversions import version
from downpour_import.errors import TargetError
from downpour_import.preflight.survey import Survey

TEXT = 255
"""Characters of a name, a description, a tag of Neutron's, or a value of metadata."""

_LONG_DESCRIPTION = 1024
_SERVER_TAG = 60
_TAGS = 50
_USER_DATA = 65535
_METADATA_KEY = r"[a-zA-Z0-9_:. -]{1,255}"


def text_faults(wanted: Iterable[Resource], target: Survey) -> Iterator[TargetError]:
    """A fault for each text without which its resource cannot be made."""
    for record in wanted:
        for problem, remedy in _problems(record, target):
            where = f"{record.type.replace('_', ' ')} {record.name[:TEXT]!r}"
            yield TargetError(problem, where=where, remedy=remedy)


def text_warnings(wanted: Iterable[Resource]) -> Iterator[str]:
    """A warning for each resource that will be made without texts that the target refuses."""
    for record in wanted:
        for what in _left_out(record):
            yield f"{record.type.replace('_', ' ')} {record.name!r}: the target refuses its {what}"


def _problems(record: Resource, target: Survey) -> Iterator[tuple[str, str | None]]:
    if not isinstance(record, FloatingIp):  # the address is its name
        yield from _too_long("name", record.name, TEXT)
    match record:
        case Server():
            yield from _nova_name(record.name)
            yield from _server_metadata(record, target)
            yield from _too_long("user data", record.user_data or "", _USER_DATA)
        case ServerGroup():
            yield from _nova_name(record.name)
        case Keypair() if record.name not in target.keypairs:
            yield from _keypair_name(record.name, target.compute)
        case Volume():
            yield from _too_long("description", record.description, TEXT)
            yield from _metadata(record.metadata, ".{1,255}")
        case AddressGroup():
            yield from _too_long("description", record.description, _LONG_DESCRIPTION)
        case Tagged():
            yield from _too_long("description", record.description, TEXT)
    match record:
        case SecurityGroup():
            for rule in record.rules:
                yield from _too_long("description of a rule", rule.description, TEXT)
        case FloatingIp():
            for forwarding in record.port_forwardings:
                yield from _too_long(
                    "description of a forwarding", forwarding.description, _LONG_DESCRIPTION
                )


def _too_long(what: str, text: str, limit: int) -> Iterator[tuple[str, str | None]]:
    if len(text) > limit:
        yield f"its {what} has {len(text)} characters, and the target takes {limit}", None


def _nova_name(name: str) -> Iterator[tuple[str, str | None]]:
    """``nova.api.validation.parameter_types.name``."""
    categories = map(unicodedata.category, name)
    printable = all(each == "Zs" or each[0] not in "CZ" for each in categories)
    if not name or name != name.strip() or not printable:
        yield "the target takes no such name: it must be of printable characters", None


def _keypair_name(name: str, compute: str | None) -> Iterator[tuple[str, str | None]]:
    """Letters, digits and few others; ``@`` and ``.`` from microversion 2.92 on (Compute API,
    "Import (or create) Keypair")."""
    more = "@." if compute is not None and version(compute) >= version("2.92") else ""
    if not re.fullmatch(f"[a-zA-Z0-9_ {more}-]+", name) or name != name.strip():
        yield (
            f"the target takes only a-z, A-Z, 0-9, spaces, and {' '.join(f'_-{more}')} in the name "
            "of a keypair",
            "map it under keypairs to one that the target has",
        )


def _server_metadata(record: Server, target: Survey) -> Iterator[tuple[str, str | None]]:
    yield from _metadata(record.metadata, _METADATA_KEY)
    limit, number = target.room.get("metadata_of_server"), len(record.metadata)
    if limit is not None and number + 1 > limit:  # one more is the mark
        needs = f"it has {counted(number, 'item')} of metadata, and gets one more as its mark"
        yield f"{needs}: the target takes {limit}", "ask the operator for more"


def _metadata(metadata: Mapping[str, str], key: str) -> Iterator[tuple[str, str | None]]:
    for name, value in metadata.items():
        if not re.fullmatch(key, name, re.DOTALL):
            yield f"the target takes no metadata called {name[:TEXT]!r}", None
        yield from _too_long(f"metadata {name[:TEXT]!r}", value, TEXT)


def _left_out(record: Resource) -> Iterator[str]:
    """What the recreators try, and do without (``recreate.optional``)."""
    match record:
        case Server():
            if len(record.description or "") > TEXT:
                yield f"description, of more than {TEXT} characters"
            bad = [
                tag for tag in record.tags if not re.fullmatch(rf"[^,/]{{1,{_SERVER_TAG}}}", tag)
            ]
            if bad or len(record.tags) > _TAGS:
                yield f"tags: {_TAGS} at most, of {_SERVER_TAG} characters without , and /"
        case Tagged():
            # One more is the mark.
            if len(record.tags) + 1 > _TAGS or any(len(tag) > TEXT for tag in record.tags):
                yield f"tags: {_TAGS - 1} at most beside the mark, of {TEXT} characters"
        case Image():
            if any(len(tag) > TEXT for tag in record.tags):
                yield f"tags: of {TEXT} characters at most"
