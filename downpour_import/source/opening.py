"""How an import opens its source: a bundle, or a directory that ``unpack`` made of one.

Both give a verified bundle and the playbook that goes with it.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bundle_spec import VerifiedBundle, verify_bundle
from bundle_spec.errors import BundleError, LocalError
from bundle_spec.form import digest
from bundle_spec.model.playbook import PlaybookData, Settings
from bundle_spec.playbook import DATA_FILES, VERSIONS, renewed, static_files, version_of
from bundle_spec.progress import Progress
from bundle_spec.read.files import BundleFiles
from bundle_spec.trust.provenance import ANYBODY, Provenance, Trust, check_provenance
from downpour_import.playbook.data import decode_data, parse_data
from downpour_import.playbook.settings import bundle_of, bundle_path, load_settings

PREFIX = "playbook/"


@dataclass(frozen=True)
class Opened:
    """``playbook``: path below ``playbook/`` -> bytes, ``renewed``.  ``settings``: those of a
    directory, with absolute paths; those of a bundle have only its path and its parts' folders."""

    path: Path
    bundle: VerifiedBundle
    playbook: Mapping[str, bytes]
    settings: Settings

    def data(self) -> PlaybookData:
        """``resources.yml`` as records.  Raises BundleFaults."""
        where = "playbook/resources.yml"
        value = parse_data(self.playbook["resources.yml"], where)
        return decode_data(value, where)


def settings_of_source(source: BundleFiles) -> Settings:
    """The settings of a directory, or settings that name the bundle.  Nothing is verified."""
    parts = tuple(str(folder.resolve()) for folder in source.folders)
    if not os.path.isdir(source.path):
        return Settings(
            bundle=bundle_path(source.path),
            copy_of=str(source.copy_of) if source.copy_of else None,
            parts=parts,
        )
    settings = load_settings(source.path / "playbook" / "settings.yml")
    return replace(settings, parts=parts or settings.parts)


def provenance_of(source: BundleFiles, progress: Progress, *, trust: Trust = ANYBODY) -> Provenance:
    """Whose the bundle is that ``source`` is or belongs to.

    Needs only the ends of the bundle, so it comes before the disks are read, which can take an
    hour.  Raises what ``check_provenance`` raises.
    """
    settings = settings_of_source(source)
    if settings.bundle is None:
        return Provenance()
    provenance = check_provenance(bundle_of(settings), trust, progress)
    if provenance.signed is not None:
        progress.say(f"signed by {provenance.signed}")
    return provenance


def open_source(
    source: BundleFiles,
    progress: Progress,
    *,
    trust: Trust = ANYBODY,
    provenance: Provenance | None = None,
) -> Opened:
    """Verify the bundle ``source``, or the one that the directory ``source.path`` belongs to.

    Of a directory ``source.folders``, where there are some, replace those of its settings.
    ``provenance``: that of this source, where it was checked before; else it is checked here.
    Raises TrustError when ``trust`` refuses the bundle, before anything in it is used;
    BundleFaults, LocalError.
    """
    settings = settings_of_source(source)
    provenance = provenance or provenance_of(source, progress, trust=trust)
    opened = _open_verified(source, settings, progress)
    provenance.require_same_manifest(opened.bundle.files.shown, opened.bundle.manifest_sha256)
    return opened


def _open_verified(source: BundleFiles, settings: Settings, progress: Progress) -> Opened:
    if os.path.isdir(source.path):
        return _open_directory(source.path, settings, progress)
    bundle = verify_bundle(source, progress=progress)
    with bundle.open() as reader:
        files = {
            file.path.removeprefix(PREFIX): reader.read_file(file.path)
            for file in bundle.manifest.files
            if file.path.startswith(PREFIX)
        }
    _require_complete(files, source.shown)
    return Opened(source.path, bundle, renewed(files), settings)


def _open_directory(path: Path, settings: Settings, progress: Progress) -> Opened:
    folder = path / "playbook"
    if settings.bundle is None:
        raise LocalError(
            "settings.yml names no bundle",
            where=str(folder / "settings.yml"),
            remedy="write its path to bundle:",
        )
    bundle = verify_bundle(bundle_of(settings), progress=progress)
    manifest = path / "manifest.json"
    if digest.of(_read(manifest)) != bundle.manifest_sha256:
        raise BundleError(
            "not the manifest of the bundle that settings.yml names",
            where=str(manifest),
            remedy="unpack the bundle again; edit playbook/resources.yml, not the manifest",
        )
    # Only the files that a playbook consists of are read; others in the folder are ignored.
    names = {*DATA_FILES, *(name for version in VERSIONS for name in static_files(version))}
    files = {name: _read(folder / name) for name in names if (folder / name).exists()}
    _require_complete(files, folder)
    return Opened(path, bundle, renewed(files), settings)


def _require_complete(files: Mapping[str, bytes], where: Path) -> None:
    missing = sorted({*static_files(version_of(files)), *DATA_FILES} - files.keys())
    if missing:
        raise BundleError(f"the playbook lacks {', '.join(missing)}", where=str(where))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise LocalError(f"cannot read: {exc.strerror}", where=str(path)) from exc
