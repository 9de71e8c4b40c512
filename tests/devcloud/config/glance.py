from __future__ import annotations

from ..cloud import HOST, Cloud
from .common import Sections, authtoken, concurrency, database, defaults


def sections(cloud: Cloud) -> Sections:
    staging = cloud.root / "glance" / "staging"
    return {
        "DEFAULT": {
            **defaults(cloud, "glance"),
            "enabled_backends": "file:file",
            "bind_host": HOST,
            "bind_port": cloud.port("glance"),
            "node_staging_uri": f"file://{staging}",
            "worker_self_reference_url": cloud.url("glance"),
        },
        "database": database(cloud, "glance"),
        "keystone_authtoken": authtoken(cloud),
        "glance_store": {"default_backend": "file"},
        "file": {"filesystem_store_datadir": cloud.root / "images"},
        "os_glance_staging_store": {"filesystem_store_datadir": staging},
        "os_glance_tasks_store": {"filesystem_store_datadir": cloud.root / "glance" / "tasks"},
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": cloud.etc / "glance-api-paste.ini",
        },
        "oslo_concurrency": concurrency(cloud),
    }
