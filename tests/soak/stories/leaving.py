"""The source's half of a story: plan, export, cleanup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak import bundle, oracle
from tests.soak.clouds.world import Item, World
from tests.soak.engines.commands import Done
from tests.soak.engines.kill import GENTLE, Kill
from tests.soak.oracle import Expected
from tests.soak.stories.telling import Telling
from tests.soak.stories.tenant import Server

BUNDLE = "b.dpbundle"
STOPPED = "dpb-stopped"


@dataclass
class Leaving(Telling):
    """``expected``: what an import of the bundle is to make."""

    expected: list[Expected] = field(default_factory=list)
    found: bundle.Found | None = None
    rough: bool = False
    """Whether an export ended by kill -9, and nothing has set the source right since."""
    kept_off: bool = False
    """Whether an export has begun that leaves servers off for good."""

    def __post_init__(self) -> None:
        self.source = self.scene.source_world()

    @property
    def bundle(self) -> Path:
        return self.scene.work / BUNDLE

    def is_done(self, words: Sequence[str], done: Done) -> bool:
        """Also an export that was killed after the bundle had got its name."""
        is_export = words[0] == "downpour-export" and BUNDLE in words
        return super().is_done(words, done) or (is_export and bundle.exists(self.bundle))

    def check_interrupted(self, program: str, kill: Kill | None, done: Done) -> None:
        if program == "downpour-export":
            if kill and done.struck and done.code != 0 and kill.signal not in GENTLE:
                self.rough = True
            self.check_source_between()
            if self.rough and self.choices.encrypted:
                # It begins again, and nothing on the medium may say what the killed one left.
                self.clean_up()

    def plan_export(self) -> None:
        self.give("downpour-export", "plan", "export.yml", "--cloud", "source")
        self.check_source_between()

    def export_words(self) -> list[str]:
        self.kept_off = self.kept_off or "keep" in self.choices.stops.values()
        words = ["downpour-export", "export.yml", BUNDLE, "--cloud", "source", *self.choices.export]
        if self.choices.encrypted:
            words += ["--encrypt-to", "recipient.txt"]
        return words

    def export(self, *kills: Kill) -> None:
        if not bundle.exists(self.bundle):
            self.give_until_done(self.export_words(), kills)
        self.rough = False
        self.check_exported()

    def clean_up(self, *kills: Kill) -> None:
        words = ("downpour-export", "cleanup", "--yes", "--cloud", "source")
        self.give_until_done(words, kills)
        self.rough = False
        self.require(oracle.unchanged(self.source_now_allowed(), self.source_now(), "the source"))

    def source_now(self) -> World:
        return self.scene.source_world()

    def source_now_allowed(self) -> World:
        """As it was; servers that an export stops for good may be off, if one has begun."""
        if not self.kept_off:
            return self.source
        now, items = self.source_now(), dict(self.source.items)
        for key in self._keys_kept_off():
            there = now.get("server", self.scene.id_of(key))
            if there is not None and there.facts["status"] == "SHUTOFF":
                items["server", there.id] = changed(items["server", there.id], status="SHUTOFF")
        return World(items)

    def _keys_kept_off(self) -> list[str]:
        return [key for key, how in self.choices.stops.items() if how == "keep"]

    def check_source_between(self) -> None:
        """After an export that did not end: only temporary objects are there too, and servers are
        off only if nothing could start them."""
        now = self.source_now()
        if self.rough:
            now = World({key: self._as_if_on(item) for key, item in now.items.items()})
        allowed = self.source_now_allowed()
        self.require(oracle.kept(allowed, now, "the source"))
        self.require(oracle.only_ours(now.beyond(allowed), "the source"))

    def _as_if_on(self, item: Item) -> Item:
        """A server that bears the mark of an export that stopped it, as it was before."""
        metadata = item.facts.get("metadata") or {}
        if item.kind != "server" or STOPPED not in metadata:
            return item
        rest = {key: value for key, value in metadata.items() if key != STOPPED}
        before = self.source.items.get(("server", item.id), item)
        return changed(item, metadata=rest, status=before.facts["status"])

    def check_exported(self) -> None:
        allowed = dict(self.source_now_allowed().items)
        for key in self._keys_kept_off():
            server = allowed["server", self.scene.id_of(key)]
            allowed["server", server.id] = changed(server, status="SHUTOFF")
        self.require(oracle.unchanged(World(allowed), self.source_now(), "the source"))
        self.require(bundle.nothing_beside(self.bundle))
        identity = self.scene.work / "identity.txt" if self.choices.encrypted else None
        self.found, problems = bundle.read(self.bundle, identity, self.scene.taken)
        self.require(problems)
        assert self.found is not None
        self.expected = bundle.expected_of(self.found.manifest, self.source, self._to_be_on)
        self.require(bundle.says_what_the_source_says(self.expected))
        self.require(self.missing())
        self.require(self.scene.captured_wrongly(self.found))

    def _to_be_on(self, server: str) -> bool:
        was_on = {self.scene.id_of(thing.key): thing.on for thing in self.scene.tenant.of(Server)}
        return was_on[server] and not self.choices.no_start

    def missing(self) -> Iterable[str]:
        carried = {(each.kind, each.old) for each in self.expected}
        for key in self.choices.listed:
            thing = self.scene.tenant.thing(key)
            old = thing.name if thing.kind == "keypair" else self.scene.id_of(key)
            if (thing.kind, old) not in carried:
                yield f"{thing.kind} {thing.name!r} ({old}) was asked for, and is not in the bundle"


def changed(item: Item, **facts: Any) -> Item:
    return Item(item.kind, item.id, item.name, {**item.facts, **facts})
