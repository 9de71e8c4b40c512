"""Is everything there?  The wheels of a folder against what they require on the far side.

pip chooses wheels for another Python, but it reads the markers of requirements (``; python_version
< "3.13"``) as of the Python that runs it.  So what it gathered is checked here, as the far side
will read it.
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
    """One wheel of a kit, and what its own metadata says that it needs."""

    path: Path
    name: str
    version: Version
    requires: tuple[Requirement, ...]


@dataclass(frozen=True)
class Closure:
    """``reached``: what the roots need, and it is there.  ``lacking``: what is not there."""

    reached: tuple[Wheel, ...]
    lacking: tuple[Requirement, ...]


def read_wheel(path: Path) -> Wheel:
    """A wheel by its file name and metadata."""
    name, version, _, _ = parse_wheel_filename(path.name)
    with zipfile.ZipFile(path) as archive:
        member = next(
            each
            for each in archive.namelist()
            if each.count("/") == 1 and each.endswith(".dist-info/METADATA")
        )
        # What a package says of itself in other fields may break a rule; that is its own affair.
        metadata = Metadata.from_email(archive.read(member), validate=False)
    return Wheel(path, name, version, tuple(metadata.requires_dist or ()))


def closure(wheels: Iterable[Wheel], roots: Iterable[str], far: FarSide) -> Closure:
    """What ``roots`` (names) and all that they need come to on the far side."""
    there: Mapping[str, Wheel] = {wheel.name: wheel for wheel in wheels}
    lacking: list[Requirement] = []
    reached: dict[str, set[str]] = {}
    todo = [Requirement(root) for root in roots]
    while todo:
        wanted = todo.pop()
        wheel = there.get(canonicalize_name(wanted.name))
        if wheel is None or not wanted.specifier.contains(wheel.version, prereleases=True):
            lacking.append(wanted)
            continue
        extras = reached.get(wheel.name)
        if extras is not None and wanted.extras <= extras:
            continue
        reached[wheel.name] = (extras or set()) | wanted.extras
        todo += [each for each in wheel.requires if _applies(each, reached[wheel.name], far)]
    return Closure(tuple(there[name] for name in sorted(reached)), tuple(lacking))


def _applies(requirement: Requirement, extras: set[str], far: FarSide) -> bool:
    if requirement.marker is None:
        return True
    return any(
        requirement.marker.evaluate({**far.markers(), "extra": extra}) for extra in {"", *extras}
    )
