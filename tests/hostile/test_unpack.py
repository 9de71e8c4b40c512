"""What ``unpack`` lays down is ours, whatever the bundle holds."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bundle_spec import open_bundle
from bundle_spec.errors import TrustError
from bundle_spec.form import codec, digest
from bundle_spec.model.playbook import PlaybookData
from bundle_spec.playbook import static_files
from bundle_spec.progress import NULL
from downpour_import import cli
from downpour_import.playbook.settings import load_settings
from downpour_import.source.found import takes_effect
from downpour_import.source.unpack import unpack
from tests.unit.importer.test_trust import open_source, write_bundle
from tests.unit.quiet import Notes
from tests.vectors.forge import UUID, Forge

Capture = pytest.CaptureFixture[str]

CALLBACK = b"open('/tmp/it-ran', 'w')\n"
SETTINGS = static_files()["settings.yml"]
PLANTED = {
    "an ansible.cfg with a callback plugin": {
        "ansible.cfg": b"[defaults]\ncallback_plugins=callback_plugins\n",
        "callback_plugins/evil.py": CALLBACK,
    },
    "another site.yml": {"site.yml": static_files()["site.yml"] + b"- hosts: localhost\n"},
    "another clouds.yaml": {"clouds.yaml": b"clouds: {target: {auth: {auth_url: http://evil}}}\n"},
    "settings that name no bundle": {
        "settings.yml": SETTINGS.replace(b"\nbundle: null\n", b"\nbundle: null # kept\n")
    },
    "settings that name a cloud": {
        "settings.yml": SETTINGS.replace(b"config_file: null", b"config_file: evil.yml"),
        "evil.yml": b"clouds: {target: {auth: {auth_url: http://evil}}}\n",
    },
    "settings with one more comment": {"settings.yml": SETTINGS + b"# hello\n"},
    "hidden files": {".env": b"X=1\n", "tasks/.git/config": b"[core]\n\tfsmonitor = id\n"},
    "variables": {"group_vars/all.yml": b"ansible_connection: ssh\n"},
    "a collection": {"collections/ansible_collections/downpour/bundle/plugins/x.yml": b"x\n"},
    "another case": {"Ansible.CFG": b"[defaults]\n", "LIBRARY/x.yml": b"x\n"},
}
each_planted = pytest.mark.parametrize("files", PLANTED.values(), ids=PLANTED)


def laid_down(directory: Path) -> set[str]:
    """The files of the playbook, without the collection that is ours."""
    playbook = directory / "playbook"
    names = {str(path.relative_to(playbook)) for path in playbook.rglob("*") if path.is_file()}
    return {name for name in names if not name.startswith("collections/ansible_collections/down")}


@each_planted
def test_what_is_foreign_is_refused_and_nothing_is_laid_down(
    files: dict[str, bytes], tmp_path: Path, capsys: Capture
) -> None:
    path = write_bundle(tmp_path / "b.dpbundle", files)
    assert cli.main(["unpack", str(path), str(tmp_path / "out")]) == TrustError.exit_code
    told = capsys.readouterr()
    assert all(f"playbook/{name}" in told.err for name in files)
    assert told.out == ""
    assert not (tmp_path / "out").exists()


@each_planted
def test_even_where_it_is_trusted_nothing_takes_effect_by_its_name_alone(
    files: dict[str, bytes], tmp_path: Path, capsys: Capture
) -> None:
    path = write_bundle(tmp_path / "b.dpbundle", files)
    out = tmp_path / "out"
    assert cli.main(["unpack", "--trust-playbook", str(path), str(out)]) == 0
    told = capsys.readouterr().err
    handed_out = {name for name in files if not takes_effect(name)}
    assert laid_down(out) == {*static_files(), "resources.yml"} | handed_out
    for name in files.keys() - handed_out:
        assert not (out / "playbook" / name).exists()
        assert f"warning: playbook/{name}: left out" in told
    run = open_source(path, NULL, trust_playbook=True).playbook
    assert run.keys() == laid_down(out) - {"settings.yml"}
    settings = load_settings(out / "playbook" / "settings.yml")
    assert settings.bundle == str(path)
    with open_bundle(path) as reader:
        assert settings.manifest_sha256 == reader.manifest_sha256
    assert (settings.config_file, settings.cloud) == (None, None)


def test_a_playbook_that_is_trusted_is_laid_down_as_it_is(tmp_path: Path) -> None:
    files = {"site.yml": b"- hosts: all\n", "tasks/more.yml": b"---\n", "templates/a.j2": b"a\n"}
    path = write_bundle(tmp_path / "b.dpbundle", files)
    unpack(open_source(path, NULL, trust_playbook=True), tmp_path / "out")
    for name, data in files.items():
        assert (tmp_path / "out" / "playbook" / name).read_bytes() == data
    again = open_source(tmp_path / "out", NULL, trust_playbook=True)
    assert {name: again.playbook[name] for name in files} == files


@pytest.mark.parametrize(
    "name",
    [
        *("ansible.cfg", "clouds.yaml", "clouds.yml", "clouds.json", "clouds-public.yaml"),
        *("secure.yaml", "secure.yml", "secure.json", "library/x.yml", "module_utils/x"),
        *("action_plugins/x", "callback_plugins/x", "vars_plugins/x", "lookup_plugins/x"),
        *("roles/x/tasks/main.yml", "collections/x", "group_vars/all", "host_vars/localhost.yml"),
        *(".env", ".envrc", "tasks/.x", "yaml.py", "tasks/x.pyc", "x.so", "x.pth", "Library/x"),
        *("events", "ansible/plugins/callback/x"),
    ],
)
def test_what_takes_effect_by_its_name_alone_is_known(name: str) -> None:
    assert takes_effect(name)


def test_nothing_of_ours_takes_effect_by_its_name_alone() -> None:
    assert not [name for name in (*static_files(), "resources.yml") if takes_effect(name)]


def test_data_that_is_not_what_the_manifest_says_is_not_handed_out(
    tmp_path: Path, capsys: Capture
) -> None:
    """By hand, Ansible would make it without a question."""
    other = PlaybookData(bundle="0" * 8)
    text = yaml.safe_dump(codec.encode(other)).encode()
    path = write_bundle(tmp_path / "b.dpbundle", {"resources.yml": text})
    for more in ([], ["--trust-playbook"]):
        assert cli.main(["unpack", *more, str(path), str(tmp_path / "out")]) == 5
        assert "resources.yml is not what the manifest says" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_directory_is_not_unpacked_again(tmp_path: Path) -> None:
    unpack(open_source(write_bundle(tmp_path / "b.dpbundle"), NULL), tmp_path / "dir")
    assert cli.main(["unpack", str(tmp_path / "dir"), str(tmp_path / "out")]) == 2


def test_the_manifest_is_handed_out_byte_for_byte(tmp_path: Path) -> None:
    """Also one that leaves out keys that have a default: another text is another manifest."""
    data = PlaybookData(bundle=UUID)
    resources = yaml.safe_dump(codec.encode(data)).encode()
    files = {**static_files(), "resources.yml": resources}
    forge = Forge(disks=[], files={f"playbook/{name}": text for name, text in files.items()})
    path = forge.write(tmp_path / "b.dpbundle")
    opened = open_source(path, NULL)
    unpack(opened, tmp_path / "out")
    stored = (tmp_path / "out" / "manifest.json").read_bytes()
    assert b'"omissions"' not in stored
    assert digest.of(stored) == opened.bundle.manifest_sha256
    assert open_source(tmp_path / "out", NULL).data == data
    with open_bundle(path) as reader:
        assert reader.manifest_bytes() == stored


def test_what_was_laid_beside_the_playbook_later_is_told(tmp_path: Path) -> None:
    unpack(open_source(write_bundle(tmp_path / "b.dpbundle"), NULL), tmp_path / "dir")
    notes = Notes()
    open_source(tmp_path / "dir", notes)
    assert notes.said == []
    playbook = tmp_path / "dir" / "playbook"
    (playbook / "notes.txt").write_text("mine")
    (playbook / "ansible.cfg").write_text("[defaults]\n")
    (playbook / "library").mkdir()
    (playbook / "collections/ansible_collections/ansible").mkdir()
    open_source(tmp_path / "dir", notes)
    told = "passed over here, but ansible-playbook run by hand there would take it up"
    planted = ("ansible.cfg", "collections/ansible_collections/ansible", "library")
    assert notes.said == [f"warning: playbook/{name}: {told}" for name in planted]


def test_of_many_such_files_a_few_are_told(tmp_path: Path) -> None:
    unpack(open_source(write_bundle(tmp_path / "b.dpbundle"), NULL), tmp_path / "dir")
    for number in range(100):
        (tmp_path / "dir" / "playbook" / f"x{number}_plugins").mkdir()
    notes = Notes()
    open_source(tmp_path / "dir", notes)
    assert len(notes.said) == 11
    assert notes.said[-1] == "warning: the same of 90 more files"
