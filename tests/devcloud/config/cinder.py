from __future__ import annotations

from ..cloud import HOST, Cloud
from .common import (
    PACKAGE,
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
    content: Sections = {
        "DEFAULT": {
            **defaults(cloud, "cinder"),
            "host": cloud.name,
            "state_path": cloud.root / "cinder",
            "auth_strategy": "keystone",
            "api_paste_config": cloud.etc / "cinder-api-paste.ini",
            "resource_query_filters_file": cloud.etc / "resource_filters.json",
            "osapi_volume_listen": HOST,
            "osapi_volume_listen_port": cloud.port("cinder"),
            "enabled_backends": ",".join(spec.volume_backends),
            "default_volume_type": spec.volume_types[0],
            "storage_availability_zone": spec.zones[0],
            "default_availability_zone": spec.zones[0],
            "glance_api_servers": cloud.url("glance"),
            "glance_num_retries": 2,
            "verify_glance_signatures": "disabled",
            "image_conversion_dir": cloud.root / "cinder" / "conversion",
            "scheduler_default_filters": (
                "AvailabilityZoneFilter,CapacityFilter,CapabilitiesFilter"
            ),
            # Be ready soon after the start, and do not declare a busy machine dead.
            "scheduler_driver_init_wait_time": 1,
            "periodic_fuzzy_delay": 1,
            "periodic_interval": 30,
            "report_interval": 10,
            "service_down_time": 120,
            "rpc_response_timeout": 120,
            "target_helper": "fake",
        },
        "database": database(cloud, "cinder"),
        "keystone_authtoken": authtoken(cloud),
        "service_user": service_user(cloud),
        "nova": {**credentials(cloud), "interface": "internal"},
        "coordination": {"backend_url": f"file://{cloud.root}/cinder/coordination"},
        "oslo_concurrency": concurrency(cloud),
    }
    for backend, (volume_type, zone) in spec.volume_backends.items():
        content[backend] = {
            "volume_driver": f"{PACKAGE}.drivers.cinder.FileVolumeDriver",
            "volume_backend_name": volume_type,
            "backend_availability_zone": zone,
            "devcloud_volumes_dir": cloud.root / "volumes",
        }
    return content
