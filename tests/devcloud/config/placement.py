from __future__ import annotations

from ..cloud import Cloud
from .common import Sections, authtoken, database


def sections(cloud: Cloud) -> Sections:
    return {
        "DEFAULT": {"log_file": cloud.log_file("placement"), "use_stderr": False},
        "placement_database": database(cloud, "placement"),
        "keystone_authtoken": authtoken(cloud),
        "api": {"auth_strategy": "keystone"},
    }
