from __future__ import annotations

from ..cloud import HOST, Cloud
from .common import (
    Sections,
    authtoken,
    concurrency,
    credentials,
    database,
    defaults,
    service_user,
)


def sections(cloud: Cloud) -> Sections:
    spec = cloud.spec
    return {
        "DEFAULT": {
            **defaults(cloud, "nova"),
            "host": next(iter(spec.compute_hosts)),
            "my_ip": HOST,
            "state_path": cloud.root / "nova",
            "instances_path": cloud.root / "instances",
            "compute_driver": "devcloud.FileDriver",
            "default_schedule_zone": spec.zones[0],
            "osapi_compute_listen": HOST,
            "osapi_compute_listen_port": cloud.port("nova"),
            "allow_resize_to_same_host": True,
            "reserved_host_memory_mb": 0,
            # Ports are bound at once and nobody sends vif-plugged events.
            "vif_plugging_is_fatal": False,
            "vif_plugging_timeout": 0,
            "network_allocate_retries": 0,
            "block_device_allocate_retries": 120,
            "block_device_allocate_retries_interval": 1,
            # No hypervisor, so nothing to watch; be lenient with a busy machine.
            "heal_instance_info_cache_interval": -1,
            "sync_power_state_interval": -1,
            "bandwidth_poll_interval": -1,
            "running_deleted_instance_action": "noop",
            "resize_confirm_window": 0,
            "periodic_fuzzy_delay": 5,
            "report_interval": 10,
            "service_down_time": 120,
            "rpc_response_timeout": 120,
        },
        "api": {"auth_strategy": "keystone"},
        "database": database(cloud, "nova"),
        "api_database": database(cloud, "nova_api"),
        "keystone_authtoken": authtoken(cloud),
        "service_user": service_user(cloud),
        "placement": credentials(cloud),
        "neutron": credentials(cloud),
        "cinder": {
            **credentials(cloud),
            "catalog_info": "volumev3::internalURL",
            "os_region_name": spec.region,
        },
        "glance": {"api_servers": cloud.url("glance")},
        "vnc": {"enabled": False},
        "oslo_concurrency": concurrency(cloud),
        "scheduler": {"discover_hosts_in_cells_interval": -1},
        "filter_scheduler": {"track_instance_changes": False},
        "quota": {
            "instances": spec.quotas.servers,
            "cores": spec.quotas.cores,
            "ram": spec.quotas.ram_mib,
        },
    }
