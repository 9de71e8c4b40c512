"""Every module can be imported, alone and under the Python that runs this."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from tests.house import PACKAGES

MODULES = [
    module.name
    for package in PACKAGES
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
]


def test_there_is_something_to_import() -> None:
    assert "downpour_import.recreate.server" in MODULES


@pytest.mark.parametrize("name", MODULES)
def test_it_can_be_imported(name: str) -> None:
    importlib.import_module(name)
