"""What the services tell of quotas, each in its own way."""

from __future__ import annotations

from typing import Any

import pytest

from bundle_spec.model import Image, Network, Resources, Server, Volume
from downpour_import.cloud import TargetCloud
from downpour_import.preflight import limits
from tests.unit.fake_cloud import PROJECT, FakeCloud, response

NETWORK = Resources(networks=(Network(id="n", name="n"),))
SERVER = Resources(servers=(Server(id="s", name="s", flavor="f"),))
VOLUME = Resources(volumes=(Volume(id="v", name="v", size=1),))
IMAGE = Resources(
    images=(Image(id="i", name="i", disk_id="1", disk_format="raw", container_format="bare"),)
)

ABSOLUTE = {
    "maxTotalInstances": 10,
    "totalInstancesUsed": 7,
    "maxTotalCores": -1,
    "totalCoresUsed": 7,
    "maxTotalRAMSize": 100,
    "totalRAMUsed": 200,
    "maxServerGroups": 3,
}
QUOTA_SET = {
    "id": PROJECT,
    "volumes": {"limit": 10, "in_use": 2, "reserved": 1},
    "gigabytes": {"limit": -1, "in_use": 2, "reserved": 0},
    "gigabytes_fast": {"limit": 5, "in_use": 1, "reserved": 0},
    "per_volume_gigabytes": {"limit": 4, "in_use": 0, "reserved": 0},
}
DETAILS = {
    "port": {"limit": 50, "used": 20, "reserved": 1},
    "router": {"limit": -1, "used": 2, "reserved": 0},
}
USAGE = {"image_count_total": {"limit": 10, "usage": 3}}


@pytest.mark.parametrize(
    ("resources", "path", "answer", "room"),
    [
        (SERVER, "/limits", {"limits": {"absolute": ABSOLUTE}}, {"instances": 3, "ram": 0}),
        (
            VOLUME,
            f"/os-quota-sets/{PROJECT}",
            {"quota_set": QUOTA_SET},
            {"volumes": 7, "gigabytes_fast": 4, "per_volume_gigabytes": 4},
        ),
        (NETWORK, f"/quotas/{PROJECT}/details", {"quota": DETAILS}, {"port": 29}),
        (IMAGE, "/info/usage", {"usage": USAGE}, {"image_count_total": 7}),
    ],
)
def test_each_service_tells_its_room(
    resources: Resources, path: str, answer: Any, room: dict[str, int]
) -> None:
    fake = FakeCloud()
    fake.handlers["GET", path] = lambda call, match: response(200, answer)
    assert limits.read(TargetCloud(fake.connection), resources) == room
    fake.handlers["GET", path] = lambda call, match: response(403)
    assert limits.read(TargetCloud(fake.connection), resources) == {}


def test_nothing_is_asked_for_nothing() -> None:
    fake = FakeCloud()
    assert limits.read(TargetCloud(fake.connection), Resources()) == {}
    assert fake.calls == []
