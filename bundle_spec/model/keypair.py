"""Compute API: ``/os-keypairs``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bundle_spec.model.base import Resource


@dataclass(frozen=True, kw_only=True)
class Keypair(Resource):
    """A public key.  Its ID is its name.  Nova has no private keys, so no bundle has one."""

    type = "keypair"

    public_key: str
    """The public key as Nova gave it, in the form of `key_type`, without white space at its ends.
    """
    key_type: Literal["ssh", "x509"] = "ssh"
    """As Nova's `type` (microversion 2.2)."""
