"""``make faults``: each class of faults alone, then all mixed, between two test clouds.

FAULTS_SEED chooses other moments, FAULTS_CLASSES some classes (``late,twice``), FAULTS_HALVES
``export`` or ``import``.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import Path

from bundle_spec.errors import INTERRUPTED_EXIT_CODE
from tests import tenant
from tests.connect import connect
from tests.devcloud import Devcloud
from tests.faults.classes import CLASSES, FaultClass
from tests.faults.trials import report
from tests.faults.trials.driver import User
from tests.faults.trials.oracle import Oracle
from tests.faults.trials.trial import BUNDLE, HALVES, STOPPING_YML, Result, Trial

SEED = "1"


class Faults:
    """All that is kept of the runs is in the clouds' directory, in a folder for each class."""

    def __init__(self, seed: str, halves: Iterable[str]) -> None:
        self._clouds, self._seed, self._halves = Devcloud(), seed, tuple(halves)
        self._folder = self._clouds.state / "faults"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)

    def try_out(self, tried: FaultClass) -> list[Result]:
        """Play one class; clouds in which something went wrong are made anew."""
        results = []
        folder = self._folder / tried.name
        trial = Trial(self._clouds, self._oracle, folder, lambda: self._clean, tried, self._seed)
        for result in trial.run(self._halves):
            results.append(result)
            _say("  ".join(report.row(result)))
            for line in report.wrongs([result], self._seed):
                _say(f"  {line}")
        (folder / BUNDLE).unlink(missing_ok=True)
        self._renew({each.phase.name for each in results if each.phase.wrong})
        return results

    def down(self) -> None:
        self._clouds.down()

    def _renew(self, wrong: Collection[str]) -> None:
        """Have the next class find clouds as they should be, whatever went wrong in this one."""
        if "export" in wrong:
            for made in ("_oracle", "_clean"):
                self.__dict__.pop(made, None)
        elif wrong:
            self._clouds.down(["target"], wipe=True)
            self._clouds.up(["target"], owner=os.getpid())

    @cached_property
    def _oracle(self) -> Oracle:
        """Of clouds with the tenant in the source, and nothing else."""
        self._clouds.down(wipe=True)
        self._clouds.up(owner=os.getpid())
        with tempfile.TemporaryDirectory() as scratch:
            made = tenant.build(connect(self._clouds, "source"), Path(scratch))
        tenant.write_disks(self._clouds.cloud("source"), made)
        return Oracle(self._clouds, made)

    @cached_property
    def _clean(self) -> Path:
        """A bundle that was exported without faults."""
        folder = self._folder / "clean"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "export.yml").write_text(STOPPING_YML)
        shutil.copy(self._clouds.clouds_yaml, folder / "clouds.yaml")
        command = ("downpour-export", "export.yml", BUNDLE, "--cloud", "source")
        phase = User(folder).insists("export", command, 300)
        if not phase.is_done:
            raise RuntimeError(f"an export without faults failed: see {folder}")
        return folder / BUNDLE


def main() -> int:
    """1 where anything was wrong, 130 when interrupted."""
    # Also where it was started in the background, deaf to Ctrl-C.
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.default_int_handler)
    seed = os.environ.get("FAULTS_SEED") or SEED
    names = _words("FAULTS_CLASSES", CLASSES)
    faults = Faults(seed, _words("FAULTS_HALVES", HALVES))
    results: list[Result] = []
    try:
        for name in names:
            results += faults.try_out(CLASSES[name])
    except KeyboardInterrupt:
        return INTERRUPTED_EXIT_CODE
    finally:
        faults.down()
        for line in (*report.table(results), "", *report.wrongs(results, seed)):
            _say(line)
    return 1 if any(each.phase.wrong for each in results) else 0


def _words(variable: str, known: Iterable[str]) -> list[str]:
    known = list(known)
    words = (os.environ.get(variable) or "").replace(",", " ").split()
    unknown = [word for word in words if word not in known]
    if unknown:
        raise SystemExit(f"{variable}: {', '.join(unknown)}: choose of {', '.join(known)}")
    return words or known


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
