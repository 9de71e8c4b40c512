"""mapping.yml, and the proposal of one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle_spec.errors import DownpourError, LocalError
from bundle_spec.form.places import Places
from bundle_spec.model.playbook import MappingRules
from downpour_import.errors import MappingError, MappingFaults
from downpour_import.playbook.settings import load_settings
from downpour_import.preflight import mapping
from tests.unit.export.test_playbook import NAMES


def load(tmp_path: Path, text: str) -> MappingRules:
    path = tmp_path / "mapping.yml"
    path.write_text(text, "utf-8")
    return mapping.load(path)


def test_sections_are_read_and_missing_ones_are_empty(tmp_path: Path) -> None:
    rules = load(
        tmp_path, "flavors: {m1: general}\nvolume_types: {fast: null, slow: drop}\nimages:\n"
    )
    assert rules == MappingRules(
        flavors={"m1": "general"}, volume_types={"fast": None, "slow": None}
    )
    assert load(tmp_path, "# nothing\n") == MappingRules()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flavours: {}\nnets: {}\n", ":1:1: unknown section 'flavours' (did you mean flavors?)"),
        ("flavours: {}\nnets: {}\n", ":2:1: unknown section 'nets' (did you mean subnets?)"),
        ("flavours: {}\nimages: [a]\n", ":2:9: images must be rules"),
        ("flavors: [a]\n", ":1:10: flavors must be rules"),
        ("- flavors\n", ":1:1: expected sections: flavors, networks"),
        ("flavors: {m1: 7}\n", ":1:15: flavors: 'm1' must be mapped to a string, not 7 (quote it)"),
        (
            "volume_types:\n  ssd: [fast]\nimages: {i: true}\n",
            ":2:8: volume_types: 'ssd' must be mapped to a string, not [\"fast\"] (one name or ID)",
        ),
        (
            "volume_types:\n  ssd: [fast]\nimages: {i: true}\n",
            ":3:13: images: 'i' must be mapped to a string, not true (quote it)",
        ),
        ("networks: {7: net}\n", ":1:12: the key 7 is not a string (quote it)"),
        ("networks: {true: net}\n", ":1:12: the key true is not a string (quote it)"),
        ("networks:\n  a: b\n  c: d\n  a: e\n", ":4:3: the key 'a' stands here twice"),
        ("images:\nflavors:\nimages:\n", ":3:1: the key 'images' stands here twice"),
        ("nets: {}\nimages:\nimages:\n", ":1:1: unknown section 'nets' (did you mean subnets?)"),
        ("nets: {}\nimages:\nimages:\n", ":3:1: the key 'images' stands here twice"),
        ("flavors:\n  m1.tiny: drop\n", ":2:12: flavors: 'm1.tiny' cannot be mapped to drop"),
        ("images: {i: null}\n", ":1:13: images: 'i' cannot be mapped to drop"),
        (
            "hostnames: {x: drop}\n",
            ":1:16: hostnames: 'x' cannot be mapped to drop (leave the rule out, and the target's "
            "own rules make one)",
        ),
        ("fixed_ips: maybe\n", ":1:12: fixed_ips must be keep or drop"),
        ("flavors: {\n", ":2:1: not YAML: "),
        ("flavors: {a: !tag b}\n", ":1:14: the tag !tag is not read (leave it out)"),
        ("flavors: {a: &x b}\n", ":1:14: an anchor (&) is not read (leave it out)"),
        ("flavors: {a: *x }\n", ":1:14: an alias (*) is not read (write the value itself)"),
        ("flavors: {<<: {a: b}}\n", ":1:11: a merge key (<<) is not read (write its keys here)"),
        ("flavors: {a: \x07}\n", ":1:14: not YAML: the control character U+0007"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        load(tmp_path, text)
    lines = str(caught.value).splitlines()
    assert any(f"mapping.yml{message}" in line for line in lines)
    assert len(lines) == 1 or lines[0] == "the mapping has mistakes"


def test_one_mistake_at_one_place_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(MappingFaults) as caught:
        load(tmp_path, "flavors: {a: *x , b: 7}\n")
    assert [str(fault).partition("yml:1:")[2] for fault in caught.value.faults] == [
        "14: an alias (*) is not read (write the value itself)",
        "22: flavors: 'b' must be mapped to a string, not 7 (quote it)",
    ]


def test_words_that_are_no_strings_to_other_readers_are_names(tmp_path: Path) -> None:
    rules = load(tmp_path, "flavors: {m1: 2024-01-01, yes: no, 1.5: 0x10, 1:30: 1e3}\n")
    assert rules.flavors == {"m1": "2024-01-01", "yes": "no", "1.5": "0x10", "1:30": "1e3"}


def test_an_unknown_section_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="the sections are flavors, networks, subnets, images"):
        load(tmp_path, "x: {}\n")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="No such file"):
        mapping.load(tmp_path / "none.yml")
    (tmp_path / "latin").write_bytes(b"flavors: {\xe9: a}")
    with pytest.raises(MappingError, match="not UTF-8 at byte 10"):
        mapping.load(tmp_path / "latin")


def test_of_two_mappings_the_second_wins_name_by_name() -> None:
    merged = mapping.merge(
        MappingRules(flavors={"a": "1", "b": "1"}, networks={"n": "x"}),
        MappingRules(flavors={"b": None, "c": "2"}, images={"i": "y"}),
    )
    assert merged == MappingRules(
        flavors={"a": "1", "b": None, "c": "2"}, networks={"n": "x"}, images={"i": "y"}
    )


def test_an_id_has_a_rule_before_a_name() -> None:
    rules = {"the name": "by name", "id": None}
    assert mapping.rule(rules, ("id", "the name")) == (True, None)
    assert mapping.rule(rules, ("other", "the name")) == (True, "by name")
    assert mapping.rule(rules, ("other", "none")) == (False, None)


def check_proposal(name: str, tmp_path: Path) -> None:
    sections = {
        "networks": {name: (name or "x", "why"), "b": (mapping.FILL_IN, "nothing comes near")},
        "flavors": {"m1": ("general", '8 "vCPU"\nand # more')},
    }
    given = MappingRules(networks={"given": "kept"}, keypairs={name: None})
    assert load(tmp_path, mapping.proposal(sections, given)) == MappingRules(
        networks={"given": "kept", name: name or "x", "b": "FILL-IN"},
        flavors={"m1": "general"},
        keypairs={name: None},
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_proposal_is_a_mapping_whatever_names_hold(name: str, tmp_path: Path) -> None:
    check_proposal(name, tmp_path)


@settings(max_examples=60, deadline=None)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=255))
def test_a_proposal_is_a_mapping_for_any_name(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_proposal(name, tmp_path_factory.mktemp("proposal"))


def test_a_proposal_says_why_beside_each_line() -> None:
    text = mapping.proposal({"flavors": {"m1.small": ("general.2", "2 vCPU")}}, MappingRules())
    assert "  m1.small: general.2  # 2 vCPU\n" in text
    assert "drop means: do without" in text


def test_no_comment_of_a_proposal_is_wider_than_a_terminal() -> None:
    comment = "the only subnet of that network; " * 5
    rules = {"a" * 30: ("b" * 30, "why"), "c": ("d", comment), "e": ("f", "")}
    text = mapping.proposal({"subnets": rules}, MappingRules())
    assert max(map(len, text.splitlines())) <= 80
    assert yaml.safe_load(text) == {"subnets": {"a" * 30: "b" * 30, "c": "d", "e": "f"}}
    assert " ".join(comment.split()) in " ".join(text.replace("  # ", " ").split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "expected"),
        ("text\n", "expected"),
        ("clowd: x\n", "clowd"),
        ("cloud: 7\n", "expected a string"),
        ("mapping: {nets: {}}\n", "settings.yml:1:11: unknown section 'nets'"),
        ("cloud: {\n", "settings.yml:2:1: not YAML"),
        ("cloud: a\ncloud: b\n", "settings.yml:2:1: the key 'cloud' stands here twice"),
    ],
)
def test_settings_that_cannot_be_used_are_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "settings.yml"
    path.write_text(text)
    with pytest.raises(DownpourError) as caught:
        load_settings(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("id-1", "web"), (True, "by id")),
        (("id-2", "web"), (True, "by name")),
        (("id-3", "web-3"), (True, "by glob")),
        (("id-4", "db"), (True, "default")),
        (("id-5", "[x]"), (True, "literal")),
    ],
)
def test_an_id_beats_a_name_and_that_a_glob_and_the_first_glob_counts(
    names: tuple[str, str], found: tuple[bool, str]
) -> None:
    rules = {
        "web-*": "by glob",
        "id-1": "by id",
        "web": "by name",
        "[x]": "literal",
        "*": "default",
        "d?": "too late",
    }
    assert mapping.rule(rules, names) == found


def test_without_a_rule_that_fits_there_is_none() -> None:
    assert mapping.rule({"web-*": "x"}, ("id", "WEB-1")) == (False, None)


def test_drop_of_fixed_ips_is_kept_by_a_proposal_and_by_a_merge() -> None:
    rules = mapping.decode({"fixed_ips": "drop"}, Places("m.yml"))
    assert yaml.safe_load(mapping.proposal({}, rules)) == {"fixed_ips": "drop"}
    assert mapping.merge(rules, MappingRules()).fixed_ips == "drop"
    with pytest.raises(MappingFaults):
        mapping.decode({"fixed_ips": "maybe"}, Places("m.yml"))
