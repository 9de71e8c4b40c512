"""One failure stops only what needs what failed; all of it is told, and the next run goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1 import exceptions as ks_exceptions

from bundle_spec.model import FloatingIp, Ref, Resource, Server
from bundle_spec.model.resources import required_refs
from bundle_spec.progress import NULL
from downpour_import import undo
from downpour_import.cloud import TargetCloud
from downpour_import.errors import RecreateFaults, ResultFaults
from downpour_import.options import effective_settings
from downpour_import.pipeline import import_bundle
from downpour_import.run.report import Report
from downpour_import.run.runner import Result
from downpour_import.session import open_context
from downpour_import.source.opening import admit
from tests.unit.fake_cloud import Call, response
from tests.unit.importer.failing import (
    ALL,
    DATA_DISK,
    failing,
    goes_on,
    made,
    named,
    refuse,
    rows_of,
)
from tests.unit.importer.project import DISKS, project
from tests.unit.importer.test_whole_import import Far, write_bundle

# --- which resources are not made ---


def dependents(failed: Resource) -> set[Ref]:
    """What needs ``failed``, directly or not: by references; a floating IP needs the way to its
    port, and a server the trunks of its ports."""
    lost, before = {failed.ref}, 0
    while len(lost) != before:
        before = len(lost)
        lost |= {record.ref for record in ALL if lost & set(all_needs(record))}
    return lost - {failed.ref}


def all_needs(record: Resource) -> Iterator[Ref]:
    yield from required_refs(record)
    if isinstance(record, Server):
        ports = {nic.port_id for nic in record.nics}
        yield from (trunk.ref for trunk in ALL.trunks if trunk.port_id in ports)
    if isinstance(record, FloatingIp) and (record.port_id or record.port_forwardings):
        yield named("router", "r").ref


@pytest.mark.parametrize("failed", list(ALL), ids=lambda record: f"{record.type}-{record.name}")
def test_whatever_cannot_be_made_stops_what_needs_it_and_nothing_else(
    far: Far, failed: Resource
) -> None:
    refuse(far, failed)

    faults = failing(far)

    report, lost = far.report.as_json(), dependents(failed)
    (told,) = report["failed"]
    assert Ref(told["type"], told["old"]) == failed.ref
    assert "not today" in told["message"]
    assert {Ref(each["type"], each["old"]) for each in report["not_made"]} == lost
    because = {"type": failed.type, "name": failed.name, "old": failed.id}
    assert all(each["because"] == because for each in report["not_made"])
    assert len(faults) == 1 + len(lost)
    states = {Ref(each.type, each.old): each.state for each in far.report.resources}
    assert {ref for ref, state in states.items() if state != "made"} == {failed.ref, *lost}
    assert set(states) - {failed.ref, *lost} <= rows_of(far)
    assert failed.ref not in rows_of(far)

    goes_on(far)


def test_two_failures_are_two_and_each_has_what_it_stops(far: Far) -> None:
    refuse(far, named("volume", "data"), named("router", "r"))

    failing(far)

    report = far.report.as_json()
    assert {each["name"] for each in report["failed"]} == {"data", "r"}
    causes = [(each["type"], each["because"]["name"]) for each in report["not_made"]]
    assert sorted(causes) == [("floating_ip", "r"), ("floating_ip", "r"), ("server", "data")]
    goes_on(far)


def test_a_chain_names_what_failed_at_its_root(far: Far) -> None:
    refuse(far, named("network", "back"))

    faults = failing(far)

    assert faults[0].startswith("network 'back': /networks: the target refused POST with 409")
    assert "subnet 'back-sub': not made: it needs network 'back', which failed" in faults
    assert (
        "server 'db': not made: it needs port 'back', which was not made, because network 'back' "
        "failed"
    ) in faults


# --- the failures that are met in practice ---


def break_servers(far: Far) -> None:
    """Servers end in ERROR, as where no host has room, and have their volumes until they go."""

    def free(call: Call, match: Any) -> None:
        for item in far.cloud.of("/volumes").values():
            item["status"] = "available"

    far.cloud.handlers["DELETE", "/servers/(.*)"] = free

    def hook(call: Call) -> None:
        if call.method == "POST" and call.path == "/servers":
            for item in far.cloud.of("/servers").values():
                item.update(status="ERROR", fault={"message": "No valid host was found"})
            for item in far.cloud.of("/volumes").values():
                item["status"] = "reserved"

    far.cloud.after.append(hook)


def test_a_server_in_error_stops_nothing_else_and_is_made_again_on_what_was_its_own(
    far: Far,
) -> None:
    break_servers(far)

    faults = failing(far)

    reason = "the target could not make it: No valid host was found"
    assert faults == [f"server '{name}': {reason}" for name in ("web", "db")]
    assert len(far.cloud.of("/floatingips")) == len(ALL.floating_ips)
    states = {each.name: each for each in far.report.resources if each.type == "server"}
    assert states["web"].state == "begun"
    assert states["web"].new in far.cloud.of("/servers")
    assert not any(ref.type == "server" for ref in rows_of(far))
    before = made(far)

    goes_on(far)

    after = made(far)
    assert not before.pop("/servers") & after.pop("/servers")
    assert after == before


def test_a_volume_in_error_is_made_again_from_the_bytes_that_were_sent(far: Far) -> None:
    def hook(call: Call) -> None:
        if call.method == "POST" and call.path == "/volumes" and "imageRef" in call.body["volume"]:
            for item in far.cloud.of("/volumes").values():
                if item["name"] == "data":
                    item["status"] = "error"

    far.cloud.after.append(hook)
    faults = failing(far)
    assert faults[0] == "volume 'data': the target could not make it, it is error"
    assert faults[1] == "server 'web': not made: it needs volume 'data', which failed"
    (broken,) = (item for item in far.cloud.of("/volumes").values() if item["status"] == "error")
    far.cloud.calls.clear()

    goes_on(far)

    assert broken["id"] not in far.cloud.of("/volumes")
    assert not [call for call in far.cloud.calls if call.path.endswith("/file")]


@pytest.mark.parametrize(
    "answer", [413, 401, 500, ks_exceptions.ConnectFailure("reset by peer")], ids=str
)
def test_an_upload_that_breaks_costs_only_what_its_bytes_are_for(far: Far, answer: Any) -> None:
    def hook(call: Call) -> Any:
        if call.path.endswith("/file") and call.body == DATA_DISK:
            if isinstance(answer, int):
                return response(answer, {})
            raise answer
        return None

    far.cloud.before.append(hook)
    faults = failing(far)
    assert faults[0].startswith("volume 'data': ")
    assert faults[1:] == ["server 'web': not made: it needs volume 'data', which failed"]
    # The image that was begun for it is gone, the others are not.
    names = {item["name"] for item in far.cloud.of("/images").values()}
    assert names == {"root", "kernel"}
    goes_on(far)


def test_a_disk_that_is_damaged_after_the_check_costs_only_what_it_is_for(
    far: Far, tmp_path: Path
) -> None:
    far.bundle = tmp_path / "b.dpbundle"
    whole = write_bundle(far.bundle, resources=project, disks=DISKS).read_bytes()
    place = whole.index(DATA_DISK[1000:1100])

    def hook(call: Call) -> None:
        with far.bundle.open("r+b") as file:
            file.seek(place)
            file.write(b"x")

    far.cloud.before.append(hook)
    faults = failing(far)
    assert "damaged: it does not have the digest that the chunk list gives" in faults[0]
    assert faults[1:] == ["server 'web': not made: it needs volume 'data', which failed"]

    far.bundle.write_bytes(whole)
    goes_on(far)


def test_what_the_target_says_drives_no_terminal(far: Far) -> None:
    def hook(call: Call) -> Any:
        no = call.method == "POST" and call.path == "/routers"
        return response(409, {"error": {"message": "\x1b[2J\nall is well"}}) if no else None

    far.cloud.before.append(hook)
    failing(far)
    told = far.report.as_json()["failed"][0]["message"]
    assert told.isprintable()
    assert "\\x1b[2J\\nall is well" in told


def test_rules_that_are_refused_keep_servers_from_running_without_them(far: Far) -> None:
    def hook(call: Call) -> Any:
        return response(409, {}) if call.path == "/security-group-rules" else None

    far.cloud.before.append(lambda call: hook(call) if call.method == "POST" else None)
    faults = failing(far)
    assert faults[0].startswith("security group 'db': /security-group-rules: ")
    assert far.cloud.of("/servers") == {}
    assert far.cloud.of("/routers")
    states = {each.name: each.state for each in far.report.resources}
    assert (states["web"], states["back-sub"]) == ("missing", "made")
    goes_on(far)


def test_an_address_is_kept_for_a_port_that_could_not_be_made(far: Far) -> None:
    refuse(far, named("port", "p"))
    failing(far)
    (subnet,) = (each for each in far.cloud.of("/subnets").values() if each["name"] == "sub")
    assert subnet["enable_dhcp"]
    assert subnet["allocation_pools"] == [
        {"start": "10.0.0.2", "end": "10.0.0.4"},
        {"start": "10.0.0.6", "end": "10.0.0.254"},
    ]
    goes_on(far)
    assert subnet["allocation_pools"] == [{"start": "10.0.0.2", "end": "10.0.0.254"}]


def test_a_check_tries_everything_too(far: Far) -> None:
    def hook(call: Call) -> Any:
        running = (far.folder / "state" / "failures.jsonl").exists()
        return response(403, {}) if running and call.path == "/ports" else None

    far.cloud.before.append(hook)
    faults = failing(far, check=True)
    assert len([fault for fault in faults if fault.startswith("port ")]) == len(ALL.ports)
    assert any(fault.startswith("server 'web': not made: it needs port 'p'") for fault in faults)
    assert far.report.counts["planned"] > 0
    assert (far.report.counts["failed"], far.report.counts["not_made"]) == (4, 5)
    assert far.cloud.writes == []


def test_what_differs_is_told_beside_what_is_not_made(far: Far) -> None:
    far.run()
    far.cloud.of("/networks").popitem()
    for port in far.cloud.of("/ports").values():
        port["name"] = "somebody renamed it"
    refuse(far, named("network", "back"))
    faults = failing(far)
    assert faults[0].startswith("network 'back': ")
    assert "port 'p': name is 'somebody renamed it', not 'p'" in faults
    far.cloud.before.clear()
    with pytest.raises(ResultFaults):
        far.run()


def test_what_could_not_be_made_is_said_at_once_and_written_to_the_report(far: Far) -> None:
    refuse(far, named("volume", "data"))
    failing(far)
    assert any(note.startswith("volume 'data' failed: /volumes: ") for note in far.notes.notes)
    told = "server 'web' was not made: it needs volume 'data', which failed"
    assert told in far.notes.notes
    written = json.loads((far.folder / "state" / "report.json").read_text())
    assert [each["name"] for each in written["failed"]] == ["data"]
    assert [each["name"] for each in written["not_made"]] == ["web"]
    assert not written["complete"]


def test_a_run_that_does_not_come_to_its_preflight_tells_nothing_of_the_last_one(far: Far) -> None:
    refuse(far, named("volume", "data"))
    failing(far)

    def play(*args: Any, log: Path, **more: Any) -> Result:
        return Result(4, log, ("no hosts matched",))

    report = Report("import")
    with pytest.raises(RecreateFaults) as caught:
        import_bundle(far.options(), report, connect=far.connect, play=play)
    assert [fault.message for fault in caught.value.faults] == ["no hosts matched"]
    assert report.as_json()["failed"] == []


def test_undo_takes_back_what_a_run_that_failed_has_made(far: Far) -> None:
    break_servers(far)
    refuse(far, named("router", "r"))
    failing(far)
    far.cloud.before.clear()
    options = far.options()
    settings = effective_settings(options, admit(options.candidate, NULL).settings)
    here = open_context(settings, TargetCloud(far.cloud.connection))
    undo.undo(here, undo.find(here, NULL), NULL)
    left = {path: objects for path, objects in made(far).items() if objects}
    assert left == {}
