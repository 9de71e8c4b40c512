"""A target that refuses an attribute: what can be done without is told, and the rest stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bundle_spec.model import Resources
from bundle_spec.model.port import AddressPair
from bundle_spec.model.server import AttachedVolume, Nic
from downpour_import.errors import RecreateError
from downpour_import.recreate import RECREATORS, differences, recreate
from downpour_import.recreate.patience import TRIES
from tests.unit.fake_cloud import Call, response
from tests.unit.importer.every_type import ONE_OF_EACH, Import

EXTENSIONS = {"extensions": [{"alias": "dns-integration"}, {"alias": "dns-domain-ports"}]}


def richer(these: Resources) -> Resources:
    """One of each, with what it can do without."""
    (net,), (fip,) = these.networks, these.floating_ips
    (image,), (volume,), (server,) = these.images, these.volumes, these.servers
    first, *ports = these.ports
    nic, disk = server.nics[0], server.volumes[0]
    return replace(
        these,
        networks=(replace(net, dns_domain="net.example.org."),),
        ports=(replace(first, dns_name="web", dns_domain="port.example.org.", tags=("p",)), *ports),
        floating_ips=(replace(fip, dns_name="web", dns_domain="fip.example.org."),),
        images=(
            replace(
                image,
                properties={"os_distro": "debian", "owner_note": "x", "hw_disk_bus": "scsi"},
                visibility="community",
                tags=("gold-tag",),
                hidden=True,
            ),
        ),
        volumes=(replace(volume, image_metadata={"os_distro": "debian", "hw_disk_bus": "scsi"}),),
        servers=(
            replace(
                server,
                description="the web",
                hostname="web",
                disk_config="MANUAL",
                access_ip_v4="192.0.2.1",
                access_ip_v6="2001:db8::1",
                tags=("s",),
                nics=(Nic(port_id=nic.port_id, tag="front"),),
                volumes=(AttachedVolume(volume_id=disk.volume_id, boot_index=0, tag="root"),),
            ),
        ),
    )


@pytest.fixture
def rich(work: Import) -> Import:
    work.cloud.handlers["GET", "/extensions"] = lambda call, match: response(200, EXTENSIONS)
    work.resources = richer(work.resources)
    return work


def refuse(
    work: Import, path: str, has: Callable[[Any], bool], status: int = 400, says: str = "no"
) -> list[Call]:
    """The cloud refuses each write below ``path`` whose body ``has`` something; such calls."""
    refused: list[Call] = []

    def hook(call: Call) -> Any:
        # The body of an upload is no JSON.
        if call.method == "GET" or path not in call.path or call.path.endswith("/file"):
            return None
        if call.body is None or not has(call.body):
            return None
        refused.append(call)
        return response(status, {"error": {"message": says}})

    work.cloud.before.append(hook)
    return refused


def text(*words: str) -> Callable[[Any], bool]:
    return lambda body: all(word in json.dumps(body) for word in words)


CASES = [
    ("/networks", text('"dns_domain"'), "network", {"dns_domain"}),
    ("/ports", text('"dns_name"'), "port", {"dns_name"}),
    ("/ports", text('"dns_domain"'), "port", {"dns_domain"}),
    ("/ports", text('"dns_'), "port", {"dns_name", "dns_domain"}),
    ("/ports", text('"tags"', '"p"'), "port", {"tags"}),
    ("/floatingips", text('"dns_name"'), "floating_ip", {"dns_name", "dns_domain"}),
    ("/images", text("os_distro"), "image", {"os_distro"}),
    ("/images", text("owner_note"), "image", {"owner_note"}),
    ("/images", text("gold-tag"), "image", {"tags"}),
    ("/images", text("community"), "image", {"visibility"}),
    ("/images", text("os_hidden"), "image", {"os_hidden"}),
    ("/images", text("/protected"), "image", {"protected"}),
    ("/volumes", text("os-set_image_metadata", "os_distro"), "volume", {"os_distro"}),
    ("/servers", text('"description"'), "server", {"description"}),
    ("/servers", text('"hostname"'), "server", {"hostname"}),
    ("/servers", text("diskConfig"), "server", {"OS-DCF:diskConfig"}),
    ("/servers", text("accessIPv4"), "server", {"accessIPv4"}),
    ("/servers", text("accessIPv6"), "server", {"accessIPv6"}),
    ("/servers", text('"tag"'), "server", {"device tags"}),
    ("/servers", text('"tags"'), "server", {"tags"}),
    ("/servers", text('"lock"'), "server", {"locked"}),
]


@pytest.mark.parametrize(("path", "has", "kind", "lost"), CASES)
@pytest.mark.parametrize("status", [400, 403])
def test_what_a_resource_can_do_without_is_told_and_the_rest_stands(
    rich: Import,
    path: str,
    has: Callable[[Any], bool],
    kind: str,
    lost: set[str],
    status: int,
) -> None:
    refused = refuse(rich, path, has, status, "not for you")
    rich.run()
    assert refused
    assert rich.made() == ONE_OF_EACH
    assert rich.differences() == []
    journal = rich.process().journal
    told = {
        (record.type, attribute): message
        for record in rich.resources
        for attribute, message in journal.refused(record.ref).items()
    }
    assert set(told) == {(kind, each) for each in lost}
    assert all("not for you" in message for message in told.values())
    # And it is over: a second run sends nothing.
    rich.cloud.calls.clear()
    rich.run()
    assert rich.cloud.writes == []


def test_nothing_is_lost_where_nothing_is_refused(rich: Import) -> None:
    rich.run()
    assert rich.differences() == []
    journal = rich.process().journal
    assert not any(journal.refused(record.ref) for record in rich.resources)


def test_what_the_message_names_is_tried_first(rich: Import) -> None:
    refused = refuse(rich, "/servers", text("accessIPv6"), says="'accessIPv6' was unexpected")
    rich.run()
    assert len(refused) == 1


def test_several_at_once_cost_each_other_at_worst(rich: Import) -> None:
    """Two that are refused for reasons of their own, and nothing names them: all go."""
    refuse(rich, "/servers", text('"hostname"'))
    refuse(rich, "/servers", text("accessIPv4"))
    rich.run()
    (server,) = rich.resources.servers
    assert rich.process().journal.refused(server.ref).keys() >= {"hostname", "accessIPv4"}
    assert rich.differences() == []


HARD = [
    ("/images", text("hw_disk_bus"), "image"),
    ("/volumes", text("os-set_image_metadata", "hw_disk_bus"), "volume"),
    ("/ports", text("allowed_address_pairs"), "port"),
    ("/subnets", text("cidr"), "subnet"),
    ("/routers", text("routes"), "router"),
    ("/servers", text("flavorRef"), "server"),
]


@pytest.mark.parametrize(("path", "has", "kind"), HARD)
def test_what_would_behave_differently_is_not_made_with_less(
    rich: Import, path: str, has: Callable[[Any], bool], kind: str
) -> None:
    pair = (AddressPair(ip_address="10.0.0.60"),)
    first, *ports = rich.resources.ports
    first = replace(first, allowed_address_pairs=pair)
    rich.resources = replace(rich.resources, ports=(first, *ports))
    refuse(rich, path, has, 403, "policy forbids it")
    with pytest.raises(RecreateError, match="policy forbids it"):
        rich.run()
    journal = rich.process().journal
    assert not any(journal.refused(record.ref) for record in rich.resources)


@pytest.mark.parametrize("status", [401, 404, 409, 413, 429, 500, 503])
def test_other_answers_are_not_about_an_attribute(rich: Import, status: int) -> None:
    refused = refuse(rich, "/servers", text("flavorRef"), status)
    with pytest.raises(RecreateError, match=f"with {status}"):
        rich.run()
    assert len(refused) == (TRIES if status == 500 else 1)


def test_what_is_made_again_is_asked_for_in_full_again(rich: Import) -> None:
    refuse(rich, "/networks", text('"dns_domain"'))
    rich.run()
    (network,) = rich.resources.networks
    assert rich.process().journal.refused(network.ref)
    rich.cloud.before.clear()
    rich.cloud.of("/networks").clear()
    here = rich.process()
    recreate(RECREATORS["network"], here, network)
    assert not here.journal.refused(network.ref)
    assert differences(here, network) == []
