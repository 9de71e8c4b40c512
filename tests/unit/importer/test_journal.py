"""The journal: what it remembers, also after a kill."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bundle_spec.errors import LocalError
from bundle_spec.model import Ref
from downpour_import.errors import StateError
from downpour_import.state.journal import CSV_HEADER, Entry, Journal

A, B = Ref("network", "a"), Ref("floating_ip", "b")


def rows(state: Path) -> list[list[str]]:
    with (state / "uuids.csv").open(newline="") as file:
        return list(csv.reader(file))


def make(journal: Journal, ref: Ref, target: str, name: str = "n") -> None:
    journal.record("intent", ref, name)
    journal.record("made", ref, name, target)
    journal.record("done", ref, name)


def test_what_was_recorded_is_read_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.entry(A) is None
    journal.record("intent", A, "net")
    assert (journal.entry(A), journal.target(A)) == (Entry("intent", "net", None, False), None)
    journal.record("made", A, "net", "t1")
    journal.record("done", A, "net")
    journal.record("reused", B, "ip", "t2")
    again = Journal(tmp_path)
    assert dict(again) == {
        A: Entry("done", "net", "t1", True),
        B: Entry("reused", "ip", "t2", False),
    }
    assert dict(again) == dict(journal)


def test_done_keeps_who_made_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record("reused", A, "net", "t1")
    journal.record("done", A, "net")
    assert journal.entry(A) == Entry("done", "net", "t1", False)


def test_what_is_gone_has_no_target(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    make(journal, A, "t1")
    journal.record("gone", A, "n", "t1")
    assert journal.target(A) is None
    assert list(journal.rows()) == []


@pytest.mark.parametrize("cut", [1, 2, 20, 60])
def test_a_torn_last_line_is_dropped_and_written_over(tmp_path: Path, cut: int) -> None:
    """``cut`` bytes are missing: with one, only the line's end is."""
    journal = Journal(tmp_path)
    journal.record("intent", A, "net")
    journal.record("made", A, "net", "t1")
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])
    torn = Journal(tmp_path)
    assert torn.entry(A) == Entry("intent", "net", None, False)
    torn.record("made", A, "net", "t2")
    assert dict(Journal(tmp_path)) == dict(torn)
    assert Journal(tmp_path).target(A) == "t2"
    assert len(journal.path.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "damage",
    [
        b"{not json\n",
        b"[]\n",
        b"\xff\xfe\n",
        b'{"event": "sold", "type": "network", "id": "a", "name": "n"}\n',
        b'{"event": "made", "type": "network"}\n',
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_a_whole_line_that_is_damaged_is_refused_with_its_place(
    tmp_path: Path, damage: bytes, last: bool
) -> None:
    journal = Journal(tmp_path)
    journal.record("intent", A, "net")
    with journal.path.open("ab") as file:
        file.write(damage)
    if not last:
        with journal.path.open("ab") as file:
            file.write(journal.path.read_bytes().split(b"\n")[0] + b"\n")
    with pytest.raises(StateError, match=r"journal\.jsonl:2: the journal is damaged"):
        Journal(tmp_path)


def test_uuids_csv_quotes_every_field_and_has_a_row_for_what_is_done(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record("intent", A, 'a "b", c\nd')
    journal.record("made", A, 'a "b", c\nd', "t1")
    assert not (tmp_path / "uuids.csv").exists()
    journal.record("done", A, 'a "b", c\nd')
    assert (tmp_path / "uuids.csv").read_text() == (
        '"Resource Type","Resource Name","Old","New"\n"network","a ""b"", c\nd","a","t1"\n'
    )
    journal.record("reused", B, "ip", "t2")
    journal.record("done", B, "ip")
    assert rows(tmp_path)[1:] == [
        ["network", 'a "b", c\nd', "a", "t1"],
        ["floating ip", "ip", "b", "t2"],
    ]


def test_steps_and_upload_images_have_no_row(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record("made", Ref("disk", "v"), "v", "i")
    journal.record("done", Ref("subnet_dhcp", "s"), "s")
    journal.write_csv()
    assert rows(tmp_path) == [list(CSV_HEADER)]


def test_what_is_made_again_has_one_row_with_the_new_id(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    make(journal, A, "t1")
    make(journal, B, "t2")
    journal.record("gone", A, "n", "t1")
    assert [row[3] for row in rows(tmp_path)[1:]] == ["t2"]
    make(journal, A, "t3")
    assert sorted(row[3] for row in rows(tmp_path)[1:]) == ["t2", "t3"]


def test_another_mapping_replaces_the_row(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record("reused", A, "n", "t1")
    journal.record("done", A, "n")
    journal.record("reused", A, "n", "t2")
    journal.record("done", A, "n")
    assert [row[3] for row in rows(tmp_path)[1:]] == ["t2"]


def test_two_processes_append_and_lose_nothing_of_each_other(tmp_path: Path) -> None:
    one, two = Journal(tmp_path), Journal(tmp_path)
    make(one, A, "t1")
    make(two, B, "t2")
    one.record("gone", A, "n", "t1")
    make(one, A, "t3")
    assert sorted(row[3] for row in rows(tmp_path)[1:]) == ["t2", "t3"]
    assert {ref: entry.target for ref, entry in Journal(tmp_path)} == {A: "t3", B: "t2"}


def test_a_copy_of_uuids_csv_goes_where_it_is_asked_for(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    make(journal, A, "t1")
    journal.write_csv(tmp_path / "copy.csv")
    assert (tmp_path / "copy.csv").read_text() == (tmp_path / "uuids.csv").read_text()
    assert not list(tmp_path.glob("*.partial"))
    with pytest.raises(LocalError, match="cannot write"):
        journal.write_csv(tmp_path / "missing" / "copy.csv")


def test_a_torn_row_of_uuids_csv_is_written_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    make(journal, A, "t1")
    with (tmp_path / "uuids.csv").open("a") as file:
        file.write('"network","to')
    make(journal, B, "t2")
    assert [row[3] for row in rows(tmp_path)[1:]] == ["t1", "t2"]


def test_a_last_line_with_missing_bytes_is_torn_by_a_power_cut_and_written_over(
    tmp_path: Path,
) -> None:
    """The length of the file arrived on the medium, and the last sector, but not the one before."""
    journal = Journal(tmp_path)
    journal.record("intent", A, "net")
    whole = journal.path.read_bytes()
    journal.record("made", A, "x" * 9000, "t1")
    line = journal.path.read_bytes()[len(whole) :]
    journal.path.write_bytes(whole + bytes(5000) + line[5000:])
    torn = Journal(tmp_path)
    assert torn.entry(A) == Entry("intent", "net", None, False)
    torn.record("made", A, "net", "t2")
    assert Journal(tmp_path).target(A) == "t2"
    assert journal.path.read_bytes().startswith(whole + b'{"event": "made"')


def test_a_line_that_could_not_be_synced_counts_as_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may have dropped its bytes, although it still reads them back."""
    journal = Journal(tmp_path)
    journal.record("intent", A, "net")
    before = journal.path.read_bytes()

    def fail(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        with pytest.raises(LocalError, match="Input/output error"):
            journal.record("made", A, "net", "t1")
    assert journal.path.read_bytes() == before
    assert Journal(tmp_path).target(A) is None
