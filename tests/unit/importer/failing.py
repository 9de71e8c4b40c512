"""Imports of a whole project in which the target refuses, and what became of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import Any

import pytest

from bundle_spec import open_bundle
from bundle_spec.form.marker import marker
from bundle_spec.model import Ref, Resource
from downpour_import.errors import RecreateFaults
from downpour_import.recreate import RECREATORS
from tests.unit.bundle.samples import noise
from tests.unit.fake_cloud import Call, response
from tests.unit.importer.project import project
from tests.unit.importer.test_whole_import import Far

ALL = project("0001", "0002", "0003", "0004")
DATA_DISK = noise(70_000, 2)


def failing(far: Far, **more: Any) -> list[str]:
    """Import; what could not be made, and why."""
    with pytest.raises(RecreateFaults, match="the import is not complete") as caught:
        far.run(**more)
    return [str(each) for each in caught.value.faults]


def goes_on(far: Far) -> None:
    """The same command again, when nothing fails any more, completes it and makes nothing twice."""
    far.cloud.before.clear()
    far.cloud.after.clear()
    report = far.run()
    assert report.complete
    assert report.as_json()["failed"] == report.as_json()["not_made"] == []
    assert {each.state for each in report.resources} == {"made"}
    assert {kind: len(rows) for kind, rows in made(far).items()} == {
        RECREATORS[kind].path: number for kind, number in numbers().items()
    }
    assert len(rows_of(far)) == len(list(ALL))


def numbers() -> dict[str, int]:
    counts: dict[str, int] = {}
    for record in ALL:
        kind = "volume" if record.type == "volume_snapshot" else record.type
        counts[kind] = counts.get(kind, 0) + 1
    counts["port"] += len(ALL.routers)  # their interfaces
    counts["security_group_rule"] = sum(len(group.rules) for group in ALL.security_groups)
    return counts


def made(far: Far) -> dict[str, set[str]]:
    paths = {recreator.path for recreator in RECREATORS.values()}
    given = {"target-ext", "target-flavor"}
    return {path: set(far.cloud.of(path)) - given for path in paths}


def rows_of(far: Far) -> set[Ref]:
    with (far.folder / "state" / "uuids.csv").open(newline="") as file:
        return {
            Ref(row["Resource Type"].replace(" ", "_"), row["Old"]) for row in csv.DictReader(file)
        }


def named(kind: str, name: str) -> Resource:
    return next(record for record in ALL if (record.type, record.name) == (kind, name))


def posts_of(far: Far, record: Resource) -> Callable[[Call], bool]:
    """Whether a call is the one that makes ``record``."""
    path = RECREATORS[record.type].path
    with open_bundle(far.bundle) as bundle:
        mark = marker(bundle.manifest.uuid, bundle.manifest_sha256, record.id)

    def asks(call: Call) -> bool:
        if call.method != "POST" or call.path != path:
            return False
        text = json.dumps(call.body)
        return f'"name": "{record.name}"' in text if record.name else mark in text

    return asks


def refuse(far: Far, *records: Resource) -> None:
    for record in records:
        asks = posts_of(far, record)

        def hook(call: Call, asks: Callable[[Call], bool] = asks) -> Any:
            return response(409, {"error": {"message": "not today"}}) if asks(call) else None

        far.cloud.before.append(hook)
