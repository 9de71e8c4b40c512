"""Whether one bundle has room for a plan, told before anything is read [F-17].  Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bundle_spec.form import codec, layout
from bundle_spec.text import human_bytes
from downpour_export.errors import PlanError
from downpour_export.plan.model import DiskCapture, Plan

_LINES_OF_A_DISK = 24
"""What the record of a disk takes in a manifest, at most."""


def room_faults(plan: Plan) -> Iterator[PlanError]:
    """What of ``plan`` is more than a bundle can hold."""
    text = codec.dumps(codec.encode((plan.resources, plan.references, plan.omissions)))
    lines = text.count(b"\n") + _LINES_OF_A_DISK * len(plan.captures)
    if lines > layout.MAX_MANIFEST_LINES or len(text) > layout.MAX_MANIFEST_SIZE:
        yield _fault(
            f"a manifest of {lines:,} lines and {len(text):,} bytes (at most "
            f"{layout.MAX_MANIFEST_LINES:,} and {layout.MAX_MANIFEST_SIZE:,})"
        )
    if len(plan.captures) > layout.MAX_DISKS:
        yield _fault(f"{len(plan.captures):,} disks (at most {layout.MAX_DISKS:,})")
    chunks = sum(map(_least_chunks, plan.captures))
    if chunks > layout.MAX_TOTAL_CHUNKS:
        size = human_bytes(sum(capture.size for capture in plan.captures))
        yield _fault(f"disks of {size}, in {chunks:,} chunks (at most {layout.MAX_TOTAL_CHUNKS:,})")


def _least_chunks(capture: DiskCapture) -> int:
    """Of a disk that may come as qcow2, with holes, nothing is known beforehand."""
    if capture.type in ("server", "image"):
        return 0
    return layout.chunk_count(capture.size, layout.chunk_size_for("raw", capture.size))


def _fault(what: str) -> PlanError:
    return PlanError(
        f"this is more than one bundle holds: {what}",
        remedy="list a part of it in another file, and make two bundles",
    )
