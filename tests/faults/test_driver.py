"""What a command may not do under faults, and how often it is given again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.classes import CLASSES
from tests.faults.trials import driver
from tests.faults.trials.driver import Phase, Try, User, exit_codes
from tests.faults.trials.report import table, wrongs
from tests.faults.trials.trial import Result


def ended(code: int | None, stderr: str = "error: the source does not answer") -> list[str]:
    return list(Try(code, 1.0, "", stderr).faults())


def test_success_and_a_clear_error_are_right() -> None:
    assert not ended(0, "")
    assert not ended(7)
    assert not ended(9)


@pytest.mark.parametrize("code", [1, 2, 99, 130, -9])
def test_codes_that_blame_no_cloud_are_wrong(code: int) -> None:
    assert ended(code) == [f"it ended with {code}"]


def test_an_error_without_a_word_is_wrong() -> None:
    assert ended(7, "") == ["it ended with 7 and no error"]


def test_a_hang_is_wrong() -> None:
    assert ended(None) == ["it hung: killed after 1 s"]


@pytest.mark.parametrize("text", driver.FORBIDDEN)
def test_words_of_a_programmer_are_wrong(text: str) -> None:
    assert ended(9, f"error: x\n{text}: KeyError") == [f"it printed {text!r}"]


def test_the_codes_are_those_of_the_documented_table() -> None:
    assert {6, 7, 8, 9, 10} <= exit_codes()
    assert not {0, 1, 2, 130} & exit_codes()


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.setattr(driver, "BIN", Path("/bin"))
    return User(tmp_path)


def test_a_command_is_given_again_until_it_succeeds(user: User) -> None:
    script = "echo x >>count; echo error: not yet >&2; test $(wc -l <count) -ge 3 || exit 7"
    phase = user.insists("it", ("sh", "-c", script), 30)
    assert [each.code for each in phase.tries] == [7, 7, 0]
    assert not phase.wrong
    assert (user.folder / "it-2.err").read_text() == "error: not yet\n"


def test_a_command_that_never_succeeds_is_wrong(user: User) -> None:
    phase = user.insists("it", ("sh", "-c", "echo error: no >&2; exit 9"), 30)
    assert len(phase.tries) == driver.TRIES
    assert phase.wrong == ["no success in 5 tries"]


def test_what_hangs_is_killed_with_all_that_it_began(user: User) -> None:
    script = "sleep 1000 & echo $! >child; wait"
    phase = user.insists("it", ("sh", "-c", script), 1, most=1)
    assert phase.tries[0].code is None
    child = Path("/proc") / (user.folder / "child").read_text().strip() / "stat"
    deadline = time.monotonic() + 20
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] not in "ZX":
        assert time.monotonic() < deadline


def test_the_report_has_a_line_for_each_command_and_the_way_to_replay_it() -> None:
    right = Result("503", Phase("export", [Try(7, 2.0, "", ""), Try(0, 3.0, "", "")]), 4)
    wrong = Result("late", Phase("undo", [Try(None, 9.0, "", "")], ["it hung"]), 1)
    unmet = Result("late", Phase("undo", [Try(0, 1.0, "", "")]), 0)
    lines = [line.split() for line in table([right, wrong, unmet])]
    assert lines[1] == ["503", "export", "2", "7", "0", "4", "5", "right"]
    assert lines[2] == ["late", "undo", "1", "hung", "1", "9", "WRONG"]
    assert lines[3][-2:] == ["met", "none"]
    assert list(wrongs([right, wrong], "7")) == [
        "late, undo:",
        "  it hung",
        "  FAULTS_SEED=7 FAULTS_CLASSES=late FAULTS_HALVES=import make faults",
    ]


def test_each_class_is_in_the_page() -> None:
    page = (Path(__file__).parent / "README.md").read_text()
    assert [name for name in CLASSES if f"`{name}`" not in page] == []
