"""One clean move of a small tenant, to be looked at and to be falsified."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from tests.soak.clouds.world import KINDS
from tests.soak.engines.commands import Forked
from tests.soak.engines.place import Place
from tests.soak.stories import tenant as kinds
from tests.soak.stories.choices import Choices, write_resource_file
from tests.soak.stories.story import Story
from tests.soak.stories.tenant import Tenant

SMALL = Tenant(
    (
        kinds.AddressGroup(
            kind="address_group", key="address_group-0", name="office", addresses=("10.9.0.0/24",)
        ),
        kinds.Group(
            kind="security_group",
            key="security_group-0",
            name="web",
            rules=(kinds.Rule(port=443, prefix="192.0.2.0/24"),),
        ),
        kinds.Thing(kind="network", key="network-0", name="net"),
        kinds.Subnet(
            kind="subnet",
            key="subnet-0",
            name="sub",
            network="network-0",
            prefix="10.20.0",
            dhcp=True,
        ),
        kinds.Router(
            kind="router", key="router-0", name="edge", external=True, subnets=("subnet-0",)
        ),
        kinds.Port(
            kind="port",
            key="port-0",
            name="web",
            subnet="subnet-0",
            host=50,
            groups=("security_group-0",),
        ),
        kinds.Thing(kind="keypair", key="keypair-0", name="me"),
        kinds.Image(kind="image", key="image-0", name="golden", size=64),
        kinds.Volume(kind="volume", key="volume-0", name="data"),
        kinds.Server(
            kind="server",
            key="server-0",
            name="web",
            image="image-0",
            volumes=("volume-0",),
            ports=("port-0",),
            keypair="keypair-0",
            group=None,
            on=True,
        ),
        kinds.Address(kind="floating_ip", key="floating_ip-0", name="", port="port-0"),
    )
)


@pytest.fixture(scope="session")
def launch() -> Forked:
    return Forked()


@pytest.fixture(scope="session")
def told(launch: Forked) -> Iterator[Story]:
    """Exported and imported, with its server stopped for the export."""
    place = Place(SMALL, 7, launch)
    keys = tuple(thing.key for thing in SMALL.things if thing.kind != "subnet")
    choices = Choices(keys, stops={"server-0": True})
    write_resource_file(place.work / "export.yml", SMALL, choices, place.id_of)
    story = Story(place, choices)
    try:
        story.export()
        story.load()
        yield story
    finally:
        place.close()


@pytest.fixture
def story(told: Story) -> Iterator[Story]:
    """The same; whatever a test does to its clouds is taken back."""
    place = told.scene
    assert isinstance(place, Place)
    rows = (told.state / "uuids.csv").read_bytes()
    clouds = (place.source, place.target)
    before = [{path: copy.deepcopy(cloud.of(path)) for path in KINDS.values()} for cloud in clouds]
    kept = [dict(cloud.bytes_of) for cloud in clouds]
    found = told.found
    yield told
    told.found = found
    (told.state / "uuids.csv").write_bytes(rows)
    for cloud, collections, data in zip(clouds, before, kept, strict=True):
        cloud.bytes_of = data
        for path, items in collections.items():
            cloud.of(path).clear()
            cloud.of(path).update(items)
