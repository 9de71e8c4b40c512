from __future__ import annotations

import os
import sys

from .. import patches
from ..cloud import Cloud
from .http import Application


def load(cloud: Cloud) -> Application:
    os.environ["OS_PLACEMENT_CONFIG_DIR"] = str(cloud.etc)
    sys.argv = ["placement"]
    patches.databases()
    from placement.wsgi import api

    application: Application = api.application
    return application
