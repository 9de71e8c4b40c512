"""A proposed mapping as a file: whatever lies there may hold a person's work."""

from __future__ import annotations

import itertools
from pathlib import Path

from bundle_spec.errors import LocalError

NAME = "mapping.yml"


def write_new(path: Path, text: str) -> None:
    """Raises LocalError, also when ``path`` exists."""
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
    """Write a proposal under a name of its own; one that says the same serves as well.

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
    """What a person does with a proposal."""
    return f"complete {path} and add --map {path}"
