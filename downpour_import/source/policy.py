"""The policy of this machine: whose signed bundles are imported here.

It is the operator's alone; nothing in a bundle can change it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bundle_spec.errors import LocalError

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
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    for path in (SYSTEM, config / "downpour" / "policy.yml"):
        if path.exists():
            return _parse(path)
    return Policy()


def _parse(path: Path) -> Policy:
    try:
        value = yaml.safe_load(path.read_text()) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise LocalError(f"the policy cannot be read: {exc}", where=str(path)) from exc
    if not isinstance(value, dict):
        raise LocalError("the policy is no mapping of settings", where=str(path))
    faults = [f"{key}: {fault}" for key, item in value.items() if (fault := _fault(key, item))]
    if faults:
        raise LocalError("; ".join(faults), where=str(path), remedy="correct the policy")
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


def _fault(key: Any, value: Any) -> str | None:
    match key:
        case "allowed_signers" | "revoked_signers":
            return None if isinstance(value, str) and value else "is the path of a file"
        case "require_signature":
            return None if isinstance(value, bool) else "is true or false"
        case _:
            return "is no setting of a policy"
