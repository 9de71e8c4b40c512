"""Adding items to a resource file leaves the person's own text as it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundle_spec.errors import LocalError
from bundle_spec.model import Keypair, Server, Volume
from downpour_export.errors import ResourceFileError, ResourceFileFaults
from downpour_export.resource_file import ResourceFile, merge, parse
from downpour_export.resource_file.query import Match

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


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "# Saturday night\n\nservers:\n  # first the database\n"
            '  - name: "db"  # the old one\n    save_state: false\n\n'
            "  - {id: '0815', key_name: 'ops'}   \n>+  - name: web\n"
            "volumes:\n  - name: disk\n>+  - name: data\n# the end\n",
            id="comments-order-settings",
        ),
        pytest.param(
            "servers:\n  - name: worker\n>+  - name: web\n\n"
            "# ---- volumes ----\nvolumes:\n- name: scratch\n>+- name: data\n",
            id="next-heading-and-two-indents",
        ),
        pytest.param(
            "servers:\n- name: a\n  # save_state: false\n  # b\n>+- name: web\n"
            "# of volumes\nvolumes:  # none yet\n>+- name: data\n  # later\n",
            id="comment-of-the-last-item",
        ),
        pytest.param(
            "servers:\n  - name: a\n  # - name: b\n>+  - name: web\n\n  # far below\n"
            "volumes:\n>+  - name: data\n",
            id="comment-indented-like-an-item",
        ),
        pytest.param(
            "  servers:\n    - name: a\n>+    - name: web\n  # heading\n  images:\n"
            "    - name: q\n>+  volumes:\n>+    - name: data\n",
            id="indented-sections",
        ),
        pytest.param(
            "volumes:\n  - name: |\n      in a block\n\n>+  - name: data\n# heading\n"
            "servers:\n  - name: |+\n      keeps\n\n\n>+  - name: web\n# end\n",
            id="block-scalars",
        ),
        pytest.param(
            "servers:\n  - name: 'two\n\n      lines'  # c\n>+  - name: web\n"
            "volumes:\n  - {name: a,\n     save_state: false}\n>+  - name: data\n",
            id="values-over-many-lines",
        ),
        pytest.param(
            "%YAML 1.1\n---\nservers:  # é\n>+  - name: web\n>+volumes:\n>+  - name: data\n"
            "...\n# after the end\n",
            id="document-marks",
        ),
        pytest.param(
            "? servers\n: - name: db\n>+  - name: web\n? volumes\n: - name: q\n>+  - name: data\n",
            id="explicit-keys",
        ),
        pytest.param(
            "\ufeffservers:\n  -   name: a \n>+  -   name: web\n>+volumes:\n>+  -   name: data\n",
            id="byte-order-mark-and-wide-items",
        ),
        pytest.param(
            "servers:\n-\n  name: a\n>+- name: web\n# a\ttab\nvolumes:\n>+- name: data\n",
            id="item-below-its-dash",
        ),
        pytest.param(
            "# to do\n# soon\n>+servers:\n>+  - name: web\n>+volumes:\n>+  - name: data\n",
            id="comments-alone",
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_are_inserted_and_nothing_else_happens(
    tmp_path: Path, text: str, end: str, last: bool
) -> None:
    """What is inserted stands behind ``>+``."""
    lines = text.splitlines()
    old = end.join(line for line in lines if not line.startswith(">+")) + end * last
    path = tmp_path / "export.yml"
    path.write_bytes(old.encode())
    found, there = merge.load(path)
    merge.save(path, merge.merged(found, there, [web(), DATA], save_state=True)[0])
    wanted = end.join(line.removeprefix(">+") for line in lines)
    got = path.read_bytes().decode()
    assert got.removesuffix("\n").removesuffix("\r") == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("servers: []  # c\n", "servers: [{name: web}]  # c\n"),
        ("servers: [{name: a}]\n", "servers: [{name: a}, {name: web}]\n"),
        ("servers: [ {name: a}, ]\n", "servers: [ {name: a}, {name: web} ]\n"),
        (
            "servers: [\n  {name: a},  # a\n  {name: b}  # b\n  # end\n]\n",
            "servers: [\n  {name: a},  # a\n  {name: b}, {name: web}  # b\n  # end\n]\n",
        ),
        ("servers: null  # none\n", "servers: [{name: web}]  # none\n"),
        ("{servers: , images: []}", "{servers: [{name: web}] , images: []}"),
        ("{images: [],}\n", "{images: [], servers: [{name: web}]}\n"),
        ("{}\n", "{servers: [{name: web}]}\n"),
    ],
)
def test_flow_style_grows_inside_its_brackets(text: str, wanted: str) -> None:
    assert add(text, web()) == wanted


def test_lines_end_as_the_line_above_does() -> None:
    text = "servers:\r\n- name: a\r\nvolumes:\n- name: b\n"
    assert add(text, web(), DATA) == (
        "servers:\r\n- name: a\r\n- name: web\r\nvolumes:\n- name: b\n- name: data\n"
    )


@pytest.mark.parametrize(
    "name",
    [
        "null",
        "1e3",
        "0o7",
        "0815",
        "a: b",
        "a #b",
        "a, b]",
        "- a",
        "a\nb",
        "é\u2028",
        "<<",
        "'",
        '"',
    ],
)
@pytest.mark.parametrize("text", ["servers:\n  - name: old\n", "servers: [{name: old}]\n"])
def test_names_are_quoted_where_they_need_it(text: str, name: str) -> None:
    merged = add(text, web(name))
    assert [each.name for each in parse(merged, PATH).servers] == ["old", name]
    if name in ("1e3", "0o7", "0815"):  # numbers of YAML 1.2
        assert f'name: "{name}"' in merged


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("servers:\t[{name: a}]\n", id="a-tab-that-only-one-parser-takes"),
        pytest.param("servers:\n  - name: |\n      a", id="the-value-would-get-a-line-end"),
        pytest.param("{servers}", id="a-key-without-a-colon"),
    ],
)
def test_what_cannot_be_added_to_is_told_and_stays(text: str) -> None:
    with pytest.raises(ResourceFileError, match="nothing was written"):
        add(text, web())


def test_merge_keys_aliases_and_tabs_are_refused_before(tmp_path: Path) -> None:
    path = tmp_path / "export.yml"
    for text in (
        "servers:\n  - {<<: {name: a}}\n",
        "volumes: &v\n  - name: a\nservers: *v\n",
        "servers:\n\t- name: a\n",
    ):
        path.write_text(text)
        with pytest.raises(ResourceFileFaults):
            merge.load(path)


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
    ],
)
def test_however_the_file_is_laid_out_the_items_are_the_old_ones_and_the_new(text: str) -> None:
    merged = parse(add(text, web(), KEY), PATH)
    assert [each.name for each in merged.servers] == ["db", "web"]
    assert [each.name for each in merged.keypairs] == ["key"]


@pytest.mark.parametrize("there", ["{name: web}", "{id: id-web}", "{name: web, save_state: false}"])
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
