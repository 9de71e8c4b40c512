"""From settings to a target: the connection, the preflight, and the context of the actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from time import monotonic

from bundle_spec import open_bundle
from bundle_spec.model import (
    Disk,
    Port,
    Ref,
    Resource,
    Resources,
    SecurityGroup,
    ServerGroup,
)
from bundle_spec.model.playbook import PlaybookData, Settings
from bundle_spec.read.files import BundleFiles
from downpour_cloud import CloudOptions, Naming
from downpour_cloud.session import LATE_SECONDS
from downpour_import.cloud import TargetCloud, connect
from downpour_import.playbook import events
from downpour_import.playbook.settings import bundle_of, state_of
from downpour_import.preflight import (
    FitInput,
    Preflight,
    fit,
    formulas,
    lost_attributes,
    namesakes,
    port_address_ref,
    preflight,
    quota_faults,
    text_faults,
    text_warnings,
)
from downpour_import.preflight.addresses import require_addresses
from downpour_import.preflight.survey import occupied, survey
from downpour_import.recreate import RECREATORS, Context
from downpour_import.recreate.default_group import default_group_warnings
from downpour_import.state import directory
from downpour_import.state.failures import Failures
from downpour_import.state.journal import Journal

Connect = Callable[[CloudOptions, Callable[[str], None]], TargetCloud]
"""What opens the target: ``cloud.connect``; tests hand in their own."""

BY_HAND = Naming(
    "OS_CLOUD or cloud in settings.yml", "OS_CLIENT_CONFIG_FILE or config_file in settings.yml"
)
MAPPING_BY_HAND = "say what stands for it under mapping: in settings.yml"
"""ansible-playbook has none of our options."""


def cloud_options(settings: Settings) -> CloudOptions:
    """The target that the settings name."""
    return CloudOptions(settings.cloud, settings.region, settings.config_file)


def connect_within_playbook(
    settings: Settings, by_hand: Callable[[str], None] | None = None
) -> TargetCloud:
    """The target, for an action: what it waits for is sent as an event.  Raises CloudError.

    ``by_hand``: of the first action of a run, for what is to be told where nobody listens to
    events.
    """

    def tell(text: str) -> None:
        if by_hand and not events.listened():
            by_hand(text)
        else:
            events.note(text)

    met = by_hand is None or events.listened()
    return connect(replace(cloud_options(settings), naming=BY_HAND), tell, met=met)


def run_preflight(
    settings: Settings,
    data: PlaybookData,
    cloud: TargetCloud,
    disks: Iterable[Disk],
    manifest_sha256: str | None,
) -> Preflight:
    """The preflight of this data against this target.  Writes nothing.

    ``disks`` and ``manifest_sha256``: those of the bundle.  What stands already needs neither room
    nor addresses.  Raises BundleFaults for addresses that are none.
    """
    require_addresses([*data.references, *data.resources])
    target = survey(cloud, data.references, data.resources)
    resolved = preflight(data.references, data.resources, settings.mapping, target)
    context = Context(
        cloud=cloud,
        journal=Journal(state_of(settings)),
        targets=resolved.targets,
        bundle_uuid=data.bundle,
        bundle=BundleFiles(Path(settings.bundle or "")),
        manifest_sha256=manifest_sha256,
    )
    wanted = tuple(record for record in data.resources if not _stands(context, record))
    targets = resolved.targets | _dropped_before(state_of(settings), data, wanted)
    disks_by_id = {disk.id: disk for disk in disks}
    fitted = fit(
        FitInput(
            wanted=wanted,
            resources=data.resources,
            rules=settings.mapping,
            target=target,
            targets=targets,
            occupied=occupied(cloud, _networks_for_ports(context, wanted)),
            disks=disks_by_id,
        )
    )
    targets |= fitted.dropped
    return replace(
        resolved,
        targets=targets,
        taken=[*resolved.taken, *fitted.taken],
        warnings=[
            *resolved.warnings,
            *lost_attributes(wanted, target),
            *text_warnings(wanted),
            *default_group_warnings(context, data.resources, target.security_groups),
            *namesakes(wanted, target, _ours(context, data.resources)),
            *formulas(data.resources),
        ],
        faults=[
            *resolved.faults,
            *fitted.faults,
            *text_faults(wanted, target),
            *quota_faults(wanted, targets, target, disks_by_id),
        ],
    )


def _ours(context: Context, records: Resources) -> set[str | None]:
    """The IDs of what this import made before, by the journal or the marks."""
    found = {context.journal.target(record.ref) for record in records}
    for record in records:
        recreator = RECREATORS[record.type]
        if recreator.can_be_marked and context.journal.target(record.ref) is None:
            found |= set(recreator.bearers(context, record))
    return found


def _networks_for_ports(context: Context, wanted: Iterable[Resource]) -> list[str]:
    """The project's own networks that stand and are to get ports: addresses may be taken."""
    targets = {
        context.targets.get(Ref("network", record.network_id))
        for record in wanted
        if isinstance(record, Port)
    }
    return sorted(target for target in targets if target and context.network_is_ours(target))


def _dropped_before(
    state: Path, data: PlaybookData, wanted: Iterable[Resource]
) -> dict[Ref, str | None]:
    """The addresses that an earlier run dropped from ports that stand; they stay dropped."""
    earlier = directory.load_targets_if_any(state)
    to_make = {record.ref for record in wanted}
    refs = (
        port_address_ref(port.id, ip.ip_address)
        for port in data.resources.ports
        if port.ref not in to_make
        for ip in port.fixed_ips
    )
    return dict.fromkeys(ref for ref in refs if ref in earlier)


def _stands(context: Context, record: Resource) -> bool:
    """Whether nothing is to be made: ``record`` is mapped, was made before, or can be reused."""
    if record.ref in context.targets or context.journal.target(record.ref):
        return True
    recreator = RECREATORS[record.type]
    if recreator.can_be_marked and recreator.find(context, record) is not None:
        return True
    # The project's group "default", and a server group that serves as well, need no room.
    return isinstance(record, (SecurityGroup, ServerGroup)) and bool(
        recreator.reusable(context, record)
    )


def prepare(
    settings: Settings, data: PlaybookData, cloud: TargetCloud, *, isolate: bool = False
) -> Preflight:
    """Preflight, and keep its result for the steps that follow.  ``isolate``: see ``isolation``.

    Raises TargetFaults with all that the target lacks, StateError, and what opening the bundle
    raises.
    """
    with open_bundle(bundle_of(settings), manifest_sha256=settings.manifest_sha256) as bundle:
        disks, digest = bundle.manifest.disks, bundle.manifest_sha256
    state = state_of(settings)
    directory.check(state, data.bundle, cloud, manifest_sha256=digest)
    result = run_preflight(settings, data, cloud, disks, digest)
    result.require(MAPPING_BY_HAND if result.proposals else None)
    directory.bind(state, data.bundle, cloud, manifest_sha256=digest)
    directory.save_targets(state, result.targets)
    Failures(state).begin(isolate=isolate)
    return result


def open_context(
    settings: Settings,
    cloud: TargetCloud | None = None,
    resources: Callable[[], Resources] = Resources,
    tell: Callable[[str], None] = events.note,
) -> Context:
    """A context of a prepared state directory.  ``resources``, ``tell``: see there.

    Raises StateError, CloudError.
    """
    state = state_of(settings)
    bundle = bundle_of(settings)
    uuid = directory.bundle_uuid(state)
    cloud = cloud or connect_within_playbook(settings)
    directory.bind(state, uuid, cloud, manifest_sha256=settings.manifest_sha256)
    return Context(
        cloud=cloud,
        journal=Journal(state),
        targets=directory.load_targets(state),
        bundle_uuid=uuid,
        bundle=bundle,
        manifest_sha256=directory.manifest_sha256(state),
        resources=resources,
        keep_images=settings.keep_images,
        tell=tell,
        late_until=monotonic() + max(0.0, LATE_SECONDS - directory.since_preflight(state)),
    )
