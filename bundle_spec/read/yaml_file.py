"""YAML files of persons and of unpacked bundles: bounded reads of what ``yaml_reader`` reads."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from bundle_spec.errors import DownpourError
from bundle_spec.form import yaml_reader
from bundle_spec.form.yaml_reader import BY_HAND, Document, Limit
from bundle_spec.medium import local_error
from bundle_spec.private import read_regular

E = TypeVar("E", bound=DownpourError)


def load(
    path: Path,
    error: type[E],
    *,
    what: str = "",
    limit: Limit = BY_HAND,
    with_places: bool = True,
) -> Document[E]:
    """The document in a file; see ``yaml_reader.read``.

    ``what``: what the file is, for the error.  Raises LocalError when it cannot be read.
    """
    try:
        data = read_bytes(path, limit)
    except OSError as exc:
        raise local_error(f"cannot read {what}".rstrip(), exc, path) from exc
    return yaml_reader.read(data, str(path), error, limit=limit, with_places=with_places)


def read_bytes(path: Path, limit: Limit = BY_HAND) -> bytes:
    """The bytes of a regular file; of one that is too large, one more than ``yaml_reader`` takes.

    Raises OSError.
    """
    return read_regular(path, limit.bytes)
