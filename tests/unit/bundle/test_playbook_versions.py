"""Versions of the playbook: what was written into bundles once is known for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pytest
import yaml

from bundle_spec.playbook import (
    DATA_FILES,
    VERSION,
    VERSIONS,
    differing,
    static_files,
    version_of,
)

WRITTEN = {
    1: "94097f03dcf4eb3f46d84600bd28d1c65de710b72e61007ecc299867dac4f7cb",
    2: "2d9a1461a1e6c5442ec6c631d660a3c5788f5e0a50f72b0fe9b5541a180eed60",
}
"""SHA-256 over the names and bytes of all files of a version, in order."""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_that_was_written_never_changes(version: int) -> None:
    digest = hashlib.sha256()
    for name, data in sorted(static_files(version).items()):
        digest.update(f"{name} {len(data)}\n".encode() + data)
    assert digest.hexdigest() == WRITTEN[version]


def test_the_newest_is_written() -> None:
    assert max(VERSIONS) == VERSION
    assert static_files() == static_files(VERSION)


class Lying(bytes):
    """The bytes of a file of a playbook that lies somewhere."""

    def equals(self, shipped: bytes, /) -> bool:
        return self == shipped


def lying(files: Mapping[str, bytes]) -> dict[str, Lying]:
    return {name: Lying(data) for name, data in files.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_playbook_of_a_version_is_told_by_its_files_whatever_its_data_is(version: int) -> None:
    playbook = lying({**static_files(version), "resources.yml": b"r", "settings.yml": b"s"})
    assert version_of(playbook) == version
    assert differing(playbook, version) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_playbook_that_was_changed_is_compared_with_what_it_is_most_like(version: int) -> None:
    edited = {"tasks/ports.yml": b"- evil\n", "library/x.py": b"x"}
    changed = lying({**static_files(version), **edited})
    assert version_of(changed) == version
    assert differing(changed, version) == ["library/x.py", "tasks/ports.yml"]


def test_the_last_task_tells_what_was_not_made_whatever_the_tags() -> None:
    site = yaml.safe_load(static_files()["site.yml"])
    last = site[-1]["tasks"][-1]
    assert (last["ansible.builtin.import_tasks"], last["tags"]) == ("tasks/outcome.yml", ["always"])
    (task,) = yaml.safe_load(static_files()["tasks/preflight.yml"])
    assert task["downpour.bundle.preflight"] == {"isolate": True}


def test_data_is_no_code() -> None:
    assert set(DATA_FILES) & set(static_files()) == {"settings.yml"}
