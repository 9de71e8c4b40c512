"""``resources.yml``: the records of the manifest, as a person may have edited them."""

from __future__ import annotations

from pathlib import Path

from bundle_spec.errors import BundleError, BundleFaults
from bundle_spec.form import codec, layout, yaml_reader
from bundle_spec.form.codec import Json
from bundle_spec.medium import local_error
from bundle_spec.model.playbook import PlaybookData
from bundle_spec.read import yaml_file

LIMIT = yaml_reader.Limit(4 * layout.MAX_FILE_SIZE, 2 * layout.MAX_MANIFEST_LINES)
"""A bundle holds no larger file than MAX_FILE_SIZE; written anew for a run it is in ASCII, where a
letter takes up to three times as much.  A line of the manifest is a key and a value at most."""


def load_data(path: Path) -> Json:
    """``resources.yml`` as plain data.  Raises LocalError, BundleFaults (not YAML)."""
    try:
        data = yaml_file.read_bytes(path, LIMIT)
    except OSError as exc:
        raise local_error("cannot read", exc, path) from exc
    return parse_data(data, str(path))


def parse_data(data: bytes, where: str) -> Json:
    """The same of the bytes of the file."""
    document = yaml_reader.read(data, where, BundleError, limit=LIMIT, with_places=False)
    if document.faults:
        raise BundleFaults("the data has mistakes", document.faults)
    return document.value


def decode_data(value: Json, where: str) -> PlaybookData:
    """``resources.yml`` as records.  Raises BundleFaults."""
    return codec.decode(PlaybookData, value, where)
