"""A plain openstacksdk connection to one of the test clouds."""

from __future__ import annotations

from openstack.config import OpenStackConfig
from openstack.connection import Connection

from tests.devcloud import Devcloud


def connect(clouds: Devcloud, name: str) -> Connection:
    """``name``: an entry of the clouds' own clouds.yaml; no other configuration is read."""
    config = OpenStackConfig(config_files=[str(clouds.clouds_yaml)], load_envvars=False)
    return Connection(config=config.get_one(cloud=name))
