"""A proposed mapping as a file.  None that exists is overwritten: a person may have edited it."""

from __future__ import annotations

import itertools
import os.path
from pathlib import Path

from bundle_spec.durable import BY_UMASK
from bundle_spec.errors import LocalError
from bundle_spec.medium import local_error
from bundle_spec.private import create, read_own

NAME = "mapping.yml"


def require_new(path: Path) -> None:
    """Raises LocalError when ``path`` exists, or cannot be made in its folder."""
    if os.path.lexists(path):
        raise _exists(path)
    if not path.parent.is_dir():
        raise LocalError(
            "there is no such folder", where=str(path.parent), remedy="make it, or name another one"
        )


def write_new(path: Path, text: str) -> None:
    """Write a file.  Raises LocalError, also when ``path`` exists."""
    try:
        create(path, text.encode(), BY_UMASK)
    except FileExistsError as exc:
        raise _exists(path) from exc
    except OSError as exc:
        raise local_error("cannot write", exc, path) from exc


def _exists(path: Path) -> LocalError:
    return LocalError(
        "the file exists already", where=str(path), remedy="name another one, or remove it"
    )


def propose(text: str, directory: Path) -> Path:
    """Write a proposal to the first free name, or use a file of the same text; its path.

    Raises LocalError.
    """
    for number in itertools.count(1):
        path = directory / (NAME if number == 1 else f"mapping-{number}.yml")
        try:
            if not os.path.lexists(path):
                create(path, text.encode(), BY_UMASK)
            if read_own(path) == text.encode():
                return path
        except OSError as exc:
            raise local_error("cannot write", exc, path) from exc
    raise AssertionError("unreachable")


def how_to_complete(path: Path) -> str:
    """The remedy that a fault gives when a proposal was written."""
    return f"complete {path} and add --map {path}"
