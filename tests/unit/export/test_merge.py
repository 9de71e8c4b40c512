"""Adding items to a resource file leaves the person's own text as it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundle_spec.errors import LocalError, ResourceFileFaults
from bundle_spec.model import Keypair, Server, Volume
from downpour_export import merge
from downpour_export.query import Match
from downpour_export.resource_file import ResourceFile, parse

PATH = Path("export.yml")


def web(name: str = "web", identity: str = "id-web", by_name: bool = True) -> Match:
    return Match("servers", Server(id=identity, name=name, flavor="f"), by_name)


DATA = Match("volumes", Volume(id="id-data", name="data", size=1), True)
KEY = Match("keypairs", Keypair(id="key", name="key", public_key=""), True)


def add(text: str, *found: Match, save_state: bool = True) -> str:
    there = parse(text, PATH) if text else ResourceFile(path=PATH)
    return merge.merged(text, there, found, save_state=save_state)[0]


def test_a_new_file_is_as_the_documentation_writes_it() -> None:
    assert add("", KEY, DATA, web()) == (
        "keypairs:\n  - name: key\nvolumes:\n  - name: data\nservers:\n  - name: web\n"
    )


def test_comments_order_and_settings_stay() -> None:
    text = (
        "# Saturday night\n"
        "\n"
        "servers:\n"
        "  # first the database\n"
        '  - name: "db"  # the old one\n'
        "    save_state: no\n"
        "\n"
        "  - {id: 0815, key_name: 'ops'}\n"
        "volumes: []\n"
        "# the end\n"
    ).replace("0815", "'0815'")
    merged = add(text, web(), DATA)
    added = ["  - name: web\n", "  - name: data\n"]
    for line in added:
        assert line in merged
    kept = [line for line in merged.splitlines() if f"{line}\n" not in added]
    assert kept == text.replace("volumes: []", "volumes:").splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "servers:\n- name: db\n",
        "servers:\n  - name: db\n",
        "servers:\n    - name: db\n",
        "servers:\n  -   name: db\n      save_state: false\n",
        "servers:\n  -\n    name: db\n",
        "servers: [{name: db}]\n",
        "{servers: [{name: db}]}\n",
        "servers:\n  - name: db",
        "---\nservers:\n  - name: db\n...\n",
        "servers:\n  - &a\n    name: db\nvolumes:\n  - *a\n",
    ],
)
def test_however_the_file_is_laid_out_the_items_are_the_old_ones_and_the_new(text: str) -> None:
    merged = parse(add(text, web(), KEY), PATH)
    assert [each.name for each in merged.servers] == ["db", "web"]
    assert [each.name for each in merged.keypairs] == ["key"]


@pytest.mark.parametrize("there", ["{name: web}", "{id: id-web}", "{name: web, save_state: no}"])
def test_what_is_there_by_name_or_id_is_not_added(there: str) -> None:
    text = f"servers:\n  - {there}   # mine\n"
    assert add(text, web()) == text


def test_an_ambiguous_name_is_written_with_its_id_and_what_it_is_called() -> None:
    assert add("", web("a # {{b}}\nc", by_name=False)) == (
        "servers:\n  - id: id-web  # a # {{b}}\\nc\n"
    )


def test_an_ambiguous_one_is_there_only_by_its_id() -> None:
    text = "servers:\n  - name: web\n"
    assert "id: id-web" in add(text, web(by_name=False))


def test_contents_can_be_left_out() -> None:
    assert add("", KEY, DATA, web(), save_state=False) == (
        "keypairs:\n  - name: key\n"
        "volumes:\n  - name: data\n    save_state: false\n"
        "servers:\n  - name: web\n    save_state: false\n"
    )


@pytest.mark.parametrize("text", ["# to do\n", "# to do", "---\n", "\n"])
def test_a_file_without_items_gets_some(tmp_path: Path, text: str) -> None:
    path = tmp_path / "export.yml"
    path.write_text(text)
    found, there = merge.load(path)
    merged, _ = merge.merged(found, there, [web()], save_state=True)
    assert [each.name for each in parse(merged, PATH).servers] == ["web"]
    assert ("# to do" in merged) == ("# to do" in text)


def test_a_file_that_does_not_exist_is_an_empty_one(tmp_path: Path) -> None:
    assert merge.load(tmp_path / "new.yml")[0] == ""


def test_a_file_with_mistakes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.yml"
    path.write_text("servers: [{nam: a}]\nvolumez: []\n")
    with pytest.raises(ResourceFileFaults) as caught:
        merge.load(path)
    assert len(caught.value.faults) == 2


def test_the_file_is_replaced_whole_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "real.yml"
    path.write_text("old")
    path.chmod(0o640)
    link = tmp_path / "export.yml"
    link.symlink_to(path)
    merge.save(link, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    assert link.is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["export.yml", "real.yml"]


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        merge.save(tmp_path / "a", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_not_there_is_a_local_error(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot write the file"):
        merge.save(tmp_path / "none" / "a", "x")
