"""The soak of kills: every kind of command, killed at random moments, in one fixed order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from tests.soak.engines.kill import Kill, random_kill
from tests.soak.stories.story import Story
from tests.soak.stories.telling import Wrong


@dataclass(frozen=True)
class Run:
    """``wrong``: what was not as it must be; empty if all was."""

    kind: str
    kills: int
    commands: int
    seconds: float
    wrong: tuple[str, ...] = ()


def kills_for(rng: Random, kind: str, things: int, most: int = 2) -> list[Kill]:
    """One or more, within about as many requests as such a command sends for so many things."""
    requests, writes = {
        "export": (35 + 2 * things, 1 + things // 2),
        "cleanup": (12, 4),
        "import": (45 + 6 * things, 3 * things),
        "undo": (10 + 4 * things, things),
        "forget": (10 + 4 * things, 2 * things),
    }[kind]
    return [random_kill(rng, requests, writes) for _ in range(rng.randint(1, most))]


def run_kinds(story: Story, rng: Random) -> Iterator[Run]:
    """A run of each kind.  Ends with the first that is wrong: what follows would be too."""
    things = len(story.scene.tenant.things)

    def kills(kind: str) -> list[Kill]:
        return kills_for(rng, kind, things)

    def clean_up() -> None:
        kill = kills("export")[0]
        done = story.give(*story.export_words(), kill=kill)
        story.check_interrupted("downpour-export", kill, done)
        if not story.is_done(story.export_words(), done):
            story.clean_up(*kills("cleanup"))

    def forget() -> None:
        story.load()
        story.forget(*kills("forget"))
        story.load()

    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("cleanup", clean_up),
        ("export", lambda: story.export(*kills("export"))),
        ("import", lambda: story.load(*kills("import"))),
        ("undo", lambda: story.undo(*kills("undo"))),
        ("forget", forget),
    )
    for kind, step in steps:
        run = timed(story, kind, step)
        yield run
        if run.wrong:
            return


def timed(story: Story, kind: str, step: Callable[[], None]) -> Run:
    begun, kills, commands = time.monotonic(), story.kills, story.commands
    wrong: tuple[str, ...] = ()
    try:
        step()
    except Wrong as exc:
        wrong = exc.problems
    seconds = time.monotonic() - begun
    return Run(kind, story.kills - kills, story.commands - commands, seconds, wrong)
