"""What somebody laid in the way of a file: a link, a FIFO, a directory, a whole state directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from bundle_spec.errors import BundleError, DownpourError, LocalError
from bundle_spec.model import Ref
from bundle_spec.private import create, open_own, open_own_folder, open_regular
from bundle_spec.progress import NULL
from bundle_spec.read.files import BundleFiles
from bundle_spec.read.source import Source
from bundle_spec.trust import age, policy
from downpour_export import resource_file
from downpour_import import cli
from downpour_import.cloud import TargetCloud
from downpour_import.errors import StateError
from downpour_import.playbook.data import load_data
from downpour_import.preflight import mapping, proposal
from downpour_import.run import runner
from downpour_import.source.decrypted import Keys, in_clear
from downpour_import.state import directory
from downpour_import.state.failures import Failures
from downpour_import.state.journal import Journal
from tests.hostile.planting import (
    IN_THE_WAY,
    NO_FILES,
    PLANTS,
    Plant,
    plant_directory,
    plant_fifo,
    plant_link,
    untouched,
)
from tests.unit.bundle.test_age import write
from tests.unit.fake_cloud import FakeCloud
from tests.unit.importer.test_whole_import import Far

NETWORK = Ref("network", "a")
pytestmark = pytest.mark.usefixtures("nothing_hangs")


# --- the opener ---


@pytest.mark.parametrize(
    ("plant", "what"), [(plant_fifo, "a FIFO"), (plant_directory, "a directory")]
)
def test_what_is_no_regular_file_is_said_at_once(
    tmp_path: Path, other: Path, plant: Plant, what: str
) -> None:
    path = tmp_path / "file"
    plant(path, other)
    for open_it in (open_regular, open_own):
        with pytest.raises(OSError, match=f"it is {what}"):
            open_it(path)
    with pytest.raises(OSError, match="it is a device"):
        open_regular("/dev/null")


def test_a_link_is_followed_to_what_is_read_and_not_to_what_is_ours(
    tmp_path: Path, other: Path
) -> None:
    path = tmp_path / "file"
    plant_link(path, other)
    os.close(open_regular(path))
    with pytest.raises(OSError, match="it is a symbolic link"):
        open_own(path, os.O_RDWR | os.O_CREAT)
    with pytest.raises(FileExistsError):
        create(path, b"")
    untouched(other)


def test_what_belongs_to_another_user_is_not_ours(
    tmp_path: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.close(open_own(other))
    os.close(open_own_folder(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    for open_it in (open_own, open_own_folder):
        with pytest.raises(OSError, match="it belongs to another user"):
            open_it(other if open_it is open_own else tmp_path)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_into_which_others_write_is_not_ours_alone(tmp_path: Path, mode: int) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(mode)
    with pytest.raises(OSError, match=f"its mode is {mode:04o}"):
        open_own_folder(tmp_path / "shared")


# --- the state directory ---


@pytest.fixture
def cloud() -> TargetCloud:
    return TargetCloud(FakeCloud().connection)


def test_a_directory_that_no_import_has_made_is_refused(tmp_path: Path, cloud: TargetCloud) -> None:
    planted = tmp_path / "out.target"
    planted.mkdir(mode=0o700)
    Journal(planted).record("reused", NETWORK, "net", "the-attackers")
    for look in (directory.check, directory.bind):
        with pytest.raises(StateError, match=r"not empty, and has no state.json .*--state"):
            look(planted, "uuid", cloud, manifest_sha256=None)
    assert not (planted / directory.STATE_FILE).exists()


def test_what_a_kill_leaves_in_a_new_directory_does_not_stop_the_next_run(
    tmp_path: Path, cloud: TargetCloud
) -> None:
    (tmp_path / ".downpour-0123456789abcdef").write_text("{")
    directory.bind(tmp_path, "uuid", cloud, manifest_sha256=None)
    assert directory.is_bound(tmp_path)


def test_a_state_of_another_user_or_one_open_to_others_is_refused(
    tmp_path: Path, cloud: TargetCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    directory.bind(state, "uuid", cloud, manifest_sha256=None)
    (tmp_path / "link").symlink_to(state)
    with pytest.raises(StateError, match="it is a symbolic link"):
        directory.bind(tmp_path / "link", "uuid", cloud, manifest_sha256=None)
    state.chmod(0o770)
    with pytest.raises(StateError, match="its mode is 0770"):
        directory.bind(state, "uuid", cloud, manifest_sha256=None)
    state.chmod(0o755)
    directory.bind(state, "uuid", cloud, manifest_sha256=None)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(StateError, match="belongs to another user"):
        directory.bind(state, "uuid", cloud, manifest_sha256=None)


def test_neither_a_plan_nor_an_import_believes_a_planted_journal(tmp_path: Path) -> None:
    far = Far(tmp_path)
    planted = tmp_path / "state"
    planted.mkdir(mode=0o700)
    Journal(planted).record("reused", NETWORK, "net", "the-attackers")
    for command in (far.plan, far.run):
        with pytest.raises(StateError, match="not empty"):
            command()
    assert not any(far.made().values())


def finished(state: Path) -> None:
    """A network that is made and whole, and so has its row."""
    journal = Journal(state)
    journal.record("made", NETWORK, "net", "t")
    journal.record("done", NETWORK, "net")


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("state.json", lambda state: directory.bundle_uuid(state)),
        ("targets.json", lambda state: directory.load_targets_if_any(state)),
        ("lock", lambda state: directory.locked(state).__enter__()),
        ("journal.jsonl", lambda state: Journal(state)),
        ("journal.lock", lambda state: Journal(state).record("made", NETWORK, "net", "t")),
        ("uuids.csv", finished),
        ("failures.jsonl", lambda state: Failures(state).end("all")),
        ("failures.jsonl", lambda state: Failures(state).all()),
        ("ansible.log", lambda state: play(state / "ansible.log")),
    ],
)
def test_nothing_in_a_state_directory_is_followed_or_waited_for(
    tmp_path: Path, other: Path, plant: Plant, name: str, use: Callable[[Path], object]
) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    plant(state / name, other)
    with pytest.raises((DownpourError, OSError), match=IN_THE_WAY):
        use(state)
    untouched(other)


def play(log: Path) -> runner.Result:
    inventory = b"localhost ansible_connection=local\n"
    return runner.run_playbook(
        {"site.yml": b"[]\n", "inventory.ini": inventory},
        log=log,
        environment={},
        check=False,
        on_event=lambda event: None,
    )


@pytest.mark.parametrize("plant", PLANTS)
def test_a_proposed_mapping_goes_to_no_planted_name(
    tmp_path: Path, other: Path, plant: Plant
) -> None:
    plant(tmp_path / proposal.NAME, other)
    with pytest.raises(LocalError, match=IN_THE_WAY):
        proposal.propose("flavors: {}\n", tmp_path)
    with pytest.raises(LocalError, match="exists already"):
        proposal.require_new(tmp_path / proposal.NAME)
    with pytest.raises(LocalError, match="exists already"):
        proposal.write_new(tmp_path / proposal.NAME, "flavors: {}\n")
    untouched(other)


# --- what is read ---


@pytest.mark.parametrize("plant", NO_FILES)
@pytest.mark.parametrize(
    "read",
    [
        lambda path: Source(path),
        lambda path: mapping.load(path),
        lambda path: load_data(path),
        lambda path: policy._parse(path),
        lambda path: resource_file.load(path),
    ],
    ids=["bundle", "mapping", "resources.yml", "policy", "resource file"],
)
def test_what_is_no_file_is_refused_at_once_where_one_is_read(
    tmp_path: Path, other: Path, plant: Plant, read: Callable[[Path], object]
) -> None:
    plant(tmp_path / "file", other)
    with pytest.raises(LocalError, match=r"it is a (FIFO|directory)"):
        read(tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "told", "code"),
    [
        ("b.dpbundle", "it is a FIFO", LocalError.exit_code),
        ("b.dpbundle.parts", "it is a FIFO", LocalError.exit_code),
        ("b.dpbundle.001", "this part is no file", BundleError.exit_code),
    ],
)
def test_a_fifo_as_a_bundle_or_a_part_of_one_is_told(
    tmp_path: Path, name: str, told: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / name)
    assert cli.main(["verify", str(tmp_path / "b.dpbundle")]) == code
    assert told in capsys.readouterr().err


def test_a_fifo_as_user_data_is_a_mistake_of_the_resource_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "data")
    path = tmp_path / "export.yml"
    path.write_text("servers:\n- name: web\n  user_data: data\n")
    (fault,) = resource_file.read(path)[1]
    assert "it is a FIFO" in str(fault)


def test_a_passphrase_may_come_through_a_pipe(tmp_path: Path) -> None:
    """``--passphrase-file <(pass show downpour)``."""
    read_end, write_end = os.pipe()
    os.write(write_end, b"correct horse\n")
    os.close(write_end)
    assert age.passphrase_of(Path(f"/dev/fd/{read_end}")) == "correct horse"
    os.close(read_end)


# --- the place for a clear bundle ---


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "identity").write_text(str(identity))
    (tmp_path / "place").mkdir(mode=0o777)
    write(tmp_path / "b.age", [identity.to_public()], size=1000)
    return Keys(identity=tmp_path / "identity", place=tmp_path / "place")


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_leftover_is_neither_followed_nor_waited_for(
    tmp_path: Path, other: Path, keys: Keys, plant: Plant
) -> None:
    """Others can write to the place, so each of these may be in it."""
    assert keys.place
    planted = keys.place / ".downpour-clear-planted"
    planted.mkdir(mode=0o755)
    plant(planted / "lock", other)
    plant(keys.place / ".downpour-clear-itself", other)
    (keys.place / ".downpour-clear-linked").symlink_to(tmp_path)
    with in_clear(BundleFiles(tmp_path / "b.age"), keys, NULL):
        pass
    untouched(other)
    assert (tmp_path / "identity").exists()
    assert os.path.lexists(planted / "lock"), "it is not one that we made: its mode is another"


def test_a_lock_that_another_user_holds_on_the_place_stops_nobody(
    tmp_path: Path, keys: Keys
) -> None:
    assert keys.place
    held = os.open(keys.place, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with in_clear(BundleFiles(tmp_path / "b.age"), keys, NULL):
        pass
    os.close(held)
