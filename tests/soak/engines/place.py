"""Where an engine acts: two clouds, a directory, and commands that can be killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak import oracle
from tests.soak.bundle import Found
from tests.soak.clouds.build import PROJECT as SOURCE_PROJECT
from tests.soak.clouds.content import read_header
from tests.soak.clouds.front import Front, write_clouds_yaml
from tests.soak.clouds.source import SoakSource
from tests.soak.clouds.target import SoakTarget
from tests.soak.clouds.world import Item, World, world_of
from tests.soak.engines.commands import Done, Launcher, running
from tests.soak.engines.kill import Kill, Trigger, send_to
from tests.soak.stories.tenant import Tenant
from tests.unit.fake_cloud import PROJECT

AuthUrl = Callable[[str, str], str]
"""(``source`` or ``target``, the auth URL of its cloud) -> the one for clouds.yaml: that of a proxy
that stands before it, or the same."""


def directly(name: str, auth_url: str) -> str:
    return auth_url


@dataclass
class Place:
    """Clouds in memory.  ``launch``: how commands run.

    Kills and faults are hooks of ``source.before``, ``source.after`` and the target's: see
    ``front``.
    """

    tenant: Tenant
    seed: int
    launch: Launcher
    auth_url: AuthUrl = directly
    done: list[Done] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source = SoakSource(self.tenant, self.seed)
        self.target = SoakTarget(self.seed)
        self.fronts = {
            "source": Front(self.source, SOURCE_PROJECT),
            "target": Front(self.target, PROJECT),
        }
        self.directory = Path(tempfile.mkdtemp(prefix="soak-"))
        self.temporary = self.directory / "tmp"
        self.temporary.mkdir()
        self.work = self.directory / "work"
        self.work.mkdir()
        write_clouds_yaml(
            self.work / "clouds.yaml",
            {name: self.auth_url(name, front.auth_url) for name, front in self.fronts.items()},
        )

    def close(self, *, keep: bool = False) -> None:
        for front in self.fronts.values():
            front.close()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *words: str, kill: Kill | None = None) -> Done:
        """A command to its end, killed as ``kill`` says."""
        cloud = self.source if words[0] == "downpour-export" else self.target
        trigger = Trigger(kill, lambda number: None)
        log = self.directory / f"{len(self.done):03d}"

        def started(pid: int) -> None:
            trigger.send = send_to(pid)

        trigger.arm(cloud)
        try:
            code, seconds = self.launch(words, self.work, self._environment(), log, started)
        finally:
            trigger.disarm(cloud)
        out, err = (_read(Path(f"{log}{end}")) for end in (".out", ".err"))
        done = Done(
            words, code, out, err, seconds, trigger.struck, trigger.requests, trigger.writes
        )
        self.done.append(done)
        return done

    def _environment(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        # openstacksdk looks for the file where Python began.
        config = {"OS_CLIENT_CONFIG_FILE": str(self.work / "clouds.yaml")}
        return {**kept, **config, "TMPDIR": str(self.temporary)}

    @property
    def broken(self) -> list[str]:
        """What broke in the clouds in memory themselves."""
        return [text for front in self.fronts.values() for text in front.broken]

    def left(self) -> list[str]:
        """Temporary files, and processes, of commands that have ended."""
        return [*running(self.temporary), *(path.name for path in self.temporary.iterdir())]

    def id_of(self, key: str) -> str:
        return self.source.id_of(key)

    def taken(self, pieces: Iterable[bytes]) -> bytes:
        return b"".join(pieces)

    def captured_wrongly(self, found: Found) -> Iterator[str]:
        """Each disk is, byte for byte, what it was at the moment that it tells; those of a server
        that was stopped are of one moment."""
        wanted, moments = dict[str, bytes](), dict[str, list[int]]()
        for (kind, identity), data in found.disks.items():
            _, moment, _ = read_header(data)
            wanted[f"{kind} {identity}"] = self.source.bytes_at(identity, moment)
            server = self.source.server_of(identity)
            if server is not None and found.consistency[kind, identity] == "stopped":
                moments.setdefault(server, []).append(moment)
        there = {f"{kind} {identity}": data for (kind, identity), data in found.disks.items()}
        yield from oracle.same_bytes(wanted, there)
        yield from oracle.of_one_moment(moments)

    def target_bytes(self, item: Item) -> bytes | None:
        return self.target.bytes_of.get(item.id)

    def source_world(self) -> World:
        with self.fronts["source"].lock:
            return world_of(self.source)

    def target_world(self) -> World:
        with self.fronts["target"].lock:
            return world_of(self.target)


def _read(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text(errors="replace")
    return ""
