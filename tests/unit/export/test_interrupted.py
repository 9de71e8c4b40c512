"""An export as a process, and a person, a service manager or a terminal that wants it to end."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bundle_spec import verify_bundle
from tests.unit.export.live_export import PATHS, WANTED

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
SIGNALS = (INT, TERM, HUP)


@dataclass
class Bench:
    """A directory with a resource file, and the source that the processes share."""

    folder: Path

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, **more.pop("environment", {})}
        command = [sys.executable, "-m", "tests.unit.export.live_export", "source.json"]
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            [*command, *(words or ("export.yml", "out.dpbundle"))],
            cwd=self.folder, env=environment, text=True, **{**streams, **more},
        )  # fmt: skip

    def run(self, *words: str, **environment: str) -> tuple[int, str]:
        """The exit code, and all that it said."""
        process = self.start(*words, environment=environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out + err

    def left(self) -> list[str]:
        """What is not as it was at the source: names of objects, and the server if it is off."""
        state = self.folder / "source.json"
        if not state.exists():
            return []  # nothing was changed
        kept = json.loads(state.read_text())
        web = kept["/servers"]["web"]
        names = [each["name"] for path in PATHS for each in kept[path].values()]
        wrong = ["web is off"] if web["status"] != "ACTIVE" else []
        return [*(name for name in names if name.startswith("downpour-")), *wrong, *web["metadata"]]

    def require_whole(self) -> None:
        verified = verify_bundle(self.folder / "out.dpbundle", read_data=True)
        assert len(verified.manifest.disks) == 2


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    (tmp_path / "export.yml").write_text(WANTED)
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("number", "signum"),
    [(number, SIGNALS[index % 3]) for index, number in enumerate(range(1, 66, 7))],
)
def test_wherever_a_signal_comes_the_source_is_as_before(
    bench: Bench, number: int, signum: int
) -> None:
    code, told = bench.run(AT=str(number), SIGNALS=str(int(signum)))
    assert "Traceback" not in told
    assert bench.left() == []
    if code:
        assert (code, told.splitlines()[-1][:12]) == (130, "interrupted:")
        assert bench.run()[0] == 0
    bench.require_whole()


@pytest.mark.parametrize(("signum", "delay"), [(INT, 0.0), (TERM, 0.05), (HUP, 0.2), (INT, 0.4)])
def test_a_signal_while_the_program_is_imported_is_one_sentence(
    bench: Bench, signum: int, delay: float
) -> None:
    process = bench.start()
    while not _handles_hangups(process.pid):  # Python itself takes a moment to begin
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(signum)
    told = "".join(process.communicate(timeout=60))
    assert process.returncode == 130
    assert "Traceback" not in told
    assert "interrupted: " in told.splitlines()[-1]
    assert bench.left() == []


def _handles_hangups(pid: int) -> bool:
    (caught,) = re.findall(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return bool(int(caught, 16) & 1 << HUP - 1)


def controlled_by(terminal: int) -> Any:
    def take() -> None:
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    return take


@pytest.mark.parametrize("number", [1, 33, 41, 47, 53, 59])
def test_a_terminal_that_goes_leaves_nothing_at_the_source(bench: Bench, number: int) -> None:
    ours, theirs = os.openpty()
    process = bench.start(
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=controlled_by(theirs), environment={"AT": str(number), "HANG_UP": "1"},
    )  # fmt: skip
    os.close(theirs)
    told = b""
    while b"the terminal may go" not in told:
        told += os.read(ours, 65536)
    os.close(ours)
    assert process.wait(60) in (0, 130)
    assert bench.left() == []
    if process.returncode:
        assert bench.run()[0] == 0
    bench.require_whole()


def test_signals_that_come_together_are_one(bench: Bench) -> None:
    """As ``timeout`` sends two, and a terminal that goes after Ctrl-C."""
    code, told = bench.run(AT="60", SIGNALS="2 15 1 1 1", NOTHING_IS_DELETED="20")
    assert (code, bench.left()) == (130, [])
    assert "Traceback" not in told


@pytest.mark.parametrize("signals", ["2 2 2 2 2 2 2", "15 1 2 2 15 2 15 15"])
def test_the_second_breaks_the_clean_up_off_and_the_third_is_no_traceback(
    bench: Bench, signals: str
) -> None:
    code, told = bench.run(AT="60", SIGNALS=signals, NOTHING_IS_DELETED="1000000")
    assert code == 130
    assert "Traceback" not in told
    assert "Exception" not in told
    assert bench.left()
    assert bench.run()[0] == 0
    assert bench.left() == []
    bench.require_whole()
