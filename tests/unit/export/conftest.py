"""Fixtures of the tests that capture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bundle_spec import BundleWriter
from downpour_cloud import session
from downpour_export.capture import download, lost
from downpour_export.capture.cancel import Polling
from tests.unit.export.capture_source import Source


@pytest.fixture
def fake() -> Source:
    return Source()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[BundleWriter]:
    with BundleWriter(tmp_path / "out.dpbundle") as writer:
        yield writer


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Polling, "FIRST", 0.001)
    monkeypatch.setattr(Polling, "LONGEST", 0.001)
    monkeypatch.setattr(download, "PAUSE", 0)
    monkeypatch.setattr(lost, "LATE_SECONDS", 0.05)
    monkeypatch.setattr(session, "LONGEST_PAUSE", 0)
