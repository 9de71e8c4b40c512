"""The state directory belongs to one bundle in one project of one cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle_spec.errors import LocalError
from bundle_spec.model import Ref
from downpour_import.cloud import TargetCloud
from downpour_import.errors import StateError
from downpour_import.state import directory as state
from tests.unit.fake_cloud import FakeCloud


@pytest.fixture
def cloud() -> TargetCloud:
    return TargetCloud(FakeCloud().connection)


def test_a_state_is_bound_once_and_known_again(tmp_path: Path, cloud: TargetCloud) -> None:
    directory = tmp_path / "a" / "state"
    state.bind(directory, "b1", cloud, manifest_sha256="m1")
    assert directory.stat().st_mode & 0o777 == 0o700
    state.bind(directory, "b1", cloud, manifest_sha256="m1")
    assert state.bundle_uuid(directory) == "b1"


@pytest.mark.parametrize("other", ["bundle", "auth_url", "project_id"])
def test_a_state_of_another_one_is_refused(tmp_path: Path, cloud: TargetCloud, other: str) -> None:
    state.bind(tmp_path, "b1", cloud, manifest_sha256="m1")
    if other != "bundle":
        setattr(cloud, other, "changed")
    with pytest.raises(StateError, match=f"belongs to {other} .*--state"):
        state.bind(tmp_path, "b2" if other == "bundle" else "b1", cloud, manifest_sha256="m1")


def test_targets_are_kept_for_the_steps_that_follow(tmp_path: Path) -> None:
    targets = {Ref("network", "a"): "t", Ref("volume_type", "b"): None}
    with pytest.raises(StateError, match="the preflight has not run here"):
        state.load_targets(tmp_path)
    state.save_targets(tmp_path, targets)
    assert state.load_targets(tmp_path) == targets


def test_a_damaged_state_is_refused(tmp_path: Path, cloud: TargetCloud) -> None:
    (tmp_path / state.STATE_FILE).write_text("{")
    with pytest.raises(StateError, match="this file is damaged"):
        state.bind(tmp_path, "b", cloud, manifest_sha256="m1")
    (tmp_path / state.STATE_FILE).write_text("{}")
    with pytest.raises(StateError, match="no bundle is named here"):
        state.bundle_uuid(tmp_path)


def test_a_directory_that_cannot_be_made_is_a_local_error(
    tmp_path: Path, cloud: TargetCloud
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match="cannot write"):
        state.bind(tmp_path / "file", "b", cloud, manifest_sha256="m1")


def test_one_import_at_a_time(tmp_path: Path) -> None:
    with (
        state.locked(tmp_path),
        pytest.raises(StateError, match="another import is running"),
        state.locked(tmp_path),
    ):
        pass
    with state.locked(tmp_path):
        pass


def test_an_error_inside_the_lock_is_not_renamed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), state.locked(tmp_path):
        raise ZeroDivisionError
    with pytest.raises(OSError, match="disk full"), state.locked(tmp_path):
        raise OSError("disk full")


@pytest.mark.parametrize("text", ["[]", "7", '"x"', "null"])
def test_json_of_another_shape_is_damage(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(StateError, match="damaged"):
        state.bundle_uuid(tmp_path)


@pytest.mark.parametrize("text", ["7", "[7]", '[{"type": "network"}]'])
def test_targets_of_another_shape_are_damage(tmp_path: Path, text: str) -> None:
    (tmp_path / "targets.json").write_text(text)
    with pytest.raises(StateError, match="damaged"):
        state.load_targets(tmp_path)


def test_an_empty_directory_is_nobodys(tmp_path: Path, cloud: TargetCloud) -> None:
    assert not state.is_bound(tmp_path)
    state.bind(tmp_path, "b", cloud, manifest_sha256="m1")
    assert state.is_bound(tmp_path)
