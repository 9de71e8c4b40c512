"""An import of one resource of each type, to be killed, repeated, or taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.importer.every_type import Import, write_bundle


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle."""
    return write_bundle(tmp_path_factory.mktemp("everything") / "b.dpbundle")


@pytest.fixture
def work(everything: Path, tmp_path: Path) -> Import:
    return Import(everything, tmp_path)
