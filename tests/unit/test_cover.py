"""The figures of coverage on CONTRIBUTING.md are floors, and no package goes without one."""

from __future__ import annotations

import pytest

from tests import cover
from tests.house import PACKAGES


def test_the_page_has_a_figure_for_every_package() -> None:
    assert cover.claimed(cover.PAGE.read_text()).keys() == set(PACKAGES)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"a": 90.0}, ""),
        ({"a": 89.96}, "a has 89.96 %, and CONTRIBUTING.md says 90 %"),
        ({"a": 95.0, "b": 12.34}, "b has 12.3 %, and CONTRIBUTING.md does not say so"),
        ({}, "CONTRIBUTING.md has a figure for a, which is not there"),
    ],
)
def test_a_figure_that_is_not_true_is_told(found: dict[str, float], said: str) -> None:
    claims = cover.claimed("| package | at least |\n|---|---|\n| `a` | 90 % |\n")
    assert "".join(cover.faults(claims, found)) == said
