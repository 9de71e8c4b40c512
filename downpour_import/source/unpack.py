"""From a verified bundle to a directory whose playbook a person, or the runner, can run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

import yaml

from bundle_spec.errors import LocalError
from bundle_spec.form import codec
from bundle_spec.model.playbook import PlaybookData, Settings
from bundle_spec.playbook import static_files
from bundle_spec.private import create
from downpour_import.source.found import SETTINGS
from downpour_import.source.opening import Opened

COLLECTIONS = "collection"
"""The folder of this package that is an Ansible collections path."""


def unpack(opened: Opened, directory: Path) -> None:
    """Write manifest, playbook and collection to ``directory``; the disks stay in the bundle.

    Of the bundle come the manifest, byte for byte, and what ``open_source`` has checked.
    ``settings.yml`` is the one that we ship, with the values of this place.  Raises LocalError when
    the directory exists and is not empty.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise LocalError(
                "this directory is not empty", where=str(directory), remedy="name a new one"
            )
        with opened.bundle.open() as reader:
            create(directory / "manifest.json", reader.manifest_bytes())
        playbook = directory / "playbook"
        write_files(playbook, {**opened.playbook, SETTINGS: _settings(opened, directory)})
        with as_file(files("downpour_import") / COLLECTIONS) as source:
            shutil.copytree(
                source, playbook / "collections", ignore=shutil.ignore_patterns("__pycache__")
            )
    except OSError as exc:
        raise LocalError(f"cannot unpack: {exc.strerror}", where=str(directory)) from exc


def _settings(opened: Opened, directory: Path) -> bytes:
    """Our own ``settings.yml``, comments and all, for what lies in ``directory``."""
    text = static_files()[SETTINGS].decode()
    text = _set(text, "bundle", "null", opened.settings.bundle)
    text = _set(text, "state", "null", str(directory.resolve() / "state"))
    text = _set(text, "parts", "[]", list(opened.settings.parts))
    text += _yaml({"manifest_sha256": opened.bundle.manifest_sha256})
    return text.encode()


def _set(text: str, key: str, empty: str, value: object) -> str:
    """``text`` with ``value`` at ``key``, where there is the ``empty`` value."""
    return text.replace(f"\n{key}: {empty}\n", f"\n{_yaml({key: value})}", 1)


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files by their paths below ``folder``, which were checked with the bundle."""
    for name, data in contents.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create(path, data)


def data_file(data: Settings | PlaybookData) -> bytes:
    """``settings.yml`` or ``resources.yml`` for the runner."""
    return _yaml(codec.encode(data)).encode()


def _yaml(value: object) -> str:
    """YAML in ASCII.  JSON would not do: YAML reads its surrogate pairs otherwise."""
    text: str = yaml.safe_dump(value, width=10**9)
    return text
