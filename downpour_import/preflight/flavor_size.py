"""The size of a flavor, and how far two sizes are from each other.  Pure."""

from __future__ import annotations

from dataclasses import dataclass

from downpour_cloud import Json


@dataclass(frozen=True)
class FlavorSize:
    """``ram`` and ``swap`` in MiB, ``disk`` and ``ephemeral`` in GiB, as Nova counts them."""

    vcpus: int
    ram: int
    disk: int
    ephemeral: int
    swap: int

    def __str__(self) -> str:
        more = f", {self.ephemeral} GiB ephemeral" if self.ephemeral else ""
        more += f", {self.swap} MiB swap" if self.swap else ""
        return f"{self.vcpus} vCPU, {self.ram} MiB RAM, {self.disk} GiB disk{more}"


def size_of(item: Json) -> FlavorSize:
    """The size of a flavor as the Compute API gives it ("List Flavors With Details")."""
    return FlavorSize(
        item["vcpus"],
        item["ram"],
        item["disk"],
        item.get("OS-FLV-EXT-DATA:ephemeral") or 0,
        item.get("swap") or 0,
    )


def distance(offered: FlavorSize, wanted: FlavorSize) -> tuple[bool, float]:
    """A sort key: the nearest first; what offers too little of something comes after the rest."""
    pairs = [(getattr(offered, name), getattr(wanted, name)) for name in ("vcpus", "ram", "disk")]
    return any(a < b for a, b in pairs), sum(abs(a - b) / max(a, b, 1) for a, b in pairs)
