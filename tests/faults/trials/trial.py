"""One class of faults against an export, an import and an undo, each looked at by the oracle."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.devcloud import Devcloud
from tests.faults.classes import FaultClass
from tests.faults.clouds import behind_proxies
from tests.faults.log import Log
from tests.faults.trials.driver import Phase, User
from tests.faults.trials.oracle import Oracle
from tests.tenant import EXPORT_YML

HALVES = ("export", "import")
"""The second with its undo."""

BUNDLE = "out.dpbundle"
STATE = "out.target"

# That one server is stopped for its snapshots, and must be started again.
_WEB = '  - name: "web {{ 7*7 }}"\n'
STOPPING_YML = EXPORT_YML.replace(_WEB, f"{_WEB}    stop: true\n")

Clean = Callable[[], Path]
"""Gives a bundle that was exported without faults."""


@dataclass(frozen=True)
class Result:
    """``faults``: how many were injected."""

    name: str
    phase: Phase
    faults: int


@dataclass(frozen=True)
class Trial:
    """``folder``: where everything of it is kept; it must not exist."""

    clouds: Devcloud
    oracle: Oracle
    folder: Path
    clean: Clean
    tried: FaultClass
    seed: str

    def run(self, halves: Iterable[str]) -> Iterator[Result]:
        """Play the class; the results of export, import and undo, as they come."""
        self.folder.mkdir(parents=True)
        (self.folder / "export.yml").write_text(STOPPING_YML)
        if "export" in halves:
            yield self._export()
        if "import" in halves:
            yield from self._import_and_undo()

    def _export(self) -> Result:
        before = self.oracle.held("source")
        return self._insist(
            "export",
            ("downpour-export", "export.yml", BUNDLE, "--cloud", "source"),
            lambda: self.oracle.of_export(self.folder / BUNDLE, before),
        )

    def _import_and_undo(self) -> Iterator[Result]:
        if not (self.folder / BUNDLE).exists():
            shutil.copy(self.clean(), self.folder / BUNDLE)
        before, to_target = self.oracle.held("target"), (BUNDLE, "--cloud", "target")
        yield self._insist(
            "import",
            ("downpour-import", *to_target),
            lambda: self.oracle.of_import(self.folder / STATE, before),
        )
        yield self._insist(
            "undo",
            ("downpour-import", "undo", *to_target, "--yes"),
            lambda: self.oracle.of_undo(before),
        )

    def _insist(
        self, name: str, command: tuple[str, ...], wrong: Callable[[], Iterator[str]]
    ) -> Result:
        """``wrong``: what the oracle says behind a success."""
        log, yaml = Log(self.folder / f"{name}.faults"), self.folder / "clouds.yaml"
        plan = self.tried.plan(self.seed)
        with behind_proxies(self.clouds, ("source", "target"), plan, log, yaml):
            phase = User(self.folder).insists(name, command, self.tried.seconds)
        if phase.is_done:
            phase.wrong.extend(wrong())
        phase.wrong.extend(f"a request went elsewhere: {line}" for line in log.trapped)
        return Result(self.tried.name, phase, len(log.faults))
