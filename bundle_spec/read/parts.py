"""Find the parts of a split bundle, by their names and their checksum list [S-1] to [S-4].

Parts are never joined: ``source`` reads across them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bundle_spec.codes import Code
from bundle_spec.errors import BundleError, BundleFaults, LocalError

LIST_SUFFIX = ".parts"
MAX_PARTS = 999
MIN_PART_SIZE = 2**16
"""Bytes of the smallest part that a writer makes, but for the last one [F-17]."""

_NUMBERED = re.compile(r"(.+)\.([0-9]{3})", re.S)
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_MAX_LIST = 2**20
"""Bytes: more than any list has [F-18]."""

_COPY = "copy it again from where the bundle was split"


def part_name(name: str, number: int) -> str:
    """``out.dpbundle.001`` for the first part of ``out.dpbundle`` [S-1]."""
    return f"{name}.{number:03d}"


def list_name(name: str) -> str:
    """``out.dpbundle.parts``, the checksum list [S-2]."""
    return name + LIST_SUFFIX


def format_list(digests: Mapping[str, str]) -> bytes:
    """The list, as sha256sum writes and checks it: part name -> digest, in order [S-2]."""
    return os.fsencode("".join(f"{digest}  {name}\n" for name, digest in digests.items()))


def bundle_name(path: Path) -> Path:
    """The path of the bundle, where ``path`` is it, one of its parts, or their list."""
    # os.path and not Path: what cannot be looked at is told by whoever opens it.
    if not os.path.isfile(path):
        return path
    if path.name.endswith(LIST_SUFFIX):
        return path.with_name(path.name.removesuffix(LIST_SUFFIX))
    match = _NUMBERED.fullmatch(path.name)
    return path.with_name(match[1]) if match else path


def find_parts(path: Path, folders: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The files that make up the bundle ``path``, in order: itself, or its parts.

    ``path`` may also name a part or the list.  Parts are looked for beside it and in
    ``folders``.  Raises BundleFaults that names every part that is missing or has a size that
    it cannot have, BundleError for a list that is none, LocalError for a folder that is not
    there.  Where nothing is found it is ``path`` that is not there.
    """
    name = bundle_name(path)
    if name == path and (os.path.exists(path) or not is_split(path, folders)):
        return (path,)
    places = _places(name, folders)
    found = numbered(name.name, places)
    listed = read_list(name, folders)
    expected = list(listed) or [
        part_name(name.name, n) for n in range(1, max(found, default=0) + 1)
    ]
    paths = {part.name: part for part in found.values()}
    missing = [each for each in expected if each not in paths]
    if missing:
        raise BundleFaults(
            f"{name} is not complete",
            [
                BundleError("this part is missing", where=each, code=Code.PART_MISSING)
                for each in missing
            ],
            remedy="looked in " + ", ".join(map(str, places)) + "; name other places with --parts",
        )
    ordered = tuple(paths[each] for each in expected)
    faults = list(_size_faults(ordered))
    if faults:
        raise BundleFaults(f"{name} is not complete", faults, remedy=_COPY)
    return ordered


def read_list(path: Path, folders: Sequence[Path] = ()) -> dict[str, str]:
    """The checksum list of the bundle ``path``: part name -> digest.  Empty where there is none.

    Raises BundleError when it is not one of parts of this bundle, in order [S-2].
    """
    for folder in (path.parent, *folders):
        place = folder / list_name(path.name)
        if not os.path.exists(place):
            continue
        try:
            with place.open("rb") as file:
                text = os.fsdecode(file.read(_MAX_LIST))
        except OSError as exc:
            raise LocalError(
                f"cannot read the list of the parts: {exc.strerror}",
                where=str(place),
                remedy="check the medium",
            ) from exc
        # Not splitlines: a name may have what Unicode takes for the end of a line.
        lines = text.removesuffix("\n").split("\n") if text else []
        matches = [_LINE.fullmatch(line) for line in lines]
        found = {match[2]: match[1] for match in matches if match}
        due = [part_name(path.name, number) for number in range(1, len(lines) + 1)]
        if list(found) != due or len(due) > MAX_PARTS:
            raise BundleError(
                "not the list of the parts of this bundle, in their order",
                where=str(place),
                remedy=_COPY,
                code=Code.PART_LIST,
            )
        if found:
            return found
    return {}


def is_split(path: Path, folders: Sequence[Path] = ()) -> bool:
    """Whether any part or a list of parts stands for the bundle ``path``.

    Raises LocalError for a folder that is not there.
    """
    places = _places(path, folders)
    found = numbered(path.name, places)
    return bool(found) or any(os.path.exists(place / list_name(path.name)) for place in places)


def _places(path: Path, folders: Sequence[Path]) -> list[Path]:
    """Where to look: beside the bundle, unless the place of its name is gone, and in folders."""
    return [*([path.parent] if os.path.isdir(path.parent) else []), *folders]


def numbered(name: str, folders: Iterable[Path]) -> dict[int, Path]:
    """The parts of the bundle ``name`` that lie in ``folders``: number -> path.

    A part that several folders have is taken from the first.  Raises LocalError.
    """
    found: dict[int, Path] = {}
    for folder in folders:
        try:
            entries = list(folder.iterdir())
        except OSError as exc:
            raise LocalError(
                f"cannot look for parts: {exc.strerror}",
                where=str(folder),
                remedy="check --parts, and that the medium is mounted",
            ) from exc
        for entry in entries:
            match = _NUMBERED.fullmatch(entry.name)
            # A link that leads nowhere is no part.
            if match and match[1] == name and int(match[2]) and os.path.exists(entry):
                found.setdefault(int(match[2]), entry)
    return found


def _size_faults(parts: Sequence[Path]) -> Iterator[BundleError]:
    """All parts but the last have one size, and the last is no larger [S-3]."""
    sizes = [part.stat().st_size for part in parts]
    due = max(sizes)
    for number, (part, size) in enumerate(zip(parts, sizes, strict=True), 1):
        if size == 0 or (size != due and number < len(parts)):
            yield BundleError(
                f"this part is cut short: {size} bytes, where others have {due}",
                where=str(part),
                code=Code.PART_SIZE,
            )
