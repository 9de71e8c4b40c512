"""Steps of the playbook by their tags."""

from __future__ import annotations

import pytest

from bundle_spec.errors import UsageError
from bundle_spec.model.resources import RESOURCE_TYPES
from downpour_import.run import steps
from downpour_import.usage import IMPORT


def test_every_type_is_finished_by_steps_that_there_are() -> None:
    assert all(steps.finishes(steps.all_tags(), kind) for kind in RESOURCE_TYPES)
    assert all(steps.finishes((), kind) for kind in RESOURCE_TYPES)
    for tag in steps.all_tags():
        assert any(not steps.finishes([tag], kind) for kind in RESOURCE_TYPES)


def test_a_subnet_is_finished_with_the_ports() -> None:
    assert not steps.finishes(["subnets"], "subnet")
    assert not steps.finishes(["ports"], "subnet")
    assert steps.finishes(["subnets", "ports"], "subnet")
    assert steps.finishes(["networks"], "network")
    assert not steps.finishes(["networks"], "server")


def test_tags_are_told_from_what_is_none() -> None:
    assert steps.parse("networks, subnets,networks") == ("networks", "subnets")
    with pytest.raises(UsageError, match=r"no step 'network'.*did you mean networks"):
        steps.parse("network")
    with pytest.raises(UsageError, match=r"no step '.*it has keypairs, security_groups"):
        steps.parse("")
    with pytest.raises(UsageError, match="no step 'always'"):
        steps.parse("always")


def test_help_names_every_step() -> None:
    text = " ".join(IMPORT.split())
    assert ", ".join(steps.all_tags()) in text
