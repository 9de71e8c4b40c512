"""One resource of each type: killed after any request, nothing is made twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bundle_spec.model.resources import RESOURCE_TYPES
from downpour_import.recreate import differences
from tests.unit.importer.every_type import ONE_OF_EACH, PATHS, Import, records, writes

pytestmark = pytest.mark.usefixtures("no_disk")


def test_the_records_are_of_every_type() -> None:
    assert {record.type for record in records("0001")} == RESOURCE_TYPES


def test_each_is_made_once_and_is_as_the_record_says(work: Import) -> None:
    work.run()
    assert work.made() == ONE_OF_EACH
    assert work.differences() == []
    work.cloud.calls.clear()
    work.run()
    assert work.cloud.writes == []


def test_killed_after_any_request_nothing_is_made_twice(
    work: Import, everything: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The kill comes when the target has done it and before anything is written down."""
    work.run()
    requests, posts = len(work.cloud.writes), set()
    for number in range(1, requests + 1):
        killed = Import(everything, tmp_path_factory.mktemp("state"))
        with killed.killed(writes(number)):
            killed.run()
        assert len(killed.cloud.writes) == number
        posts.add(killed.cloud.writes[-1])
        killed.run()
        assert killed.made() == ONE_OF_EACH, number
        assert killed.differences() == [], number
    assert posts >= {f"POST {path}" for path in PATHS}


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/security-groups", "security_group"), ("/subnets", "subnet"), ("/images", "image")],
)
def test_what_was_deleted_behind_our_back_is_made_again_with_its_later_steps(
    work: Import, path: str, kind: str
) -> None:
    work.run()
    for identity in list(work.cloud.of(path)):
        del work.cloud.of(path)[identity]
    here = work.run()
    (record,) = (each for each in work.resources if each.type == kind)
    assert differences(here, record) == []


def test_a_server_that_was_left_off_is_started_by_an_import_that_has_no_journal(
    work: Import, tmp_path_factory: pytest.TempPathFactory
) -> None:
    wanted = work.resources
    off = tuple(replace(each, power_state="stopped") for each in wanted.servers)
    work.resources = replace(wanted, servers=off)
    work.run()
    (server,) = work.cloud.of("/servers").values()
    assert server["status"] == "SHUTOFF"
    work.resources, work.state = wanted, tmp_path_factory.mktemp("another")
    work.run()
    assert server["status"] == "ACTIVE"
    assert work.made()["/servers"] == 1
    assert work.differences() == []
