"""Every numbered rule of SPEC.md has a test that cites it, or a vector that breaks it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bundle_spec
import tests
from tests.vectors import table

SPEC = (Path(bundle_spec.__file__).parent / "SPEC.md").read_text()
RULES = re.findall(r"^\*\*\[([FMS]-\d+)\]", SPEC, re.M)
CITED = {
    rule
    for place in Path(tests.__file__).parent.rglob("test_*.py")
    for rule in re.findall(r"\[([FMS]-\d+)\]", place.read_text())
}
BROKEN = {row.rule for row in table.invalid()}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_a_test(rule: str) -> None:
    assert rule in CITED | BROKEN, f"cite it where it is tested: [{rule}]"
