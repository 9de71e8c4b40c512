"""A context on a target in memory, and small records."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import requests

from bundle_spec.model import Network, Ref, Subnet
from bundle_spec.read.files import BundleFiles
from downpour_import.cloud import TargetCloud
from downpour_import.preflight import Targets
from downpour_import.recreate import Context
from downpour_import.state.journal import Journal
from tests.unit.fake_cloud import Call, FakeCloud, response

BUNDLE = "01234567-89ab-4def-8000-000000000000"
EXTENSIONS = ("net-mtu-writable", "port-security", "dns-integration", "stateful-security-group")


def source_id(number: int) -> str:
    return f"aaaaaaaa-0000-4000-8000-{number:012d}"


class Target(FakeCloud):
    """A cloud that attaches routers to subnets and takes images in."""

    def __init__(self) -> None:
        super().__init__()
        extensions = {"extensions": [{"alias": each} for each in EXTENSIONS]}
        self.handlers["GET", "/extensions"] = lambda call, match: response(200, extensions)
        self.handlers["PUT", "/routers/(.*)/add_router_interface"] = self._attach
        self.handlers["PUT", "/images/(.*)/file"] = self._store

    def _attach(self, call: Call, match: re.Match[str]) -> requests.Response:
        if "port_id" in call.body:
            port = self.of("/ports")[call.body["port_id"]]
            if port["device_id"]:
                return response(409, {"NeutronError": {"message": "Port is in use"}})
        else:
            subnet = self.of("/subnets")[call.body["subnet_id"]]
            if any(
                ip["subnet_id"] == subnet["id"]
                for port in self.of("/ports").values()
                for ip in port["fixed_ips"]
                if port["device_id"] == match[1]
            ):
                return response(400, {"NeutronError": {"message": "Router already has a port"}})
            fixed = {"subnet_id": subnet["id"], "ip_address": subnet["gateway_ip"]}
            port = self.add("/ports", fixed_ips=[fixed], description="")
        port.update(device_id=match[1], device_owner="network:router_interface")
        return response(200, {})

    def _store(self, call: Call, match: re.Match[str]) -> requests.Response:
        if self.of("/images").get(match[1], {"status": "gone"})["status"] not in (
            "queued",
            "saving",
        ):
            return response(409 if match[1] in self.of("/images") else 404)
        self.of("/images")[match[1]].update(
            status="active",
            size=len(call.body),
            os_hash_algo="sha512",
            os_hash_value=hashlib.sha512(call.body).hexdigest(),
        )
        return response(204)


def context(
    fake: FakeCloud, state: Path, targets: Targets | None = None, bundle: Path | None = None
) -> Context:
    """A context of a process that begins now: the journal is read anew."""
    return Context(
        cloud=TargetCloud(fake.connection),
        journal=Journal(state),
        targets=targets or {},
        bundle_uuid=BUNDLE,
        bundle=BundleFiles(bundle or state / "none.dpbundle"),
        manifest_sha256=None,
    )


NET = Network(id=source_id(1), name="net", description="the net", tags=("t",))
SUBNET = Subnet(
    id=source_id(2),
    name="sub",
    network_id=NET.id,
    ip_version=4,
    cidr="10.0.0.0/24",
    gateway_ip="10.0.0.1",
)
NET_REF = Ref("network", NET.id)
