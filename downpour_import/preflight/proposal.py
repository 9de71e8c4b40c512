"""A proposed mapping as a file.  None that exists is overwritten: a person may have edited it."""

from __future__ import annotations

import itertools
from pathlib import Path

from bundle_spec.errors import LocalError

NAME = "mapping.yml"


def write_new(path: Path, text: str) -> None:
    """Write a file.  Raises LocalError, also when ``path`` exists."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as exc:
        raise LocalError(
            "the file exists already", where=str(path), remedy="name another one, or remove it"
        ) from exc
    except OSError as exc:
        raise LocalError(f"cannot write: {exc.strerror}", where=str(path)) from exc


def propose(text: str, directory: Path) -> Path:
    """Write a proposal to the first free name, or use a file of the same text; its path.

    Raises LocalError.
    """
    for number in itertools.count(1):
        path = directory / (NAME if number == 1 else f"mapping-{number}.yml")
        try:
            if not path.exists():
                path.write_text(text, "utf-8")
            if path.read_text("utf-8") == text:
                return path
        except OSError as exc:
            raise LocalError(f"cannot write: {exc.strerror}", where=str(path)) from exc
    raise AssertionError("unreachable")


def how_to_complete(path: Path) -> str:
    """The remedy that a fault gives when a proposal was written."""
    return f"complete {path} and add --map {path}"
