"""``verify`` as a command: one and the same in both command lines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import bundle_spec.cli.alone
import downpour_import.cli
from tests.split import split
from tests.unit.bundle.samples import noise, write_bundle
from tests.vectors.forge import Forge

Main = Callable[[Sequence[str]], int]
MAINS: list[Any] = [
    pytest.param(bundle_spec.cli.alone.main, id="bundle_spec"),
    pytest.param(downpour_import.cli.main, id="downpour-import"),
]
pytestmark = pytest.mark.parametrize("main", MAINS)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "verify.md"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole bundle of one disk, four parts of 64 KiB long."""
    path = tmp_path / "b.dpbundle"
    write_bundle(path, noise(200_000))
    return path


def damage_a_frame(path: Path) -> None:
    """Change a byte in the middle of the file, where the disk lies."""
    data = bytearray(path.read_bytes())
    data[100_000] ^= 1
    path.write_bytes(data)


def test_a_whole_bundle_is_called_whole(main: Main, path: Path, capsys: Capture) -> None:
    assert main(["verify", str(path)]) == 0
    told = capsys.readouterr()
    first, second, third = told.out.splitlines()
    assert first == f"{path}: whole; 1 resource, 1 disk of 195.3 KiB"
    assert second.startswith("manifest sha256 ")
    assert third.startswith("made 20")
    assert "verify: " in told.err
    assert main(["verify", "--read-data", "-q", str(path)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{path}: whole, also the contents of every disk; ")
    assert told.err == ""


def test_the_quick_check_is_never_called_a_verification(
    main: Main, path: Path, capsys: Capture
) -> None:
    damage_a_frame(path)
    assert main(["verify", "--quick", str(path)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(
        f"{path}: structure whole; the bytes of the disks were NOT checked; 1 resource, "
    )
    assert "verif" not in told.err
    assert main(["verify", "--quick", "--json", str(path)]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["whole"], value["level"], value["faults"]) == (None, "structure", [])
    assert main(["verify", str(path)]) == 4


@pytest.mark.parametrize(("flags", "level"), [([], "stored"), (["--read-data"], "data")])
def test_for_programs_there_is_one_object(
    main: Main, path: Path, capsys: Capture, flags: list[str], level: str
) -> None:
    assert main(["verify", "--json", *flags, str(path)]) == 0
    value = json.loads(capsys.readouterr().out)
    assert len(value.pop("manifest_sha256")) == 64
    expected = {"path": str(path), "whole": True, "level": level, "signed": None, "faults": []}
    assert value == expected | {"refused": None}


def test_the_object_tells_faults_too(main: Main, path: Path, capsys: Capture) -> None:
    damage_a_frame(path)
    assert main(["verify", "--json", str(path)]) == 4
    told = capsys.readouterr()
    value = json.loads(told.out)
    assert (value["whole"], value["level"], value["manifest_sha256"]) == (False, "stored", None)
    (fault,) = value["faults"]
    assert (fault["code"], fault["rule"]) == ("list-line", "F-9")
    assert fault["member"].startswith("disks/0001/")
    assert "is not a whole bundle" in told.err


def test_the_object_tells_why_a_bundle_is_refused(
    main: Main, path: Path, capsys: Capture, tmp_path: Path
) -> None:
    """[F-13]  What is no signature is no fault of the bundle, and nobody's."""
    none = Forge(signature=b"hello").write(tmp_path / "none.dpbundle")
    allowed = tmp_path / "allowed"
    allowed.write_text("ops ssh-ed25519 AAAA\n")
    refusals = {
        ("--expect-digest", "0" * 64, str(path)): (5, "not the one that is expected"),
        ("--allowed-signers", str(allowed), str(none)): (21, "this is no SSH signature"),
        ("--allowed-signers", str(allowed), "--require-signature", str(path)): (20, "not signed"),
    }
    for words, (exit_code, why) in refusals.items():
        assert main(["verify", "--json", *words]) == exit_code
        value = json.loads(capsys.readouterr().out)
        assert why in value["refused"]
        assert (value["whole"], value["signed"], value["faults"]) == (None, None, [])


def test_every_key_of_the_object_is_documented(main: Main, path: Path, capsys: Capture) -> None:
    damage_a_frame(path)
    split(path, [path.parent], 1 << 16)
    main(["verify", "--json", str(path)])
    value = json.loads(capsys.readouterr().out)
    (shown,) = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    documented = json.loads(shown)
    assert list(documented) == list(value)
    assert list(documented["faults"][0]) == list(value["faults"][0])
    rows = re.findall(r"^\| (`[^|]*) \|", PAGE.read_text(), re.M)
    explained = [key for row in rows for key in re.findall(r"`(\w+)`", row)]
    assert sorted(explained) == sorted([*value, *value["faults"][0]])


def test_a_remedy_for_the_whole_bundle_is_told_once(
    main: Main, path: Path, capsys: Capture
) -> None:
    path.write_bytes(path.read_bytes()[:-512])
    assert main(["verify", str(path)]) == 4
    assert capsys.readouterr().err.count("copy the bundle again") == 1


def test_a_bundle_of_another_version_is_a_fault(
    main: Main, tmp_path: Path, capsys: Capture
) -> None:
    path = Forge(magic=b"dpbundle 2\n").write(tmp_path / "b")
    assert main(["verify", "--json", str(path)]) == 4
    value = json.loads(capsys.readouterr().out)
    assert value["whole"] is False
    assert [fault["code"] for fault in value["faults"]] == ["unknown-format"]


@pytest.mark.parametrize("flags", [[], ["--json"], ["--quick", "--json"]])
def test_what_is_no_fault_of_a_bundle_leaves_stdout_empty(
    main: Main, tmp_path: Path, capsys: Capture, flags: list[str]
) -> None:
    assert main(["verify", *flags, str(tmp_path / "none")]) == 12
    told = capsys.readouterr()
    assert told.out == ""
    assert "none: cannot open the bundle: No such file" in told.err
    assert main(["verify", *flags, str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{tmp_path} is a directory" in told.err


def test_parts_are_found_in_several_places(main: Main, path: Path, capsys: Capture) -> None:
    folders = [path.parent, path.parent / "two"]
    split(path, folders, 1 << 16)
    for name in (path, f"{path}.parts", f"{path}.001", f"{path}.003"):
        assert main(["verify", "--parts", str(folders[1]), str(name)]) == 0
        assert capsys.readouterr().out.startswith(f"{name}: whole;")


def test_every_missing_part_is_named(main: Main, path: Path, capsys: Capture) -> None:
    split(path, [path.parent, path.parent / "two"], 1 << 16)
    assert main(["verify", "--json", str(path)]) == 4
    told = capsys.readouterr()
    value = json.loads(told.out)
    assert value["whole"] is False
    assert [(fault["code"], fault["where"]) for fault in value["faults"]] == [
        ("part-missing", "b.dpbundle.002"),
        ("part-missing", "b.dpbundle.004"),
    ]
    assert "name other places with --parts" in told.err


@pytest.mark.parametrize("folder", [".", "two"])
def test_a_place_that_is_not_there_is_told(
    main: Main, path: Path, capsys: Capture, folder: str
) -> None:
    """Also where nothing at all is found without it."""
    split(path, [path.parent / folder], 1 << 16)
    assert main(["verify", "--parts", str(path.parent / "none"), str(path)]) == 12
    assert "none: cannot look for parts: No such file" in capsys.readouterr().err


def test_the_first_part_may_be_the_missing_one(main: Main, path: Path, capsys: Capture) -> None:
    split(path, [path.parent], 1 << 16, with_list=False)
    Path(f"{path}.001").unlink()
    assert main(["verify", str(path)]) == 4
    assert "b.dpbundle.001: this part is missing" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Übung 雨.dpbundle", "a\x85b\u2028.dpbundle", "\udcff.dpbundle"])
def test_parts_may_have_any_name(main: Main, path: Path, name: str) -> None:
    path = path.rename(path.with_name(name))
    split(path, [path.parent, path.parent / "two"], 1 << 16)
    for each in (name, f"{name}.parts", f"{name}.003"):
        assert main(["verify", "--parts", str(path.parent / "two"), str(path.with_name(each))]) == 0


def test_a_link_that_leads_nowhere_is_a_missing_part(
    main: Main, path: Path, capsys: Capture
) -> None:
    split(path, [path.parent], 1 << 16)
    Path(f"{path}.002").rename(path.with_name("elsewhere"))
    Path(f"{path}.002").symlink_to("none")
    assert main(["verify", str(path)]) == 4
    assert "b.dpbundle.002: this part is missing" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["x", "\n", f"{'0' * 64}  b.dpbundle.002\n", "\xff"])
def test_a_list_of_something_else_is_told(
    main: Main, path: Path, capsys: Capture, text: str
) -> None:
    split(path, [path.parent], 1 << 16)
    path.with_name("b.dpbundle.parts").write_text(text, "latin-1")
    assert main(["verify", "--json", str(path)]) == 4
    (fault,) = json.loads(capsys.readouterr().out)["faults"]
    assert fault["code"] == "part-list"


@pytest.mark.parametrize("command", ["verify", "show"])
def test_a_path_that_no_file_can_have_is_told(main: Main, capsys: Capture, command: str) -> None:
    assert main([command, "x" * 300]) == 12
    assert "cannot open the bundle: File name too long" in capsys.readouterr().err


def test_parts_may_lie_anywhere_but_where_the_bundle_is_named(
    main: Main, path: Path, capsys: Capture
) -> None:
    split(path, [path.parent / "one", path.parent / "two"], 1 << 16)
    places = ["--parts", str(path.parent / "one"), "--parts", str(path.parent / "two")]
    assert main(["verify", *places, str(path)]) == 0
    assert main(["verify", *places, str(path.parent / "gone" / "b.dpbundle")]) == 0
    assert main(["verify", *places, str(path.parent / "gone" / "c.dpbundle")]) == 12
    assert "c.dpbundle: cannot open the bundle: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["verify"], ["verify", "--json"], ["show"]], ids=" ".join)
def test_an_encrypted_bundle_is_called_encrypted_and_not_damaged(
    main: Main, path: Path, capsys: Capture, words: list[str]
) -> None:
    path.write_bytes(b"age-encryption.org/v1\n" + path.read_bytes())
    assert main([*words, str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"error: {path} is encrypted (")
    assert "copy" not in told.err
    assert "--identity" in told.err


def test_a_name_cannot_drive_the_terminal(main: Main, path: Path, capsys: Capture) -> None:
    evil = path.rename(path.with_name("\x1b[2J.dpbundle"))
    for flags in ([], ["--json"]):
        assert main(["verify", *flags, str(evil)]) == 0
        assert "\x1b" not in capsys.readouterr().out
