"""What the two clouds are like: edit here to have other ones.

They differ on purpose wherever two real clouds of two operators differ: names of regions,
flavors, networks, volume types, zones and images; quotas; what one has and the other lacks.
A tool that only works when both sides look alike fails here first.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import shake_256

MIB = 1 << 20


@dataclass(frozen=True)
class Flavor:
    name: str
    vcpus: int
    ram_mib: int
    disk_gib: int


@dataclass(frozen=True)
class Network:
    name: str
    cidr: str


@dataclass(frozen=True)
class Image:
    """A public image; the bytes follow from the seed, so equal seeds are equal images."""

    name: str
    seed: str
    size: int = 8 * MIB
    properties: tuple[tuple[str, str], ...] = ()

    def content(self) -> bytes:
        return shake_256(self.seed.encode()).digest(self.size)


@dataclass(frozen=True)
class Quotas:
    """Per project."""

    servers: int
    cores: int
    ram_mib: int
    volumes: int
    snapshots: int
    gigabytes: int
    networks: int
    subnets: int
    ports: int
    routers: int
    floating_ips: int
    security_groups: int
    security_group_rules: int


@dataclass(frozen=True)
class CloudSpec:
    name: str
    index: int
    """Position among the clouds: each cloud has its ports ten above the previous one's."""
    region: str
    zones: tuple[str, ...]
    """Availability zones of Nova and Cinder; the first is the default."""
    flavors: tuple[Flavor, ...]
    volume_types: tuple[str, ...]
    """One storage backend per type and zone; the first is the default type."""
    external_network: Network
    shared_network: Network
    images: tuple[Image, ...]
    quotas: Quotas

    @property
    def compute_hosts(self) -> dict[str, str]:
        """Name of each compute host -> its zone: two per zone, for anti-affinity in one."""
        return {f"{self.name}-{zone}-{n}": zone for zone in self.zones for n in (1, 2)}

    @property
    def volume_backends(self) -> dict[str, tuple[str, str]]:
        """Name of each Cinder backend -> its volume type and zone."""
        return {f"{t}-{z}": (t, z) for t in self.volume_types for z in self.zones}


LINUX = (("os_distro", "tinylinux"), ("os_type", "linux"), ("architecture", "x86_64"))

SOURCE = CloudSpec(
    name="source",
    index=0,
    region="SourceRegion",
    zones=("nova", "az2"),
    flavors=(
        Flavor("m1.tiny", 1, 512, 1),
        Flavor("m1.small", 1, 2048, 20),
        Flavor("m1.medium", 2, 4096, 40),
        Flavor("m1.large", 4, 8192, 80),
        Flavor("m1.nodisk", 1, 512, 0),
        Flavor("m1.odd", 3, 3072, 15),  # has no equal on the target
    ),
    volume_types=("ssd", "hdd"),
    external_network=Network("public", "198.51.100.0/24"),
    shared_network=Network("shared-net", "192.0.2.0/25"),
    images=(Image("tiny-linux-1.0", "tiny-linux 1.0", properties=(*LINUX, ("os_version", "1.0"))),),
    quotas=Quotas(
        servers=20,
        cores=40,
        ram_mib=100 * 1024,
        volumes=40,
        snapshots=40,
        gigabytes=1000,
        networks=100,
        subnets=100,
        ports=500,
        routers=10,
        floating_ips=50,
        security_groups=50,
        security_group_rules=500,
    ),
)

TARGET = CloudSpec(
    name="target",
    index=1,
    region="TargetRegion",
    zones=("zone-a", "zone-b"),
    flavors=(
        Flavor("g.1c-512m", 1, 512, 1),
        Flavor("g.1c-2g", 1, 2048, 20),
        Flavor("g.2c-4g", 2, 4096, 40),
        Flavor("g.4c-8g", 4, 8192, 80),
        Flavor("g.1c-512m-nodisk", 1, 512, 0),
        Flavor("g.1c-1g", 1, 1024, 10),  # this and the next have no equal on the source
        Flavor("g.8c-16g", 8, 16384, 160),
    ),
    volume_types=("fast", "bulk"),
    external_network=Network("internet", "203.0.113.0/24"),
    shared_network=Network("common", "192.0.2.128/25"),
    images=(
        Image("tiny-linux", "tiny-linux 1.0", properties=LINUX),
        Image("tiny-linux-2.0", "tiny-linux 2.0", properties=(*LINUX, ("os_version", "2.0"))),
    ),
    quotas=Quotas(
        servers=10,
        cores=20,
        ram_mib=50 * 1024,
        volumes=20,
        snapshots=20,
        gigabytes=100,
        networks=10,
        subnets=20,
        ports=30,
        routers=5,
        floating_ips=10,
        security_groups=20,
        security_group_rules=100,
    ),
)

CLOUDS: dict[str, CloudSpec] = {spec.name: spec for spec in (SOURCE, TARGET)}
