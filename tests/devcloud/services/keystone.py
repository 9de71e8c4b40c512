from __future__ import annotations

import os
import sys
import uuid
from typing import Any

from .. import patches
from ..cloud import Cloud
from ..config.common import SERVICE_USER
from .http import Application

# name, type, what follows host and port
CATALOG = (
    ("glance", "image", ""),
    ("placement", "placement", ""),
    ("neutron", "network", ""),
    ("cinder", "block-storage", "/v3/$(project_id)s"),
    ("cinderv3", "volumev3", "/v3/$(project_id)s"),
    ("nova", "compute", "/v2.1"),
)


def load(cloud: Cloud) -> Application:
    os.environ["OS_KEYSTONE_CONFIG_DIR"] = str(cloud.etc)
    os.environ["OS_KEYSTONE_CONFIG_FILES"] = str(cloud.etc / "keystone.conf")
    sys.argv = ["keystone"]
    patches.databases()
    from keystone.wsgi import api

    if not cloud.seeded_mark.exists():
        _bootstrap(cloud)
    application: Application = api.application
    return application


def _bootstrap(cloud: Cloud) -> None:
    """What no API call can make: the first user; and what the services need to start.

    In this process: `keystone-manage bootstrap` would load all of Keystone once more.
    """
    from keystone.cmd import bootstrap
    from keystone.common.provider_api import ProviderAPIs

    # The application has loaded the backends, and a second time is an error.
    bootstrap.backends.load_backends = lambda: None
    first = bootstrap.Bootstrapper()
    first.admin_username = first.project_name = first.admin_role_name = "admin"
    first.admin_password = cloud.settings.admin_password
    first.service_name, first.region_id = "keystone", cloud.spec.region
    first.public_url = first.internal_url = first.admin_url = cloud.auth_url
    first.immutable_roles = True
    first.bootstrap()
    _service_user(cloud, ProviderAPIs)
    _catalog(cloud, ProviderAPIs.catalog_api)


def _service_user(cloud: Cloud, apis: Any) -> None:
    project_id = uuid.uuid4().hex
    project = {"id": project_id, "name": "service", "domain_id": "default", "enabled": True}
    apis.resource_api.create_project(project_id, project)
    user = apis.identity_api.create_user(
        {
            "name": SERVICE_USER,
            "password": cloud.settings.service_password,
            "domain_id": "default",
            "default_project_id": project_id,
            "enabled": True,
        }
    )
    for role in apis.role_api.list_roles():
        if role["name"] in ("admin", "service"):
            apis.assignment_api.add_role_to_user_and_project(user["id"], project_id, role["id"])


def _catalog(cloud: Cloud, catalog_api: Any) -> None:
    for name, kind, path in CATALOG:
        service_id = uuid.uuid4().hex
        service = {"id": service_id, "type": kind, "name": name, "enabled": True}
        catalog_api.create_service(service_id, service)
        for interface in ("public", "internal", "admin"):
            endpoint_id = uuid.uuid4().hex
            endpoint = {
                "id": endpoint_id,
                "service_id": service_id,
                "interface": interface,
                "enabled": True,
                "region_id": cloud.spec.region,
                "url": cloud.url(name.removesuffix("v3")) + path,
            }
            catalog_api.create_endpoint(endpoint_id, endpoint)
