"""A random tenant: what a project holds, without a cloud, made of a seed.

Things refer to each other by ``key``; whoever builds the tenant gives them IDs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypedDict, TypeVar

T = TypeVar("T")

ODD_NAMES = (
    "",
    "plain",
    "twin",
    "twin",
    "with space",
    "web {{ 7*7 }}",
    "{% raw %}",
    "-leading",
    "=1+1",
    "ünïcödé ☃ 日本",
    "a/b\\c",
    "quote'\"quote",
    "$HOME `id` ;|&",
    "# no comment: [x]",
    "null",
    "0777",
    "x" * 200,
    "..",
    "*",
)
"""Names that services take and that something on the way might not."""

PLAIN_NAMES = tuple(name for name in ODD_NAMES if name)
"""For types whose name must not be empty."""

KEYPAIR_NAMES = ("me", "a b", "x_y")


@dataclass(frozen=True, kw_only=True)
class Thing:
    """``kind``: its type, as a bundle calls it."""

    kind: str
    key: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """``remote``: key of a group or an address group, None for ``prefix``."""

    port: int
    remote: str | None = None
    prefix: str | None = None


@dataclass(frozen=True, kw_only=True)
class Group(Thing):
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AddressGroup(Thing):
    addresses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Subnet(Thing):
    """``prefix``: the first three numbers of a /24."""

    network: str
    prefix: str
    dhcp: bool


@dataclass(frozen=True, kw_only=True)
class Router(Thing):
    external: bool
    subnets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Port(Thing):
    subnet: str
    host: int
    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Trunk(Thing):
    port: str
    children: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ServerGroup(Thing):
    policy: str


@dataclass(frozen=True, kw_only=True)
class Image(Thing):
    """``size``: KiB."""

    size: int


@dataclass(frozen=True, kw_only=True)
class Volume(Thing):
    """``size``: GiB."""

    size: int = 1
    bootable: bool = False


@dataclass(frozen=True, kw_only=True)
class Server(Thing):
    """``image`` None: it boots from the first of ``volumes``."""

    image: str | None
    volumes: tuple[str, ...]
    ports: tuple[str, ...]
    keypair: str | None
    group: str | None
    on: bool


@dataclass(frozen=True, kw_only=True)
class Address(Thing):
    """A floating IP.  ``forwards``: external ports that are forwarded to ``forward_to``."""

    port: str | None
    forward_to: str | None = None
    forwards: tuple[int, ...] = ()


@dataclass(frozen=True)
class Tenant:
    """In an order in which they can be built."""

    things: tuple[Thing, ...]

    def of(self, kind: type[T]) -> list[T]:
        return [thing for thing in self.things if isinstance(thing, kind)]

    def thing(self, key: str) -> Thing:
        return next(thing for thing in self.things if thing.key == key)


class _Named(TypedDict):
    kind: str
    key: str
    name: str


class _Maker:
    def __init__(self, rng: Random, *, odd: bool) -> None:
        self.rng = rng
        self.odd = odd
        self.things: list[Thing] = []

    def key(self, kind: str) -> str:
        return f"{kind}-{sum(1 for each in self.things if each.kind == kind)}"

    def name(self, kind: str, *, empty: bool = True) -> _Named:
        """Kind, key and name of the next thing."""
        key = self.key(kind)
        pool: Sequence[str] = ODD_NAMES if empty else PLAIN_NAMES
        odd = self.odd and self.rng.random() < 0.4
        return {"kind": kind, "key": key, "name": self.rng.choice(pool) if odd else key}

    def keys(self, kind: str) -> list[str]:
        return [each.key for each in self.things if each.kind == kind]

    def some(self, keys: Sequence[str], most: int) -> tuple[str, ...]:
        return tuple(self.rng.sample(keys, min(len(keys), self.rng.randint(0, most))))

    def one(self, keys: Sequence[str]) -> str | None:
        return self.rng.choice(keys) if keys and self.rng.random() < 0.7 else None

    def network_side(self) -> None:
        rng = self.rng
        for _ in range(rng.randint(0, 1)):
            addresses = tuple(f"10.9.{n}.0/24" for n in range(rng.randint(1, 3)))
            self.things.append(AddressGroup(**self.name("address_group"), addresses=addresses))
        for _ in range(rng.randint(1, 3)):
            self.things.append(self.group())
        for number in range(rng.randint(1, 3)):
            network = Thing(**self.name("network"))
            self.things.append(network)
            self.things.append(
                Subnet(
                    **self.name("subnet"),
                    network=network.key,
                    prefix=f"10.{20 + number}.0",
                    dhcp=rng.random() < 0.7,
                )
            )
        subnets = self.keys("subnet")
        taken: set[str] = set()
        for _ in range(rng.randint(0, 2)):
            mine = tuple(key for key in self.some(subnets, 2) if key not in taken)
            taken.update(mine)
            external = rng.random() < 0.8
            self.things.append(Router(**self.name("router"), external=external, subnets=mine))
        for number in range(rng.randint(1, 5)):
            self.port(rng.choice(subnets), 50 + number)

    def group(self) -> Group:
        rng, known = self.rng, [*self.keys("security_group"), *self.keys("address_group")]
        named = self.name("security_group")
        rules = []
        for number in range(rng.randint(0, 4)):
            remote = self.one([*known, named["key"]])
            prefix = None if remote or rng.random() < 0.5 else "192.0.2.0/24"
            rules.append(Rule(port=8000 + number, remote=remote, prefix=prefix))
        return Group(**named, rules=tuple(rules))

    def port(self, subnet: str, host: int) -> None:
        groups = self.some(self.keys("security_group"), 2)
        self.things.append(Port(**self.name("port"), subnet=subnet, host=host, groups=groups))

    def compute_side(self) -> None:
        rng = self.rng
        for _ in range(rng.randint(1, 2)):
            key = self.key("keypair")
            # Its name is its ID.
            name = f"{rng.choice(KEYPAIR_NAMES)}-{key}" if self.odd else key
            self.things.append(Thing(kind="keypair", key=key, name=name))
        for _ in range(rng.randint(0, 1)):
            policy = rng.choice(("affinity", "anti-affinity", "soft-affinity"))
            self.things.append(ServerGroup(**self.name("server_group", empty=False), policy=policy))
        for _ in range(rng.randint(1, 2)):
            size = rng.choice((8, 8, 64, 64, 300, 6000))
            self.things.append(Image(**self.name("image"), size=size))
        for _ in range(rng.randint(0, 3)):
            self.things.append(Volume(**self.name("volume"), size=rng.randint(1, 2)))
        free_ports, free_volumes = self.keys("port"), self.keys("volume")
        rng.shuffle(free_ports)
        if len(free_ports) > 1 and rng.random() < 0.4:
            self.trunk(free_ports)
        for number in range(rng.randint(0, 3)):
            self.server(number, free_ports, free_volumes)
        self.addresses()

    def trunk(self, free_ports: list[str]) -> None:
        """Its children belong to no server."""
        parent, child = free_ports[0], free_ports.pop()
        self.things.append(Trunk(**self.name("trunk"), port=parent, children=(child,)))

    def server(self, number: int, free_ports: list[str], free_volumes: list[str]) -> None:
        rng = self.rng
        if rng.random() < 0.35:
            root = Volume(**self.name("volume"), bootable=True)
            self.things.append(root)
            image, volumes = None, [root.key]
        else:
            image, volumes = rng.choice(self.keys("image")), []
        volumes += [free_volumes.pop() for _ in range(rng.randint(0, len(free_volumes)))]
        ports = [free_ports.pop(0) for _ in range(rng.randint(0, min(2, len(free_ports))))]
        self.things.append(
            Server(
                **self.name("server", empty=False),
                image=image,
                volumes=tuple(volumes),
                ports=tuple(ports),
                keypair=self.one(self.keys("keypair")),
                # A cloud may have two hosts for those that are to be apart.
                group=self.one(self.keys("server_group")) if number < 2 else None,
                on=rng.random() < 0.7,
            )
        )

    def addresses(self) -> None:
        routers = [each for each in self.things if isinstance(each, Router) and each.external]
        reached = {subnet for router in routers for subnet in router.subnets}
        ports = [each for each in self.things if isinstance(each, Port) and each.subnet in reached]
        used = {port for each in self.things if isinstance(each, Trunk) for port in each.children}
        for port in ports:
            if port.key in used or self.rng.random() < 0.5:
                continue
            named = self.name("floating_ip")
            if self.rng.random() < 0.3:
                self.things.append(Address(**named, port=None, forward_to=port.key, forwards=(22,)))
            else:
                self.things.append(Address(**named, port=port.key))
        if self.rng.random() < 0.3:
            self.things.append(Address(**self.name("floating_ip"), port=None))


def random_tenant(rng: Random, *, odd: bool = True) -> Tenant:
    """``odd``: with names that something on the way might not take."""
    maker = _Maker(rng, odd=odd)
    maker.network_side()
    maker.compute_side()
    return Tenant(tuple(maker.things))
