"""What the configuration files have in common."""

from __future__ import annotations

from ..cloud import Cloud

Options = dict[str, object]
Sections = dict[str, Options]

# The package under whatever name this folder was imported, for paths to our drivers.
PACKAGE = __name__.rsplit(".", 2)[0]

SERVICE_USER = "devcloud"


def defaults(cloud: Cloud, service: str) -> Options:
    return {
        "log_file": cloud.log_file(service),
        "use_stderr": False,
        "transport_url": "fake:/",
    }


def database(cloud: Cloud, name: str) -> Options:
    # synchronous=off: these clouds need not survive a power cut, and fsync is slow.
    return {"connection": cloud.database_url(name), "sqlite_synchronous": False}


def credentials(cloud: Cloud) -> Options:
    return {
        "auth_type": "password",
        "auth_url": cloud.auth_url,
        "username": SERVICE_USER,
        "password": cloud.settings.service_password,
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": cloud.spec.region,
    }


def authtoken(cloud: Cloud) -> Options:
    return {
        **credentials(cloud),
        "www_authenticate_uri": cloud.auth_url,
        "interface": "internal",
        "service_token_roles": "service",
        "service_token_roles_required": True,
    }


def service_user(cloud: Cloud) -> Options:
    # Cinder refuses to detach a server's volume for a user without a service token.
    return {**credentials(cloud), "send_service_user_token": True}


def concurrency(cloud: Cloud) -> Options:
    return {"lock_path": cloud.root / "lock"}
