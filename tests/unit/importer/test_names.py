"""Tenant text in a table that people open with a spreadsheet."""

from __future__ import annotations

import pytest

from bundle_spec.model import Keypair, Network, Server, VolumeSnapshot
from downpour_import.preflight import formulas, namesakes
from downpour_import.preflight.survey import Survey


def named(*names: str) -> list[Network]:
    return [Network(id=str(number), name=name) for number, name in enumerate(names)]


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", "\tx"])
def test_what_begins_like_a_formula_is_told(name: str) -> None:
    (line,) = formulas(named("web", name, "a=b", ""))
    assert line.startswith(f"a spreadsheet would take 1 text in uuids.csv for formulas: {name!r};")


@pytest.mark.parametrize("start", ["=", "-", "\n", "\uff1d"])
def test_an_old_id_that_begins_like_a_formula_is_told_too(start: str) -> None:
    (line,) = formulas([Keypair(id=f"{start}x", name=f"{start}x", public_key="ssh-rsa A")])
    assert f"take 1 text in uuids.csv for formulas: {start + 'x'!r};" in line
    (line,) = formulas([Network(id=f"{start}x", name="web")])
    assert repr(f"{start}x") in line


def test_of_many_only_some_are_shown() -> None:
    (line,) = formulas(named(*[f"={number}" for number in range(9)]))
    assert "take 9 texts" in line
    assert "'=4' and 4 more" in line
    assert "'=5'" not in line


def test_usual_names_are_nothing_to_tell() -> None:
    assert list(formulas(named("web", "", "{{ x }}", "naïve", "a-b"))) == []


def test_what_is_called_like_something_that_stands_is_one_line_for_each_type() -> None:
    servers = [Server(id=str(n), name=f"web-{n}", flavor="m1") for n in range(9)]
    snapshot = VolumeSnapshot(id="s", name="data", size=1, volume_id="v")
    networks = (
        {"id": "T", "name": "net", "project_id": "them"},  # not ours: nothing to mix up
        {"id": "U", "name": "lan", "project_id": "us"},
    )
    target = Survey(
        project_id="us",
        servers={str(n): f"web-{n}" for n in range(9)} | {"x": ""},
        volumes={"V": "data", "W": ""},
        networks=networks,
    )
    wanted = [*servers, snapshot, *named("net", "lan", "")]
    lines = list(namesakes(wanted, target, {"0", "1"}))
    assert [line.split(" of these")[0] for line in lines] == ["servers", "volumes", "networks"]
    shown = [line.partition("them: ")[2] for line in lines]
    assert shown[0].startswith("'web-2', 'web-3', 'web-4', 'web-5', 'web-6' and 2 more;")
    assert shown[1].startswith("'data';")
    assert shown[2].startswith("'lan';")
