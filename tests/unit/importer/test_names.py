"""Tenant text in a table that people open with a spreadsheet."""

from __future__ import annotations

import pytest

from bundle_spec.model import Network
from downpour_import.preflight import formulas


def named(*names: str) -> list[Network]:
    return [Network(id=str(number), name=name) for number, name in enumerate(names)]


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", "\tx"])
def test_what_begins_like_a_formula_is_told(name: str) -> None:
    (line,) = formulas(named("web", name, "a=b", ""))
    assert line.startswith(f"a spreadsheet would take 1 names in uuids.csv for formulas: {name!r};")


def test_of_many_only_some_are_shown() -> None:
    (line,) = formulas(named(*[f"={number}" for number in range(9)]))
    assert "take 9 names" in line
    assert "'=4' …" in line
    assert "'=5'" not in line


def test_usual_names_are_nothing_to_tell() -> None:
    assert list(formulas(named("web", "", "{{ x }}", "naïve", "a-b"))) == []
