"""Which playbook is run, which data is believed, and how a directory is laid out."""

from __future__ import annotations

import dataclasses
import functools
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from bundle_spec import BundleWriter, open_bundle
from bundle_spec.errors import BundleError, LocalError, SignatureError, TrustError
from bundle_spec.form import codec, digest
from bundle_spec.model import (
    FlavorReference,
    Keypair,
    Network,
    NetworkReference,
    References,
    Resources,
    SecurityGroup,
)
from bundle_spec.model.playbook import MappingRules, PlaybookData, Settings
from bundle_spec.playbook import VERSION, static_files
from bundle_spec.progress import NULL, Progress
from bundle_spec.read.files import BundleFiles
from bundle_spec.trust import signature
from bundle_spec.trust.provenance import ANYBODY, Candidate, Trust
from bundle_spec.trust.signature import Signers
from downpour_import.playbook.settings import load_settings
from downpour_import.source import opening, trust
from downpour_import.source.opening import Opened
from downpour_import.source.unpack import data_file, unpack
from tests.split import split
from tests.unit.bundle.samples import content
from tests.unit.bundle.test_signing import keygen, public
from tests.unit.export.test_playbook import NAMES
from tests.unit.importer.things import source_id
from tests.unit.quiet import Notes

NET = Network(id=source_id(1), name="net {{ 7*7 }}")
GROUP = SecurityGroup(id=source_id(2), name="web")
RESOURCES = Resources(
    keypairs=(Keypair(id="k", name="k", public_key="ssh-rsa A"),),
    security_groups=(GROUP,),
    networks=(NET,),
)
REFERENCES = References(flavors=(FlavorReference(id="m1", name="m1", vcpus=1, ram=1, disk=1),))


def write_bundle(
    path: Path,
    changed: dict[str, bytes] | None = None,
    key: Path | None = None,
    version: int = VERSION,
) -> Path:
    whole = dataclasses.replace(content(RESOURCES), references=REFERENCES)
    sign = functools.partial(signature.make, key=key) if key else None
    with BundleWriter(path, sign=sign) as writer:
        data = PlaybookData(bundle=writer.uuid, references=REFERENCES, resources=RESOURCES)
        files = {
            **static_files(version),
            "resources.yml": yaml.safe_dump(codec.encode(data)).encode(),
            **(changed or {}),
        }
        for name, text in files.items():
            writer.add_file(f"playbook/{name}", text)
        writer.finish(whole)
    return path


def open_source(
    path: Path,
    progress: Progress,
    folders: Sequence[Path] = (),
    trust: Trust = ANYBODY,
    **allowed: bool,
) -> Opened:
    candidate = Candidate(BundleFiles.of(path, folders), trust)
    return opening.open_source(opening.admit(candidate, progress), progress, **allowed)


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    return open_source(write_bundle(tmp_path / "b.dpbundle"), NULL)


def test_what_we_ship_is_trusted_and_what_we_sealed_is_no_edit(opened: Opened) -> None:
    code = {name: data for name, data in static_files().items() if name != "settings.yml"}
    assert {**opened.playbook, "resources.yml": b""} == {**code, "resources.yml": b""}
    assert opened.edits == ()


def test_only_the_expected_bundle_is_opened(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "b.dpbundle")
    found = open_source(path, NULL).bundle.manifest_sha256
    assert open_source(path, NULL, trust=Trust(expect=found)).bundle.manifest_sha256 == found
    unpack(open_source(path, NULL), tmp_path / "dir")
    other = "0" * 64
    for source in (path, tmp_path / "dir"):
        with pytest.raises(TrustError) as caught:
            open_source(source, NULL, trust=Trust(expect=other))
        assert digest.grouped(found) in str(caught.value)
        assert open_source(source, NULL, trust=Trust(expect=found))
    # Nothing of another bundle is even checked.
    data = bytearray(path.read_bytes())
    data[2048] ^= 1
    path.write_bytes(data)
    with pytest.raises(TrustError, match="not the one that is expected"):
        open_source(path, NULL, trust=Trust(expect=other))


def test_a_signature_is_asked_for_before_anything_is_believed(tmp_path: Path) -> None:
    key, other = keygen(tmp_path / "ours"), keygen(tmp_path / "other")
    allowed = tmp_path / "allowed"
    allowed.write_text(f"ops {public(key)}\n")
    ours = Trust(signers=Signers(allowed))
    signed = write_bundle(tmp_path / "signed.dpbundle", key=key)
    notes = Notes()
    assert open_source(signed, notes, trust=ours)
    (note,) = notes.notes
    assert note.startswith("signed by ops (ED25519 SHA256:")
    with pytest.raises(TrustError, match="not the one that is expected"):
        open_source(signed, NULL, trust=dataclasses.replace(ours, expect="0" * 64))
    # Another bundle that comes into its place after the signature was looked at.
    unsigned = write_bundle(tmp_path / "unsigned.dpbundle")

    class Swap(Notes):
        def say(self, text: str) -> None:
            shutil.copy(unsigned, tmp_path / "swapped.dpbundle")

    swapped = Path(shutil.copy(signed, tmp_path / "swapped.dpbundle"))
    with pytest.raises(TrustError, match="not the one that is expected"):
        open_source(swapped, Swap(), trust=ours)
    foreign = write_bundle(tmp_path / "foreign.dpbundle", key=other)
    with pytest.raises(SignatureError, match="not among the allowed signers"):
        open_source(foreign, NULL, trust=ours)
    notes = Notes()
    assert open_source(unsigned, notes, trust=ours)
    assert notes.notes == ["warning: the bundle is not signed: anybody may have made it"]
    with pytest.raises(SignatureError, match="not signed"):
        open_source(unsigned, NULL, trust=Trust(signers=Signers(allowed), require_signature=True))


def test_a_changed_task_is_refused_with_the_difference_and_runs_with_the_flag(
    tmp_path: Path,
) -> None:
    evil = static_files()["tasks/ports.yml"] + b"- name: Evil\n  ansible.builtin.shell: id\n"
    path = write_bundle(tmp_path / "evil.dpbundle", {"tasks/ports.yml": evil})
    with pytest.raises(TrustError) as caught:
        open_source(path, NULL)
    assert "playbook/tasks/ports.yml: differs:" in str(caught.value)
    assert "    +  ansible.builtin.shell: id" in str(caught.value)
    assert "--trust-playbook" in str(caught.value)
    opened = open_source(path, NULL, trust_playbook=True)
    assert opened.playbook["tasks/ports.yml"] == evil


def test_an_additional_file_is_refused(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "b", {"library/evil.py": b"x", "group_vars/all.yml": b"y"})
    with pytest.raises(TrustError) as caught:
        open_source(path, NULL)
    assert "playbook/library/evil.py: no file of this playbook version" in str(caught.value)
    assert "playbook/group_vars/all.yml: no file of this" in str(caught.value)


def write_older_bundle(path: Path, changed: dict[str, bytes] | None = None) -> Path:
    """One that a release wrote whose playbook was of version 1."""
    return write_bundle(path, changed, version=1)


def test_a_bundle_of_an_older_playbook_version_is_run_with_the_newest(tmp_path: Path) -> None:
    path = write_older_bundle(tmp_path / "old.dpbundle")
    with open_bundle(path) as bundle:
        names = {file.path for file in bundle.manifest.files}
    assert "playbook/tasks/outcome.yml" not in names
    opened = open_source(path, NULL)
    for name, text in static_files().items():
        assert name == "settings.yml" or opened.playbook[name] == text
    unpack(opened, tmp_path / "out")
    assert (tmp_path / "out" / "playbook" / "tasks" / "outcome.yml").is_file()
    # A directory that an older release unpacked is a playbook of that version too.
    for name, text in static_files(1).items():
        if name != "settings.yml":
            (tmp_path / "out" / "playbook" / name).write_bytes(text)
    (tmp_path / "out" / "playbook" / "tasks" / "outcome.yml").unlink()
    again = open_source(tmp_path / "out", NULL)
    assert again.playbook["tasks/outcome.yml"] == static_files()["tasks/outcome.yml"]


def test_a_changed_playbook_of_an_older_version_is_compared_with_that_version(
    tmp_path: Path,
) -> None:
    changed = {"tasks/ports.yml": b"- name: Evil\n"}
    path = write_older_bundle(tmp_path / "old.dpbundle", changed)
    with pytest.raises(trust.TrustFaults, match=r"this importer ships \(version 1\)") as caught:
        open_source(path, NULL)
    assert [str(fault.where) for fault in caught.value.faults] == ["playbook/tasks/ports.yml"]
    opened = open_source(path, NULL, trust_playbook=True)
    assert "tasks/outcome.yml" not in opened.playbook


def test_a_bundle_without_a_playbook_cannot_be_imported(tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "b") as writer:
        writer.finish(content(RESOURCES))
    with pytest.raises(BundleError, match=r"the playbook lacks inventory\.ini, resources\.yml"):
        open_source(tmp_path / "b", NULL)


Edit = Callable[[PlaybookData], PlaybookData]


def with_resources(**changes: Any) -> Edit:
    return lambda data: dataclasses.replace(
        data, resources=dataclasses.replace(data.resources, **changes)
    )


def rename(data: PlaybookData) -> PlaybookData:
    changed = dataclasses.replace(NET, name="new", mtu=1400)
    return with_resources(networks=(changed,))(data)


EVIL_GROUP = dataclasses.replace(GROUP, description="evil")


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (rename, [f"network {NET.id} 'new': name, mtu changed"]),
        (with_resources(networks=()), [f"network {NET.id}: removed"]),
        (
            with_resources(networks=(NET, dataclasses.replace(NET, id="x"))),
            ["network x: added"],
        ),
        (lambda data: dataclasses.replace(data, bundle="other"), ["bundle: other"]),
        (lambda data: dataclasses.replace(data, references=References()), ["flavor m1: removed"]),
        # Of two records with one ID, the first is made: the second must not hide it.
        (
            with_resources(security_groups=(EVIL_GROUP, GROUP)),
            [f"security group {GROUP.id}: stands there twice"],
        ),
        (
            lambda data: dataclasses.replace(
                data,
                references=dataclasses.replace(
                    data.references,
                    networks=(NetworkReference(id=NET.id, name="x", external=True),),
                ),
            ),
            [f"network {NET.id}: stands there twice"],
        ),
    ],
)
def test_every_edit_is_found_record_by_record(opened: Opened, edit: Edit, told: list[str]) -> None:
    data, manifest = edit(opened.data), opened.bundle.manifest
    assert trust.edits(data, manifest) == told
    with pytest.raises(TrustError, match="--edited"):
        trust.check_edits(data, manifest, allowed=False)
    assert trust.check_edits(data, manifest, allowed=True) == told


@pytest.mark.parametrize(
    "text",
    [b"{", b"[]", b"bundle: x\nnew: 1\n", b"bundle: !!int 7\n", b"bundle: x\nbundle: x\n", b"\xff"],
)
def test_data_that_is_none_is_told(tmp_path: Path, text: bytes) -> None:
    path = write_bundle(tmp_path / "b", {"resources.yml": text})
    with pytest.raises(BundleError, match=r"playbook/resources\.yml"):
        open_source(path, NULL)


# --- unpack ---


@pytest.mark.parametrize("folder", ["out", "a 'b' # c: \"d\" 🌧 \u2028 \x7f"])
def test_an_unpacked_directory_is_the_bundle_again(
    opened: Opened, tmp_path: Path, folder: str
) -> None:
    directory = tmp_path / folder / "deep"
    unpack(opened, directory)
    again = open_source(directory, NULL)
    assert again.bundle.manifest_sha256 == opened.bundle.manifest_sha256
    assert again.settings.bundle == str(opened.path)
    assert again.settings.state == str(directory / "state")
    assert again.data == opened.data
    assert again.playbook == opened.playbook
    assert directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["b.dpbundle", "b.dpbundle.parts", "b.dpbundle.002"])
def test_an_unpacked_directory_knows_where_the_parts_lie(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path, tmp_path / "a 'b' # c: \"d\" {{ 7*7 }}", tmp_path / "two"]
    split(write_bundle(tmp_path / "b.dpbundle"), folders, 1 << 13)
    (folders[1] / "b.dpbundle.002").rename(tmp_path / "b.dpbundle.002")
    monkeypatch.chdir(tmp_path)
    places = [each.relative_to(tmp_path) for each in folders[1:]]
    opened = open_source(Path(name), NULL, places)
    unpack(opened, Path("out"))
    monkeypatch.chdir("/")
    again = open_source(tmp_path / "out", NULL)
    assert again.bundle.manifest_sha256 == opened.bundle.manifest_sha256
    assert again.settings.bundle == str(tmp_path / name)
    assert again.settings.parts == tuple(map(str, folders[1:]))
    # A medium is somewhere else now: the command line has the last word.
    moved = folders[2].rename(tmp_path / "elsewhere")
    with pytest.raises(LocalError, match=r"two: cannot look for parts"):
        open_source(tmp_path / "out", NULL)
    again = open_source(tmp_path / "out", NULL, [folders[1], moved])
    assert again.settings.parts == (str(folders[1]), str(moved))


def test_other_parts_are_found_beside_one_that_is_a_link(tmp_path: Path) -> None:
    split(write_bundle(tmp_path / "b.dpbundle"), [tmp_path / "1", tmp_path / "2"], 1 << 13)
    (tmp_path / "all").mkdir()
    for part in tmp_path.glob("[12]/*"):
        (tmp_path / "all" / part.name).symlink_to(part)
    unpack(open_source(tmp_path / "all" / "b.dpbundle.001", NULL), tmp_path / "out")
    assert open_source(tmp_path / "out", NULL)


def test_the_collection_lies_beside_the_playbook(opened: Opened, tmp_path: Path) -> None:
    unpack(opened, tmp_path / "out")
    plugins = tmp_path / "out/playbook/collections/ansible_collections/downpour/bundle/plugins"
    assert (plugins / "action/network.py").is_file()
    assert (plugins / "modules/upload.py").is_file()
    assert not list(plugins.rglob("__pycache__"))


def test_a_directory_that_is_not_empty_is_refused(opened: Opened, tmp_path: Path) -> None:
    directory = tmp_path / "out"
    directory.mkdir()
    (directory / "mine").write_text("precious")
    with pytest.raises(LocalError, match="this directory is not empty"):
        unpack(opened, directory)
    assert [each.name for each in directory.iterdir()] == ["mine"]
    with pytest.raises(LocalError, match="cannot unpack"):
        unpack(opened, directory / "mine")


def test_an_edited_directory_needs_the_flag_and_a_foreign_file_is_not_even_read(
    opened: Opened, tmp_path: Path
) -> None:
    unpack(opened, tmp_path / "out")
    playbook = tmp_path / "out" / "playbook"
    (playbook / "group_vars").mkdir()
    (playbook / "group_vars" / "all.yml").write_text("evil")
    resources = playbook / "resources.yml"
    resources.write_text(resources.read_text().replace("name: web", "name: wab"))
    with pytest.raises(TrustError, match="name changed"):
        open_source(tmp_path / "out", NULL)
    edited = open_source(tmp_path / "out", NULL, edited=True)
    assert len(edited.edits) == 1
    assert edited.data.resources.security_groups[0].name == "wab"
    assert "group_vars/all.yml" not in edited.playbook


def test_an_edited_manifest_is_refused(opened: Opened, tmp_path: Path) -> None:
    unpack(opened, tmp_path / "out")
    manifest = tmp_path / "out" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("web", "wab"))
    with pytest.raises(BundleError, match="not the manifest of the bundle"):
        open_source(tmp_path / "out", NULL)


@pytest.mark.parametrize("name", NAMES)
def test_settings_for_the_runner_come_back_whatever_names_hold(name: str, tmp_path: Path) -> None:
    settings = Settings(
        bundle="/b",
        parts=("/p", f"/{name!r}"),
        state="/s",
        cloud=name,
        mapping=MappingRules(networks={name: name}, keypairs={"n": None}),
    )
    path = tmp_path / "settings.yml"
    path.write_bytes(data_file(settings))
    assert load_settings(path) == settings


def test_a_mistyped_key_is_refused_even_where_edits_are_allowed(opened: Opened) -> None:
    data = opened.data
    net = dataclasses.replace(NET, description="", extra={"descripton": "new"})
    edited = dataclasses.replace(
        data, resources=dataclasses.replace(data.resources, networks=(net,))
    )
    with pytest.raises(
        TrustError, match=r"unknown key 'descripton' \(did you mean description\?\)"
    ):
        trust.check_edits(edited, opened.bundle.manifest, allowed=True)
