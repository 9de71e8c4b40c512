"""A tenant becomes the plain JSON of a cloud in memory, as the services' lists have it."""

from __future__ import annotations

from typing import Any, Protocol

from tests.soak.stories import tenant as kinds
from tests.soak.stories.tenant import Tenant

PROJECT = "22222222222222222222222222222222"
OWN = {"project_id": PROJECT, "admin_state_up": True, "description": "", "tags": []}
FLAVOR = {"original_name": "m1", "vcpus": 1, "ram": 64, "disk": 1}
EXTERNAL = "public"

VOLUME: dict[str, Any] = {
    "status": "available",
    "bootable": "false",
    "volume_type": None,
    "availability_zone": None,
    "multiattach": False,
    "encrypted": False,
    "attachments": [],
    "description": None,
}


class Buildable(Protocol):
    """A cloud in memory whose disks have known bytes."""

    def add(self, path: str, **item: Any) -> Any: ...
    def of(self, path: str) -> dict[str, Any]: ...
    def id_of(self, key: str | None) -> str: ...
    def image(self, identity: str, name: str, data: bytes | None = None) -> None: ...
    def set_size(self, disk: str, kib: int) -> None: ...
    def bytes_at(self, disk: str, moment: int) -> bytes: ...


def build(cloud: Buildable, tenant: Tenant) -> None:
    """Put all of ``tenant`` into the cloud."""
    _Builder(cloud, tenant).build()


class _Builder:
    def __init__(self, cloud: Buildable, tenant: Tenant) -> None:
        self.cloud = cloud
        self.tenant = tenant

    def build(self) -> None:
        self.cloud.add(
            "/networks",
            **{**OWN, "id": EXTERNAL, "name": EXTERNAL, "project_id": "operator"},
            **{"router:external": True, "shared": False},
        )
        for thing in self.tenant.things:
            getattr(self, thing.kind)(thing)

    def add(self, path: str, thing: kinds.Thing, **more: Any) -> None:
        self.cloud.add(path, **{"id": self.id(thing.key), "name": thing.name, **more})

    def id(self, key: str | None) -> str:
        return self.cloud.id_of(key)

    def keypair(self, thing: kinds.Thing) -> None:
        key = f"ssh-ed25519 {thing.key} soak"
        self.cloud.add("/os-keypairs", id=thing.name, name=thing.name, public_key=key, type="ssh")

    def address_group(self, thing: kinds.AddressGroup) -> None:
        self.add("/address-groups", thing, **OWN, addresses=list(thing.addresses))

    def security_group(self, thing: kinds.Group) -> None:
        rules = [self._rule(thing, number, rule) for number, rule in enumerate(thing.rules)]
        self.add("/security-groups", thing, **OWN, stateful=True, security_group_rules=rules)

    def _rule(self, group: kinds.Group, number: int, rule: kinds.Rule) -> dict[str, Any]:
        addresses = rule.remote is not None and rule.remote.startswith("address_group")
        remote = "remote_address_group_id" if addresses else "remote_group_id"
        return {
            "id": self.id(f"{group.key} rule {number}"),
            "security_group_id": self.id(group.key),
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": "tcp",
            "port_range_min": rule.port,
            "port_range_max": rule.port,
            "remote_ip_prefix": rule.prefix,
            "description": "",
            **({remote: self.id(rule.remote)} if rule.remote else {}),
        }

    def network(self, thing: kinds.Thing) -> None:
        more = {"router:external": False, "shared": False, "mtu": 1400}
        self.add("/networks", thing, **OWN, **more)

    def subnet(self, thing: kinds.Subnet) -> None:
        self.add(
            "/subnets",
            thing,
            **OWN,
            network_id=self.id(thing.network),
            ip_version=4,
            cidr=f"{thing.prefix}.0/24",
            gateway_ip=f"{thing.prefix}.1",
            enable_dhcp=thing.dhcp,
            allocation_pools=[{"start": f"{thing.prefix}.10", "end": f"{thing.prefix}.200"}],
            host_routes=[],
            dns_nameservers=[],
        )

    def router(self, thing: kinds.Router) -> None:
        gateway = {"network_id": EXTERNAL} if thing.external else None
        self.add("/routers", thing, **OWN, external_gateway_info=gateway, routes=[])
        for key in thing.subnets:
            owner = {"device_id": self.id(thing.key), "device_owner": "network:router_interface"}
            self._port(f"{thing.key} {key}", "", key, 1, owner)

    def port(self, thing: kinds.Port) -> None:
        groups = [self.id(key) for key in thing.groups]
        self._port(thing.key, thing.name, thing.subnet, thing.host, {"security_groups": groups})

    def _port(self, key: str, name: str, subnet: str, host: int, more: dict[str, Any]) -> None:
        found = self.tenant.thing(subnet)
        assert isinstance(found, kinds.Subnet)
        number = len(self.cloud.of("/ports"))
        self.cloud.add(
            "/ports",
            **{
                **OWN,
                "id": self.id(key),
                "name": name,
                "network_id": self.id(found.network),
                "mac_address": f"fa:16:3e:00:00:{number:02x}",
                "fixed_ips": [
                    {"subnet_id": self.id(subnet), "ip_address": f"{found.prefix}.{host}"}
                ],
                "device_id": "",
                "device_owner": "",
                **more,
            },
        )

    def trunk(self, thing: kinds.Trunk) -> None:
        children = []
        for number, key in enumerate(thing.children):
            child = self.cloud.of("/ports")[self.id(key)]
            child.update(device_id=self.id(thing.key), device_owner="trunk:subport")
            children.append(
                {
                    "port_id": self.id(key),
                    "segmentation_type": "vlan",
                    "segmentation_id": 7 + number,
                }
            )
        self.add("/trunks", thing, **OWN, port_id=self.id(thing.port), sub_ports=children)

    def server_group(self, thing: kinds.ServerGroup) -> None:
        self.add("/os-server-groups", thing, policy=thing.policy, members=[])

    def image(self, thing: kinds.Image) -> None:
        identity = self.id(thing.key)
        self.cloud.set_size(identity, thing.size)
        data = self.cloud.bytes_at(identity, 0)
        self.cloud.image(identity, thing.name, data)
        self.cloud.of("/images")[identity].update(visibility="private", tags=[], min_disk=0)

    def volume(self, thing: kinds.Volume) -> None:
        bootable = str(thing.bootable).lower()
        more = {**VOLUME, "attachments": [], "bootable": bootable, "metadata": {}}
        self.add("/volumes", thing, **more, size=thing.size)

    def server(self, thing: kinds.Server) -> None:
        identity = self.id(thing.key)
        attached = [{"id": self.id(key)} for key in thing.volumes]
        self.add(
            "/servers",
            thing,
            **{
                "status": "ACTIVE" if thing.on else "SHUTOFF",
                "flavor": FLAVOR,
                "metadata": {"role": "x"},
                "tenant_id": PROJECT,
                "image": {"id": self.id(thing.image)} if thing.image else "",
                "key_name": self.tenant.thing(thing.keypair).name if thing.keypair else None,
                "OS-EXT-STS:task_state": None,
                "os-extended-volumes:volumes_attached": attached,
            },
        )
        first = "a" if thing.image is None else "b"
        for number, key in enumerate(thing.volumes):
            device = f"/dev/vd{chr(ord(first) + number)}"
            self.cloud.of("/volumes")[self.id(key)].update(
                status="in-use", attachments=[{"server_id": identity, "device": device}]
            )
        for key in thing.ports:
            port = self.cloud.of("/ports")[self.id(key)]
            port.update(device_id=identity, device_owner="compute:nova")
        if thing.group:
            self.cloud.of("/os-server-groups")[self.id(thing.group)]["members"].append(identity)

    def floating_ip(self, thing: kinds.Address) -> None:
        number = len(self.cloud.of("/floatingips")) + 1
        more = {
            "floating_ip_address": f"198.51.100.{number}",
            "floating_network_id": EXTERNAL,
            "port_id": self.id(thing.port) or None,
            "port_forwardings": [self._forwarding(thing, port) for port in thing.forwards],
        }
        self.add("/floatingips", thing, **OWN, **more)

    def _forwarding(self, thing: kinds.Address, external: int) -> dict[str, Any]:
        inside = self.cloud.of("/ports")[self.id(thing.forward_to)]
        return {
            "id": self.id(f"{thing.key} {external}"),
            "protocol": "tcp",
            "internal_port_id": inside["id"],
            "internal_ip_address": inside["fixed_ips"][0]["ip_address"],
            "internal_port": external,
            "external_port": external,
            "description": "",
        }
