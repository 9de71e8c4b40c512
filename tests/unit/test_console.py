"""The edge: what a person sees, and what a shell gets."""

from __future__ import annotations

import io
import sys
import time

import pytest

from bundle_spec.cli import console
from bundle_spec.cli.console import DEBUG_VARIABLE, TerminalProgress, run
from bundle_spec.errors import BundleError, LocalError, UsageError


def end(error: BaseException | None, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    def main() -> None:
        if error is not None:
            raise error

    code = run(main, TerminalProgress(), interrupted="go on with the same command")
    return code, capsys.readouterr().err


def test_an_error_is_its_sentence_and_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    error = LocalError("cannot write: no space", where="/x", remedy="free some")
    assert end(error, capsys) == (12, "error: /x: cannot write: no space (free some)\n")
    assert end(BundleError("cut short"), capsys)[0] == 4
    assert end(None, capsys) == (0, "")


def test_an_interrupt_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    code, told = end(KeyboardInterrupt(), capsys)
    assert (code, told) == (130, "interrupted: go on with the same command\n")


def test_a_fault_of_our_own_is_told_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DEBUG_VARIABLE, raising=False)
    code, told = end(KeyError("surprise"), capsys)
    assert code == 1
    assert "KeyError: 'surprise'" in told
    assert "Traceback" not in told
    monkeypatch.setenv(DEBUG_VARIABLE, "1")
    with pytest.raises(KeyError):
        end(KeyError("surprise"), capsys)


def test_a_name_that_the_terminal_cannot_show_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), "latin-1")
    monkeypatch.setattr(sys, "stdout", out)

    def main() -> None:
        out.write("Zürich 雨")

    assert run(main, TerminalProgress(), interrupted="") == 0
    out.seek(0)
    assert out.read() == "Zürich \\u96e8"


def test_tenant_text_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TerminalProgress()
    with progress.task("volume \x1b[2Jevil\r\n", 5, "bytes") as task:
        task.advance(5)
    progress.say("\x1b]0;title\x07\nerror: of nobody")
    told = capsys.readouterr().err
    assert told.count("\n") == 2
    assert "\x1b" not in told
    assert "\r" not in told
    assert "volume \\x1b[2Jevil\\r\\n: 5 B in" in told


def test_a_step_that_goes_on_is_told_of_where_there_are_no_bars(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "SILENCE", 0.01)
    with TerminalProgress(quiet=True).task("hush", None, "bytes"):
        time.sleep(0.05)
    progress = TerminalProgress()
    with progress.task("make image", None, "bytes") as task:
        task.advance(2048)
        deadline = time.monotonic() + 10
        told = ""
        while "so far" not in told and time.monotonic() < deadline:
            time.sleep(0.01)
            told += capsys.readouterr().err
    assert told.startswith("make image: 2.0 KiB in 0.0 s so far\n")
    assert "hush" not in told


def test_without_a_terminal_a_line_stays_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    console.tell("word " * 100)
    assert capsys.readouterr().out.count("\n") == 1


def test_errors_too_break_between_words_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = LocalError(
        "word " * 30 + "the end", remedy="the same command goes on, --fresh does not"
    )
    monkeypatch.setenv("COLUMNS", "40")
    whole = end(error, capsys)[1]
    assert whole.count("\n") == 1
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    broken = end(error, capsys)[1].replace("\r", "").splitlines()
    assert all(len(line) <= 40 for line in broken)
    assert " ".join(line.strip() for line in broken if line.strip()) == whole.strip()


def test_a_quiet_command_leaves_out_notes(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (False, True):
        progress = TerminalProgress(quiet=quiet)
        progress.note("taken")
        progress.say("warning")
    assert capsys.readouterr().err == "taken\nwarning\nwarning\n"


def test_nobody_is_asked_where_stdin_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(UsageError, match="confirmation needed, but stdin is not a terminal"):
        console.agreed("Delete all?")


def test_a_package_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, told = end(ModuleNotFoundError("No module named 'docopt'", name="docopt"), capsys)
    assert (code, told) == (
        12,
        "error: the package docopt-ng is missing (pip install docopt-ng)\n",
    )
    assert end(ModuleNotFoundError("No module named 'x'", name="x"), capsys)[0] == 1
