"""The importer's command line: what it takes, what it refuses, what it says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bundle_spec.cli import commands
from bundle_spec.cli.arguments import parse
from bundle_spec.cli.commands import VerifyOptions
from bundle_spec.errors import UsageError
from bundle_spec.model import Port
from downpour_cloud.errors import CloudError
from downpour_import import cli, pipeline
from downpour_import.options import ImportOptions
from downpour_import.run.report import Report
from downpour_import.source.decrypted import Keys
from downpour_import.usage import PROGRAM
from tests.split import split
from tests.unit.importer.test_trust import write_bundle

# Every option of the help text that an import takes, with arguments that must change it.
OPTIONS = {
    "--parts": ["--parts", "a", "--parts", "b"],
    "--cloud": ["--cloud", "a"],
    "--os-cloud": ["--os-cloud", "a"],
    "--region": ["--region", "r"],
    "--os-region-name": ["--os-region-name", "r"],
    "--os-client-config": ["--os-client-config", "c.yaml"],
    "--state": ["--state", "dir"],
    "--uuids": ["--uuids", "u.csv"],
    "--check": ["--check"],
    "--edited": ["--edited"],
    "--trust-playbook": ["--trust-playbook"],
    "--only": ["--only", "server/a", "--only", "server/b"],
    "--skip": ["--skip", "server/a"],
    "--tags": ["--tags", "networks,ports"],
    "--same-project": ["--same-project"],
    "--no-start": ["--no-start"],
    "--keep-images": ["--keep-images"],
    "--jobs": ["--jobs", "3"],
    "--json": ["--json"],
    "--expect-digest": ["--expect-digest", "ab" * 32],
    "--allowed-signers": ["--allowed-signers", "a"],
    "--revoked-signers": ["--allowed-signers", "a", "--revoked-signers", "r"],
    "--require-signature": ["--allowed-signers", "a", "--require-signature"],
}

OF_VERIFY = {
    "--parts": ["--parts", "a"],
    "--read-data": ["--read-data"],
    "--quick": ["--quick"],
    "--json": ["--json"],
}

KEYS = {
    "--identity": ["--identity", "i"],
    "--passphrase-file": ["--passphrase-file", "p"],
    "--decrypt-to": ["--decrypt-to", "d"],
}


def options(*arguments: str) -> ImportOptions:
    parsed = parse(PROGRAM, arguments).arguments
    return cli.options_of(parsed, commands.candidate_of(parsed, "SOURCE"))


@pytest.fixture
def signers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of keys that ``OPTIONS`` names."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "r"):
        (tmp_path / name).touch()


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_has_an_effect(option: str, signers: None) -> None:
    assert options(*OPTIONS[option], "b.dpbundle") != options("b.dpbundle")


@pytest.mark.parametrize(
    "command", [["verify", "b"], ["plan", "b"], ["unpack", "b", "dir"], ["b"]], ids=" ".join
)
def test_every_command_can_be_quiet(command: list[str]) -> None:
    assert parse(PROGRAM, ["-q", *command]).arguments["--quiet"]


@pytest.mark.parametrize("option", OF_VERIFY)
def test_every_option_of_verify_has_an_effect(option: str, signers: None) -> None:
    def options(*arguments: str) -> VerifyOptions:
        parsed = parse(PROGRAM, ["verify", *arguments, "b"]).arguments
        return commands.verify_options_of(parsed, commands.candidate_of(parsed))

    assert options(*OF_VERIFY[option]) != options()


@pytest.mark.parametrize("option", KEYS)
@pytest.mark.parametrize("command", ["verify", "show", "plan", "undo", "forget", None])
def test_every_command_takes_every_option_of_decryption(option: str, command: str | None) -> None:
    def keys(*arguments: str) -> Keys:
        words = [*([command] if command else []), *arguments, "b"]
        return cli.keys_of(parse(PROGRAM, words).arguments)

    assert keys(*KEYS[option]) != keys()


PARTS = ["--parts", "a", "--parts=b", "--parts", "c"]
ABC = (Path("a"), Path("b"), Path("c"))


@pytest.mark.parametrize(
    "words",
    [
        [*PARTS, "b"],
        ["plan", *PARTS, "--cloud", "x", "b"],
        ["verify", *PARTS, "b"],
        ["show", "b", *PARTS],
        ["unpack", *PARTS, "b", "dir"],
    ],
)
def test_places_of_parts_are_told_in_their_order(words: list[str]) -> None:
    assert commands.paths(parse(PROGRAM, words).arguments["--parts"]) == ABC


def test_a_plan_tells_what_has_no_name_by_its_id(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def plan_import(options: object, report: Report, progress: object) -> None:
        report.resource(Port(id="p-1", name="", network_id="n", mac_address="m"), None, "planned")
        report.resource(
            Port(id="p-2", name="web", network_id="n", mac_address="m"), None, "planned"
        )

    monkeypatch.setattr(pipeline, "plan_import", plan_import)
    assert cli.main(["plan", "b"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["make: port p-1", "make: port 'web' (p-2)"]


def test_a_mapping_is_read_with_the_options(tmp_path: Path) -> None:
    path = tmp_path / "m.yml"
    path.write_text("flavors: {a: b}\n")
    assert options("--map", str(path), "b").mapping.flavors == {"a": "b"}


@pytest.mark.parametrize("words", [[], ["--check"]])
def test_an_interrupted_import_tells_its_state_and_how_to_take_it_back(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def import_bundle(options: object, report: Report, *more: object) -> None:
        report.state = Path("here/b.target")
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "import_bundle", import_bundle)
    assert cli.main(["b", *words]) == 130
    told = capsys.readouterr().err
    assert ("here/b.target; downpour-import undo takes it back" in told) == (not words)
    assert told.endswith("interrupted: run the same command again to go on\n")


OTHERS = ("--map", "--write-map", "--yes", "--quiet", "--help")


def test_selections_are_told_once_and_in_their_order() -> None:
    given = options("plan", "--only", "server/b", "--skip=port/x", "--only", "server/a", "b")
    assert given.only == ("server/b", "server/a")
    assert given.skip == ("port/x",)


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "33", "1.5"])
def test_jobs_are_a_number_within_bounds(jobs: str) -> None:
    with pytest.raises(UsageError, match="from 1 to 32"):
        options(f"--jobs={jobs}", "b")


def test_a_digest_is_taken_as_people_write_it() -> None:
    written = " ".join(["ABCD"] * 8) + "-" + ":".join(["abcd"] * 8)
    assert options("--expect-digest", written, "b").trust.expect == "abcd" * 16
    for wrong in ("abcd" * 15, "abcd" * 15 + "xyzw", ""):
        with pytest.raises(UsageError, match="64 hexadecimal digits"):
            options(f"--expect-digest={wrong}", "b")


@pytest.mark.parametrize("alone", [["--require-signature"], ["--revoked-signers", "r"]])
def test_a_signature_is_somebodys(alone: list[str]) -> None:
    with pytest.raises(UsageError, match="whose signature is accepted"):
        options(*alone, "b")


def test_a_map_is_written_by_plan_only() -> None:
    assert options("plan", "--write-map", "m.yml", "b").write_map == Path("m.yml")
    with pytest.raises(UsageError, match="downpour-import: --write-map goes with plan"):
        options("--write-map", "m.yml", "b")


@pytest.mark.parametrize(("words", "agreed"), [(["--yes"], True), ([], False)])
def test_what_was_edited_is_asked_about_unless_somebody_agreed_before(
    monkeypatch: pytest.MonkeyPatch, words: list[str], agreed: bool
) -> None:
    asked: list[str] = []

    def import_bundle(options: object, report: object, progress: object, agree: Any) -> None:
        assert agree() == agreed
        raise CloudError("far enough")

    monkeypatch.setattr(pipeline, "import_bundle", import_bundle)

    def no(question: str) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr(cli, "agreed", no)
    assert cli.main(["dir", "--edited", *words]) == CloudError.exit_code
    assert asked == ([] if agreed else ["Import what was edited?"])


def test_the_help_text_lists_every_option_and_no_other() -> None:
    assert set(PROGRAM.options) == {*OPTIONS, *OF_VERIFY, *KEYS, *OTHERS}


def test_without_a_state_it_is_named_after_bundle_and_cloud() -> None:
    assert options("b").state is None
    assert options("--state", "x", "b").state == Path("x")


@pytest.mark.parametrize("command", [*PROGRAM.commands])
def test_a_command_without_its_bundle_is_told_so(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([command]) == 2
    assert f"{command} needs a bundle" in capsys.readouterr().err


def test_verify_says_what_a_whole_bundle_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_bundle(tmp_path / "b.dpbundle")
    assert cli.main(["verify", str(path)]) == 0
    assert f"{path}: whole; 3 resources, 0 disks" in capsys.readouterr().out


def test_verify_ends_with_4_for_a_damaged_bundle_and_12_for_none(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "b.dpbundle")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert cli.main(["verify", str(path)]) == 4
    assert cli.main(["verify", str(tmp_path / "none")]) == 12


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "OS_CLOUD=NAME OS_CLIENT_CONFIG_FILE={} "),
        ({"OS_CLOUD": "the target"}, "OS_CLOUD='the target' OS_CLIENT_CONFIG_FILE={} "),
        ({"OS_AUTH_URL": "http://127.0.0.1:1/v3"}, ""),
    ],
)
def test_unpack_prints_the_command_that_runs_it(
    environment: dict[str, str],
    named: str,
    nowhere: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It runs in another directory, so the clouds.yaml of this one is named in full."""
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for name, value in {"OS_CLIENT_CONFIG_FILE": nowhere.name, **environment}.items():
        monkeypatch.setenv(name, value)
    path = write_bundle(tmp_path / "b.dpbundle")
    directory = tmp_path / "an out"
    assert cli.main(["unpack", str(path), str(directory)]) == 0
    assert capsys.readouterr().out == (
        f"cd '{directory}/playbook' && {named.format(nowhere)}"
        "ansible-playbook -i inventory.ini site.yml\n"
    )


def test_unpack_finds_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_bundle(tmp_path / "b.dpbundle")
    split(path, [tmp_path, tmp_path / "two"], 1 << 13)
    arguments = ["unpack", str(path), str(tmp_path / "out")]
    assert cli.main(arguments) == 4
    assert "b.dpbundle.002: this part is missing" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert cli.main([*arguments, "--parts", str(tmp_path / "two")]) == 0
    text = (tmp_path / "out" / "playbook" / "settings.yml").read_text()
    assert f"\nparts:\n- {tmp_path}/two\n" in text


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clouds.yaml whose only cloud cannot be reached."""
    path = tmp_path / "clouds.yaml"
    path.write_text(
        "clouds: {nowhere: {auth: {auth_url: 'http://127.0.0.1:1/v3', username: u, password: p, "
        "project_name: p, user_domain_name: d, project_domain_name: d}}}\n"
    )
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    return path


def test_a_mistyped_cloud_ends_with_6_before_the_bundle_is_read(
    tmp_path: Path, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--cloud", "nowere", str(tmp_path / "none.dpbundle")]) == 6
    assert f"{nowhere}: there is no cloud 'nowere' (it has nowhere)" in capsys.readouterr().err


def test_a_named_configuration_wins_over_the_environment(
    tmp_path: Path, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.yaml"
    arguments = ["--os-client-config", str(other), "--cloud", "nowhere", "x.dpbundle"]
    assert cli.main(arguments) == 6
    assert f"{other}: there is no such file" in capsys.readouterr().err
    other.write_text("clouds: {elsewhere: {}}\n")
    assert cli.main(arguments) == 6
    assert f"{other}: there is no cloud 'nowhere' (it has elsewhere)" in capsys.readouterr().err
    assert os.environ["OS_CLIENT_CONFIG_FILE"] == str(nowhere)


@pytest.mark.parametrize("name", ["b.dpbundle", "b.dpbundle.age"])
def test_a_cloud_that_cannot_be_reached_is_told_before_the_disks_are_read(
    tmp_path: Path, nowhere: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(b"age-encryption.org/v1\n" + bytes(1 << 12))
    keys = ["--identity", str(tmp_path / "key"), "--decrypt-to", str(tmp_path)]
    assert cli.main(["--cloud", "nowhere", *keys, str(path)]) == 6
    assert "cannot use the target cloud" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--only", "web-1"], 2, "--only web-1: this is not TYPE/NAME"),
        (["--skip", "flavor/x"], 2, "--skip flavor/x: this is not TYPE/NAME"),
        (["plan", "--write-map", "there.yml"], 12, "there.yml: the file exists already"),
        (["plan", "--write-map", "none/m.yml"], 12, "none: there is no such folder"),
    ],
)
def test_a_mistake_in_the_options_is_told_before_the_bundle_is_read(
    words: list[str],
    code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.yml").touch()
    assert cli.main([*words, "none.dpbundle"]) == code
    assert told in capsys.readouterr().err


def test_a_mapping_with_mistakes_ends_with_3(tmp_path: Path) -> None:
    mapping = tmp_path / "m.yml"
    mapping.write_text("flavours: {}\n")
    path = write_bundle(tmp_path / "b.dpbundle")
    assert cli.main(["--map", str(mapping), str(path)]) == 3
