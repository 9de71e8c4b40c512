"""Check that the wheels of a folder include everything that they require on the far side.

``pip download`` can choose wheels for another Python, but it evaluates the markers of requirements
(``; python_version < "3.13"``) for the Python that runs it.  Here they are evaluated for the far
side.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from downpour_export.kit.far_side import FarSide


@dataclass(frozen=True)
class Wheel:
    """One wheel of a kit, with the requirements in its metadata."""

    path: Path
    name: str
    version: Version
    requires: tuple[Requirement, ...]


@dataclass(frozen=True)
class Closure:
    """``reached``: the wheels that the roots need.  ``lacking``: needs without a wheel."""

    reached: tuple[Wheel, ...]
    lacking: tuple[Requirement, ...]


def read_wheel(path: Path) -> Wheel:
    """A wheel by its file name and metadata."""
    name, version, _, _ = parse_wheel_filename(path.name)
    with zipfile.ZipFile(path) as archive:
        member = next(
            path_in_wheel
            for path_in_wheel in archive.namelist()
            if path_in_wheel.count("/") == 1 and path_in_wheel.endswith(".dist-info/METADATA")
        )
        # Only Requires-Dist is used; many packages break a rule in some other field.
        metadata = Metadata.from_email(archive.read(member), validate=False)
    return Wheel(path, name, version, tuple(metadata.requires_dist or ()))


def closure(wheels: Iterable[Wheel], roots: Iterable[str], far: FarSide) -> Closure:
    """The wheels for ``roots`` (names) and everything that they require on the far side."""
    by_name: Mapping[str, Wheel] = {wheel.name: wheel for wheel in wheels}
    lacking: list[Requirement] = []
    reached: dict[str, set[str]] = {}
    todo = [Requirement(root) for root in roots]
    while todo:
        wanted = todo.pop()
        wheel = by_name.get(canonicalize_name(wanted.name))
        if wheel is None or not wanted.specifier.contains(wheel.version, prereleases=True):
            lacking.append(wanted)
            continue
        extras = reached.get(wheel.name)
        if extras is not None and wanted.extras <= extras:
            continue
        reached[wheel.name] = (extras or set()) | wanted.extras
        todo += [need for need in wheel.requires if _applies(need, reached[wheel.name], far)]
    return Closure(tuple(by_name[name] for name in sorted(reached)), tuple(lacking))


def _applies(requirement: Requirement, extras: set[str], far: FarSide) -> bool:
    if requirement.marker is None:
        return True
    return any(
        requirement.marker.evaluate({**far.markers(), "extra": extra}) for extra in {"", *extras}
    )
