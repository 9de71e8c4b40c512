from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openstack.exceptions import ForbiddenException, HttpException

from .bench import PREFIX, Bench


def checks(bench: Bench) -> None:
    demo, quotas = bench.demo, bench.cloud.spec.quotas

    with bench.check("the quotas of the definition, as a tenant reads them"):
        compute = demo.compute.get_limits().absolute
        storage = demo.block_storage.get_limits().absolute
        network = demo.network.get_quota(demo.current_project_id)
        assert (compute.instances, compute.total_cores) == (quotas.servers, quotas.cores)
        assert storage.max_total_volumes == quotas.volumes
        assert storage.max_total_volume_gigabytes == quotas.gigabytes
        assert (network.networks, network.ports) == (quotas.networks, quotas.ports)
        assert network.security_groups == quotas.security_groups

    with bench.check("one security group too many: 409"):

        def too_many() -> None:
            for n in range(quotas.security_groups + 1):
                demo.network.create_security_group(name=f"{PREFIX}quota-{n}")

        assert _refusal(too_many) == 409

    with bench.check("a volume too large for the quota: 413"):
        size = quotas.gigabytes + 1
        assert _refusal(demo.block_storage.create_volume, name=PREFIX + "large", size=size) == 413

    with bench.check("what only an admin may do is refused"):
        for forbidden in (demo.compute.services, demo.identity.users, demo.compute.hypervisors):
            try:
                list(forbidden())
            except ForbiddenException:
                continue
            raise AssertionError(f"{forbidden} was allowed")


def _refusal(call: Callable[..., Any], **arguments: Any) -> int | None:
    try:
        call(**arguments)
    except HttpException as error:
        status: int | None = error.status_code
        return status
    return None
