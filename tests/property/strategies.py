"""Arbitrary records, made from the dataclasses of bundle_spec.model themselves."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from bundle_spec.form import codec, layout
from bundle_spec.model import (
    AbandonedDisk,
    Capture,
    Disk,
    File,
    Manifest,
    References,
    Resources,
    forms,
)


def examples(count: int) -> settings:
    """``count`` examples, and more in the profile ``soak``."""
    return settings(
        max_examples=count * settings().max_examples // 100,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NUMBER = st.integers(-codec.MAX_INTEGER, codec.MAX_INTEGER)
SIZE = st.integers(0, codec.MAX_INTEGER)
DIGEST = st.binary(min_size=32, max_size=32).map(bytes.hex)

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


def _cidr(address: IPv4Address | IPv6Address, prefix: int) -> str:
    return str(ip_network(f"{address}/{prefix}", strict=False))


_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: NUMBER,
    bool: st.booleans(),
    Any: JSON,
    **dict.fromkeys((forms.Count, forms.Bytes, forms.MiB, forms.GiB), SIZE),
    forms.Address: st.ip_addresses().map(str),
    forms.Cidr: st.builds(_cidr, st.ip_addresses(), st.integers(0, 32)),
    forms.Moment: st.datetimes().map(lambda at: at.isoformat(timespec="seconds") + "Z"),
}


def _of(hint: Any) -> st.SearchStrategy[Any]:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _PLAIN[hint] if hint in _PLAIN else _of(parts[0])
    if dataclasses.is_dataclass(hint):
        return record(typing.cast(type, hint))
    if origin in (types.UnionType, typing.Union):
        return st.none() | _of(next(part for part in parts if part is not type(None)))
    if origin is tuple:
        return st.lists(_of(parts[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(TEXT, _of(parts[1]), max_size=2)
    if origin is typing.Literal:
        return st.sampled_from(parts)
    return _PLAIN[hint]


@functools.cache
def record(cls: type) -> st.SearchStrategy[Any]:
    """Any record of this class, also with keys that it does not know [M-7]."""
    hints = typing.get_type_hints(cls, include_extras=True)
    names = [field.name for field in dataclasses.fields(cls) if field.name != "extra"]
    unknown = st.dictionaries(TEXT.filter(lambda key: key not in names), JSON, max_size=1)
    return st.builds(cls, **{name: _of(hints[name]) for name in names}, extra=unknown)


@st.composite
def _sizes(draw: st.DrawFn) -> dict[str, int]:
    """Sizes of a disk that fit each other [M-9]."""
    chunk_size = 2 ** draw(st.integers(16, 24))
    size = draw(st.integers(0, 5) | st.integers(0, 2**16 * layout.MAX_CHUNKS))
    chunks = layout.chunk_count(size, chunk_size)
    amounts = {key: draw(st.integers(0, 2**40)) for key in ("stored", "shared")}
    return {"chunk_size": chunk_size, "size": size, "chunks": chunks, **amounts}


@st.composite
def _disks(draw: st.DrawFn) -> dict[str, tuple[Disk | AbandonedDisk, ...]]:
    """``disks`` and ``abandoned`` of a manifest: in order, and no id twice [M-8]."""
    found: dict[str, list[Disk | AbandonedDisk]] = {"disks": [], "abandoned": []}
    unknown = st.dictionaries(st.just("unknown key"), JSON)
    for number in sorted(draw(st.sets(st.integers(1, layout.MAX_DISKS), max_size=3))):
        common: dict[str, Any] = {
            "id": f"{number:04d}",
            "list_sha256": draw(DIGEST),
            "extra": draw(unknown),
            **draw(_sizes()),
        }
        if draw(st.booleans()):
            found["abandoned"].append(AbandonedDisk(**common))
            continue
        found["disks"].append(
            Disk(
                disk_format=draw(TEXT),
                sha256=draw(DIGEST),
                virtual_size=draw(st.none() | SIZE),
                capture=draw(st.none() | record(Capture)),
                **common,
            )
        )
    return {key: tuple(each) for key, each in found.items()}


PART = st.from_regex(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,7}", fullmatch=True).filter(
    lambda part: part not in (".", "..")
)


@st.composite
def _files(draw: st.DrawFn) -> tuple[File, ...]:
    """In order, and none the directory of another [M-12]."""
    paths: list[str] = []
    for parts in draw(st.lists(st.lists(PART, min_size=1, max_size=3), max_size=3)):
        path = "/".join(["playbook", *parts])
        taken = [f"{other.lower()}/" for other in paths]
        mine = f"{path.lower()}/"
        if not any(mine.startswith(other) or other.startswith(mine) for other in taken):
            paths.append(path)
    sizes = st.integers(0, layout.MAX_FILE_SIZE)
    return tuple(File(path=p, size=draw(sizes), sha256=draw(DIGEST)) for p in sorted(paths))


REFERENCES = [field.name for field in dataclasses.fields(References) if field.name != "extra"]


@st.composite
def manifests(draw: st.DrawFn, section: str) -> Manifest:
    """A manifest that obeys M-1 to M-12, with some records in one section of ``resources`` or
    in ``references``.  What they refer to need not be there."""
    said: dict[str, Any] = draw(_disks())
    hints = typing.get_type_hints(Manifest, include_extras=True)
    for name in ("created", "tool", "source", "omissions"):
        said[name] = draw(_of(hints[name]))
    for key, holder in (("resources", Resources), ("references", References)):
        hint = typing.get_type_hints(holder, include_extras=True).get(section)
        said[key] = holder(**({section: draw(_of(hint))} if hint else {}))
    return Manifest(
        format="dpbundle",
        version=(layout.MAJOR, draw(st.integers(0, 99))),
        uuid=str(draw(st.uuids())),
        files=draw(_files()),
        index_sha256=draw(DIGEST),
        extra=draw(st.dictionaries(st.just("unknown key"), JSON)),
        **said,
    )
