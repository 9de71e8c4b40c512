"""What an import begins with: a bundle, or a directory that ``unpack`` made of one.

Both give a verified bundle and the playbook that goes with it.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bundle_spec import VerifiedBundle, verify_bundle
from bundle_spec.errors import BundleError, LocalError
from bundle_spec.form import digest
from bundle_spec.model.playbook import PlaybookData, Settings
from bundle_spec.playbook import DATA_FILES, static_files
from bundle_spec.progress import Progress
from bundle_spec.trust.provenance import ANYBODY, Provenance, Trust, check_provenance
from downpour_import.playbook.data import decode_data, parse_data
from downpour_import.playbook.settings import bundle_path, load_settings

PREFIX = "playbook/"


@dataclass(frozen=True)
class Opened:
    """``playbook``: path below ``playbook/`` -> bytes.  ``settings``: those of the directory, with
    absolute paths; of a bundle only where it lies."""

    path: Path
    bundle: VerifiedBundle
    playbook: Mapping[str, bytes]
    settings: Settings

    def data(self) -> PlaybookData:
        """``resources.yml`` as records.  Raises BundleFaults."""
        where = "playbook/resources.yml"
        value = parse_data(self.playbook["resources.yml"], where)
        return decode_data(value, where)


def settings_of_source(path: Path, folders: Sequence[Path] = ()) -> Settings:
    """The settings of a directory, or where a bundle lies; nothing is verified."""
    parts = tuple(str(folder.resolve()) for folder in folders)
    if not os.path.isdir(path):
        return Settings(bundle=bundle_path(path), parts=parts)
    settings = load_settings(path / "playbook" / "settings.yml")
    return replace(settings, parts=parts or settings.parts)


def open_source(
    path: Path, progress: Progress, folders: Sequence[Path] = (), *, trust: Trust = ANYBODY
) -> Opened:
    """Verify the bundle at ``path``, or the one that the directory ``path`` belongs to.

    ``folders``: where else parts of the bundle may lie, instead of where the settings of a
    directory say.  Raises TrustError when ``trust`` refuses it, before anything of it is
    believed; BundleFaults, LocalError.
    """
    own = settings_of_source(path, folders)
    provenance = Provenance()
    if own.bundle is not None:
        # Before an hour of checking, as far as the ends of the bundle tell.
        provenance = check_provenance(
            Path(own.bundle), tuple(map(Path, own.parts)), trust, progress
        )
    if provenance.signed is not None:
        progress.say(f"signed by {provenance.signed}")
    opened = _opened(path, progress, folders)
    provenance.require_same_manifest(opened.bundle.path, opened.bundle.manifest_sha256)
    return opened


def _opened(path: Path, progress: Progress, folders: Sequence[Path]) -> Opened:
    if os.path.isdir(path):
        return _open_directory(path, progress, folders)
    bundle = verify_bundle(path, folders, progress=progress)
    with bundle.open() as reader:
        files = {
            file.path.removeprefix(PREFIX): reader.read_file(file.path)
            for file in bundle.manifest.files
            if file.path.startswith(PREFIX)
        }
    _complete(files, path)
    return Opened(path, bundle, files, settings_of_source(path, folders))


def _open_directory(path: Path, progress: Progress, places: Sequence[Path]) -> Opened:
    folder = path / "playbook"
    settings = settings_of_source(path, places)
    if settings.bundle is None:
        raise LocalError(
            "settings.yml names no bundle",
            where=str(folder / "settings.yml"),
            remedy="write its path to bundle:",
        )
    folders = tuple(map(Path, settings.parts))
    bundle = verify_bundle(Path(settings.bundle), folders, progress=progress)
    manifest = path / "manifest.json"
    if digest.of(_read(manifest)) != bundle.manifest_sha256:
        raise BundleError(
            "not the manifest of the bundle that settings.yml names",
            where=str(manifest),
            remedy="unpack the bundle again; edit playbook/resources.yml, not the manifest",
        )
    # Only what a playbook consists of: whatever else lies there is not even looked at.
    names = {*static_files(), *DATA_FILES}
    files = {name: _read(folder / name) for name in names if (folder / name).exists()}
    _complete(files, folder)
    return Opened(path, bundle, files, settings)


def _complete(files: Mapping[str, bytes], where: Path) -> None:
    missing = sorted({*static_files(), *DATA_FILES} - files.keys())
    if missing:
        raise BundleError(f"the playbook lacks {', '.join(missing)}", where=str(where))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise LocalError(f"cannot read: {exc.strerror}", where=str(path)) from exc
