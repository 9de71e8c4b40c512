"""The order of an export from end to end, on a source in memory."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bundle_spec import open_bundle, verify_bundle
from bundle_spec.errors import LocalError
from bundle_spec.model import Ref
from downpour_cloud import CloudError, CloudOptions
from downpour_export import key_file
from downpour_export.cloud import SourceCloud
from downpour_export.errors import CaptureError, PlanError, ResourceFileFaults
from downpour_export.options import ExportOptions
from downpour_export.pipeline import Exported, export, look_for, plan_export
from downpour_export.resource_file.query import Query
from tests.unit.export.capture_source import Source, on_read
from tests.unit.fake_cloud import Call, response
from tests.unit.quiet import Notes

WANTED = """\
images: [{name: golden}]
volumes: [{id: v3}]
keypairs: [{name: k}]
"""
OPTIONS = CloudOptions(cloud="source")


@pytest.fixture
def fake() -> Source:
    """Without the servers, which need flavors and the rest of Nova."""
    fake = Source()
    fake.of("/servers").clear()
    fake.add("/os-keypairs", id="k", name="k", public_key="ssh-ed25519 A", type="ssh")
    for volume in fake.of("/volumes").values():
        volume.update(size=1, volume_type=None, availability_zone=None, multiattach=False)
        volume.update(encrypted=False, bootable="false", attachments=[], metadata={})
    return fake


@pytest.fixture
def options(tmp_path: Path) -> ExportOptions:
    path = tmp_path / "export.yml"
    path.write_text(WANTED)
    # One after another: the volume is there when the image is read.
    bundle = tmp_path / "out.dpbundle"
    return ExportOptions(resource_file=path, bundle=bundle, cloud=OPTIONS, jobs=1)


def run(fake: Source, options: ExportOptions, notes: Notes | None = None) -> Exported:
    def connect(asked: CloudOptions, tell: object) -> SourceCloud:
        assert asked == options.cloud
        return SourceCloud(fake.connection)

    return export(options, notes or Notes(), connect)


def test_what_is_asked_for_becomes_a_whole_bundle(fake: Source, options: ExportOptions) -> None:
    done = run(fake, options)

    verified = verify_bundle(options.bundle, read_data=True)
    assert verified.manifest_sha256 == done.bundle.manifest_sha256
    assert {record.ref for record in verified.manifest.resources} >= {
        Ref("image", "golden"),
        Ref("volume", "v3"),
        Ref("keypair", "k"),
    }
    with open_bundle(options.bundle) as bundle:
        disk = bundle.disk(verified.manifest.resources.images[0].disk_id)
        assert b"".join(disk.stream()) == fake.bytes_of["golden"]


def test_nothing_is_left_at_the_source(fake: Source, options: ExportOptions) -> None:
    run(fake, options)

    assert fake.left() == []


def test_an_export_that_stopped_goes_on_with_the_same_command(
    fake: Source, options: ExportOptions
) -> None:
    on_read(fake, "golden", lambda read: response(403))
    notes = Notes()
    with pytest.raises(CaptureError, match="with 403"):
        run(fake, options, notes)
    assert not options.bundle.exists()
    assert any("the same command goes on with it" in text for text in notes.notes)

    fake.before.clear()
    fake.calls.clear()
    run(fake, options)

    assert verify_bundle(options.bundle).level == "stored"
    assert not fake.sent("POST", "/volumes/v3")


def test_what_was_captured_in_another_project_is_not_gone_on_with(
    fake: Source, options: ExportOptions
) -> None:
    on_read(fake, "golden", lambda read: response(403))
    with pytest.raises(CaptureError):
        run(fake, options)

    fake.connection.current_project_id = "2" * 32
    with pytest.raises(LocalError, match="another cloud or project"):
        run(fake, options)


def test_mistakes_of_the_file_and_names_that_are_not_there_are_told_at_once(
    fake: Source, options: ExportOptions
) -> None:
    options.resource_file.write_text("imges: []\nkeypairs: [{name: nobody}]\n")

    def connect(asked: CloudOptions, tell: object) -> SourceCloud:
        return SourceCloud(fake.connection)

    with pytest.raises(ResourceFileFaults) as caught:
        plan_export(options.resource_file, OPTIONS, Notes(), connect)

    assert "imges" in str(caught.value)
    assert "nobody" in str(caught.value)


def test_a_file_that_names_nothing_is_told_before_the_cloud_is_asked(
    options: ExportOptions,
) -> None:
    asked = []

    def connect(wanted: CloudOptions, tell: object) -> SourceCloud:
        asked.append(wanted)
        raise CloudError("it was asked")

    for text in ("servers: [\n", "", "imges: []\n"):
        options.resource_file.write_text(text)
        with pytest.raises(ResourceFileFaults):
            plan_export(options.resource_file, OPTIONS, Notes(), connect)
    assert asked == []


def test_mistakes_of_the_file_are_told_without_a_cloud(options: ExportOptions) -> None:
    options.resource_file.write_text("imges: []\nimages: [{name: a}]\n")

    def connect(asked: CloudOptions, tell: object) -> SourceCloud:
        raise CloudError("it is not there")

    with pytest.raises(ResourceFileFaults, match="imges"):
        plan_export(options.resource_file, OPTIONS, Notes(), connect)


def test_a_key_file_stays_only_with_its_bundle(
    fake: Source, options: ExportOptions, tmp_path: Path
) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse")
    encrypted = dataclasses.replace(options, passphrase_file=secret)
    key = options.bundle.with_name(options.bundle.name + ".key")

    on_read(fake, "golden", lambda read: response(403))
    with pytest.raises(CaptureError):
        run(fake, encrypted)
    assert not key.exists()

    fake.before.clear()
    assert run(fake, encrypted).key == key
    assert key.exists()


def test_the_key_of_an_earlier_bundle_stays_until_the_new_one_is_whole(
    fake: Source, options: ExportOptions, tmp_path: Path
) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse")
    encrypted = dataclasses.replace(options, passphrase_file=secret)
    key = options.bundle.with_name(options.bundle.name + ".key")
    run(fake, encrypted)
    before = (options.bundle.read_bytes(), key.read_bytes())
    with pytest.raises(LocalError, match="the key file exists already"):
        run(fake, encrypted)

    again = dataclasses.replace(encrypted, overwrite=True)
    on_read(fake, "golden", lambda read: response(403))
    with pytest.raises(CaptureError):
        run(fake, again)
    assert (options.bundle.read_bytes(), key.read_bytes()) == before
    fake.before.clear()
    run(fake, again)
    assert key.read_bytes() != before[1]
    assert not list(tmp_path.glob("*.partial*"))


def test_a_key_of_a_killed_run_is_not_in_the_way(
    fake: Source, options: ExportOptions, tmp_path: Path
) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse")
    options.bundle.with_name(options.bundle.name + ".key.partial").write_bytes(b"killed")
    done = run(fake, dataclasses.replace(options, passphrase_file=secret))
    assert done.key is not None
    assert done.key.read_bytes() != b"killed"


def test_a_key_stays_with_a_bundle_that_has_its_name(
    fake: Source, options: ExportOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt comes between the two."""

    def interrupt(*paths: object) -> None:
        raise KeyboardInterrupt

    secret = tmp_path / "passphrase"
    secret.write_text("correct horse")
    monkeypatch.setattr(key_file.KeyFile, "publish", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(fake, dataclasses.replace(options, passphrase_file=secret))
    assert options.bundle.exists()
    assert options.bundle.with_name(options.bundle.name + ".key.partial").exists()


def test_an_interrupt_with_nothing_to_keep_says_so(fake: Source, options: ExportOptions) -> None:
    def interrupt(call: Call) -> None:
        raise KeyboardInterrupt

    fake.before.append(interrupt)
    notes = Notes()
    with pytest.raises(KeyboardInterrupt):
        run(fake, options, notes)
    assert notes.said == ["nothing was captured yet: the next run begins from the start"]


def test_a_place_that_cannot_be_written_to_is_told_before_the_cloud_is_asked(
    fake: Source, options: ExportOptions
) -> None:
    options.bundle.write_bytes(b"mine")

    with pytest.raises(LocalError, match="exists already"):
        run(fake, options)
    assert fake.calls == []


def test_a_query_that_finds_nothing_says_so_once(fake: Source, options: ExportOptions) -> None:
    def connect(asked: CloudOptions, tell: object) -> SourceCloud:
        return SourceCloud(fake.connection)

    def ask(progress: Notes, *images: str) -> None:
        query, file = Query(image_names=images), options.resource_file
        look_for(query, file, OPTIONS, save_state=True, progress=progress, connect=connect)

    nothing, some = Notes(), Notes()
    with pytest.raises(PlanError, match=r"nothing fits --image-name a, --image-name b \("):
        ask(nothing, "a", "b")
    assert not any("nothing fits" in note for note in nothing.notes)
    ask(some, "a", "golden")
    assert "warning: nothing fits --image-name a" in some.notes


def test_query_adds_what_fits_and_keeps_what_is_there(fake: Source, options: ExportOptions) -> None:
    def connect(asked: CloudOptions, tell: object) -> SourceCloud:
        return SourceCloud(fake.connection)

    query = Query(image_names=("gold*",), keypair_names=("k",), volume_names=("v1",))
    asked = look_for(query, options.resource_file, OPTIONS, save_state=True, connect=connect)

    assert [match.record.id for match in asked.added] == ["v1"]
    assert asked.there == 2
    assert asked.left is None
    assert "golden" in options.resource_file.read_text()
