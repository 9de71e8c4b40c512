"""What stands twice, because a request arrived twice or late: found by its mark."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from bundle_spec.progress import NULL
from downpour_cloud.session import LATE_SECONDS
from downpour_import import undo
from downpour_import.errors import ResultFaults
from downpour_import.recreate import RECREATORS, recreate
from tests.unit.fake_cloud import PROJECT, Call, response
from tests.unit.importer.conftest import Clock
from tests.unit.importer.every_type import ONE_OF_EACH, PATHS, Import
from tests.unit.importer.test_whole_import import Far

pytestmark = pytest.mark.usefixtures("no_disk")


def double(work: Import, path: str, **more: Any) -> str:
    """A second object like the first of ``path``; its ID."""
    items = [item for key, item in work.cloud.of(path).items() if key != "target-ext"]
    first = next((item for item in items if "dpb-" in str(item)), items[0])
    item = copy.deepcopy({**first, **{"id": work.cloud.new_id()}, **more})
    work.cloud.of(path)[item["id"]] = item
    return str(item["id"])


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/networks", {}),
        ("/subnets", {}),
        ("/routers", {"routes": []}),
        ("/ports", {"device_id": "", "device_owner": ""}),
        ("/security-groups", {}),
        ("/trunks", {}),
        ("/floatingips", {"port_id": None}),
        ("/images", {"status": "queued", "protected": False}),
        ("/volumes", {"status": "available"}),
        ("/servers", {"status": "ERROR", "os-extended-volumes:volumes_attached": []}),
    ],
)
def test_a_double_that_nothing_uses_is_removed_and_told(
    work: Import, path: str, more: dict[str, Any]
) -> None:
    work.run()
    before = set(work.cloud.of(path))
    second = double(work, path, **more)
    faults, told = work.remove_doubles()
    assert faults == []
    assert [line.split(":")[0] for line in told] == [f"removed {second}"]
    assert set(work.cloud.of(path)) == before


@pytest.mark.parametrize(
    ("path", "use"),
    [
        ("/networks", lambda new: ("/ports", {"network_id": new})),
        ("/security-groups", lambda new: ("/ports", {"security_groups": [new]})),
        ("/security-groups", lambda new: ("/security-group-rules", {"remote_group_id": new})),
        ("/ports", lambda new: ("/floatingips", {"port_id": new})),
        ("/servers", lambda new: ("/ports", {"device_id": new})),
    ],
)
def test_a_double_that_is_in_use_is_a_fault_and_stays(work: Import, path: str, use: Any) -> None:
    work.run()
    second = double(work, path, device_id="", device_owner="")
    kind, what = use(second)
    whole = {"fixed_ips": [], "device_owner": "", "device_id": "", "security_group_id": "x"}
    work.cloud.add(kind, **{"project_id": PROJECT, "network_id": "", **whole, **what})
    (fault,), told = work.remove_doubles()
    assert f"it stands twice: {second} is of this import too, and is in use (see who" in fault
    assert told == []
    assert second in work.cloud.of(path)


@pytest.mark.parametrize(
    ("path", "more"),
    [("/images", {"status": "active"}), ("/volumes", {"status": "in-use"})],
)
def test_what_may_be_in_use_by_its_state_stays(
    work: Import, path: str, more: dict[str, Any]
) -> None:
    work.run()
    double(work, path, **more)
    assert len(work.remove_doubles()[0]) == 1


def test_a_volume_that_is_still_made_is_waited_for_and_then_removed(work: Import) -> None:
    work.run()
    second = double(work, "/volumes", status="creating")

    def settles(call: Call) -> None:
        if call.method == "GET" and call.path == f"/volumes/{second}":
            looks.append(call)
            work.cloud.of("/volumes").get(second, {})["status"] = (
                "available" if len(looks) > 3 else "creating"
            )

    looks: list[Call] = []
    work.cloud.before.append(settles)
    assert work.remove_doubles()[0] == []
    assert second not in work.cloud.of("/volumes")


def test_what_stands_once_is_looked_for_with_one_list_for_each_type(work: Import) -> None:
    work.run()
    work.cloud.calls.clear()
    assert work.remove_doubles() == ([], [])
    lists = [call.path for call in work.cloud.calls]
    assert len(lists) == len(set(lists)) <= len(PATHS)


@pytest.mark.parametrize("path", ["/os-server-groups", "/address-groups"])
def test_an_equal_thing_without_a_mark_is_told_and_stays(work: Import, path: str) -> None:
    work.run()
    second = double(work, path)
    faults, (told,) = work.remove_doubles()
    assert faults == []
    assert f"{second} equals it, and nothing uses it" in told
    kept = [each.kept for each in work.find()[1] if each.target == second]
    assert kept == ["it equals what was made, but may be somebody else's"]
    undo.undo(*work.find(), NULL)
    assert second in work.cloud.of(path)


def test_of_several_that_bear_a_mark_the_one_in_use_is_gone_on_with(
    work: Import, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The journal is lost."""
    work.run()
    for path in ("/networks", "/security-groups"):
        double(work, path, id="00000000-comes-first", security_group_rules=[])
    work.state = tmp_path_factory.mktemp("another")
    work.run()
    assert work.remove_doubles()[0] == []
    assert work.made() == ONE_OF_EACH
    assert work.differences() == []


# --- a server that was made twice ---


def twice(work: Import, *, ours_breaks: bool) -> None:
    """The POST of the server arrives twice; one gets the port, the other ends in ERROR."""

    def boot(call: Call) -> Any:
        if str(call) != "POST /servers":
            return None
        (first,) = work.cloud.of("/servers").values()
        second = copy.deepcopy({**first, "id": work.cloud.new_id(), "status": "ERROR"})
        second["os-extended-volumes:volumes_attached"] = []
        work.cloud.of("/servers")[second["id"]] = second
        work.cloud.after.clear()
        return response(202, {"server": {"id": second["id"]}}) if ours_breaks else None

    work.cloud.after.append(boot)


@pytest.mark.parametrize("ours_breaks", [True, False])
def test_a_server_that_was_made_twice_is_found_by_its_mark_at_once(
    work: Import, ours_breaks: bool
) -> None:
    twice(work, ours_breaks=ours_breaks)
    work.run()
    assert work.remove_doubles()[0] == []
    (server,) = work.cloud.of("/servers").values()
    assert server["status"] == "ACTIVE"
    assert len(work.cloud.sent("POST", "/servers")) == 2  # and its lock
    assert work.differences() == []


# --- requests of a run that was killed ---


def test_all_that_is_expected_of_a_killed_run_is_waited_for_once(
    work: Import, clock: Clock
) -> None:
    here = work.process()
    for record in work.resources:
        here.journal.record("intent", record.ref, record.name)
    told: list[str] = []
    here = work.process()
    here.tell = told.append
    for record in work.resources.networks + work.resources.security_groups:
        assert recreate(RECREATORS[record.type], here, record).state == "made"
    assert LATE_SECONDS <= sum(clock.slept) < LATE_SECONDS + 1
    assert len(told) == 1
    assert "waiting up to 30 s for network 'net': a run that was ended may have asked" in told[0]


def test_nothing_is_waited_for_where_no_run_was_killed(work: Import, clock: Clock) -> None:
    work.cloud.before.append(lambda call: response(409, {}) if call.method == "POST" else None)
    with pytest.raises(Exception, match="refused POST with 409"):
        work.run()
    work.cloud.before.clear()
    work.run()
    assert sum(clock.slept) < 1


# --- routers ---


def test_undo_finds_the_port_that_was_made_for_an_interface_and_not_attached(
    work: Import,
) -> None:
    (router,) = work.resources.routers
    (interface,) = router.interfaces
    interface = replace(interface, ip_address="10.0.0.77")
    work.resources = replace(
        work.resources, routers=(replace(router, interfaces=(interface,), routes=()),)
    )
    with work.killed(lambda call: call.method == "POST" and "10.0.0.77" in str(call.body)):
        work.run()
    undo.undo(*work.find(), NULL)
    assert work.made() == dict.fromkeys(PATHS, 0)


# --- the whole import ---


def test_an_import_removes_what_stands_twice_and_says_so(far: Far) -> None:
    far.run()
    network = next(item for item in far.cloud.of("/networks").values() if "dpb-" in str(item))
    second = far.cloud.add("/networks", **{**network, "id": far.cloud.new_id()})
    far.run()
    assert any(line.startswith(f"removed {second['id']}") for line in far.notes.said)
    assert second["id"] not in far.cloud.of("/networks")
    assert network["id"] in far.cloud.of("/networks")


def test_an_import_ends_with_a_fault_where_both_are_in_use(far: Far) -> None:
    far.run()
    network = next(item for item in far.cloud.of("/networks").values() if "dpb-" in str(item))
    far.cloud.add("/networks", **{**network, "id": far.cloud.new_id(), "subnets": ["theirs"]})
    with pytest.raises(ResultFaults, match="it stands twice"):
        far.run()


def test_a_type_of_which_nothing_was_made_is_not_asked_for(work: Import) -> None:
    whole = work.resources
    work.resources = replace(whole, trunks=())
    work.run()
    work.resources = whole
    work.cloud.handlers["GET", "/trunks"] = lambda call, match: response(404, {})
    assert work.remove_doubles() == ([], [])
    undo.undo(*work.find(), NULL)
    assert work.made() == dict.fromkeys(PATHS, 0)
