"""The policy of this machine: whose signed bundles are believed here.

It is the operator's alone; nothing in a bundle can change it.  Every command that opens a bundle
obeys it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bundle_spec.errors import MAX_FAULTS, LocalError, LocalFaults
from bundle_spec.form.codec import Json
from bundle_spec.medium import local_error
from bundle_spec.text import shortened

VARIABLE = "DOWNPOUR_POLICY"
"""The environment variable that names another policy file; empty: no policy at all."""
SYSTEM = Path("/etc/downpour/policy.yml")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Like the options of these names.  Relative paths in the file start from its folder."""

    allowed_signers: Path | None = None
    revoked_signers: Path | None = None
    require_signature: bool = False


def load() -> Policy:
    """The policy of this machine, else of this user; an empty one where there is none.

    Raises LocalError for a file that cannot be read or has an unknown or wrong setting: a mistake
    of the operator must not let more bundles in.
    """
    named = os.environ.get(VARIABLE)
    if named is not None:
        return _parse(Path(named)) if named else Policy()
    for path in _places():
        if _is_there(path):
            return _parse(path)
    return Policy()


def _places() -> Iterator[Path]:
    yield SYSTEM
    config = Path(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"))
    if not str(config).startswith("~"):  # a user without a home has no policy of their own
        yield config / "downpour" / "policy.yml"


def _is_there(path: Path) -> bool:
    """Whether there is an entry of this name, also one that cannot be read, or a link to nothing.

    Raises LocalError where that cannot be told.
    """
    try:
        os.lstat(path)
    except FileNotFoundError:
        dangling = [each for each in path.parents if each.is_symlink() and not each.exists()]
        if not dangling:
            return False
        raise LocalError("the policy cannot be read: a link to nothing", where=str(path)) from None
    except OSError as exc:
        raise local_error("the policy cannot be read", exc, path) from exc
    return True


def _parse(path: Path) -> Policy:
    # The rest of the format works without PyYAML.
    from bundle_spec.read import yaml_file

    document = yaml_file.load(path, LocalError, what="the policy")
    if document.faults:
        raise LocalFaults("the policy has mistakes", document.faults)
    value = document.value
    if value is None:
        raise LocalError(
            "the policy is empty",
            where=str(path),
            remedy="write allowed_signers: to it, or remove it",
        )
    if not isinstance(value, dict):
        raise LocalError("the policy is no mapping of settings", where=str(path))
    faults = [
        LocalError(f"{shortened(key)}: {fault}", where=document.places.of_key(key))
        for key, item in value.items()
        if (fault := _fault(key, item))
    ]
    if faults:
        raise LocalFaults("the policy has mistakes", faults[:MAX_FAULTS])
    paths = {
        key: path.parent / Path(text).expanduser()
        for key, text in value.items()
        if key != "require_signature"
    }
    policy = Policy(**paths, require_signature=value.get("require_signature", False))
    if policy.allowed_signers is None and policy != Policy():
        raise LocalError(
            "allowed_signers is missing: whose signature is accepted?", where=str(path)
        )
    return policy


def _fault(key: str, value: Json) -> str | None:
    match key:
        case "allowed_signers" | "revoked_signers":
            return None if isinstance(value, str) and value else "is the path of a file"
        case "require_signature":
            return None if isinstance(value, bool) else "is true or false (write true)"
        case _:
            return "is no setting of a policy"
