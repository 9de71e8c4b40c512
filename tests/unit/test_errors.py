"""The error tree and its documented exit codes."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bundle_spec
import downpour_cloud
import downpour_export
import downpour_import
from bundle_spec.errors import (
    INTERRUPTED_EXIT_CODE,
    UNREAD_EXIT_CODE,
    BundleFaults,
    DownpourError,
    LocalError,
)

TABLE = Path(__file__).parents[2] / "docs" / "reference" / "exit-codes.md"


PACKAGES = (bundle_spec, downpour_cloud, downpour_export, downpour_import)


def tree(root: type[DownpourError] = DownpourError) -> Iterator[type[DownpourError]]:
    if root.__module__.partition(".")[0] in {each.__name__ for each in PACKAGES}:
        yield root
    for child in root.__subclasses__():
        yield from tree(child)


@pytest.fixture(scope="module", autouse=True)
def _every_module_is_loaded() -> None:
    """Some errors are defined where they are raised."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".collection." not in module.name:
                importlib.import_module(module.name)


def rows() -> list[list[str]]:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_documented_codes_are_those_of_the_classes() -> None:
    documented = [int(row[0]) for row in rows()]
    assert documented == sorted(set(documented))
    others = {0, INTERRUPTED_EXIT_CODE, UNREAD_EXIT_CODE}
    assert set(documented) == {each.exit_code for each in tree()} | others


def test_every_class_is_documented_beside_its_code() -> None:
    documented = {name: int(row[0]) for row in rows() for name in re.findall(r"`(\w+)`", row[2])}
    assert documented == {each.__name__: each.exit_code for each in tree()}


def test_every_code_but_success_says_what_to_do() -> None:
    assert all(row[1] and row[3] for row in rows()[1:])
    assert all(len(row) == 4 for row in rows())


def test_an_error_says_where_what_and_what_to_do() -> None:
    assert str(LocalError("gone", where="a.yml:1:2", remedy="look")) == "a.yml:1:2: gone (look)"
    assert str(LocalError("gone")) == "gone"


def test_several_faults_are_all_told() -> None:
    faults = BundleFaults("damaged", [LocalError("one"), LocalError("two")], remedy="copy it")
    assert str(faults) == "damaged (copy it)\n  one\n  two"
    assert (faults.exit_code, len(faults.faults)) == (4, 2)
