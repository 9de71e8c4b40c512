"""From a verified bundle to a directory whose playbook a person, or the runner, can run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path

import yaml

from bundle_spec.errors import LocalError
from bundle_spec.form import codec
from bundle_spec.medium import local_errors
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
    with local_errors("cannot unpack", directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise LocalError(
                "this directory is not empty", where=str(directory), remedy="name a new one"
            )
        try:
            _lay_out(opened, directory)
        except BaseException:
            _empty(directory)  # so that the same command can be run again
            raise


def _lay_out(opened: Opened, directory: Path) -> None:
    with opened.bundle.open() as reader:
        create(directory / "manifest.json", reader.manifest_bytes())
    playbook = directory / "playbook"
    write_files(playbook, {**opened.playbook, SETTINGS: _settings(opened, directory)})
    ours = playbook / "collections"
    with as_file(files("downpour_import") / COLLECTIONS) as source:
        try:
            shutil.copytree(source, ours, ignore=shutil.ignore_patterns("__pycache__"))
        except shutil.Error as exc:  # of all files; what the first one says goes for the others
            raise _first(exc, ours) from exc


def _first(exc: shutil.Error, folder: Path) -> OSError:
    """shutil keeps of each OSError what it says only."""
    text = str(exc.args[0][0][2])
    match = re.match(r"\[Errno (\d+)\] ([^:]+)", text)
    return OSError(int(match[1]), match[2], str(folder)) if match else OSError(0, text)


def _empty(directory: Path) -> None:
    with suppress(OSError):
        for each in directory.iterdir():
            if each.is_dir():
                shutil.rmtree(each, ignore_errors=True)
            else:
                each.unlink()


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
