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


def bind(state: Path, bundle_uuid: str, cloud: TargetCloud, *, manifest_sha256: str | None) -> None:
    """Bind ``state`` to this bundle, cloud and project, or check that it is bound to them.

    A uuid is only what a bundle says of itself; the digest of the manifest, in hex, is the bundle.
    ``manifest_sha256`` None: not known here, and not compared.  A state that has no digest yet
    gets this one: whoever could plant such a state could plant any other.  Raises StateError when
    it belongs to another one, LocalError.
    """
    owner = {
        "bundle": bundle_uuid,
        "auth_url": cloud.auth_url,
        "project_id": cloud.project_id,
    }
    if manifest_sha256 is not None:
        owner["manifest_sha256"] = manifest_sha256
    path = state / STATE_FILE
    with _local_errors(state):
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            write(path, owner)
    bound = _owner(path)
    for key, value in owner.items():
        if bound.get(key, value if key == "manifest_sha256" else None) != value:
            what = "a manifest with the digest" if key == "manifest_sha256" else key
            raise StateError(
                f"this directory belongs to {what} {bound.get(key)}, not {value}",
                where=str(state),
                remedy="name another one with --state",
            )
    if owner.keys() - bound.keys():
        write(path, {**bound, **owner})


def is_bound(state: Path) -> bool:
    """Whether an import has bound ``state`` already."""
    return (state / STATE_FILE).exists()


def bundle_uuid(state: Path) -> str:
    """The uuid of the bundle that ``state`` is bound to.  Raises StateError."""
    uuid = _owner(state / STATE_FILE).get("bundle")
    if not isinstance(uuid, str):
        raise StateError("no bundle is named here", where=str(state / STATE_FILE))
    return uuid


def save_targets(state: Path, targets: Targets) -> None:
    """Keep what the preflight resolved, for the steps that follow it."""
    write(
        state / TARGETS_FILE,
        [{"type": ref.type, "id": ref.id, "target": target} for ref, target in targets.items()],
    )


def load_targets(state: Path) -> dict[Ref, str | None]:
    """The targets that ``save_targets`` kept.  Raises StateError when it has not run."""
    path = state / TARGETS_FILE
    try:
        return {Ref(item["type"], item["id"]): item["target"] for item in _read(path)}
    except (TypeError, KeyError) as exc:
        raise StateError("this file is damaged", where=str(path)) from exc


def load_targets_if_any(state: Path) -> dict[Ref, str | None]:
    """The same; empty where the preflight has not run."""
    return load_targets(state) if (state / TARGETS_FILE).exists() else {}


@contextmanager
def locked(state: Path) -> Iterator[int]:
    """Hold the lock of ``state``; gives the descriptor that holds it.

    Raises StateError when another import holds it.
    """
    with _local_errors(state):
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
    """Write ``value`` as JSON, atomically.  Raises LocalError."""
    with _local_errors(path):
        write_atomically(path, json.dumps(value, indent=1).encode(), mode=BY_UMASK)


def _owner(path: Path) -> dict[str, Any]:
    owner = _read(path)
    if not isinstance(owner, dict):
        raise StateError("this file is damaged", where=str(path))
    return owner


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
def _local_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise LocalError(f"cannot write: {exc.strerror}", where=str(path)) from exc
