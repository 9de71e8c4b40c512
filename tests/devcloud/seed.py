"""What a cloud's operator makes before the first tenant comes: run once, as admin, in the
cloud venv, through the public APIs: python -m tests.devcloud.seed CLOUD-FOLDER"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import openstack
from openstack.connection import Connection

from .cloud import Account, Cloud
from .clouds import Image, Network


def connect(cloud: Cloud, account: Account) -> Connection:
    return openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_url=cloud.auth_url,
        username=account.name,
        password=account.password,
        project_name=account.name,
        user_domain_name="Default",
        project_domain_name="Default",
        region_name=cloud.spec.region,
    )


def seed(cloud: Cloud) -> None:
    admin = connect(cloud, cloud.admin)
    _tenants(admin, cloud)
    _compute(admin, cloud)
    _block_storage(admin, cloud)
    _networks(admin, cloud)
    for image in cloud.spec.images:
        _image(admin, image)


def _tenants(admin: Connection, cloud: Cloud) -> None:
    member = admin.identity.find_role("member", ignore_missing=False)
    for tenant in cloud.tenants:
        project = admin.identity.create_project(name=tenant.name, domain_id="default")
        user = admin.identity.create_user(
            name=tenant.name,
            password=tenant.password,
            default_project_id=project.id,
            domain_id="default",
        )
        admin.identity.assign_project_role_to_user(project, user, member)


def _compute(admin: Connection, cloud: Cloud) -> None:
    for flavor in cloud.spec.flavors:
        admin.compute.create_flavor(
            name=flavor.name, vcpus=flavor.vcpus, ram=flavor.ram_mib, disk=flavor.disk_gib
        )
    for zone in cloud.spec.zones:
        aggregate = admin.compute.create_aggregate(name=zone, availability_zone=zone)
        for host, its_zone in cloud.spec.compute_hosts.items():
            if its_zone == zone:
                admin.compute.add_host_to_aggregate(aggregate, host)


def _block_storage(admin: Connection, cloud: Cloud) -> None:
    for name in cloud.spec.volume_types:
        admin.block_storage.create_type(name=name, extra_specs={"volume_backend_name": name})
    # A migration has put the defaults of when the databases were made into the database,
    # where they win over the configuration (which is enough for Nova and Neutron).
    quotas = cloud.spec.quotas
    admin.block_storage.update_quota_class_set(
        "default",
        volumes=quotas.volumes,
        snapshots=quotas.snapshots,
        gigabytes=quotas.gigabytes,
    )


def _networks(admin: Connection, cloud: Cloud) -> None:
    def subnet(network: Network, network_id: str, *, dhcp: bool) -> None:
        admin.network.create_subnet(
            network_id=network_id,
            name=f"{network.name}-v4",
            ip_version=4,
            cidr=network.cidr,
            is_dhcp_enabled=dhcp,
        )

    external, shared = cloud.spec.external_network, cloud.spec.shared_network
    made = admin.network.create_network(
        name=external.name,
        is_router_external=True,
        provider_network_type="flat",
        provider_physical_network="external",
    )
    subnet(external, made.id, dhcp=False)
    made = admin.network.create_network(name=shared.name, is_shared=True)
    subnet(shared, made.id, dhcp=True)


def _image(admin: Connection, image: Image) -> None:
    admin.image.create_image(
        image.name,
        data=io.BytesIO(image.content()),
        disk_format="raw",
        container_format="bare",
        visibility="public",
        wait=True,
        **dict(image.properties),
    )


if __name__ == "__main__":
    seed(Cloud.load(Path(sys.argv[1])))
