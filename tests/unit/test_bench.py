"""The benchmarks run, measure all that they promise, and leave nothing behind.  No times."""

from __future__ import annotations

import csv
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench import spy
from tests.bench.__main__ import SECTIONS, _sections, main
from tests.bench.report import COLUMNS, Measured, Row, Side, put_chapter, table

ROOT = Path(__file__).parents[2]


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.bench", "--tiny", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_every_row_has_a_number(tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    work.mkdir()
    names = [name for name, section in SECTIONS.items() if not section.clouds]
    running = start(*names, "--work", work, "--out", out)
    said, complaints = running.communicate()
    assert running.returncode == 0, complaints
    page = (out / "benchmarks.md").read_text()
    for name in names:
        section = SECTIONS[name]
        with (out / "benchmarks" / f"{name}.csv").open() as file:
            found = {line["key"]: line for line in csv.DictReader(file)}
        assert found.keys() == {row.key for row in section.rows}
        for line in found.values():
            assert 0 < float(line["median"]) < math.inf, line
        for row in section.rows:
            assert row.what in page
            assert row.what in said
    assert not any(work.iterdir())
    assert str(tmp_path) not in page


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    running = start("format", "--work", tmp_path)
    deadline = time.monotonic() + 30
    # Not before something is measured: that child is in a process group of its own.
    while not any(tmp_path.glob("*/raw.dpbundle.partial")):
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate()
    assert running.returncode == 130
    assert not said
    assert not any(tmp_path.iterdir())


def test_a_missing_tool_is_one_sentence_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "zstd" else tool)
    assert main(["--tiny", "format", "--work", str(tmp_path), "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "error: zstd is missing: install it with `apt-get install zstd` "
        "(or your system's packages).\n"
    )
    assert not any(tmp_path.iterdir())


STACKS = """\
main (/opt/x/bundle_spec/__main__.py:9);check (/opt/x/bundle_spec/verify.py:90) 6
main (/opt/x/bundle_spec/__main__.py);get (/v/site-packages/requests/api.py:1) 2
main (/opt/x/downpour_import/cli.py:1);<module> (/v/x.py:1);f (<frozen importlib._bootstrap>:1) 1
work (/v/threading.py);_worker (/v/concurrent/futures/thread.py:69) 7
process 7:"python";run (/v/site-packages/ansible/x.py);act (/opt/x/downpour_import/a.py:3) 1
"""


def test_a_stack_counts_for_the_innermost_function_of_ours(tmp_path: Path) -> None:
    (tmp_path / "stacks").write_text(STACKS)
    assert spy.costs(tmp_path / "stacks") == [
        ("`check` in `bundle_spec/verify.py`", 0.6),
        ("openstacksdk and what it is made of", 0.2),
        ("loading modules", 0.1),
        ("`act` in `downpour_import/a.py`", 0.1),
    ]


def test_the_long_sections_are_asked_for_by_themselves() -> None:
    usual, long = (
        {section.name for section in _sections([], "quick", long=each)} for each in (False, True)
    )
    assert usual == {"whole", "import", "growth"}
    assert long == SECTIONS.keys() - usual


def test_what_misses_its_goal_is_marked() -> None:
    row = Row("time", "write", goal=0.8)
    ours = Side((1.0, 3.0, 2.0), "s")
    missed = Measured.ratio(row, ours, Side((1.0, 1.0, 1.0), "s"))
    assert (missed.spread.low, missed.spread.median, missed.spread.high) == (1, 2, 3)
    assert "**2.00**" in table([missed])
    assert "**MISSED**" in table([missed])
    met = Measured.ratio(row, ours, Side((10.0, 10.0, 10.0), "s"))
    assert "MISSED" not in table([met])
    assert Measured(Row("key", "for information"), (9.0,)).verdict == ""
    assert len(set(COLUMNS)) == len(COLUMNS)


def test_a_chapter_is_replaced_and_the_rest_stays() -> None:
    page = put_chapter("# Page\n", "one", "first\n")
    page = put_chapter(page, "two", "second\n") + "\nBy hand.\n"
    again = put_chapter(page, "one", "again \\1\n")
    assert again == page.replace("first", "again \\1")
