"""Find the parts of a split bundle, by their names and their checksum list [S-1] to [S-4].

Parts are never joined: ``source`` reads across them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bundle_spec.codes import Code
from bundle_spec.errors import BundleError, BundleFaults
from bundle_spec.medium import CHECK_MEDIUM, local_error, local_errors
from bundle_spec.private import open_regular

LIST_SUFFIX = ".parts"
MAX_PARTS = 999
MIN_PART_SIZE = 2**16
"""Bytes of the smallest part that a writer makes, but for the last one [F-17]."""

_NUMBERED = re.compile(r"(.+)\.([0-9]{3})", re.S)
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
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
    """The path of the bundle of which ``path`` is the file, a part, or the list of the parts."""
    # os.path and not Path, which raises: an unreadable path is reported by whoever opens it.
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
    it cannot have, BundleError for a list that is malformed, LocalError for a folder that is not
    there.  Where there is nothing at all, the result is ``path``, and opening that fails.
    """
    bundle = bundle_name(path)
    if bundle == path and (os.path.exists(path) or not is_split(path, folders)):
        return (path,)
    searched = _searched(bundle, folders)
    parts = numbered(bundle.name, searched)
    listed = read_list(bundle, folders)
    expected = list(listed) or [
        part_name(bundle.name, number) for number in range(1, max(parts, default=0) + 1)
    ]
    paths = {part.name: part for part in parts.values()}
    missing = [name for name in expected if name not in paths]
    if missing:
        raise BundleFaults(
            f"{bundle} is not complete",
            [
                BundleError("this part is missing", where=name, code=Code.PART_MISSING)
                for name in missing
            ],
            remedy=f"looked in {', '.join(map(str, searched))}; name other places with --parts",
        )
    ordered = tuple(paths[name] for name in expected)
    faults = list(_size_faults(ordered))
    if faults:
        names = ", ".join(Path(str(fault.where)).name for fault in faults)
        remedy = f"copy {names} again from where the bundle was split"
        raise BundleFaults(f"{bundle} is not complete", faults, remedy=remedy)
    return ordered


def read_list(path: Path, folders: Sequence[Path] = ()) -> dict[str, str]:
    """The checksum list of the bundle ``path``: part name -> digest.  Empty where there is none.

    Raises BundleError when it is not one of parts of this bundle, in order [S-2].
    """
    for folder in (path.parent, *folders):
        list_path = folder / list_name(path.name)
        if not os.path.exists(list_path):
            continue
        try:
            with open(open_regular(list_path), "rb") as file:
                text = os.fsdecode(file.read(_MAX_LIST))
        except OSError as exc:
            what = "cannot read the list of the parts"
            raise local_error(what, exc, list_path, CHECK_MEDIUM) from exc
        # Not splitlines: a name may hold a character that Unicode counts as the end of a line.
        *lines, rest = text.split("\n")
        matches = [_LINE.fullmatch(line) for line in lines]
        digests = {match[2]: match[1] for match in matches if match}
        names = [part_name(path.name, number) for number in range(1, len(lines) + 1)]
        if rest or not lines or list(digests) != names or len(names) > MAX_PARTS:
            raise BundleError(
                "not the list of the parts of this bundle, in their order",
                where=str(list_path),
                remedy=_COPY,
                code=Code.PART_LIST,
            )
        return digests
    return {}


def is_split(path: Path, folders: Sequence[Path] = ()) -> bool:
    """Whether there is any part of the bundle ``path``, or a list of its parts.

    Raises LocalError for a folder that is not there.
    """
    searched = _searched(path, folders)
    parts = numbered(path.name, searched)
    return bool(parts) or any(os.path.exists(folder / list_name(path.name)) for folder in searched)


def _searched(path: Path, folders: Sequence[Path]) -> list[Path]:
    """The folders to search: that of the bundle, where it exists, then ``folders``."""
    return [*([path.parent] if os.path.isdir(path.parent) else []), *folders]


def numbered(name: str, folders: Iterable[Path]) -> dict[int, Path]:
    """The parts of the bundle ``name`` that lie in ``folders``: number -> path.

    A part that several folders have is taken from the first.  Raises LocalError.
    """
    parts: dict[int, Path] = {}
    for folder in folders:
        try:
            entries = list(folder.iterdir())
        except OSError as exc:
            remedy = "check --parts, and that the medium is mounted"
            raise local_error("cannot look for parts", exc, folder, remedy) from exc
        for entry in entries:
            match = _NUMBERED.fullmatch(entry.name)
            # A broken symbolic link is no part.
            if match and match[1] == name and int(match[2]) and os.path.exists(entry):
                parts.setdefault(int(match[2]), entry)
    return parts


def _size_faults(parts: Sequence[Path]) -> Iterator[BundleError]:
    """A fault for each part that is cut short: all but the last have the largest size [S-3]."""
    sizes = []
    for part in parts:
        with local_errors("cannot look for parts", part):
            sizes.append(part.stat().st_size)
    due = max(sizes)
    for number, (part, size) in enumerate(zip(parts, sizes, strict=True), 1):
        if not part.is_file():
            yield BundleError("this part is no file", where=str(part), code=Code.PART_SIZE)
        elif size == 0 or (size != due and number < len(parts)):
            yield BundleError(
                f"this part is cut short: {size} bytes, where others have {due}",
                where=str(part),
                code=Code.PART_SIZE,
            )
