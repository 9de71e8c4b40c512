"""How a command opens what it is given: a bundle, or a directory that ``unpack`` made of one.

There is one way in.  ``admit`` asks whose the bundle is; ``open_source`` then checks every byte of
it, its code and its data.  What comes out may be run, made, and handed out.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bundle_spec import BundleReader, VerifiedBundle, open_bundle, verify_bundle
from bundle_spec.errors import BundleError, LocalError
from bundle_spec.form import digest
from bundle_spec.model.playbook import PlaybookData, Settings
from bundle_spec.playbook import static_files, version_of
from bundle_spec.progress import Progress
from bundle_spec.read.files import BundleFiles
from bundle_spec.trust.provenance import Candidate, Provenance, check_provenance
from downpour_import.playbook.data import decode_data, parse_data
from downpour_import.playbook.settings import bundle_of, bundle_path, load_settings
from downpour_import.source import found, trust
from downpour_import.source.found import PREFIX, RESOURCES, SETTINGS, Found

_TOLD = 10
"""So many names are told of files that are passed over."""


@dataclass(frozen=True)
class Admitted:
    """A source whose bundle proved what it must; nothing in it is verified yet.

    ``bundle``: ``source`` itself, or the bundle that a directory names.  ``directory``: None for a
    bundle.  ``settings``: read once; those of a directory, with absolute paths; those of a bundle
    have only its path and its parts' folders.
    """

    source: BundleFiles
    bundle: BundleFiles
    directory: Path | None
    settings: Settings
    provenance: Provenance

    def open(self) -> BundleReader:
        """The bundle, for what needs no disk.  Raises TrustError when it was replaced since;
        LocalError, BundleError."""
        reader = open_bundle(self.bundle, manifest_sha256=self.settings.manifest_sha256)
        try:
            self._require_same(reader.manifest_sha256)
        except BaseException:
            reader.close()
            raise
        return reader

    def verify(self, progress: Progress) -> VerifiedBundle:
        """Check every byte of it.  Raises as ``verify_bundle`` does, and TrustError as above."""
        bundle = verify_bundle(self.bundle, progress=progress)
        self._require_same(bundle.manifest_sha256)
        return bundle

    def _require_same(self, manifest_sha256: str) -> None:
        self.provenance.require_same_manifest(self.bundle.shown, manifest_sha256)


@dataclass(frozen=True)
class Opened:
    """A verified source whose code may be run and whose data may be made.

    ``playbook``: path below ``playbook/`` -> bytes, of all files but ``settings.yml``.
    ``settings``: those of the source, with the digest of the verified manifest.  ``data``:
    ``resources.yml``.  ``edits``: where it differs from the manifest.
    """

    path: Path
    bundle: VerifiedBundle
    playbook: Mapping[str, bytes]
    settings: Settings
    data: PlaybookData
    edits: tuple[str, ...] = ()


def admit(candidate: Candidate, progress: Progress) -> Admitted:
    """Ask whose the bundle is that the candidate is or belongs to.

    Needs only the ends of the bundle, so it comes before the disks are read, which can take an
    hour, and before any cloud is asked.  Of a directory ``files.folders``, where there are some,
    replace those of its settings.  Raises what ``check_provenance`` and ``load_settings`` raise,
    and LocalError for a directory that names no bundle: nothing could prove what it is.
    """
    source = candidate.files
    directory = source.path if os.path.isdir(source.path) else None
    if directory is None:
        settings, bundle = _settings_of_bundle(source), source
    else:
        settings = _settings_of_directory(directory, source.folders)
        bundle = bundle_of(settings)
    with bundle.open():
        pass  # a bundle that is not there is told before any cloud is asked
    provenance = check_provenance(bundle, candidate.trust, progress)
    if provenance.signed is not None:
        progress.say(f"signed by {provenance.signed}")
    return Admitted(source, bundle, directory, settings, provenance)


def _settings_of_bundle(source: BundleFiles) -> Settings:
    return Settings(
        bundle=bundle_path(source.path),
        copy_of=str(source.copy_of) if source.copy_of else None,
        parts=tuple(str(folder.resolve()) for folder in source.folders),
    )


def _settings_of_directory(directory: Path, folders: Iterable[Path]) -> Settings:
    path = directory / PREFIX / SETTINGS
    settings = load_settings(path)
    if settings.bundle is None:
        raise LocalError(
            "settings.yml names no bundle",
            where=str(path),
            remedy="write its path to bundle:",
        )
    parts = tuple(str(folder.resolve()) for folder in folders)
    return replace(settings, parts=parts or settings.parts)


def open_source(
    admitted: Admitted, progress: Progress, *, trust_playbook: bool = False, edited: bool = False
) -> Opened:
    """Verify the bundle, and trust of it, or of its directory, only what is ours or as sealed.

    ``trust_playbook``: take other code too.  ``edited``: take data that differs from the manifest.
    Raises BundleFaults, LocalError; TrustError, TrustFaults.
    """
    bundle = admitted.verify(progress)
    with bundle.open() as reader:
        if admitted.directory is None:
            files = found.in_bundle(reader)
        else:
            _require_its_manifest(admitted.directory, bundle)
            files = found.in_directory(admitted.directory / PREFIX, bundle.manifest)
        _require_complete(files, admitted.source.shown)
        resources = files.pop(RESOURCES).read()
        code = trust.check_code(files, trusted=trust_playbook)
        _tell_passed_over(admitted.directory, files, progress)
    where = PREFIX + RESOURCES
    data = decode_data(parse_data(resources, where), where)
    return Opened(
        path=admitted.source.path,
        bundle=bundle,
        playbook={**code, RESOURCES: resources},
        settings=replace(admitted.settings, manifest_sha256=bundle.manifest_sha256),
        data=data,
        edits=tuple(trust.check_edits(data, bundle.manifest, allowed=edited)),
    )


def _require_its_manifest(directory: Path, bundle: VerifiedBundle) -> None:
    manifest = directory / "manifest.json"
    if digest.of(found.read_bounded(manifest)) != bundle.manifest_sha256:
        raise BundleError(
            "not the manifest of the bundle that settings.yml names",
            where=str(manifest),
            remedy="unpack the bundle again; edit playbook/resources.yml, not the manifest",
        )


def _require_complete(files: Mapping[str, Found], where: Path) -> None:
    missing = sorted({*static_files(version_of(files)), RESOURCES} - {SETTINGS} - files.keys())
    if missing:
        raise BundleError(f"the playbook lacks {', '.join(missing)}", where=str(where))


def _tell_passed_over(
    directory: Path | None, files: Mapping[str, Found], progress: Progress
) -> None:
    """Warn of files that take effect by their names alone.  They do not here, but a person may run
    the playbook of a directory by hand."""
    if directory is None:
        names = [name for name in files if found.takes_effect(name)]
        what = "left out, because it would take effect by its name alone"
    else:
        names = list(found.beside(directory / PREFIX))
        what = "passed over here, but ansible-playbook run by hand there would take it up"
    for name in names[:_TOLD]:
        progress.say(f"warning: {PREFIX}{name}: {what}")
    if len(names) > _TOLD:
        progress.say(f"warning: the same of {len(names) - _TOLD} more files")
