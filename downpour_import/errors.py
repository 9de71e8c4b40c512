"""Telling all faults at once."""

from __future__ import annotations

from collections.abc import Sequence

from bundle_spec.errors import TargetError, TargetFaults


def raise_all(faults: Sequence[TargetError]) -> None:
    """Raise TargetFaults when there are any."""
    if faults:
        raise TargetFaults(
            "the target lacks what this bundle needs; nothing was written",
            faults,
            remedy="say what stands for it with --map",
        )
