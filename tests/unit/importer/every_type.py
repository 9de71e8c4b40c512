"""One resource of each type, a cloud that can make them, and imports that can be killed."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bundle_spec import BundleWriter, open_bundle
from bundle_spec.model import (
    AddressGroup,
    FlavorReference,
    FloatingIp,
    Image,
    Keypair,
    NetworkReference,
    Port,
    Ref,
    References,
    Resources,
    Router,
    SecurityGroup,
    Server,
    ServerGroup,
    Trunk,
    Volume,
    VolumeSnapshot,
)
from bundle_spec.model.port import FixedIp
from bundle_spec.model.router import RouterInterface
from bundle_spec.model.security_group import SecurityGroupRule
from bundle_spec.model.server import AttachedVolume, Nic
from bundle_spec.model.subnet import HostRoute
from bundle_spec.progress import NULL
from downpour_cloud.session import LATE_SECONDS
from downpour_import import undo
from downpour_import.recreate import (
    RECREATORS,
    STEPS,
    Context,
    differences,
    patience,
    recreate,
    upload_volume_disk,
)
from downpour_import.recreate.security_group_rule import rule_key
from downpour_import.run.doubles import remove_doubles, with_images
from tests.unit.bundle.samples import content, noise
from tests.unit.fake_cloud import Call, response
from tests.unit.importer.things import NET, SUBNET, Target, context, source_id

REFERENCES = References(
    flavors=(FlavorReference(id="m1", name="m1", vcpus=1, ram=1, disk=1),),
    networks=(NetworkReference(id="ext", name="ext", external=True),),
)
TARGETS = {Ref("flavor", "m1"): "target-flavor", Ref("network", "ext"): "target-ext"}


class Killed(BaseException):
    """The process is gone: nothing after the request is done."""


class Cloud(Target):
    """Knows what is asked of it beside plain objects."""

    def __init__(self) -> None:
        super().__init__()
        self.add("/networks", id="target-ext", project_id="other")
        self.handlers |= {
            ("POST", "/(ports|trunks|floatingips|subnets|os-keypairs)"): self._conflict,
            ("POST", "/servers"): self._boot,
            ("DELETE", "/servers/([^/]*)"): self._unplug,
            ("POST", "/servers/(.*)/action"): self._act,
            ("PUT", "/servers/(.*)/tags"): self._tag,
            ("POST", "/volumes/(.*)/action"): self._set_image_metadata,
            ("POST", "/security-group-rules"): self._rule,
            ("DELETE", "/security-group-rules/([^/]*)"): self._drop_rule,
            ("DELETE", "/security-groups/([^/]*)"): self._drop_rules,
            ("DELETE", "/(servers|volumes)/(.*)/metadata/(.*)"): self._unset,
            ("PATCH", "/images/(.*)"): self._patch,
            ("PUT", "/routers/(.*)/remove_router_interface"): self._detach,
            ("DELETE", "/(networks|subnets|ports|volumes|images|routers)/([^/]*)"): self._in_use,
        }

    def _unplug(self, call: Call, match: re.Match[str]) -> Any:
        for port in self.of("/ports").values():
            if port["device_id"] == match[1]:
                port["device_id"] = ""

    def _conflict(self, call: Call, match: re.Match[str]) -> Any:
        """Of what these types take there can be one only: an address, a parent port, a name."""
        (asked,) = call.body.values()
        unique = {
            "/ports": ("network_id", "fixed_ips"),
            "/trunks": ("port_id",),
            "/floatingips": ("port_id",),
            "/subnets": ("network_id", "cidr"),
            "/os-keypairs": ("name",),
        }[call.path]
        wanted = [asked.get(key) for key in unique]
        taken = [[each.get(key) for key in unique] for each in self.of(call.path).values()]
        return response(409, {}) if all(wanted) and wanted in taken else None

    def _boot(self, call: Call, match: re.Match[str]) -> Any:
        asked = call.body["server"]
        nics = () if asked["networks"] == "none" else asked["networks"]
        if any(self.of("/ports")[nic["port"]]["device_id"] for nic in nics):
            return response(409, {"conflictingRequest": {"message": "Port is in use"}})
        devices = asked.get("block_device_mapping_v2", ())
        volumes = [{"id": each["uuid"]} for each in devices if each["source_type"] == "volume"]
        item = self.add(
            "/servers",
            **{"accessIPv4": "", "accessIPv6": "", **asked},
            status="ACTIVE",
            tags=[],
            locked=False,
            **{"os-extended-volumes:volumes_attached": volumes},
        )
        for nic in nics:
            self.of("/ports")[nic["port"]]["device_id"] = item["id"]
        return response(202, {"server": {"id": item["id"]}})

    def _rule(self, call: Call, match: re.Match[str]) -> Any:
        asked = call.body.get("security_group_rules") or [call.body["security_group_rule"]]
        if any(self._is_rule(rule) for rule in asked):
            return response(409, {"NeutronError": {"message": "rule already exists"}})
        found = [self.add_rule(rule) for rule in call.body.get("security_group_rules", ())]
        if found:
            return response(201, {"security_group_rules": found})
        return response(
            201, {"security_group_rule": self.add_rule(call.body["security_group_rule"])}
        )

    def _is_rule(self, rule: Any) -> bool:
        group = self.of("/security-groups")[rule["security_group_id"]]
        return rule_key(rule) in [rule_key(each) for each in group.get("security_group_rules", ())]

    def add_rule(self, rule: Any) -> Any:
        found = self.add("/security-group-rules", **rule)
        group = self.of("/security-groups")[rule["security_group_id"]]
        group.setdefault("security_group_rules", []).append(found)
        return found

    def _drop_rule(self, call: Call, match: re.Match[str]) -> Any:
        for group in self.of("/security-groups").values():
            rules = group.get("security_group_rules", [])
            rules[:] = [rule for rule in rules if rule["id"] != match[1]]

    def _drop_rules(self, call: Call, match: re.Match[str]) -> Any:
        group = self.of("/security-groups").get(match[1], {})
        for rule in group.get("security_group_rules", ()):
            del self.of("/security-group-rules")[rule["id"]]

    def _act(self, call: Call, match: re.Match[str]) -> Any:
        item = self.of("/servers").get(match[1])
        if item is None:
            return response(404, {})
        before = item["status"]
        if "os-stop" in call.body:
            item["status"] = "SHUTOFF"
        if "os-start" in call.body:
            item["status"] = "ACTIVE"
        if call.body.keys() & {"os-start", "os-stop"} and item["status"] == before:
            return response(409, {"conflictingRequest": {"message": f"it is {before}"}})
        if "lock" in call.body or "unlock" in call.body:
            item["locked"] = "lock" in call.body
        return response(202)

    def _tag(self, call: Call, match: re.Match[str]) -> Any:
        self.of("/servers")[match[1]]["tags"] = call.body["tags"]
        return response(200, call.body)

    def _set_image_metadata(self, call: Call, match: re.Match[str]) -> Any:
        wanted = call.body["os-set_image_metadata"]["metadata"]
        self.of("/volumes")[match[1]].setdefault("volume_image_metadata", {}).update(wanted)
        return response(200, {})

    def _unset(self, call: Call, match: re.Match[str]) -> Any:
        item = self.of(f"/{match[1]}")[match[2]]
        if item.get("locked"):
            return response(409, {})
        del item["metadata"][match[3]]
        return response(204)

    def _patch(self, call: Call, match: re.Match[str]) -> Any:
        if match[1] not in self.of("/images"):
            return response(404, {})
        for change in call.body:
            item, key = self.of("/images")[match[1]], change["path"].strip("/")
            if change["op"] == "remove":
                del item[key]
            else:
                item[key] = change["value"]
        return response(200, {})

    def _detach(self, call: Call, match: re.Match[str]) -> Any:
        if self.of("/ports").pop(call.body["port_id"], None) is None:
            return response(404, {})
        return response(200, {})

    def _in_use(self, call: Call, match: re.Match[str]) -> Any:
        """Whatever something else names cannot go."""
        identity = match[2]
        users = {
            "networks": self.of("/subnets"),
            "subnets": self.of("/ports"),
            "ports": self.of("/servers") | self.of("/trunks") | self.of("/floatingips"),
            "volumes": self.of("/servers"),
            "routers": {
                key: port
                for key, port in self.of("/ports").items()
                if port["device_owner"] == "network:router_interface"
            },
            "images": {},
        }[match[1]]
        protected = self.of(f"/{match[1]}").get(identity, {}).get("protected")
        if protected or any(identity in str(item) for item in users.values()):
            return response(409, {})
        return None


def records(disk_id: str) -> Resources:
    key = Keypair(id="key", name="key", public_key="ssh-rsa AAA me")
    addresses = AddressGroup(id=source_id(20), name="office", addresses=("10.9.0.0/24",))
    rule = SecurityGroupRule(id="r", direction="ingress", ether_type="IPv4")
    group = SecurityGroup(id=source_id(21), name="web", rules=(rule,))
    fixed = (FixedIp(subnet_id=SUBNET.id, ip_address="10.0.0.5"),)
    port = Port(
        id=source_id(23),
        name="p",
        network_id=NET.id,
        mac_address="fa:16:3e:00:00:01",
        fixed_ips=fixed,
        security_group_ids=(group.id,),
    )
    free = replace(port, id=source_id(24), name="free", fixed_ips=())
    volume = Volume(id=source_id(26), name="data", size=1, disk_id=disk_id)
    server_group = ServerGroup(id=source_id(28), name="apart", policy="anti-affinity")
    return Resources(
        keypairs=(key,),
        address_groups=(addresses,),
        security_groups=(group,),
        networks=(NET,),
        subnets=(SUBNET,),
        routers=(
            Router(
                id=source_id(22),
                name="r",
                external_network_id="ext",
                interfaces=(RouterInterface(subnet_id=SUBNET.id, ip_address="10.0.0.1"),),
                routes=(HostRoute(destination="10.8.0.0/16", nexthop="10.0.0.9"),),
            ),
        ),
        ports=(port, free),
        trunks=(Trunk(id=source_id(30), name="t", port_id=free.id),),
        images=(
            Image(
                id=source_id(25),
                name="golden",
                disk_id=disk_id,
                disk_format="raw",
                container_format="bare",
                protected=True,
            ),
        ),
        volumes=(volume,),
        volume_snapshots=(
            VolumeSnapshot(id=source_id(27), name="then", size=1, volume_id=volume.id),
        ),
        server_groups=(server_group,),
        servers=(
            Server(
                id=source_id(29),
                name="web",
                flavor="m1",
                key_name=key.id,
                locked=True,
                server_group_id=server_group.id,
                nics=(Nic(port_id=port.id),),
                volumes=(AttachedVolume(volume_id=volume.id, boot_index=0),),
            ),
        ),
        floating_ips=(
            FloatingIp(id=source_id(31), name="", floating_network_id="ext", port_id=port.id),
        ),
    )


def write_bundle(path: Path) -> Path:
    """A bundle of all of them."""
    with BundleWriter(path) as writer:
        disk = writer.disk("raw")
        disk.write(noise(70_000))
        whole = replace(content(records(disk.finish().id)), references=REFERENCES)
        writer.finish(whole)
    return path


class Import:
    """Processes that come one after the other, on one target with one state."""

    def __init__(self, bundle: Path, state: Path) -> None:
        self.cloud = Cloud()
        self.bundle = bundle
        self.state = state
        self.resources = records("0001")
        self.now: Callable[[], float] = vars(patience)["monotonic"]

    def process(self) -> Context:
        here = context(self.cloud, self.state, TARGETS, self.bundle)
        with open_bundle(self.bundle) as reader:
            here.bundle_uuid = reader.manifest.uuid
        here.late_until = self.now() + LATE_SECONDS
        return here

    def run(self) -> Context:
        here = self.process()
        for volume in self.resources.volumes:
            upload_volume_disk(here, volume, lambda amount: None)
        for record in self.resources:
            recreate(RECREATORS[record.type], here, record)
        for group in self.resources.security_groups:
            STEPS["security_group_rules"](here, group)
        for subnet in self.resources.subnets:
            STEPS["subnet_dhcp"](here, subnet)
        return here

    def check(self) -> list[str]:
        """The state that a check tells of each step."""
        here = self.process()
        outcomes = [
            upload_volume_disk(here, volume, lambda amount: None, check=True)
            for volume in self.resources.volumes
        ]
        for record in self.resources:
            outcomes.append(recreate(RECREATORS[record.type], here, record, check=True))
        for group in self.resources.security_groups:
            outcomes.append(STEPS["security_group_rules"](here, group, check=True))
        for subnet in self.resources.subnets:
            outcomes.append(STEPS["subnet_dhcp"](here, subnet, check=True))
        return [outcome.state for outcome in outcomes]

    def made(self) -> dict[str, int]:
        """Objects by collection; what the cloud had from the start aside."""
        return {
            path: len([each for each in self.cloud.of(path) if each != "target-ext"])
            for path in PATHS
        }

    def remove_doubles(self) -> tuple[list[str], list[str]]:
        """What the proof does with what stands twice: its faults, and what it told."""
        told: list[str] = []
        with open_bundle(self.bundle) as reader:
            records = with_images(reader.manifest, self.resources)
        faults = remove_doubles(self.process(), records, told.append)
        return [str(fault) for fault in faults], told

    def find(self) -> tuple[Context, list[undo.MadeObject]]:
        here = self.process()
        return here, undo.find(here, NULL, self.resources)

    def differences(self) -> list[str]:
        here = self.process()
        return [line for record in self.resources for line in differences(here, record)]

    @contextlib.contextmanager
    def killed(self, after: Callable[[Call], bool]) -> Iterator[None]:
        """The process ends after the first request that ``after`` says; it was carried out."""

        def kill(call: Call) -> None:
            if after(call):
                raise Killed

        self.cloud.after.append(kill)
        with contextlib.suppress(Killed):
            yield
        self.cloud.after.clear()


def writes(number: int) -> Callable[[Call], bool]:
    """Whether so many requests that write have been carried out."""
    left = number

    def enough(call: Call) -> bool:
        nonlocal left
        left -= call.method != "GET"
        return left <= 0

    return enough


PATHS = sorted({kind.path for kind in RECREATORS.values()})
ONE_OF_EACH = dict.fromkeys(PATHS, 1) | {"/ports": 3, "/volumes": 2}
"""The router's interface is a port."""
