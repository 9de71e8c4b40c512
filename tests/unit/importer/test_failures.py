"""The file of what a run could not make, which several processes write and read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundle_spec.errors import LocalError
from bundle_spec.model import Ref
from downpour_import.errors import StateError
from downpour_import.state.failures import Failure, Failures, Subject

PORT = Subject(Ref("port", "p"), "")
SERVER = Subject(Ref("server", "s"), 'web "1"\nü')
REFUSED = Failure(PORT, "port", "quota\nexceeded")
BECAUSE = Failure(SERVER, "server", "it needs port p, which failed", PORT)


@pytest.fixture
def failures(tmp_path: Path) -> Failures:
    made = Failures(tmp_path)
    made.begin(isolate=True)
    return made


def test_what_one_process_writes_the_others_read(failures: Failures, tmp_path: Path) -> None:
    other = Failures(tmp_path)
    assert other.all() == ()
    failures.add(REFUSED)
    assert other.of(PORT.ref) == REFUSED
    other.add(BECAUSE)
    assert failures.all() == (REFUSED, BECAUSE)
    assert Failures(tmp_path).all() == (REFUSED, BECAUSE)
    assert failures.of(Ref("port", "another")) is None


def test_the_first_failure_of_a_resource_counts(failures: Failures) -> None:
    failures.add(REFUSED)
    failures.add(Failure(PORT, "port", "later"))
    assert failures.all() == (REFUSED,)


def test_what_failed_by_itself_is_told_first(failures: Failures) -> None:
    failures.add(BECAUSE)
    failures.add(REFUSED)
    assert [str(fault) for fault in failures.faults()] == [
        r"port p: quota\nexceeded",
        "server 'web \"1\"\\nü': not made: it needs port p, which failed",
    ]


def test_a_run_begins_without_the_failures_of_the_last_one(
    failures: Failures, tmp_path: Path
) -> None:
    failures.add(REFUSED)
    reader = Failures(tmp_path)
    assert reader.all() == (REFUSED,)
    failures.begin(isolate=True)
    assert failures.all() == reader.all() == ()
    assert failures.isolate
    failures.begin(isolate=False)
    assert not failures.isolate


def test_nothing_is_written_where_failures_are_not_collected(tmp_path: Path) -> None:
    Failures(tmp_path).end("the target is gone")
    assert list(tmp_path.iterdir()) == []
    Failures(tmp_path).require_going_on()


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"7", b"{}", b"\xff", b'{"type": "port"}', b'{"type": "a", "because": 7}'],
)
def test_a_damaged_line_is_told_with_its_number(failures: Failures, line: bytes) -> None:
    failures.add(REFUSED)
    with failures.path.open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(StateError, match=r"failures\.jsonl:2: this file is damaged"):
        failures.all()


def test_a_directory_that_is_not_there_is_a_local_error(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot open"):
        Failures(tmp_path / "missing").begin(isolate=True)
