from __future__ import annotations

import os
import sys

from .. import patches
from ..cloud import Cloud
from .http import Application


def load(cloud: Cloud) -> Application:
    os.environ["OS_NEUTRON_CONFIG_DIR"] = str(cloud.etc)
    os.environ["OS_NEUTRON_CONFIG_FILES"] = "neutron.conf"
    sys.argv = ["neutron-api"]
    patches.everything()
    from neutron.wsgi import api

    application: Application = api.application
    return application
