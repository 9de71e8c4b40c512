"""Imports to be killed, repeated, refused, or taken back: of one resource of each type, and of a
project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from downpour_import.recreate import patience
from tests.unit.importer.every_type import Import, write_bundle
from tests.unit.importer.project import DISKS, EXTENSION, forwardings, project
from tests.unit.importer.test_whole_import import Far
from tests.unit.importer.test_whole_import import write_bundle as whole_bundle


class Clock:
    """``time``'s, for what waits for the target: no pause takes time.  ``slept``: the pauses."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def monotonic(self) -> float:
        return sum(self.slept)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(patience, "sleep", clock.sleep)
    monkeypatch.setattr(patience, "monotonic", clock.monotonic)
    return clock


@pytest.fixture
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """For some hundred imports: what a power cut leaves is not their subject."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle."""
    return write_bundle(tmp_path_factory.mktemp("everything") / "b.dpbundle")


@pytest.fixture
def work(everything: Path, tmp_path: Path) -> Import:
    return Import(everything, tmp_path)


@pytest.fixture(scope="session")
def project_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of all types with what they need."""
    path = tmp_path_factory.mktemp("project") / "b.dpbundle"
    return whole_bundle(path, resources=project, disks=DISKS)


@pytest.fixture
def far(project_bundle: Path, tmp_path: Path) -> Far:
    """Where it is imported."""
    far = Far(tmp_path, project_bundle, (EXTENSION,))
    forwardings(far.cloud)
    return far
