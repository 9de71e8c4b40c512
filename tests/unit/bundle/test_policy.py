"""What the operator settled for a machine holds, and a mistake in it never asks for less."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundle_spec.cli import commands
from bundle_spec.cli.arguments import parse
from bundle_spec.errors import LocalError
from bundle_spec.trust import policy
from bundle_spec.trust.policy import Policy
from bundle_spec.trust.signature import Signers
from downpour_import import cli
from downpour_import.options import ImportOptions
from downpour_import.usage import PROGRAM


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The machine's file and the user's; none of them is there."""
    monkeypatch.delenv(policy.VARIABLE, raising=False)
    monkeypatch.setattr(policy, "SYSTEM", tmp_path / "etc.yml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "downpour").mkdir()
    return tmp_path / "etc.yml", tmp_path / "downpour" / "policy.yml"


def test_without_a_file_there_is_none(places: tuple[Path, Path]) -> None:
    assert policy.load() == Policy()


def test_the_machines_word_comes_before_the_users(places: tuple[Path, Path]) -> None:
    machine, own = places
    own.write_text("allowed_signers: mine\n")
    assert policy.load() == Policy(allowed_signers=own.parent / "mine")
    machine.write_text(
        "allowed_signers: /etc/downpour/signers\nrevoked_signers: gone\nrequire_signature: true\n"
    )
    assert policy.load() == Policy(
        allowed_signers=Path("/etc/downpour/signers"),
        revoked_signers=machine.parent / "gone",
        require_signature=True,
    )


def test_another_file_may_be_named(
    places: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places[0].write_text("allowed_signers: a\n")
    monkeypatch.setenv(policy.VARIABLE, "")
    assert policy.load() == Policy()
    monkeypatch.setenv(policy.VARIABLE, str(tmp_path / "none.yml"))
    with pytest.raises(LocalError, match=r"none\.yml: cannot read the policy"):
        policy.load()


@pytest.mark.parametrize("place", [0, 1], ids=["machine", "user"])
def test_a_policy_that_is_there_and_cannot_be_read_is_no_missing_one(
    places: tuple[Path, Path], place: int
) -> None:
    path = places[place]
    path.symlink_to("nothing")
    with pytest.raises(LocalError, match="cannot read the policy"):
        policy.load()
    path.unlink()
    path.mkdir()
    with pytest.raises(LocalError, match="cannot read the policy"):
        policy.load()


def test_a_folder_that_is_a_link_to_nothing_is_no_missing_policy(
    places: tuple[Path, Path],
) -> None:
    places[1].parent.rmdir()
    places[1].parent.symlink_to("nothing")
    with pytest.raises(LocalError, match="the policy cannot be read: a link to nothing"):
        policy.load()


def test_a_folder_that_is_a_file_is_no_missing_policy(places: tuple[Path, Path]) -> None:
    places[1].parent.rmdir()
    places[1].parent.touch()
    with pytest.raises(LocalError, match="the policy cannot be read: Not a directory"):
        policy.load()


def test_a_user_without_a_home_has_no_policy(
    places: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none is looked for in a folder that is called ~."""
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.chdir(tmp_path)
    planted = tmp_path / "~" / ".config" / "downpour" / "policy.yml"
    planted.parent.mkdir(parents=True)
    planted.write_text("allowed_signers: evil\n")
    assert policy.load() == Policy()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("require_signatures: true", "require_signatures: is no setting"),
        ("require_signature: 'yes'", "require_signature: is true or false"),
        ("allowed_signers: [a]", "allowed_signers: is the path of a file"),
        ("allowed_signers: ''", "allowed_signers: is the path of a file"),
        ("require_signature: true", "allowed_signers is missing"),
        ("- allowed_signers", "no mapping"),
        ("{", r"etc\.yml:\d:\d: not YAML"),
        ("a: !!python/object:os.system {}", r"1:4: the tag !!python/object:os\.system is not read"),
        ("require_signature: true\nrequire_signature: false", "2:1: .*stands here twice"),
        ("require_signature: yes", "require_signature: is true or false"),
        ("false", "no mapping"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_imported(
    places: tuple[Path, Path], text: str, said: str
) -> None:
    places[0].write_text(text)
    with pytest.raises(LocalError, match=said):
        policy.load()
    assert cli.main(["verify", "out.dpbundle"]) == LocalError.exit_code


def test_the_command_line_asks_for_more_and_never_for_less(
    places: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    signers = tmp_path / "signers"
    for name in ("signers", "mine", "gone"):
        (tmp_path / name).touch()

    def options(*arguments: str) -> ImportOptions:
        parsed = parse(PROGRAM, [*arguments, "out.dpbundle"]).arguments
        return cli.options_of(parsed, commands.candidate_of(parsed, "SOURCE"))

    machine, _ = places
    machine.write_text(f"allowed_signers: {signers}\nrequire_signature: true\n")
    assert options().trust.signers == Signers(signers)
    assert options().trust.require_signature
    other = options("--allowed-signers", "mine", "--revoked-signers", "gone")
    assert other.trust.signers == Signers(Path("mine"), Path("gone"))
    assert other.trust.require_signature
