"""The state directory of one bundle in one project of one cloud."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bundle_spec.durable import BY_UMASK, TEMPORARY_PREFIX, make_folder, write_atomically
from bundle_spec.medium import is_of_medium, local_error
from bundle_spec.model import Ref
from bundle_spec.private import open_own, open_own_folder, read_own
from bundle_spec.text import json_text
from downpour_import.cloud import TargetCloud
from downpour_import.errors import StateError
from downpour_import.preflight import Targets

STATE_FILE = "state.json"
TARGETS_FILE = "targets.json"
_DIGEST = "manifest_sha256"


def bind(state: Path, bundle_uuid: str, cloud: TargetCloud, *, manifest_sha256: str | None) -> None:
    """Bind ``state`` to this bundle, cloud and project, or check that it is bound to them.

    Arguments and StateError as of ``check``; a state that has no digest yet gets this one.  Raises
    LocalError too.
    """
    if not is_bound(state):
        with _local_errors(state):
            make_folder(state, mode=0o700)
    check(state, bundle_uuid, cloud, manifest_sha256=manifest_sha256)
    owner = _owner(bundle_uuid, cloud, manifest_sha256)
    bound = _read_owner(state / STATE_FILE) if is_bound(state) else {}
    if owner.keys() - bound.keys():
        write(state / STATE_FILE, {**bound, **owner})


def check(
    state: Path, bundle_uuid: str, cloud: TargetCloud, *, manifest_sha256: str | None
) -> None:
    """Raise StateError unless ``bind`` can take ``state``.  Writes nothing.

    It belongs to another import, or somebody else may have laid it here, with a journal that says
    what stands for what: then it is not a directory of ours into which nobody else can write, or
    has files and no ``state.json``.

    A uuid is only what a bundle says of itself; the digest of the manifest, in hex, is the bundle.
    ``manifest_sha256`` None: not known here, and not compared; nor is it with a state that has none
    yet, as whoever could plant such a state could plant any other.
    """
    if not os.path.lexists(state):
        return
    require_ours(state)
    if not is_bound(state):
        _require_empty(state)
        return
    bound = _read_owner(state / STATE_FILE)
    for key, value in _owner(bundle_uuid, cloud, manifest_sha256).items():
        if bound.get(key, value if key == _DIGEST else None) != value:
            what = "a manifest with the digest" if key == _DIGEST else key
            raise StateError(
                f"this directory belongs to {what} {bound.get(key)}, not {value}",
                where=str(state),
                remedy="name another one with --state",
            )


def _owner(bundle_uuid: str, cloud: TargetCloud, manifest_sha256: str | None) -> dict[str, str]:
    owner = {"bundle": bundle_uuid, "auth_url": cloud.auth_url, "project_id": cloud.project_id}
    return owner if manifest_sha256 is None else {**owner, _DIGEST: manifest_sha256}


def require_ours(state: Path) -> None:
    """Raises StateError for what is there and is no directory of ours alone."""
    if not os.path.lexists(state):
        return
    try:
        os.close(open_own_folder(state))
    except OSError as exc:
        if is_of_medium(exc):
            raise local_error("cannot open the state directory", exc, state) from exc
        raise StateError(
            f"this cannot be a state directory: {exc.strerror}",
            where=str(state),
            remedy="name with --state one that nobody but you can write to",
        ) from exc


def _require_empty(state: Path) -> None:
    with _local_errors(state):
        names = os.listdir(state)
    # A kill may have come while its first file was written.
    if not all(name.startswith(TEMPORARY_PREFIX) for name in names):
        raise StateError(
            f"this directory is not empty, and has no {STATE_FILE} of an import",
            where=str(state),
            remedy="name another one with --state, or move away what is in it",
        )


def is_bound(state: Path) -> bool:
    """Whether an import has bound ``state`` already."""
    return os.path.lexists(state / STATE_FILE)


def is_prepared(state: Path) -> bool:
    """Whether a preflight has passed, so that an import may have made something."""
    return os.path.lexists(state / TARGETS_FILE)


def bundle_uuid(state: Path) -> str:
    """The uuid of the bundle that ``state`` is bound to.  Raises StateError."""
    uuid = _read_owner(state / STATE_FILE).get("bundle")
    if not isinstance(uuid, str):
        raise StateError("no bundle is named here", where=str(state / STATE_FILE))
    return uuid


def manifest_sha256(state: Path) -> str:
    """The digest of the manifest that ``state`` is bound to, in hex.  Raises StateError."""
    digest = _read_owner(state / STATE_FILE).get(_DIGEST)
    if not isinstance(digest, str):
        raise StateError("no manifest is named here", where=str(state / STATE_FILE))
    return digest


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
    return load_targets(state) if is_prepared(state) else {}


def since_preflight(state: Path) -> float:
    """Seconds since the preflight of the run; never negative, whatever was done to the clock.

    Raises StateError when it has not run."""
    try:
        return max(0.0, time.time() - os.stat(state / TARGETS_FILE).st_mtime)
    except OSError as exc:
        raise _not_run(state / TARGETS_FILE) from exc


def _not_run(path: Path) -> StateError:
    return StateError(
        "the preflight has not run here", where=str(path), remedy="run the whole playbook"
    )


@contextmanager
def locked(state: Path) -> Iterator[int]:
    """Hold the lock of ``state``; gives the descriptor that holds it.

    Raises StateError when another import holds it.
    """
    with _local_errors(state):
        fd = open_own(state / "lock", os.O_RDWR | os.O_CREAT)
    with open(fd, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise StateError(
                "another import is running with this state",
                where=str(state),
                remedy="wait for it; one that was killed ends within seconds",
            ) from exc
        except OSError as exc:
            raise local_error("cannot lock", exc, state) from exc
        yield file.fileno()


def write(path: Path, value: Any) -> None:
    """Write ``value`` as JSON, atomically.  Raises LocalError."""
    with _local_errors(path):
        write_atomically(path, json_text(value).encode(), mode=BY_UMASK)


def _read_owner(path: Path) -> dict[str, Any]:
    owner = _read(path)
    if not isinstance(owner, dict):
        raise StateError("this file is damaged", where=str(path))
    return owner


def _read(path: Path) -> Any:
    try:
        return json.loads(read_own(path))
    except FileNotFoundError as exc:
        raise _not_run(path) from exc
    except OSError as exc:
        raise local_error("cannot read", exc, path) from exc
    except ValueError as exc:
        raise StateError("this file is damaged", where=str(path)) from exc


@contextmanager
def _local_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise local_error("cannot write", exc, path) from exc
