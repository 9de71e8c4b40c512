"""No command believes a bundle that the operator does not trust, however it is brought to it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from bundle_spec import BundleReader, open_bundle
from bundle_spec.cli import usage
from bundle_spec.cli.command_text import CommandText
from bundle_spec.cli.program import Program
from bundle_spec.errors import BundleError, LocalError, TrustError
from bundle_spec.playbook import static_files
from bundle_spec.progress import NULL
from bundle_spec.read.files import BundleFiles
from bundle_spec.trust import policy
from bundle_spec.trust.provenance import ANYBODY, Candidate, Trust
from bundle_spec.trust.signature import NotSigned
from downpour_import import cli, undo
from downpour_import.errors import StateError
from downpour_import.source import opening
from downpour_import.source.opening import admit
from downpour_import.source.unpack import unpack
from tests.unit.importer import test_whole_import
from tests.unit.importer.test_trust import open_source, write_bundle
from tests.unit.importer.test_whole_import import Far
from tests.unit.programs import COMMANDS, MAINS, PROGRAMS, name

EXEMPT = {
    ("downpour-export", "export"),  # makes the bundle
    ("python -m bundle_spec", "sign"),  # is what makes it a signed one
    ("python -m bundle_spec", "split"),  # copies bytes, and believes nothing of them
}
OPENING = [
    (program, command)
    for program, command in COMMANDS
    if {"BUNDLE", "SOURCE"} & set(command.arguments) and (program.name, command.name) not in EXEMPT
]
OF_SOURCE = [command for _, command in OPENING if "SOURCE" in command.arguments]
each_opening = pytest.mark.parametrize(("program", "command"), OPENING, ids=name)
Capture = pytest.CaptureFixture[str]


def words(command: CommandText, source: Path, *options: str) -> list[str]:
    """The command on ``source``, with a cloud that cannot be reached where it needs one."""
    places = {"BUNDLE": str(source), "SOURCE": str(source), "DIR": "unpacked"}
    more = ["--cloud", "nowhere", "--state", "state"] if "--cloud" in command.options else []
    return [command.name, *more, *options, *(places[each] for each in command.arguments)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with an unsigned bundle, the directory that was unpacked of it, and a
    state that it is bound to."""
    monkeypatch.chdir(tmp_path)
    auth = {"auth_url": "http://127.0.0.1:1/v3", "username": "u", "password": "p"}
    auth |= {"project_name": "p", "user_domain_name": "d", "project_domain_name": "d"}
    Path("clouds.yaml").write_text(yaml.safe_dump({"clouds": {"nowhere": {"auth": auth}}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    Path("state").mkdir()
    Path("state/state.json").write_text("{}")
    unpack(open_source(write_bundle(tmp_path / "b.dpbundle"), NULL), tmp_path / "dir")
    Path("signers").touch()
    return tmp_path


@pytest.fixture
def strict(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that asks for a signature."""
    (here / "policy.yml").write_text("allowed_signers: signers\nrequire_signature: true\n")
    monkeypatch.setenv(policy.VARIABLE, str(here / "policy.yml"))


def entries(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_commands_that_open_a_bundle_are_these() -> None:
    found = {(program.name.split()[-1], command.name) for program, command in OPENING}
    importer = {"import", "plan", "show", "verify", "unpack", "undo", "forget"}
    assert found == {("downpour-import", each) for each in importer} | {
        ("bundle_spec", "verify"),
        ("bundle_spec", "show"),
    }
    assert {each.name for each in PROGRAMS} == set(MAINS)


@each_opening
def test_every_command_can_be_asked_for_every_proof(program: Program, command: CommandText) -> None:
    proofs = {line.split()[0] for line in usage.TRUST.splitlines() if line.startswith("  --")}
    assert len(proofs) == 4
    assert proofs <= set(command.options)


@pytest.mark.usefixtures("strict")
@each_opening
def test_every_command_obeys_the_policy_before_it_does_anything(
    program: Program, command: CommandText, here: Path, capsys: Capture
) -> None:
    before = entries(here)
    assert MAINS[program.name](words(command, here / "b.dpbundle")) == NotSigned.exit_code
    told = capsys.readouterr()
    assert "the bundle is not signed" in told.err
    assert told.out == ""
    assert entries(here) == before


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("command", OF_SOURCE, ids=name)
def test_a_directory_is_no_way_around_the_policy(command: CommandText, here: Path) -> None:
    assert cli.main(words(command, here / "dir")) == NotSigned.exit_code


@each_opening
@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--expect-digest", "ab" * 32), TrustError.exit_code),
        (("--allowed-signers", "signers", "--require-signature"), NotSigned.exit_code),
    ],
)
def test_every_command_obeys_its_options(
    program: Program, command: CommandText, options: Sequence[str], code: int, here: Path
) -> None:
    assert MAINS[program.name](words(command, here / "b.dpbundle", *options)) == code


@pytest.mark.parametrize("named", ["null # kept", "~", ""])
@pytest.mark.parametrize("command", OF_SOURCE, ids=name)
def test_a_directory_that_names_no_bundle_is_refused(
    command: CommandText, named: str, here: Path, capsys: Capture
) -> None:
    """Nothing could prove whose it is."""
    settings = here / "dir" / "playbook" / "settings.yml"
    text = settings.read_text().replace(f"\nbundle: {here}/b.dpbundle\n", f"\nbundle: {named}\n")
    settings.write_text(text)
    for options in ((), ("--expect-digest", "ab" * 32)):
        assert cli.main(words(command, here / "dir", *options)) == LocalError.exit_code
        assert "settings.yml names no bundle" in capsys.readouterr().err


def test_the_settings_of_a_directory_are_read_once(here: Path) -> None:
    """A second reading could be of another bundle than the one that was asked for its signer."""
    admitted = admit(Candidate(BundleFiles(here / "dir"), ANYBODY), NULL)
    settings = here / "dir" / "playbook" / "settings.yml"
    settings.write_text("bundle: null\nconfig_file: evil.yml\nstate: evil\n")
    opened = opening.open_source(admitted, NULL)
    assert opened.settings.bundle == str(here / "b.dpbundle")
    assert (opened.settings.config_file, opened.settings.state) == (None, f"{here}/dir/state")


def test_a_directory_whose_bundle_is_replaced_after_it_was_admitted_is_refused(here: Path) -> None:
    path = here / "b.dpbundle"
    with open_bundle(path) as reader:
        trust = Trust(expect=reader.manifest_sha256)
    for source in (path, here / "dir"):
        admitted = admit(Candidate(BundleFiles(source), trust), NULL)
        kept = path.read_bytes()
        write_bundle(here / "other.dpbundle").replace(path)
        with pytest.raises((TrustError, BundleError), match=r"not the (one|bundle) that"):
            admitted.open()
        with pytest.raises(TrustError, match="not the one that is expected"):
            opening.open_source(admitted, NULL)
        path.write_bytes(kept)


# --- foreign code ---


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of bundles that are read from then on."""
    read: list[str] = []
    plain: Callable[[BundleReader, str], bytes] = BundleReader.read_file

    def read_file(self: BundleReader, path: str) -> bytes:
        read.append(path)
        return plain(self, path)

    monkeypatch.setattr(BundleReader, "read_file", read_file)
    return read


def test_unknown_files_are_told_and_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """960 of the largest that a bundle may hold would be 15 GiB."""
    files = {f"library/evil{number}.py": b"x" * number for number in range(960)}
    path = write_bundle(tmp_path / "b", files)
    read = reads(monkeypatch)
    with pytest.raises(TrustError) as caught:
        open_source(path, NULL)
    assert str(caught.value).count("no file of this playbook version") == 960
    assert read == ["playbook/resources.yml"]


def test_of_what_is_ours_no_file_is_read_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bundle(tmp_path / "b")
    read = reads(monkeypatch)
    assert open_source(path, NULL).playbook["site.yml"] == static_files()["site.yml"]
    assert read == ["playbook/resources.yml"]


def test_a_huge_playbook_is_refused_at_once_and_without_its_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = b"# %07d\n"
    huge = b"".join(line % number for number in range((8 << 20) // 10))
    path = write_bundle(tmp_path / "b", {"site.yml": huge})
    read = reads(monkeypatch)
    begin = time.monotonic()
    with pytest.raises(TrustError, match=r"site\.yml: differs: 8\.0 MiB where \S+ KiB are shipped"):
        open_source(path, NULL)
    assert time.monotonic() - begin < 5
    assert read == ["playbook/resources.yml"]


def test_a_difference_that_is_shown_is_short(tmp_path: Path) -> None:
    lines = b"".join(b"%d\n" % number for number in range(9000))
    path = write_bundle(tmp_path / "b", {"site.yml": b"x" * 10_000 + b"\n" + lines})
    begin = time.monotonic()
    with pytest.raises(TrustError) as caught:
        open_source(path, NULL)
    assert time.monotonic() - begin < 5
    told = str(caught.value).splitlines()
    assert len(told) < 50
    assert max(map(len, told)) < 250


def test_a_playbook_that_is_trusted_has_bounds_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"tasks/more{number}.yml": bytes(15 << 20) for number in range(5)}
    path = write_bundle(tmp_path / "b", files)
    read = reads(monkeypatch)
    with pytest.raises(TrustError, match=r"a playbook of 75\.0 MiB is not run"):
        open_source(path, NULL, trust_playbook=True)
    assert read == ["playbook/resources.yml"]


def test_a_file_of_a_directory_that_is_no_file_is_told(here: Path) -> None:
    """To read a FIFO would wait for ever."""
    for place in ("playbook/site.yml", "playbook/resources.yml", "manifest.json"):
        path = here / "dir" / place
        kept = path.read_bytes()
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(LocalError, match="it is a FIFO"):
            open_source(here / "dir", NULL)
        path.unlink()
        path.write_bytes(kept)


# --- another bundle that calls itself by the same uuid ---


@pytest.fixture
def far(tmp_path: Path) -> Far:
    far = Far(tmp_path)
    far.run()
    return far


def namesake(far: Far) -> Path:
    """Another bundle, of the uuid that the one of ``far`` has."""
    bound = json.loads((far.folder / "state" / "state.json").read_text())
    path = far.folder / "namesake.dpbundle"
    return test_whole_import.write_bundle(path, uuid=bound["bundle"], seed=1)


def test_a_state_is_bound_to_the_bundle_and_not_to_what_it_calls_itself(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = namesake(far)
    far.cloud.calls.clear()
    monkeypatch.setattr(undo, "connect", far.connect)
    refused = pytest.raises(StateError, match="belongs to a manifest with the digest")
    with refused:
        far.run(source=other)
    with refused, undo.opened(far.options(source=other), NULL):
        pass
    with refused:
        far.plan(source=other)
    assert far.cloud.writes == []
    far.run()


def test_a_state_from_before_it_had_a_digest_gets_one(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = far.folder / "state" / "state.json"
    bound = json.loads(path.read_text())
    path.write_text(json.dumps({key: bound[key] for key in ("bundle", "auth_url", "project_id")}))
    monkeypatch.setattr(undo, "connect", far.connect)
    with undo.opened(far.options(), NULL) as (context, edited):
        assert undo.find(context, NULL, edited)
    assert json.loads(path.read_text()) == bound
    with pytest.raises(StateError):
        far.run(source=namesake(far))


def test_a_bundle_that_calls_itself_as_another_adopts_nothing_of_it(tmp_path: Path) -> None:
    """Neither with its state nor with one of its own; and its undo leaves all that stands."""
    far = Far(tmp_path)
    far.run()
    stands = far.made()
    with open_bundle(far.bundle) as bundle:
        uuid = bundle.manifest.uuid
    forged = test_whole_import.write_bundle(tmp_path / "forged.dpbundle", uuid=uuid, seed=9)
    report = far.run(source=forged, state=tmp_path / "own")
    assert {each.state for each in report.resources if each.type == "server"} == {"made"}
    assert far.made()["/servers"] == 2 * stands["/servers"]
