"""From ``settings.yml`` to a context: what the actions of the collection begin with."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from bundle_spec import open_bundle
from bundle_spec.errors import BundleError, LocalError
from bundle_spec.form import codec
from bundle_spec.model import Disk, Port, Ref, Resource, SecurityGroup, ServerGroup
from bundle_spec.model.playbook import PlaybookData, Settings
from downpour_cloud import CloudOptions
from downpour_import import events
from downpour_import.cloud import TargetCloud, connect
from downpour_import.errors import StateError
from downpour_import.preflight import (
    Fit,
    Preflight,
    fit,
    formulas,
    lost,
    mapping,
    port_address_ref,
    preflight,
    quota_faults,
)
from downpour_import.preflight.survey import occupied, survey
from downpour_import.recreate import RECREATORS, Context
from downpour_import.state import directory as state
from downpour_import.state.journal import Journal

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_settings(path: Path) -> Settings:
    """Read a settings file; its relative paths become absolute.

    Raises LocalError, BundleFaults (not the form of settings), MappingFaults.
    """
    try:
        value = yaml.safe_load(path.read_text("utf-8"))
    except OSError as exc:
        raise LocalError(f"cannot read: {exc.strerror}", where=str(path)) from exc
    except (yaml.YAMLError, ValueError) as exc:
        raise LocalError(f"not YAML: {exc}", where=str(path)) from exc
    value = {} if value is None else value
    section = value.pop("mapping", None) if isinstance(value, dict) else None
    rules = mapping.decode(section or {}, f"{path}: mapping")
    settings = codec.decode(Settings, value, str(path))

    def absolute(text: str | None) -> str | None:
        return None if text is None else str((path.parent / text).resolve())

    return Settings(
        bundle=None if settings.bundle is None else bundle_path(path.parent / settings.bundle),
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

    Its own name stays, also where it is a link: other parts are found by the name of one.
    """
    return str(path.parent.resolve() / path.name)


def connect_by(settings: Settings, tell: Callable[[str], None]) -> TargetCloud:
    """The target that the settings name.

    ``tell`` is given a sentence when the cloud is waited for.  Raises CloudError.
    """
    return connect(CloudOptions(settings.cloud, settings.region, settings.config_file), tell)


def connect_within_playbook(settings: Settings) -> TargetCloud:
    """The same for an action: what it waits for is told as an event."""
    return connect_by(settings, lambda text: events.emit("note", message=text))


def look(
    settings: Settings, data: PlaybookData, cloud: TargetCloud, disks: Iterable[Disk]
) -> Preflight:
    """The preflight of this data against this target.  Writes nothing.

    ``disks``: those of the bundle.  What stands already needs neither room nor addresses.
    """
    found = survey(cloud, data.references, data.resources)
    result = preflight(data.references, data.resources, settings.mapping, found)
    context = Context(
        cloud=cloud,
        journal=Journal(_state(settings)),
        targets=result.targets,
        bundle_uuid=data.bundle,
        bundle=Path(settings.bundle or ""),
    )
    wanted = tuple(record for record in data.resources if not _stands(context, record))
    result.targets |= _dropped(_state(settings), data, wanted)
    of_bundle = {disk.id: disk for disk in disks}
    networks = {
        target
        for record in wanted
        if isinstance(record, Port)
        and (target := result.targets.get(Ref("network", record.network_id)))
        and context.network_is_ours(target)
    }
    work = Fit(
        wanted=wanted,
        resources=data.resources,
        rules=settings.mapping,
        target=found,
        occupied=occupied(cloud, sorted(networks)),
        disks=of_bundle,
    )
    fit(work, result)
    result.warnings += [*lost(wanted, found), *formulas(data.resources)]
    result.faults += quota_faults(wanted, result.targets, found, of_bundle)
    return result


def _dropped(
    directory: Path, data: PlaybookData, wanted: Iterable[Resource]
) -> dict[Ref, str | None]:
    """The addresses that ports which stand were made without: these are not judged again."""
    before = state.known_targets(directory)
    to_make = {record.ref for record in wanted}
    refs = (
        port_address_ref(port.id, ip.ip_address)
        for port in data.resources.ports
        if port.ref not in to_make
        for ip in port.fixed_ips
    )
    return dict.fromkeys(ref for ref in refs if ref in before)


def _stands(context: Context, record: Resource) -> bool:
    """Whether nothing is to be made: mapped, or made before by the word of journal or marker, or
    somebody else's that serves as well."""
    if record.ref in context.targets or context.journal.target(record.ref):
        return True
    kind = RECREATORS[record.type]
    if kind.can_be_marked and kind.find(context, record) is not None:
        return True
    # The project's group "default", and a server group that serves as well, need no room.
    return isinstance(record, (SecurityGroup, ServerGroup)) and bool(kind.reusable(context, record))


def prepare(settings: Settings, data: PlaybookData, cloud: TargetCloud) -> Preflight:
    """Preflight, and keep its result for the steps that follow.

    Raises TargetFaults with all that the target lacks, StateError, and what opening the bundle
    raises.
    """
    with open_bundle(
        bundle_of(settings),
        tuple(map(Path, settings.parts)),
        manifest_sha256=settings.manifest_sha256,
    ) as bundle:
        disks = bundle.manifest.disks
    result = look(settings, data, cloud, disks)
    result.require()
    directory = _state(settings)
    state.bind(directory, data.bundle, cloud)
    state.save_targets(directory, result.targets)
    return result


def open_context(settings: Settings, cloud: TargetCloud | None = None) -> Context:
    """A context of a prepared state directory.  Raises StateError, CloudError."""
    directory = _state(settings)
    bundle = bundle_of(settings)
    uuid = state.bundle_uuid(directory)
    cloud = cloud or connect_within_playbook(settings)
    state.bind(directory, uuid, cloud)
    return Context(
        cloud=cloud,
        journal=Journal(directory),
        targets=state.load_targets(directory),
        bundle_uuid=uuid,
        bundle=bundle,
        folders=tuple(map(Path, settings.parts)),
        manifest_sha256=settings.manifest_sha256,
        keep_images=settings.keep_images,
    )


def load_data(path: Path) -> Any:
    """``resources.yml`` as plain data.  Raises LocalError, BundleError (not YAML)."""
    try:
        text = path.read_bytes()
    except OSError as exc:
        raise LocalError(f"cannot read: {exc.strerror}", where=str(path)) from exc
    return parse_data(text, str(path))


def parse_data(text: bytes, where: str) -> Any:
    """The same of its ``text``.

    It makes millions of objects and no garbage: the collector, which would look at all of them
    again and again, rests meanwhile.  With 10,000 resources that is 1.7 s instead of 5.8 s.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError) as exc:
        raise BundleError(f"not YAML: {exc}", where=where) from exc
    finally:
        if collecting:
            gc.enable()


def decode_data(value: Any, where: str) -> PlaybookData:
    """``resources.yml`` as records.  Raises BundleFaults."""
    return codec.decode(PlaybookData, value, where)


def bundle_of(settings: Settings) -> Path:
    """Raises StateError when the settings name none."""
    if settings.bundle is None:
        raise StateError("settings.yml names no bundle", remedy="write its path to bundle:")
    return Path(settings.bundle)


def _state(settings: Settings) -> Path:
    if settings.state is None:
        raise StateError("settings.yml names no state directory", remedy="write it to state:")
    return Path(settings.state)
