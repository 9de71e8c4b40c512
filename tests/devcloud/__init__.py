"""Two real OpenStack clouds on loopback, for development and tests.

    from tests.devcloud import Devcloud

    clouds = Devcloud()
    clouds.up(owner=os.getpid())
    clouds.clouds_yaml                              # for OS_CLIENT_CONFIG_FILE
    clouds.cloud("source").server_disk(server_id)   # a real file with the disk's bytes

See README.md beside this file. Everything importable from here needs only the standard
library; the services and what sets them up run in a venv of their own.
"""

from .cloud import Account, Cloud, ServiceProcess
from .clouds import CLOUDS, SOURCE, TARGET, CloudSpec
from .devcloud import CloudStatus, Devcloud
from .errors import DevcloudError

__all__ = [
    "CLOUDS",
    "SOURCE",
    "TARGET",
    "Account",
    "Cloud",
    "CloudSpec",
    "CloudStatus",
    "Devcloud",
    "DevcloudError",
    "ServiceProcess",
]
