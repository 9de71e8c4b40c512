"""Versions of the playbook: what was written into bundles once is known for ever."""

from __future__ import annotations

import hashlib

import pytest
import yaml

from bundle_spec.playbook import (
    DATA_FILES,
    VERSION,
    VERSIONS,
    differing,
    renewed,
    static_files,
    version_of,
)

WRITTEN = {
    1: "94097f03dcf4eb3f46d84600bd28d1c65de710b72e61007ecc299867dac4f7cb",
    2: "7f54ee1b6f0e5a94de9e6151db2623703301eb84a6011ddd06844c22ead51b8f",
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


@pytest.mark.parametrize("version", VERSIONS)
def test_a_playbook_of_a_version_is_told_by_its_files_whatever_its_data_is(version: int) -> None:
    playbook = {**static_files(version), "resources.yml": b"r", "settings.yml": b"s"}
    assert version_of(playbook) == version
    assert differing(playbook, version) == []
    assert renewed(playbook) == {**static_files(), "resources.yml": b"r", "settings.yml": b"s"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_playbook_that_was_changed_is_compared_with_what_it_is_most_like(version: int) -> None:
    changed = {**static_files(version), "tasks/ports.yml": b"- evil\n", "library/x.py": b"x"}
    assert version_of(changed) == version
    assert differing(changed, version) == ["library/x.py", "tasks/ports.yml"]
    assert renewed(changed) == changed


def test_the_last_task_tells_what_was_not_made_whatever_the_tags() -> None:
    site = yaml.safe_load(static_files()["site.yml"])
    last = site[-1]["tasks"][-1]
    assert (last["ansible.builtin.import_tasks"], last["tags"]) == ("tasks/outcome.yml", ["always"])
    (task,) = yaml.safe_load(static_files()["tasks/preflight.yml"])
    assert task["downpour.bundle.preflight"] == {"isolate": True}


def test_data_is_no_code() -> None:
    assert set(DATA_FILES) & set(static_files()) == {"settings.yml"}
