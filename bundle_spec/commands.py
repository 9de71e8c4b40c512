"""The commands that ``downpour-import`` and ``python -m bundle_spec`` share.

They print: stdout is data.  Nothing but a command line imports this module.
"""

from __future__ import annotations

import json
import os.path
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bundle_spec import report
from bundle_spec.errors import UsageError
from bundle_spec.parts import MIN_PART_SIZE, bundle_name, read_list
from bundle_spec.progress import Progress
from bundle_spec.split import split_bundle
from bundle_spec.summary import summarise
from bundle_spec.summary_text import render
from bundle_spec.text import parse_size
from bundle_spec.verify import Level


@dataclass(frozen=True, kw_only=True)
class VerifyOptions:
    """``folders``: where else the parts of the bundle may lie."""

    path: Path
    folders: tuple[Path, ...] = ()
    level: Level = "stored"
    json: bool = False


def level_of(*, read_data: bool, quick: bool) -> Level:
    """The level of checking that the flags ask for."""
    return "structure" if quick else "data" if read_data else "stored"


def verify(options: VerifyOptions, progress: Progress) -> None:
    """Check a bundle and say what came of it.  Raises what is wrong with it, LocalError."""
    _refuse_directory(options.path)
    found = report.check(options.path, options.folders, level=options.level, progress=progress)
    if options.json:
        _print_json(found.as_json())
    if found.error:
        raise found.error
    if not options.json:
        print(found.sentence())


@dataclass(frozen=True, kw_only=True)
class ShowOptions:
    """``folders``: where else the parts of the bundle may lie."""

    path: Path
    folders: tuple[Path, ...] = ()
    json: bool = False


def show(options: ShowOptions) -> None:
    """Say what a bundle holds, and that this is no verification.  Raises as ``summarise`` does."""
    _refuse_directory(options.path)
    summary = summarise(options.path, options.folders)
    if options.json:
        _print_json(summary.as_json())
    else:
        print(render(summary))


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """``folder``: where the parts go, else beside the bundle.  ``size``: of a part, in bytes."""

    path: Path
    size: int
    folder: Path | None = None


def part_size(text: str) -> int:
    """The size of a part that a person wrote.  Raises UsageError."""
    try:
        size = parse_size(text)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
    if size < MIN_PART_SIZE:
        raise UsageError(f"parts of {text} are too small", remedy=f"at least {MIN_PART_SIZE} bytes")
    return size


def split(options: SplitOptions, progress: Progress) -> None:
    """Cut a bundle into parts and say what to check them with.  Raises as ``split_bundle``."""
    _refuse_directory(options.path)
    listed = split_bundle(options.path, options.size, options.folder, progress=progress)
    print(f"{listed}: {len(read_list(bundle_name(listed)))} parts; the bundle itself stays")


def _refuse_directory(path: Path) -> None:
    if os.path.isdir(path):
        raise UsageError(
            f"{path} is a directory",
            remedy="name a bundle; for what unpack made, the one that it came from",
        )


def _print_json(value: Any) -> None:
    # ASCII only, so that no name in it can drive a terminal.
    print(json.dumps(value, indent=1))
