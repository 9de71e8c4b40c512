"""What must be true behind each command, whatever was played: seen past the proxy."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bundle_spec import verify_bundle
from bundle_spec.errors import DownpourError
from tests.connect import connect
from tests.devcloud import Devcloud
from tests.e2e.disks import differing_at_target, differing_in_bundle
from tests.e2e.holdings import Holdings, holdings
from tests.faults.trials.driver import FORBIDDEN
from tests.tenant import MADE, RESOURCES, Tenant

_BESIDES = {"launched_at", "addresses"}
"""What a start changes: Nova looks at the addresses anew."""


@dataclass(frozen=True)
class Oracle:
    """``made``: the tenant in the source."""

    clouds: Devcloud
    made: Tenant

    def held(self, cloud: str) -> Holdings:
        found = holdings(connect(self.clouds, cloud))
        for server in found["servers"].values():
            for attribute in _BESIDES:
                server.pop(attribute, None)
        return found

    def of_export(self, bundle: Path, before: Holdings) -> Iterator[str]:
        yield from differences("source", before, self.held("source"))
        try:
            verify_bundle(bundle, read_data=True)
        except DownpourError as exc:
            yield f"the bundle is not whole: {exc}"
        else:
            for disk in differing_in_bundle(bundle, self.clouds.cloud("source")):
                yield f"disk {disk} of the bundle has other bytes than the source"
        for path in bundle.parent.glob(f"{bundle.name}.*"):
            yield f"{path.name} is left behind"

    def of_import(self, state: Path, before: Holdings) -> Iterator[str]:
        after = self.held("target")
        uuids = read_uuids(state)
        yield from of_counts(before, after)
        yield from of_uuids(uuids, after)
        source, target = self.clouds.cloud("source"), self.clouds.cloud("target")
        try:
            for old in differing_at_target(dict(uuids), self.made, source, target):
                yield f"what was made of {old} has other bytes than the source"
        except (KeyError, OSError) as exc:
            yield f"a disk is missing at the target: {exc!r}"
        for path in state.rglob("*.log"):
            if any(text in path.read_text(errors="replace") for text in FORBIDDEN):
                yield f"{path} holds a traceback"

    def of_undo(self, before: Holdings) -> Iterator[str]:
        yield from differences("target", before, self.held("target"))


def differences(side: str, before: Holdings, after: Holdings) -> Iterator[str]:
    """Between two moments of one project, an object each."""
    for kind in before:
        was, now = before[kind], after[kind]
        for identity in was.keys() | now.keys():
            if identity not in now:
                yield f"{side}: {kind} {identity} is gone"
            elif identity not in was:
                yield f"{side}: {kind} {identity} {now[identity].get('name')!r} is left over"
            elif was[identity] != now[identity]:
                what = _changed(was[identity], now[identity])
                yield f"{side}: {kind} {identity} is another: {what}"


def _changed(was: dict[str, Any], now: dict[str, Any]) -> str:
    names = (name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    return ", ".join(f"{name} {was.get(name)!r} -> {now.get(name)!r}" for name in sorted(names))


def of_counts(before: Holdings, after: Holdings) -> Iterator[str]:
    for kind in after:
        new = {key: item for key, item in after[kind].items() if key not in before[kind]}
        if len(new) != MADE.get(kind, 0):
            names = sorted(str(item.get("name")) for item in new.values())
            yield f"target: {len(new)} {kind} were made, and not {MADE.get(kind, 0)}: {names}"


def of_uuids(uuids: list[tuple[tuple[str, str], str]], after: Holdings) -> Iterator[str]:
    if len(uuids) != RESOURCES:
        yield f"uuids.csv has {len(uuids)} rows, and not {RESOURCES}"
    for key, times in Counter(key for key, _ in uuids).items():
        if times > 1:
            yield f"uuids.csv has {key} {times} times"
    for (kind, old), new in uuids:
        if new not in after[f"{kind.replace(' ', '_')}s"]:
            yield f"uuids.csv: {kind} {old} -> {new} does not exist"


def read_uuids(state: Path) -> list[tuple[tuple[str, str], str]]:
    """The rows of ``uuids.csv``: ((type, old ID), new ID)."""
    with (state / "uuids.csv").open(newline="", encoding="utf-8") as file:
        return [((kind, old), new) for kind, _, old, new in list(csv.reader(file))[1:]]
