"""A writer that was stopped, at whatever moment: the next one goes on, and the bundle is whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bundle_spec import BundleWriter, verify_bundle
from bundle_spec.errors import BundleError, LocalError
from bundle_spec.model import Disk, Resources
from bundle_spec.write.guess import Guess
from tests.unit.bundle.samples import CHUNK, content, image, noise

RAW = {name: noise(60 * CHUNK + 77, seed) for seed, name in enumerate(("a", "b", "c"))}
RAW["c"] = RAW["a"][: 20 * CHUNK] + bytes(30 * CHUNK) + RAW["b"][: 10 * CHUNK + 5]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Chunks are placed as soon as they come, not tens of MiB later.
    monkeypatch.setattr("bundle_spec.write.stage.IN_FLIGHT", 0)
    return tmp_path / "out.dpbundle"


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


def go_on(path: Path, part_size: int | None = None) -> dict[str, int]:
    """Write all of RAW, or what is missing of it.  Returns how many bytes each disk still took."""
    taken = dict.fromkeys(RAW, 0)
    with BundleWriter(path, part_size=part_size) as writer:
        ended = writer.ended_disks()
        left = {disk.label: disk for disk in writer.open_disks()}
        records: dict[str, Disk] = {}
        for label, raw in RAW.items():
            if label in ended:
                records[label] = ended[label]
                continue
            if label in left:
                disk = writer.resume_disk(left[label])
            else:
                disk = writer.disk("qcow2", size_hint=len(raw), label=label)
            for start in range(disk.size, len(raw), 100_000):
                disk.write(raw[start : start + 100_000])
                taken[label] += len(raw[start : start + 100_000])
            records[label] = disk.finish()
        writer.add_file("playbook/site.yml", b"---\n")
        images = tuple(image(record.id, label) for label, record in records.items())
        writer.finish(content(Resources(images=images)))
    return taken


def check(path: Path) -> None:
    with verify_bundle(path, read_data=True).open() as bundle:
        for each in bundle.manifest.resources.images:
            assert b"".join(bundle.disk(each.disk_id).stream()) == RAW[each.id]
        assert len(bundle.manifest.resources.images) == 3


def begin(path: Path, label: str, size: int) -> None:
    """A run that leaves after ``size`` bytes of a disk."""
    with BundleWriter(path) as writer:
        disk = writer.disk("qcow2", size_hint=len(RAW[label]), label=label)
        disk.write(RAW[label][:size])
        if size == len(RAW[label]):
            disk.finish()
    assert writer.kept == path.with_name("out.dpbundle.partial")


def test_a_disk_goes_on_at_its_last_whole_chunk(path: Path) -> None:
    begin(path, "a", 40 * CHUNK + 5)
    taken = go_on(path)
    # What still waited for a thread when the run was left is written again.
    assert taken["a"] <= len(RAW["a"]) - 16 * CHUNK
    assert names(path) == ["out.dpbundle"]
    check(path)


def test_a_disk_that_had_ended_is_not_taken_again(path: Path) -> None:
    begin(path, "a", len(RAW["a"]))
    assert names(path) == ["out.dpbundle.partial", "out.dpbundle.partial.journal"]
    assert go_on(path)["a"] == 0
    check(path)


def test_chunks_of_an_earlier_run_are_still_stored_once(path: Path) -> None:
    begin(path, "a", len(RAW["a"]))
    with BundleWriter(path) as writer:
        assert writer.resumed
        disk = writer.disk("qcow2", size_hint=1)
        disk.write(RAW["a"])
        record = disk.finish()
        writer.finish(content())
    assert record.stored == 0
    assert record.shared == writer_stored(path, "0001")
    verify_bundle(path, read_data=True)


def writer_stored(path: Path, disk: str) -> int:
    return verify_bundle(path).manifest.disk(disk).stored


def test_a_disk_that_nobody_takes_up_is_abandoned(path: Path) -> None:
    begin(path, "a", 40 * CHUNK)
    with BundleWriter(path) as writer:
        (left,) = writer.open_disks()
        assert (left.label, left.disk_format) == ("a", "qcow2")
        assert left.size % CHUNK == 0
        writer.finish(content())
    manifest = verify_bundle(path, read_data=True).manifest
    assert manifest.disks == ()
    assert [(each.id, each.size) for each in manifest.abandoned] == [("0001", left.size)]


def test_a_whole_disk_can_be_abandoned_later(path: Path) -> None:
    """[M-10]  Also one that ends within a chunk."""
    begin(path, "a", len(RAW["a"]))
    with BundleWriter(path) as writer:
        writer.abandon_disk(writer.ended_disks()["a"].id)
        assert writer.ended_disks() == {}
        writer.finish(content())
    (abandoned,) = verify_bundle(path, read_data=True).manifest.abandoned
    assert abandoned.size == len(RAW["a"])


def test_only_its_owner_reads_what_an_unfinished_bundle_consists_of(path: Path) -> None:
    def modes() -> dict[str, str]:
        return {each.name: oct(each.stat().st_mode & 0o777) for each in path.parent.iterdir()}

    old = os.umask(0o022)
    try:
        with BundleWriter(path) as writer:
            writer.disk("raw").write(noise(CHUNK))
            assert set(modes().values()) == {"0o600"}
            assert "out.dpbundle.partial.journal" in modes()
    finally:
        os.umask(old)


def test_notes_survive(path: Path) -> None:
    with BundleWriter(path) as writer:
        assert writer.recall("source") is None
        writer.remember("source", "Zürich")
        disk = writer.disk("qcow2", size_hint=1)
        disk.write(RAW["a"])
        disk.finish()
        uuid = writer.uuid
    with BundleWriter(path) as writer:
        assert writer.recall("source") == "Zürich"
        assert writer.uuid == uuid


def test_a_run_that_fails_at_once_forgets_no_note_of_a_killed_one(path: Path) -> None:
    """Such as the uuid, which its temporary objects at the source are called by."""
    with BundleWriter(path) as writer:
        writer.keep_if_empty(True)
        writer.remember("stopped web", "keep")
        uuid = writer.uuid
    with BundleWriter(path):
        pass
    with BundleWriter(path) as writer:
        assert writer.uuid == uuid
        assert writer.recall("stopped web") == "keep"


def test_one_may_begin_anew(path: Path) -> None:
    begin(path, "a", len(RAW["a"]))
    with BundleWriter(path, resume=False) as writer:
        assert not writer.resumed
        assert writer.ended_disks() == {}
        writer.finish(content())
    assert path.stat().st_size < CHUNK


KILLED = """
import sys, time
from pathlib import Path
from bundle_spec.write import store
store.CHECKPOINT_SECONDS = 0.01
from tests.unit.bundle import test_resume
import bundle_spec.write.writer
if sys.argv[2] == "verify":
    bundle_spec.write.writer.verify_files = lambda *args: (print("now", flush=True), time.sleep(60))
else:
    print("now", flush=True)
while True:
    test_resume.go_on(Path(sys.argv[1]), int(sys.argv[3]) or None)
    Path(sys.argv[1]).rename(sys.argv[1] + ".done")
"""


def kill(path: Path, moment: str, delay: float, part_size: int = 0) -> None:
    command = [sys.executable, "-c", KILLED, str(path), moment, str(part_size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"now\n"
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("seed", range(6))
def test_a_run_that_is_killed_is_gone_on_with(path: Path, seed: int) -> None:
    """[F-19]  Twice, at a moment of chance."""
    rng = random.Random(seed)
    for _ in range(2):
        kill(path, "write", rng.uniform(0, 0.25))
        if path.exists():  # killed when it was done
            check(path)
            path.unlink()
    go_on(path)
    check(path)
    assert set(names(path)) <= {"out.dpbundle", "out.dpbundle.done"}


def test_a_run_that_is_killed_while_it_verifies_takes_no_disk_again(path: Path) -> None:
    kill(path, "verify", 0)
    assert not path.exists()
    assert go_on(path) == dict.fromkeys(RAW, 0)
    check(path)


def test_what_is_behind_the_last_record_is_forgotten(path: Path) -> None:
    begin(path, "a", len(RAW["a"]))
    with path.with_name("out.dpbundle.partial").open("ab") as file:
        file.write(noise(100_000))
    go_on(path)
    check(path)


def test_a_file_that_lost_its_end_is_told(path: Path) -> None:
    begin(path, "a", len(RAW["a"]))
    os.truncate(path.with_name("out.dpbundle.partial"), 5000)
    before = {name: path.with_name(name).read_bytes() for name in names(path)}
    with pytest.raises(LocalError, match="shorter than its journal says"):
        BundleWriter(path)
    assert {name: path.with_name(name).read_bytes() for name in names(path)} == before


def test_a_disk_that_the_medium_changed_is_not_gone_on_with(path: Path) -> None:
    begin(path, "a", 40 * CHUNK)
    with path.with_name("out.dpbundle.partial").open("r+b") as file:
        file.seek(5 * CHUNK)
        file.write(b"rot")
    with BundleWriter(path) as writer:
        (left,) = writer.open_disks()
        with pytest.raises(LocalError, match="does not hold what was written"):
            writer.resume_disk(left)


def test_a_journal_that_is_none_is_told(path: Path) -> None:
    begin(path, "a", 40 * CHUNK)
    path.with_name("out.dpbundle.partial.journal").write_bytes(b"junk" * 3000)
    with pytest.raises(LocalError, match=r"journal.*not a database") as caught:
        BundleWriter(path)
    assert caught.value.where == f"{path}.partial.journal"


def test_a_journal_that_is_none_can_be_begun_anew(path: Path) -> None:
    begin(path, "a", 40 * CHUNK)
    path.with_name("out.dpbundle.partial.journal").write_bytes(b"junk" * 3000)
    with BundleWriter(path, resume=False) as writer:
        writer.finish(content())
    assert names(path) == ["out.dpbundle"]


def test_a_sync_that_comes_late_takes_nothing_back(path: Path) -> None:
    with BundleWriter(path) as writer:
        store = writer._store
        with store.writing():
            early = store._flushed()
        disk = writer.disk("qcow2", size_hint=1, label="a")
        disk.write(RAW["a"])
        disk.finish()
        store._sync(*early, 0)
        with store.journal() as journal:
            assert journal.get("position") > early[0] + len(RAW["a"])


def test_a_full_disk_costs_nothing_that_was_recorded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bundle_spec.write.store.CHECKPOINT_SECONDS", 0.0)
    with BundleWriter(path) as writer:
        disk = writer.disk("qcow2", size_hint=1, label="a")
        disk.write(RAW["a"])
        disk.finish()
        disk = writer.disk("raw", size_hint=1, label="b")
        full, kept = os.open("/dev/full", os.O_WRONLY), os.dup(writer._store._file._sink._fds[0])
        os.dup2(full, writer._store._file._sink._fds[0])
        with pytest.raises(LocalError, match="No space left"):
            disk.write(RAW["b"] * 20)
        os.close(full)
        os.close(kept)
    assert writer.kept
    taken = go_on(path)
    assert taken["a"] == 0
    check(path)


AS_NOBODY = """
import os, sys
from pathlib import Path
from bundle_spec import BundleWriter
from bundle_spec.errors import LocalError
if os.getuid() == 0:
    os.setuid(65534)
try:
    BundleWriter(Path(sys.argv[1]))
except LocalError as exc:
    print(exc)
"""


def test_a_folder_that_cannot_be_written_to_is_told_and_keeps_the_journal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bundle_spec.write.stage.IN_FLIGHT", 0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.dpbundle"
        begin(path, "a", len(RAW["a"]))
        before = names(path)
        for each in path.parent.iterdir():
            each.chmod(0o400)
        path.parent.chmod(0o555)
        for name in ("out.dpbundle", "other.dpbundle"):
            command = [sys.executable, "-c", AS_NOBODY, str(path.with_name(name))]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert f"{name}.partial: cannot write the bundle: Permission denied" in done.stdout
        path.parent.chmod(0o755)
        for each in path.parent.iterdir():
            each.chmod(0o600)
        assert names(path) == before
        assert go_on(path)["a"] == 0
        check(path)


def test_a_ctrl_c_between_file_and_journal_is_not_made_durable(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(path, "a", len(RAW["a"]))

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    with BundleWriter(path) as writer:
        disk = writer.disk("qcow2", size_hint=1, label="b")
        with monkeypatch.context() as patch:
            patch.setattr("bundle_spec.write.journal.Journal.add_stored", interrupt)
            with pytest.raises(KeyboardInterrupt):
                disk.write(RAW["b"])
    go_on(path)
    check(path)


def test_rot_that_the_last_check_finds_leaves_nothing_to_go_on_with(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Guess, "at", lambda self, number: None)  # which reads what is stored
    begin(path, "a", len(RAW["a"]))
    with path.with_name("out.dpbundle.partial").open("r+b") as file:
        file.seek(5 * CHUNK)
        file.write(b"rot")
    with pytest.raises(BundleError, match="damaged: not what its line in the chunk list says"):
        go_on(path)
    assert names(path) == []
