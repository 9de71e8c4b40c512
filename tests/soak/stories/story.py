"""One tenant's move, command by command, and what must be true after each of them.

A story can be told with kills anywhere: a command that was killed is given again as it is, five
times at most.  ``Wrong`` is raised with everything that is not as it must be.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.soak import oracle
from tests.soak.clouds.world import World
from tests.soak.engines.commands import Done
from tests.soak.engines.kill import Kill
from tests.soak.oracle import Expected, Row
from tests.soak.stories.leaving import BUNDLE, Leaving
from tests.soak.stories.telling import Wrong


@dataclass
class Story(Leaving):
    """The target's half is here."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.target = self.scene.target_world()

    def check_interrupted(self, program: str, kill: Kill | None, done: Done) -> None:
        super().check_interrupted(program, kill, done)
        if program == "downpour-import":
            self.check_target_between()

    @property
    def state(self) -> Path:
        return self.scene.work / "b.target"

    def import_words(self, command: str, *more: str) -> list[str]:
        words = ["downpour-import", command, BUNDLE, "--cloud", "target", *more]
        if self.choices.encrypted:
            words += ["--identity", "identity.txt", "--decrypt-to", "."]
        return words

    def plan_import(self) -> None:
        before = self.scene.target_world()
        self.give(*self.import_words("plan"))
        self.require(oracle.unchanged(before, self.scene.target_world(), "the target"))

    def load(self, *kills: Kill, only: str | None = None) -> None:
        """Import, all or what ``only`` names (TYPE/ID) with what belongs to it."""
        part = ("--only", only) if only else ()
        self.give_until_done(self.import_words("import", *self.choices.load, *part), kills)
        self.check_imported(only)

    def load_edited(self, directory: str, edited: Expected, *kills: Kill) -> None:
        """Import an unpacked directory in which one thing was edited, and undo that."""
        rest = [directory, "--cloud", "target", "--yes"]
        load = ["downpour-import", "import", *rest, "--edited", *self.choices.load]
        expected = [edited if each.old == edited.old else each for each in self.expected]
        self.give_until_done(load, kills)
        rows = self.rows(self.scene.work / directory / "state")
        self.check_stands(expected, rows)
        self.give_until_done(["downpour-import", "undo", *rest], ())
        self.require(oracle.unchanged(self.target, self.scene.target_world(), "the target"))

    def undo(self, *kills: Kill) -> None:
        self.give_until_done(self.import_words("undo", "--yes"), kills)
        self.require(oracle.unchanged(self.target, self.scene.target_world(), "the target"))
        self.require(f"uuids.csv still has {row}" for row in self.rows())

    def forget(self, *kills: Kill) -> None:
        self.give_until_done(self.import_words("forget", "--yes"), kills)
        self.check_imported(None)
        self.require(oracle.unmarked(self.new()))

    def new(self) -> World:
        return self.scene.target_world().beyond(self.target)

    def rows(self, state: Path | None = None) -> list[Row]:
        path = (state or self.state) / "uuids.csv"
        try:
            return oracle.read_rows(path) if path.exists() else []
        except (OSError, ValueError) as exc:
            raise Wrong([f"uuids.csv cannot be read: {exc!r}"]) from exc

    def check_target_between(self) -> None:
        """After a command that did not end: what stood stands, and nothing is made twice."""
        now = self.scene.target_world()
        self.require(oracle.kept(self.target, now, "the target"))
        self.require(oracle.interrupted(self.expected, now.beyond(self.target)))

    def check_imported(self, only: str | None) -> None:
        rows, expected = self.rows(), self.expected
        if only is not None:
            known = {(row.kind, row.old) for row in rows}
            expected = [
                each
                for each in expected
                if (each.kind, each.old) in known or f"{each.kind}/{each.old}" == only
            ]
        self.check_stands(expected, rows)

    def check_stands(self, expected: list[Expected], rows: list[Row]) -> None:
        """What was expected stands once, and what stood before is as it was."""
        now = self.scene.target_world()
        new = now.beyond(self.target)
        self.require(oracle.kept(self.target, now, "the target"))
        if "--keep-images" in self.choices.load:
            new = _without_images_of_volumes(new, rows)
        self.require(oracle.once(expected, rows, new))
        self.require(self._bytes_arrived(expected, rows, new))

    def _bytes_arrived(
        self, expected: Iterable[Expected], rows: Iterable[Row], new: World
    ) -> Iterable[str]:
        assert self.found is not None
        targets = {(row.kind, row.old): row.new for row in rows}
        wanted, there = dict[str, bytes](), dict[str, bytes | None]()
        resources = self.found.manifest.resources
        carried: dict[tuple[str, str], Any] = {(each.type, each.id): each for each in resources}
        for each in expected:
            disk = getattr(carried[each.kind, each.old], "disk_id", None)
            item = new.get(each.kind, targets[each.kind, each.old])
            if disk and item is not None and each.kind in ("image", "volume"):
                wanted[str(item)] = self.found.stored[disk]
                there[str(item)] = self.scene.target_bytes(item)
        return oracle.same_bytes(wanted, there)


def _without_images_of_volumes(new: World, rows: Iterable[Row]) -> World:
    """``--keep-images`` leaves the images that filled volumes, which have no row."""
    known = {row.new for row in rows}
    return World(
        {key: item for key, item in new.items.items() if item.kind != "image" or item.id in known}
    )
