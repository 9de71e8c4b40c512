"""``settings.yml``: the paths of bundle and state, the cloud, and the mapping."""

from __future__ import annotations

from pathlib import Path

from bundle_spec.errors import LocalError, LocalFaults
from bundle_spec.form import codec
from bundle_spec.form.yaml_reader import BY_HAND, Limit
from bundle_spec.model.playbook import Settings
from bundle_spec.read import yaml_file
from bundle_spec.read.files import BundleFiles
from downpour_import.errors import StateError
from downpour_import.preflight import mapping

LIMIT = Limit(8 * BY_HAND.bytes, 2 * BY_HAND.values)
"""A mapping file is written into it, in ASCII: where a letter takes up to three times as much."""


def load_settings(path: Path) -> Settings:
    """Read a settings file; its relative paths become absolute.

    Raises LocalError, LocalFaults (not YAML), BundleFaults (not the form of settings),
    MappingFaults.
    """
    document = yaml_file.load(path, LocalError, limit=LIMIT)
    if document.faults:
        raise LocalFaults("the settings have mistakes", document.faults)
    value = {} if document.value is None else document.value
    section = value.pop("mapping", None) if isinstance(value, dict) else None
    rules = mapping.decode(section, document.places.below("mapping"))
    settings = codec.decode(Settings, value, str(path))

    def absolute(text: str | None) -> str | None:
        return None if text is None else str((path.parent / text).resolve())

    return Settings(
        bundle=None if settings.bundle is None else bundle_path(path.parent / settings.bundle),
        copy_of=settings.copy_of,
        parts=tuple(str((path.parent / text).resolve()) for text in settings.parts),
        manifest_sha256=settings.manifest_sha256,
        state=absolute(settings.state),
        cloud=settings.cloud,
        region=settings.region,
        config_file=absolute(settings.config_file),
        keep_images=settings.keep_images,
        mapping=rules,
    )


def bundle_path(path: Path) -> str:
    """The absolute path of a bundle.

    A link is not followed: the other parts of a bundle are looked for beside this name.
    """
    return str(path.parent.resolve() / path.name)


def bundle_of(settings: Settings) -> BundleFiles:
    """The bundle that the settings name.  Raises StateError when they name none."""
    if settings.bundle is None:
        raise StateError("settings.yml names no bundle", remedy="write its path to bundle:")
    copy_of = Path(settings.copy_of) if settings.copy_of else None
    return BundleFiles(Path(settings.bundle), tuple(map(Path, settings.parts)), copy_of)


def state_of(settings: Settings) -> Path:
    """The state directory that the settings name.  Raises StateError when they name none."""
    if settings.state is None:
        raise StateError("settings.yml names no state directory", remedy="write it to state:")
    return Path(settings.state)
