"""The order of an import from end to end, into a target in memory and without Ansible."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from bundle_spec import BundleWriter
from bundle_spec.errors import TrustError
from bundle_spec.model import Resources
from bundle_spec.model.playbook import MappingRules
from bundle_spec.progress import NULL
from bundle_spec.read.files import BundleFiles
from downpour_cloud import CloudOptions
from downpour_export.playbook import playbook_files
from downpour_import.cloud import TargetCloud
from downpour_import.errors import (
    RecreateError,
    RecreateFaults,
    ResultFaults,
    TargetError,
    TargetFaults,
)
from downpour_import.options import ImportOptions
from downpour_import.pipeline import import_bundle, plan_import
from downpour_import.recreate import RECREATORS
from downpour_import.run.report import Report
from downpour_import.run.runner import Result
from downpour_import.source.opening import admit, open_source
from downpour_import.source.unpack import unpack
from tests.unit.bundle.samples import content, noise
from tests.unit.fake_cloud import Call, response
from tests.unit.importer import site, things
from tests.unit.importer.every_type import ONE_OF_EACH, PATHS, REFERENCES, Cloud, records
from tests.unit.quiet import Notes

EXTENSIONS = (*things.EXTENSIONS, "address-group", "router", "extraroute", "trunk")
FLAVOR = {"vcpus": 1, "ram": 1, "disk": 1}


class Far:
    """The far side: a bundle, a target, and whoever imports there."""

    def __init__(
        self, folder: Path, bundle: Path | None = None, extensions: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.bundle = bundle or write_bundle(folder / "b.dpbundle")
        self.cloud = Cloud()
        self.cloud.of("/networks")["target-ext"]["router:external"] = True
        self.cloud.of("/networks")["target-ext"] |= {"name": "internet", "is_default": True}
        known = [{"alias": each} for each in (*EXTENSIONS, *extensions)]
        self.cloud.handlers["GET", "/extensions"] = lambda call, match: response(
            200, {"extensions": known}
        )
        self.cloud.add("/flavors", id="target-flavor", name="g1", **FLAVOR)
        clouds = {"clouds": {"target": {"auth": {"auth_url": "http://cloud:5000/v3"}}}}
        (folder / "clouds.yaml").write_text(yaml.safe_dump(clouds))
        self.report = Report("import")
        self.notes = Notes()

    def options(self, **more: Any) -> ImportOptions:
        cloud = CloudOptions(cloud="target", config_file=str(self.folder / "clouds.yaml"))
        source = BundleFiles(more.pop("source", self.bundle))
        given: dict[str, Any] = {"state": self.folder / "state", **more}
        return ImportOptions(source=source, cloud=cloud, **given)

    def connect(self, options: CloudOptions, tell: Callable[[str], None]) -> TargetCloud:
        return TargetCloud(self.cloud.connection)

    def run(self, agree: Callable[[], bool] = lambda: True, **more: Any) -> Report:
        self.report, self.notes = Report("import"), Notes()
        import_bundle(
            self.options(**more),
            self.report,
            self.notes,
            agree,
            connect=self.connect,
            play=self.play,
        )
        return self.report

    def plan(self, **more: Any) -> Report:
        self.report, self.notes = Report("plan"), Notes()
        plan_import(self.options(**more), self.report, self.notes, connect=self.connect)
        return self.report

    def play(
        self,
        playbook: Mapping[str, bytes],
        *,
        log: Path,
        check: bool,
        on_event: Callable[[dict[str, Any]], None],
        **ignored: Any,
    ) -> Result:
        """The steps of site.yml, in this process."""
        cloud = TargetCloud(self.cloud.connection)
        return site.play(playbook, lambda settings: cloud, log=log, check=check, on_event=on_event)

    def refuse(self, kind: str) -> None:
        """Have the cloud refuse to make anything of this type, until ``before`` is cleared."""
        path = RECREATORS[kind].path

        def hook(call: Call) -> Any:
            no = call.method == "POST" and call.path == path
            return response(409, {"error": {"message": f"no {kind} today"}}) if no else None

        self.cloud.before.append(hook)

    def made(self) -> dict[str, int]:
        theirs = ("target-ext", "target-flavor")
        return {path: len(self.cloud.of(path).keys() - set(theirs)) for path in PATHS}


def write_bundle(
    path: Path,
    more: Mapping[str, bytes] = MappingProxyType({}),
    resources: Callable[..., Resources] = records,
    disks: int = 1,
    *,
    uuid: str | None = None,
    seed: int = 0,
    raw: bytes = b"",
) -> Path:
    """One resource of each type, with the playbook and ``more`` files in it.

    ``resources``: others, of the IDs of ``disks``.  ``seed``: of the noise on the first of these;
    ``raw``: what is on them instead.
    """
    with BundleWriter(path) as writer:
        writer.uuid = uuid or writer.uuid
        written = []
        for number in range(disks):
            disk = writer.disk("raw")
            disk.write(raw or noise(70_000, seed + number))
            written.append(disk.finish().id)
        whole = replace(content(resources(*written)), references=REFERENCES)
        files = playbook_files(writer.uuid, whole)
        files = {**files, **{f"playbook/{name}": data for name, data in more.items()}}
        for name, data in files.items():
            writer.add_file(name, data)
        writer.finish(whole)
    return path


@pytest.fixture
def far(tmp_path: Path) -> Far:
    return Far(tmp_path)


def test_everything_is_made_and_proven(far: Far) -> None:
    report = far.run()

    assert far.made() == ONE_OF_EACH
    assert report.complete
    assert {each.state for each in report.resources} == {"made"}


def test_uuids_and_report_are_written(far: Far) -> None:
    copy = far.folder / "copy.csv"
    far.run(uuids=copy)

    rows = list(csv.DictReader(copy.open()))
    assert len(rows) == sum(1 for _ in records("0001"))
    assert all(row["Old"] and row["New"] for row in rows)
    assert (far.folder / "state" / "uuids.csv").read_text() == copy.read_text()
    written = json.loads((far.folder / "state" / "report.json").read_text())
    assert written["complete"]


def test_the_same_command_again_makes_nothing(far: Far) -> None:
    far.run()
    far.cloud.calls.clear()

    report = far.run()

    assert far.cloud.writes == []
    assert set(report.counts) == {"unchanged"}


def test_a_run_that_fails_tells_what_stands_and_is_gone_on_with(far: Far) -> None:
    far.refuse("server")

    with pytest.raises(RecreateFaults) as caught:
        far.run()

    (fault,) = caught.value.faults
    assert str(fault).startswith("server 'web': /servers: the target refused POST with 409")
    states = {each.type: each.state for each in far.report.resources}
    assert states["port"] == "made"
    assert states["server"] == "missing"
    assert not json.loads((far.folder / "state" / "report.json").read_text())["complete"]

    far.cloud.before.clear()
    assert far.run().complete
    assert far.made() == ONE_OF_EACH


def test_a_volume_whose_contents_were_sent_is_reported_as_begun(far: Far) -> None:
    far.refuse("volume")

    with pytest.raises(RecreateFaults):
        far.run()

    states = {each.type: (each.state, each.new) for each in far.report.resources}
    assert states["volume"] == ("begun", None)
    assert states["server"] == ("missing", None)


def test_a_run_that_was_interrupted_says_so_in_its_report(far: Far) -> None:
    def play(*args: Any, **more: Any) -> Result:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_bundle(far.options(), Report("import"), connect=far.connect, play=play)
    written = json.loads((far.folder / "state" / "report.json").read_text())
    assert not written["complete"]
    assert [fault["message"] for fault in written["faults"]] == ["interrupted"]


def test_what_ansible_itself_says_is_told_where_no_action_told_anything(far: Far) -> None:
    def play(*args: Any, log: Path, **more: Any) -> Result:
        return Result(4, log, ("no hosts matched",))

    with pytest.raises(RecreateFaults, match="no hosts matched"):
        import_bundle(far.options(), Report("import"), connect=far.connect, play=play)


def test_what_the_target_lacks_is_told_before_anything_is_written(far: Far) -> None:
    far.cloud.of("/flavors").clear()

    with pytest.raises(TargetFaults, match=r"complete .*mapping\.yml and add --map"):
        far.run()

    assert far.cloud.writes == []
    assert "FILL-IN" in (far.folder / "state" / "mapping.yml").read_text()


def test_the_project_that_the_bundle_came_from_is_refused(far: Far) -> None:
    far.cloud.connection.current_project_id = "p1"

    with pytest.raises(TargetError, match="the project that the bundle came from"):
        far.run()
    assert far.cloud.calls == []


def test_nothing_but_a_token_is_asked_for_a_bundle_that_is_not_trusted(far: Far) -> None:
    forged = write_bundle(far.folder / "forged.dpbundle", {"tasks/evil.yml": b"- x\n"})

    with pytest.raises(TrustError):
        far.run(source=forged)
    assert far.cloud.calls == []
    assert not (far.folder / "state").exists()


def test_where_it_goes_is_said(far: Far) -> None:
    far.run()

    assert far.notes.notes[0].startswith("target: http://cloud:5000/v3, project demo (1111")


def test_a_quiet_run_says_warnings_only(far: Far) -> None:
    far.run()
    assert any(note.startswith("taken: ") for note in far.notes.notes)
    rules = MappingRules(flavors={"none": "g1"})

    report = far.run(mapping=rules)
    assert report.taken
    assert [line.split(":")[0] for line in far.notes.said] == ["warning"]
    far.plan(mapping=rules)
    assert [line.split(":")[0] for line in far.notes.said] == ["warning"]


@pytest.fixture
def edited(far: Far) -> Path:
    """A directory whose network has another name."""
    folder = far.folder / "by-hand"
    unpack(open_source(admit(far.options().candidate, NULL), NULL), folder)
    path = folder / "playbook" / "resources.yml"
    path.write_text(path.read_text().replace("name: net\n", "name: renamed\n"))
    return folder


def test_what_was_edited_is_made_only_where_somebody_agrees(far: Far, edited: Path) -> None:
    with pytest.raises(TrustError, match="nobody agreed"):
        far.run(agree=lambda: False, source=edited, edited=True)
    assert far.cloud.writes == []

    far.run(source=edited, edited=True)
    assert "renamed" in [net["name"] for net in far.cloud.of("/networks").values()]
    assert any(note.startswith("edited: ") for note in far.notes.notes)


def test_a_check_asks_nobody_and_makes_nothing(far: Far, edited: Path) -> None:
    report = far.run(agree=lambda: False, source=edited, edited=True, check=True)

    assert far.cloud.writes == []
    assert set(report.counts) == {"planned"}


def test_a_difference_at_the_end_is_told(far: Far) -> None:
    far.run()
    for port in far.cloud.of("/ports").values():
        port["name"] = "somebody renamed it"

    with pytest.raises(ResultFaults, match="port 'p': name is 'somebody renamed it', not 'p'"):
        far.run()
    assert not far.report.complete


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (True, "status is 'SHUTOFF', not 'ACTIVE' (start it, or say --no-start"),
        (False, "status is 'ACTIVE', not 'SHUTOFF' (stop it; it was to stay off"),
    ],
)
def test_a_server_that_is_not_on_or_off_as_it_was_to_be_is_told_with_the_remedy(
    far: Far, first: bool, told: str
) -> None:
    far.run(no_start=first)

    with pytest.raises(ResultFaults, match=r"^what stands on the target differs from") as caught:
        far.run(no_start=not first)
    (fault,) = caught.value.faults
    assert str(fault).startswith(f"server 'web': {told}")


def test_only_some_steps_are_never_a_complete_import(far: Far) -> None:
    assert not far.run(tags=("networks",)).complete


def test_servers_stay_off_on_demand(far: Far) -> None:
    far.run(no_start=True)

    assert [each["status"] for each in far.cloud.of("/servers").values()] == ["SHUTOFF"]


def test_a_plan_tells_what_would_be_made_and_writes_nothing(far: Far) -> None:
    report = far.plan()

    assert {each.state for each in report.resources} == {"planned"}
    assert far.cloud.writes == []
    assert not (far.folder / "state").exists()


def test_a_plan_writes_the_whole_mapping_on_demand(far: Far) -> None:
    path = far.folder / "map.yml"
    far.plan(write_map=path)

    assert yaml.safe_load(path.read_text()) == {
        "flavors": {"m1": "g1"},
        "networks": {"ext": "internet"},
    }


def test_a_failure_before_there_is_a_state_leaves_no_report(far: Far) -> None:
    far.cloud.before.append(lambda call: response(403))

    with pytest.raises(RecreateError):
        far.plan(state=far.folder / "other")
    assert "refused GET with 403" in (far.report.faults[0]["message"] or "")
    assert not (far.folder / "other").exists()
