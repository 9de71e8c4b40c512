"""Commands that are given, killed and given again; whatever is wrong then is raised at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.soak import bundle, oracle
from tests.soak.clouds.world import Item, World
from tests.soak.engines.commands import Done
from tests.soak.engines.kill import GENTLE, Kill
from tests.soak.stories.choices import Choices
from tests.soak.stories.tenant import Tenant

TRIES = 5
"""How often the same command may be given until it ends well."""


class Wrong(Exception):
    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Scene(Protocol):
    """What a story needs of a place: see ``place.Place``."""

    tenant: Tenant
    work: Path
    done: list[Done]

    @property
    def broken(self) -> list[str]:
        """What is at fault in the place itself."""
        ...

    def run(self, *words: str, kill: Kill | None = None) -> Done: ...
    def id_of(self, key: str) -> str: ...
    def source_world(self) -> World: ...
    def target_world(self) -> World: ...
    def taken(self, pieces: Iterable[bytes]) -> bytes:
        """What is compared of a disk: its bytes, or their digest."""
        ...

    def captured_wrongly(self, found: bundle.Found) -> Iterable[str]:
        """What is wrong with the bytes of disks that a bundle has of the source."""
        ...

    def target_bytes(self, item: Item) -> bytes | None:
        """Of an image or a volume, as ``taken``."""
        ...

    def left(self) -> list[str]:
        """Temporary files and processes of commands that have ended."""
        ...


@dataclass
class Telling:
    """``commands``: how many were given; ``kills``: how many were killed before their end."""

    scene: Scene
    choices: Choices
    commands: int = 0
    kills: int = 0

    def give(self, *words: str, kill: Kill | None = None) -> Done:
        before = self.scene.left()
        done = self.scene.run(*words, kill=kill)
        self.commands += 1
        killed = done.struck and done.code != 0
        self.kills += killed
        problems = list(oracle.in_words(done.err))
        if done.code is None:
            problems.append(f"it hung for {done.seconds:.0f} s")
        left = [text for text in self.scene.left() if text not in before]
        if left and not (killed and kill and kill.signal not in GENTLE):
            problems.append(f"it left {left}")
        self.require(problems)
        return done

    def give_until_done(self, words: Sequence[str], kills: Sequence[Kill]) -> Done:
        """Killed once for each of ``kills``, then again until it ends well."""
        done = None
        for kill in kills:
            done = self.give(*words, kill=kill)
            self.check_interrupted(words[0], kill, done)
            if self.is_done(words, done):
                return done
        for _ in range(TRIES):
            done = self.give(*words)
            if self.is_done(words, done):
                return done
            self.check_interrupted(words[0], None, done)
        assert done is not None
        raise Wrong([f"{TRIES} times the same command: {done.code}: {done.err[-1500:]}"])

    def is_done(self, words: Sequence[str], done: Done) -> bool:
        """Whether the same command need not be given again."""
        return done.code == 0

    def check_interrupted(self, program: str, kill: Kill | None, done: Done) -> None:
        """What must be true after a command that did not end well.  Raises Wrong."""

    def require(self, problems: Iterable[str]) -> None:
        """Raises Wrong if there are any."""
        found = list(problems)
        if found:
            last = self.scene.done[-1] if self.scene.done else None
            where = (
                [f"after `{' '.join(last.words)}`, which ended with {last.code}"] if last else []
            )
            raise Wrong([*found, *where])
