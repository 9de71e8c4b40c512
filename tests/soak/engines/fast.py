"""The fast engine: a seed becomes a tenant, its choices, a place in memory, and a story."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from tests.soak.engines.commands import Launcher
from tests.soak.engines.place import AuthUrl, Place, directly
from tests.soak.stories.choices import random_choices, write_files
from tests.soak.stories.kinds import Run, run_kinds
from tests.soak.stories.story import Story
from tests.soak.stories.tenant import random_tenant

Tell = Callable[[Story, Random], Iterator[Run]]
"""How a story is told."""


@contextmanager
def story_of(
    seed: int, launch: Launcher, auth_url: AuthUrl = directly, *, keep: bool = False
) -> Iterator[tuple[Story, Random]]:
    """``keep``: leave its directory, with all files and logs, for whoever looks into it."""
    rng = Random(seed)
    tenant = random_tenant(rng)
    choices = random_choices(rng, tenant)
    place = Place(tenant, seed, launch, auth_url)
    try:
        write_files(place.work, tenant, choices, place.id_of)
        yield Story(place, choices), rng
    finally:
        place.close(keep=keep)


def run(
    seed: int,
    launch: Launcher,
    tell: Tell = run_kinds,
    auth_url: AuthUrl = directly,
    *,
    keep: bool = False,
) -> list[Run]:
    """The runs of one seed.  Raises RuntimeError where the cloud in memory is at fault."""
    with story_of(seed, launch, auth_url, keep=keep) as (story, rng):
        runs = [*tell(story, rng)]
        broken = story.scene.broken
        if broken:
            raise RuntimeError(f"seed {seed}: the cloud in memory broke:\n{broken[0]}")
        return runs
