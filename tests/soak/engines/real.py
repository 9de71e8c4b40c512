"""The real engine: the same stories, with installed commands, between two real test clouds."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from tests.connect import connect
from tests.devcloud import Devcloud
from tests.e2e.bash import users_environment
from tests.soak import oracle
from tests.soak.bundle import Found
from tests.soak.clouds.real import Builder, world_of
from tests.soak.clouds.world import Item, World
from tests.soak.engines.commands import Done, Installed, running
from tests.soak.engines.kill import Kill, send_to
from tests.soak.stories.choices import random_choices, write_files
from tests.soak.stories.kinds import Run, run_kinds
from tests.soak.stories.story import Story
from tests.soak.stories.tenant import Tenant, random_tenant

SECONDS = {"export": 45.0, "cleanup": 6.0, "import": 60.0, "undo": 25.0, "forget": 20.0}
"""How long a command takes that is not killed, before any has told."""


SETTLE = 300.0
"""Seconds after which a service that still changes something counts as one that never ends."""

CHANGING = frozenset(
    "uploading creating downloading deleting saving queued attaching detaching BUILD".split()
)


def is_changing(item: Item) -> bool:
    return item.facts.get("status") in CHANGING or bool(item.facts.get("task_state"))


class RealPlace:
    """See ``telling.Scene``.  Kills come by time: requests are not seen here."""

    broken: list[str] = []  # noqa: RUF012 - a cloud that breaks breaks the soak

    def __init__(self, clouds: Devcloud, tenant: Tenant, ids: dict[str, str]) -> None:
        self.clouds = clouds
        self.tenant = tenant
        self.ids = ids
        self.done: list[Done] = []
        self.directory = Path(tempfile.mkdtemp(prefix="soak-"))
        self.work = self.directory / "work"
        self.temporary = self.directory / "tmp"
        self.work.mkdir()
        self.temporary.mkdir()
        shutil.copy(clouds.clouds_yaml, self.work / "clouds.yaml")
        self.seconds = dict(SECONDS)
        self.at = {name: connect(clouds, name) for name in ("source", "target")}

    def close(self, *, keep: bool) -> None:
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *words: str, kill: Kill | None = None) -> Done:
        kind = words[1] if words[1] in self.seconds else "export"
        timers: list[threading.Timer] = []
        struck = threading.Event()

        def started(pid: int) -> None:
            if kill is not None:

                def strike() -> None:
                    struck.set()
                    send_to(pid)(kill.signal)

                timers.append(threading.Timer(kill.share * self.seconds[kind], strike))
                timers[0].start()

        log = self.directory / f"{len(self.done):03d}"
        environment = {**users_environment(), "TMPDIR": str(self.temporary)}
        code, seconds = Installed()(words, self.work, environment, log, started)
        for timer in timers:
            timer.cancel()
        if kill is None and code == 0:
            self.seconds[kind] = seconds
        out, err = (Path(f"{log}{end}").read_text(errors="replace") for end in (".out", ".err"))
        done = Done(words, code, out, err, seconds, struck.is_set())
        self.done.append(done)
        return done

    def id_of(self, key: str) -> str:
        return self.ids[key]

    def source_world(self) -> World:
        return self._settled("source")

    def target_world(self) -> World:
        return self._settled("target")

    def _settled(self, name: str) -> World:
        """What it holds once nothing changes by itself: services go on with what a killed command
        had asked for."""
        deadline = time.monotonic() + SETTLE
        while True:
            world = world_of(self.at[name])
            if time.monotonic() > deadline or not any(map(is_changing, world)):
                return world
            time.sleep(0.5)

    def taken(self, pieces: Iterable[bytes]) -> bytes:
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        return digest.digest()

    def captured_wrongly(self, found: Found) -> Iterator[str]:
        source = self.clouds.cloud("source")
        files = {
            "volume": source.volume_file,
            "server": source.server_disk,
            "image": source.image_file,
        }
        wanted = {
            f"{kind} {identity}": self._digest(files[kind](identity))
            for kind, identity in found.disks
        }
        there = {f"{kind} {identity}": data for (kind, identity), data in found.disks.items()}
        return oracle.same_bytes(wanted, there)

    def target_bytes(self, item: Item) -> bytes | None:
        target = self.clouds.cloud("target")
        of = target.volume_file if item.kind == "volume" else target.image_file
        path = of(item.id)
        return self._digest(path) if path.exists() else None

    def _digest(self, path: Path) -> bytes:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    def left(self) -> list[str]:
        return [*running(self.temporary), *(path.name for path in self.temporary.iterdir())]


class RealEngine:
    """Two clouds, and one tenant in the source, for as many runs as come."""

    def __init__(self, *, keep: bool = False, clouds: Devcloud | None = None) -> None:
        self.keep = keep
        self.clouds = clouds or Devcloud()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clouds.down(wipe=True)

    def run(self, seed: int) -> list[Run]:
        """One tenant's story, in clouds that hold nothing else."""
        rng = Random(seed)
        tenant = random_tenant(rng)
        self.clouds.down(wipe=True)
        self.clouds.up(owner=os.getpid())
        choices = random_choices(rng, tenant)
        with tempfile.TemporaryDirectory() as scratch:
            source = self.clouds.cloud("source")
            builder = Builder(source, connect(self.clouds, "source"), Path(scratch), seed)
            ids = builder.build(tenant)
        place = RealPlace(self.clouds, tenant, ids)
        try:
            write_files(place.work, tenant, choices, place.id_of)
            return [*run_kinds(Story(place, choices), rng)]
        finally:
            place.close(keep=self.keep)
