"""A random tenant in a real cloud, made through the public APIs; and what a real project holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openstack.connection import Connection

from tests.devcloud import Cloud
from tests.e2e.holdings import holdings
from tests.soak.clouds.content import disk_bytes
from tests.soak.clouds.world import Item, World
from tests.soak.stories import tenant as kinds
from tests.soak.stories.tenant import Tenant

_KINDS = {
    "servers": "server",
    "keypairs": "keypair",
    "volumes": "volume",
    "snapshots": "volume_snapshot",
    "images": "image",
    "networks": "network",
    "subnets": "subnet",
    "routers": "router",
    "ports": "port",
    "security_groups": "security_group",
    "floating_ips": "floating_ip",
}
_RESTLESS = (
    "addresses", "launched_at", "location", "power_state", "progress", "revision_number",
    "updated_at", "vm_state",
)  # fmt: skip
"""What a start, and time, change by themselves; and what ``status`` says too."""

_SECONDS = 180


def world_of(cloud: Connection) -> World:
    """All that the project holds."""
    found: dict[str, Any] = {
        _KINDS[kind]: list(items.values()) for kind, items in holdings(cloud).items()
    }
    project = cloud.current_project_id
    found["trunk"] = [each.to_dict() for each in cloud.network.trunks(project_id=project)]
    found["server_group"] = [each.to_dict() for each in cloud.compute.server_groups()]
    groups = cloud.network.address_groups(project_id=project)
    found["address_group"] = [each.to_dict() for each in groups]
    items = {}
    for kind, several in found.items():
        for facts in several:
            told = {name: value for name, value in facts.items() if name not in _RESTLESS}
            name = facts.get("floating_ip_address") or facts.get("name") or ""
            items[kind, facts["id"]] = Item(kind, facts["id"], name, told)
    return World(items)


class Builder:
    """``ids``: key of a thing -> its ID.  The disks get known bytes."""

    def __init__(self, cloud: Cloud, connection: Connection, scratch: Path, seed: int) -> None:
        self.cloud = cloud
        self.at = connection
        self.scratch = scratch
        self.seed = seed
        self.ids: dict[str, str] = {}
        self.external = connection.network.find_network(cloud.spec.external_network.name).id

    def build(self, tenant: Tenant) -> dict[str, str]:
        self.tenant = tenant
        for thing in tenant.things:
            made = getattr(self, thing.kind)(thing)
            self.ids[thing.key] = made.id
        self._write_disks()
        return self.ids

    def keypair(self, thing: kinds.Thing) -> Any:
        return self.at.compute.create_keypair(name=thing.name)

    def address_group(self, thing: kinds.AddressGroup) -> Any:
        addresses = list(thing.addresses)
        return self.at.network.create_address_group(name=thing.name, addresses=addresses)

    def security_group(self, thing: kinds.Group) -> Any:
        made = self.at.network.create_security_group(name=thing.name)
        self.ids[thing.key] = made.id
        for rule in thing.rules:
            remote: dict[str, Any] = {}
            if rule.remote and rule.remote.startswith("address_group"):
                remote["remote_address_group_id"] = self.ids[rule.remote]
            elif rule.remote:
                remote["remote_group_id"] = self.ids[rule.remote]
            elif rule.prefix:
                remote["remote_ip_prefix"] = rule.prefix
            self.at.network.create_security_group_rule(
                security_group_id=made.id, direction="ingress", ether_type="IPv4",
                protocol="tcp", port_range_min=rule.port, port_range_max=rule.port, **remote,
            )  # fmt: skip
        return made

    def network(self, thing: kinds.Thing) -> Any:
        return self.at.network.create_network(name=thing.name)

    def subnet(self, thing: kinds.Subnet) -> Any:
        return self.at.network.create_subnet(
            network_id=self.ids[thing.network], name=thing.name, ip_version=4,
            cidr=f"{thing.prefix}.0/24", gateway_ip=f"{thing.prefix}.1", enable_dhcp=thing.dhcp,
            allocation_pools=[{"start": f"{thing.prefix}.10", "end": f"{thing.prefix}.200"}],
        )  # fmt: skip

    def router(self, thing: kinds.Router) -> Any:
        gateway = {"external_gateway_info": {"network_id": self.external}} if thing.external else {}
        made = self.at.network.create_router(name=thing.name, **gateway)
        for key in thing.subnets:
            self.at.network.add_interface_to_router(made, subnet_id=self.ids[key])
        return made

    def port(self, thing: kinds.Port) -> Any:
        subnet = self.tenant.thing(thing.subnet)
        assert isinstance(subnet, kinds.Subnet)
        address = f"{subnet.prefix}.{thing.host}"
        return self.at.network.create_port(
            network_id=self.ids[subnet.network], name=thing.name,
            fixed_ips=[{"subnet_id": self.ids[subnet.key], "ip_address": address}],
            security_groups=[self.ids[key] for key in thing.groups],
        )  # fmt: skip

    def trunk(self, thing: kinds.Trunk) -> Any:
        children = [
            {"port_id": self.ids[key], "segmentation_type": "vlan", "segmentation_id": 7 + number}
            for number, key in enumerate(thing.children)
        ]
        return self.at.network.create_trunk(
            name=thing.name, port_id=self.ids[thing.port], sub_ports=children
        )

    def server_group(self, thing: kinds.ServerGroup) -> Any:
        return self.at.compute.create_server_group(name=thing.name, policy=thing.policy)

    def image(self, thing: kinds.Image) -> Any:
        path = self.scratch / thing.key
        path.write_bytes(disk_bytes(self.seed, thing.key, 0, thing.size))
        return self.at.image.create_image(
            thing.name or None,
            filename=str(path),
            allow_duplicates=True,
            disk_format="raw",
            container_format="bare",
        )

    def volume(self, thing: kinds.Volume) -> Any:
        image = {"image_id": self.ids["image-0"]} if thing.bootable else {}
        made = self.at.block_storage.create_volume(name=thing.name, size=thing.size, **image)
        return self.at.block_storage.wait_for_status(made, "available", interval=0.3, wait=_SECONDS)

    def server(self, thing: kinds.Server) -> Any:
        compute = self.at.compute
        flavor = "m1.tiny" if thing.image else "m1.nodisk"
        asked: dict[str, Any] = {"name": thing.name, "flavor_id": compute.find_flavor(flavor).id}
        asked["networks"] = [{"port": self.ids[key]} for key in thing.ports] or "none"
        volumes = list(thing.volumes)
        if thing.image:
            asked["image_id"] = self.ids[thing.image]
        else:
            root = {"boot_index": 0, "source_type": "volume", "destination_type": "volume"}
            asked["block_device_mapping"] = [{**root, "uuid": self.ids[volumes.pop(0)]}]
        if thing.keypair:
            asked["key_name"] = self.tenant.thing(thing.keypair).name
        if thing.group:
            asked["scheduler_hints"] = {"group": self.ids[thing.group]}
        made = compute.wait_for_server(compute.create_server(**asked), wait=_SECONDS, interval=0.3)
        for key in volumes:
            compute.create_volume_attachment(made, volume_id=self.ids[key])
            volume = self.at.block_storage.get_volume(self.ids[key])
            self.at.block_storage.wait_for_status(volume, "in-use", interval=0.3, wait=_SECONDS)
        if not thing.on:
            compute.stop_server(made)
            compute.wait_for_server(made, status="SHUTOFF", wait=_SECONDS, interval=0.3)
        return made

    def floating_ip(self, thing: kinds.Address) -> Any:
        port = {"port_id": self.ids[thing.port]} if thing.port else {}
        made = self.at.network.create_ip(floating_network_id=self.external, **port)
        for external in thing.forwards:
            assert thing.forward_to
            inside = self.at.network.get_port(self.ids[thing.forward_to])
            self.at.network.create_floating_ip_port_forwarding(
                made, protocol="tcp", internal_port_id=inside.id, external_port=external,
                internal_port=external, internal_ip_address=inside.fixed_ips[0]["ip_address"],
            )  # fmt: skip
        return made

    def _write_disks(self) -> None:
        """What guests would have written."""
        for thing in self.tenant.things:
            if isinstance(thing, kinds.Volume):
                path = self.cloud.volume_file(self.ids[thing.key])
            elif isinstance(thing, kinds.Server) and thing.image:
                path = self.cloud.server_disk(self.ids[thing.key])
            else:
                continue
            kib = min(200, path.stat().st_size // 1024)
            with path.open("r+b") as file:
                file.write(disk_bytes(self.seed, f"written {thing.key}", 1, kib))
