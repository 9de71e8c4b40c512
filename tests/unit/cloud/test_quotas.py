"""What a project may still make, read of each service's own form."""

from __future__ import annotations

from typing import Any

import pytest

from downpour_cloud import quotas
from downpour_export.cloud import SourceCloud
from tests.unit.fake_cloud import PROJECT, FakeCloud, response


def cloud_that_says(path: str, body: Any) -> SourceCloud:
    fake = FakeCloud()
    fake.handlers["GET", path] = lambda call, match: response(200, body)
    return SourceCloud(fake.connection)


def test_what_is_left_is_the_limit_less_what_is_used_and_reserved() -> None:
    usage = {
        "volumes": {"limit": 10, "in_use": 3, "reserved": 1},
        "gigabytes": {"limit": 5, "in_use": 9, "reserved": 0},
        "snapshots": {"limit": -1, "in_use": 3, "reserved": 0},
        "volumes_ssd": {"limit": 2, "in_use": 0},
        "per_volume_gigabytes": {"limit": 7, "in_use": 0, "reserved": 0},
        "id": PROJECT,
    }
    cloud = cloud_that_says(f"/os-quota-sets/{PROJECT}", {"quota_set": usage})

    assert quotas.block_storage(cloud) == {
        "volumes": 6,
        "gigabytes": 0,
        "volumes_ssd": 2,
        "per_volume_gigabytes": 7,
    }


def test_compute_tells_limits_and_usage_in_one() -> None:
    absolute = {
        "maxTotalInstances": 10,
        "totalInstancesUsed": 4,
        "maxTotalCores": -1,
        "totalCoresUsed": 4,
        "maxTotalRAMSize": 100,
    }
    cloud = cloud_that_says("/limits", {"limits": {"absolute": absolute}})

    assert quotas.compute(cloud) == {"instances": 6}


@pytest.mark.parametrize(
    "read", [quotas.compute, quotas.block_storage, quotas.network, quotas.image]
)
def test_a_cloud_that_does_not_tell_has_no_limits(read: Any) -> None:
    assert read(SourceCloud(FakeCloud().connection)) == {}
