"""The resource file: what it may say, and how its mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle_spec.errors import LocalError
from downpour_export.errors import ResourceFileFaults
from downpour_export.resource_file import in_order, load, parse, read

PATH = Path("export.yml")
OTHERS = ("networks", "routers", "security_groups", "floating_ips", "server_groups")


def faults(text: str) -> list[str]:
    with pytest.raises(ResourceFileFaults) as caught:
        parse(text, PATH)
    return [str(each) for each in caught.value.faults]


def test_every_key_of_every_section_arrives() -> None:
    found = parse(
        "keypairs:\n  - name: k\n"
        "images:\n  - id: 1a\n"
        "volumes:\n  - {name: v, save_state: false, snapshots: true}\n"
        "servers:\n  - {name: s, save_state: true, key_name: k2, stop: keep, boot: volume}\n"
        "  - {name: t, stop: true, snapshots: true}\n"
        + "".join(f"{section}: [{{name: {section}}}]\n" for section in OTHERS),
        PATH,
    )
    assert [each.name for each in found.keypairs] == ["k"]
    assert [(each.id, each.name, each.wanted) for each in found.images] == [("1a", None, "1a")]
    assert (found.volumes[0].save_state, found.volumes[0].snapshots) == (False, True)
    assert (found.servers[0].save_state, found.servers[0].key_name) == (True, "k2")
    assert found.servers[0].where == "export.yml:8:5"
    assert [(each.stop, each.boot) for each in found.servers] == [
        ("keep", "volume"),
        ("during", None),
    ]
    assert [getattr(found, section)[0].name for section in OTHERS] == list(OTHERS)


def test_three_mistakes_are_three_errors_each_with_its_place_and_a_suggestion() -> None:
    assert faults(
        "serverz:\n  - name: a\nvolumes:\n  - {name: b, savestate: false}\n  - name: 7\n"
    ) == [
        "export.yml:1:1: unknown section 'serverz' (did you mean servers?)",
        "export.yml:4:15: unknown key 'savestate' (did you mean save_state?)",
        "export.yml:5:11: name must be a string (quote it)",
    ]


def test_an_unknown_key_that_resembles_none_is_answered_with_the_known_ones() -> None:
    assert faults("zzz: []\nkeypairs:\n  - {name: k, save_state: false}\n") == [
        "export.yml:1:1: unknown section 'zzz' (known: keypairs, images, volumes, servers, "
        "networks, routers, security_groups, floating_ips, server_groups, address_groups, trunks, "
        "ports, volume_snapshots)",
        "export.yml:3:15: unknown key 'save_state' (known: name, id)",
    ]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("{name: true}", "name must be a string (quote it)"),
        ("{name: null}", "name is empty (it takes a string; null in quotes is one)"),
        ("id:", "id is empty (it takes a string; null in quotes is one)"),
        ("{name: a, save_state: }", "save_state is empty (it takes true or false)"),
        ("{name: [a]}", "name must be a string (quote it)"),
        ("{name: a, save_state: no}", "save_state must be true or false (write false)"),
        ("{name: a, stop: Yes}", "keep (for good) (write true)"),
        ("{name: 1e3, save_state: 1}", "save_state must be true or false"),
        ("{name: a, key_name: 1}", "key_name must be a string (quote it)"),
        ("{name: a, id: b}", "an item of servers needs a name or an id, and only one of them"),
        ("{save_state: false}", "an item of servers needs a name or an id, and only one of them"),
        ("web", "an item says by what it is found (write name: web)"),
        ("[web]", "expected a mapping with name, id, save_state"),
        ("{name: a, stop: 1}", "stop must be true (while"),
        ("{name: a, stop: 'true'}", "stop must be true (while"),
        ("{name: a, boot: disk}", "boot must be image or volume"),
        ("{name: a, user_data: [x]}", "user_data must be the name of a file"),
        ("{name: a, user_data: missing.sh}", "cannot read missing.sh: No such file or directory"),
        ('{name: a, user_data: "x\\0"}', "cannot read x"),
        ("{name: a, name: b}", "the key 'name' stands here twice"),
        ("{? [a] : b, name: a}", "the key […] is not a string"),
        ("{<<: {id: b}, name: a}", "2:6: a merge key (<<) is not read (write its keys here)"),
        ("{name: 12345678901234567890}", "2:12: the number 12345678901234567890 is out of range"),
    ],
)
def test_a_wrong_item_is_told(item: str, message: str) -> None:
    (fault,) = faults(f"servers:\n  - {item}\n")
    assert message in fault
    assert fault.count("true or false") <= 1


@pytest.mark.parametrize(
    "scalar", ["!!int abc", "!color red", "!!python/object:os.system x", "&a b", "*a"]
)
def test_what_is_more_than_json_is_a_mistake_like_any_other(scalar: str) -> None:
    fault, other = faults(f"servers:\n  - name: {scalar}\n  - nme: b\n")
    assert fault.startswith("export.yml:2:11: ")
    assert fault.count("is not read") == 1
    assert other.startswith("export.yml:3:5: unknown key")


def test_words_that_are_no_strings_to_other_readers_are_names() -> None:
    names = "yes Off 2024-01-01 2024-13-45 1:30 0815 0x10 0o7 0b_ 1.5 1e3 +5 1_000 .inf =".split()
    text = "servers:\n" + "".join(f"  - name: {name}\n" for name in names)
    assert [each.name for each in parse(text, PATH).servers] == names


def test_the_same_item_twice_names_the_first() -> None:
    assert faults("servers:\n  - name: a\n  - id: a\n  - name: a\n") == [
        "export.yml:4:5: 'a' stands here twice, first at export.yml:2:5"
    ]


def test_a_section_twice_is_told() -> None:
    assert faults("servers: []\nservers: []\n") == [
        "export.yml:2:1: the key 'servers' stands here twice"
    ]


def test_a_section_that_is_no_list_is_told_and_an_empty_one_is_not() -> None:
    assert faults("servers: {name: a}\nvolumes:\n") == [
        "export.yml:1:10: servers must be a list of items, each with a name"
    ]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_an_empty_file_asks_for_a_resource(text: str) -> None:
    (fault,) = faults(text)
    assert "name at least one resource" in fault


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("servers:\n\t- name: a\n", "export.yml:2:1"),
        ("servers: [\n", "export.yml:2:1"),
        ("servers: []\n---\nservers: []\n", "export.yml:2:1"),
        ("a: \x07", "export.yml:1:4"),
    ],
)
def test_what_is_not_yaml_is_told_with_its_place(text: str, where: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(f"{where}: not YAML: ")


def test_names_are_taken_as_they_stand() -> None:
    names = ["ネット", "a # b", "{{ 7*7 }}", " led", "x" * 255, ""]
    text = "servers:\n" + "".join(f"  - name: '{name}'\n" for name in names)
    assert [each.name for each in parse(text, PATH).servers] == names


def test_a_file_that_cannot_be_read_is_a_local_error(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot read the resource file: No such file"):
        load(tmp_path / "missing.yml")


def test_a_file_that_is_not_utf_8_is_a_mistake_in_it(tmp_path: Path) -> None:
    path = tmp_path / "latin.yml"
    path.write_bytes("servers:\n  - name: é\n".encode("latin-1"))
    with pytest.raises(ResourceFileFaults, match="not UTF-8 at byte 19"):
        load(path)


def test_user_data_is_read_from_beside_the_resource_file(tmp_path: Path) -> None:
    (tmp_path / "init.sh").write_bytes(b"#!/bin/sh\n\xff")
    path = tmp_path / "export.yml"
    path.write_text("servers:\n  - {name: a, user_data: init.sh}\n")
    assert load(path).servers[0].user_data == b"#!/bin/sh\n\xff"


@pytest.mark.parametrize(("size", "fits"), [(49149, True), (49152, False)])
def test_user_data_is_no_more_than_nova_takes(tmp_path: Path, size: int, fits: bool) -> None:
    (tmp_path / "big").write_bytes(bytes(size))
    path = tmp_path / "export.yml"
    path.write_text("servers:\n  - {name: a, user_data: big}\n")
    if fits:
        assert load(path).servers[0].user_data == bytes(size)
        return
    with pytest.raises(ResourceFileFaults, match=f"2:26: .*has {size} bytes"):
        load(path)


def test_mistakes_are_told_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = "servers:\n  - nme: a\n  - name: [b]\nvolumes: 7\nimages:\n  - name: c\n    nope: 1\n"
    with pytest.raises(ResourceFileFaults) as caught:
        parse(text, tmp_path / "export.yml")
    lines = [int(str(fault.where).split(":")[1]) for fault in caught.value.faults]
    assert len(lines) > 3
    assert lines == sorted(lines)


def test_an_item_with_mistakes_is_still_known_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "export.yml"
    path.write_text(
        "volumes:\n  - {name: v, save_stat: false}\n  - {name: v, nonsense: 1}\n"
        "servers:\n  - {id: s, stop: maybe}\n  - {name: w, id: 7}\n  - {key_name: 7}\n"
    )
    found, told = read(path)
    assert [(each.name, each.save_state) for each in found.volumes] == [("v", True)]
    assert [(each.id, each.name) for each in found.servers] == [("s", None), (None, "w")]
    messages = [str(each).removeprefix(f"{path}:") for each in in_order(told)]
    assert [each.partition(":")[0] for each in messages] == ["2", "3", "3", "5", "6", "7"]
    assert "'v' stands here twice" in messages[1]
