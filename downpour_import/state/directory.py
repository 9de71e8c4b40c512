"""The state directory of one bundle in one project of one cloud."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bundle_spec.durable import BY_UMASK, write_atomically
from bundle_spec.errors import LocalError
from bundle_spec.model import Ref
from downpour_import.cloud import TargetCloud
from downpour_import.errors import StateError
from downpour_import.preflight import Targets

STATE_FILE = "state.json"
TARGETS_FILE = "targets.json"


def bind(state: Path, bundle_uuid: str, cloud: TargetCloud) -> None:
    """Make ``state`` this bundle's, cloud's and project's own, or see that it is.

    Raises StateError when it belongs to another one, LocalError.
    """
    owner = {
        "bundle": bundle_uuid,
        "auth_url": cloud.auth_url,
        "project_id": cloud.project_id,
    }
    path = state / STATE_FILE
    with _local(state):
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            write(path, owner)
    found = _owner(path)
    for key, value in owner.items():
        if found.get(key) != value:
            raise StateError(
                f"this directory belongs to {key} {found.get(key)}, not {value}",
                where=str(state),
                remedy="name another one with --state",
            )


def is_bound(state: Path) -> bool:
    """Whether ``state`` is some import's own already."""
    return (state / STATE_FILE).exists()


def bundle_uuid(state: Path) -> str:
    """The uuid of the bundle that ``state`` is bound to.  Raises StateError."""
    found = _owner(state / STATE_FILE).get("bundle")
    if not isinstance(found, str):
        raise StateError("no bundle is named here", where=str(state / STATE_FILE))
    return found


def save_targets(state: Path, targets: Targets) -> None:
    """Keep what the preflight resolved, for the steps that follow it."""
    write(
        state / TARGETS_FILE,
        [{"type": ref.type, "id": ref.id, "target": target} for ref, target in targets.items()],
    )


def load_targets(state: Path) -> dict[Ref, str | None]:
    """Raises StateError when the preflight has not run."""
    path = state / TARGETS_FILE
    try:
        return {Ref(item["type"], item["id"]): item["target"] for item in _read(path)}
    except (TypeError, KeyError) as exc:
        raise StateError("this file is damaged", where=str(path)) from exc


def known_targets(state: Path) -> dict[Ref, str | None]:
    """The same; none where the preflight has not run."""
    return load_targets(state) if (state / TARGETS_FILE).exists() else {}


@contextmanager
def locked(state: Path) -> Iterator[int]:
    """Hold ``state`` alone; the descriptor that holds the lock.

    Raises StateError when another import holds it.
    """
    with _local(state):
        file = (state / "lock").open("a")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise StateError(
                "another import is running with this state",
                where=str(state),
                remedy="wait for it; one that was killed ends within seconds",
            ) from exc
        yield file.fileno()


def write(path: Path, value: Any) -> None:
    """JSON, atomically."""
    with _local(path):
        write_atomically(path, json.dumps(value, indent=1).encode(), mode=BY_UMASK)


def _owner(path: Path) -> dict[str, Any]:
    found = _read(path)
    if not isinstance(found, dict):
        raise StateError("this file is damaged", where=str(path))
    return found


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError as exc:
        raise StateError(
            "the preflight has not run here", where=str(path), remedy="run the whole playbook"
        ) from exc
    except OSError as exc:
        raise LocalError(f"cannot read: {exc.strerror}", where=str(path)) from exc
    except ValueError as exc:
        raise StateError("this file is damaged", where=str(path)) from exc


@contextmanager
def _local(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise LocalError(f"cannot write: {exc.strerror}", where=str(path)) from exc
