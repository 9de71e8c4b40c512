"""Random actions in a random order, each of which may be killed; after each the oracle compares.

What may follow what is told by ``Walk``: it knows how far the move is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import yaml

from tests.soak import oracle
from tests.soak.engines.kill import Kill
from tests.soak.stories.kinds import Run, kills_for, timed
from tests.soak.stories.story import Story
from tests.soak.stories.telling import Wrong

STEPS = 6
"""Actions of a walk, before it is brought to its end."""


class Walk:
    """``at``: how far the target is: ``nothing`` stands; ``begun``, something may; ``part``, what
    was chosen does; ``whole``; ``undoing`` and ``forgetting`` were stopped; ``forgotten``."""

    def __init__(self, story: Story, rng: Random) -> None:
        self.story = story
        self.rng = rng
        self.exported = False
        self.at = "nothing"
        self.taken: list[str] = []
        """The actions so far."""

    def walk(self) -> None:
        """Some actions, then the rest of the move, and all of it taken back.  Raises Wrong."""
        for _ in range(STEPS):
            self.take(self.rng.choice(self.possible()))
        for action in self.rest():
            self.take(action)

    def take(self, action: Callable[[], None]) -> None:
        self.taken.append(action.__name__)
        try:
            action()
        except Wrong as exc:
            raise Wrong([*exc.problems, f"actions: {', '.join(self.taken)}"]) from exc

    def possible(self) -> list[Callable[[], None]]:
        if not self.exported:
            again = [self.begin_export] * 3
            return [*again, self.export, self.plan_export, self.clean_up, self.begin_afresh]
        return {
            "nothing": [
                self.plan_import,
                self.load,
                self.begin,
                self.begin,
                self.part,
                self.edited,
            ],
            "begun": [self.plan_import, self.load, self.begin, self.undo, self.begin_undo],
            "part": [self.load, self.begin, self.undo, self.part, self.begin_undo],
            "whole": [self.again, self.undo, self.begin_undo, self.begin_undo, self.begin_forget],
            "undoing": [self.undo, self.begin_undo, self.load, self.begin],
            "forgetting": [self.begin_forget, self.forget],
            "forgotten": [self.again, self.undo_nothing],
        }[self.at]

    def rest(self) -> Iterator[Callable[[], None]]:
        if not self.exported:
            yield self.export
        if self.at == "forgetting":
            yield self.forget
        if self.at in ("nothing", "begun", "part", "undoing"):
            yield self.load
        if self.at != "forgotten":
            yield self.undo

    # --- the source ---

    def plan_export(self) -> None:
        self.story.plan_export()

    def begin_export(self) -> None:
        self._export_killed(self.story.export_words())

    def begin_afresh(self) -> None:
        self._export_killed([*self.story.export_words(), "--fresh"])

    def _export_killed(self, words: list[str]) -> None:
        kill = self._kill("export")
        done = self.story.give(*words, kill=kill)
        if self.story.is_done(words, done):
            self.export()
        else:
            self.story.check_interrupted(words[0], kill, done)

    def export(self) -> None:
        self.story.export()
        self.exported = True

    def clean_up(self) -> None:
        self.story.clean_up(*self._kills("cleanup"))

    # --- the target ---

    def plan_import(self) -> None:
        self.story.plan_import()

    def begin(self) -> None:
        words = self.story.import_words("import", *self.story.choices.load)
        self.at = "whole" if self._killed("import", words) else "begun"
        if self.at == "whole":
            self.story.check_imported(None)

    def load(self) -> None:
        self.story.load(*self._kills("import"))
        self.at = "whole"

    def again(self) -> None:
        """The same command once more makes nothing."""
        before = self.story.new()
        self.story.load()
        self.story.require(oracle.unchanged(before, self.story.new(), "the target"))

    def part(self) -> None:
        each = self.rng.choice(self.story.expected)
        self.story.load(*self._kills("import"), only=f"{each.kind}/{each.old}")
        self.at = "part"

    def undo(self) -> None:
        self.story.undo(*self._kills("undo"))
        self.at = "nothing"

    def begin_undo(self) -> None:
        done = self._killed("undo", self.story.import_words("undo", "--yes"))
        self.at = "undoing"
        if done:
            self.undo()

    def forget(self) -> None:
        self.story.forget(*self._kills("forget"))
        self.at = "forgotten"

    def begin_forget(self) -> None:
        done = self._killed("forget", self.story.import_words("forget", "--yes"))
        self.at = "forgetting"
        if done:
            self.forget()

    def undo_nothing(self) -> None:
        """What was forgotten stays."""
        before = self.story.new()
        self.story.give(*self.story.import_words("undo", "--yes"))
        self.story.require(oracle.unchanged(before, self.story.new(), "the target"))

    def edited(self) -> None:
        """A network is renamed in the unpacked data, imported so, and all of it undone."""
        networks = [each for each in self.story.expected if each.kind == "network"]
        if self.story.choices.encrypted or not networks:
            return
        with_new_name = replace(self.rng.choice(networks), name="renamed by hand")
        self.story.give("downpour-import", "unpack", "b.dpbundle", self._directory)
        self._rename(with_new_name.old, with_new_name.name)
        self.story.load_edited(self._directory, with_new_name, *self._kills("import"))

    @property
    def _directory(self) -> str:
        return f"by-hand-{self.taken.count('edited')}"

    def _rename(self, old: str, name: str) -> None:
        path = self.story.scene.work / self._directory / "playbook" / "resources.yml"
        data = yaml.safe_load(path.read_text())
        for item in data["resources"]["networks"]:
            if item["id"] == old:
                item["name"] = name
        path.write_text(json.dumps(data))

    # --- kills ---

    def _things(self) -> int:
        return len(self.story.scene.tenant.things)

    def _kill(self, kind: str) -> Kill:
        return kills_for(self.rng, kind, self._things(), 1)[0]

    def _kills(self, kind: str) -> list[Kill]:
        """None, or some."""
        return kills_for(self.rng, kind, self._things()) if self.rng.random() < 0.4 else []

    def _killed(self, kind: str, words: list[str]) -> bool:
        """Give a command that is to be killed; whether it ended well all the same."""
        kill = self._kill(kind)
        done = self.story.give(*words, kill=kill)
        if done.code == 0:
            return True
        self.story.check_interrupted(words[0], kill, done)
        return False


def run_walk(story: Story, rng: Random) -> Iterator[Run]:
    yield timed(story, "random actions", Walk(story, rng).walk)
