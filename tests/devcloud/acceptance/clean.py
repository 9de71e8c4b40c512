"""Delete what the checks made, known by its name, and wait until it is gone."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from .bench import PREFIX, Bench, is_gone, until


def everything(bench: Bench) -> None:
    # Network last: its ports are free once the servers are gone.
    _compute(bench)
    _volumes_and_images(bench)
    _network(bench)
    identity, user_id = bench.demo.identity, bench.demo.current_user_id
    for credential in _ours(identity.application_credentials(user_id)):
        identity.delete_application_credential(user_id, credential)


def _ours(found: Iterable[Any]) -> list[Any]:
    return [one for one in found if (one.name or "").startswith(PREFIX)]


def _compute(bench: Bench) -> None:
    compute = bench.demo.compute
    servers = _ours(compute.servers())
    for server in servers:
        compute.delete_server(server)
    for server in servers:
        until(partial(is_gone, compute.get_server, server.id))
    for group in _ours(compute.server_groups()):
        compute.delete_server_group(group)
    for pair in _ours(compute.keypairs()):
        compute.delete_keypair(pair)


def _volumes_and_images(bench: Bench) -> None:
    storage, image = bench.demo.block_storage, bench.demo.image
    images = _ours(image.images(owner=bench.demo.current_project_id))
    snapshots = [
        snapshot
        for snapshot in storage.snapshots()
        if (snapshot.name or "").removeprefix("snapshot for ").startswith(PREFIX)
    ]
    for one in images:
        image.delete_image(one)
    for one in snapshots:
        storage.delete_snapshot(one)
    for one in snapshots:
        until(partial(is_gone, storage.get_snapshot, one.id))
    volumes = _ours(storage.volumes())
    for one in volumes:
        storage.delete_volume(one)
    for one in volumes:
        until(partial(is_gone, storage.get_volume, one.id))


def _network(bench: Bench) -> None:
    network, things = bench.demo.network, bench.things
    for address in things.get("addresses", ()):
        for forwarding in network.floating_ip_port_forwardings(address):
            network.delete_floating_ip_port_forwarding(address, forwarding)
        network.delete_ip(address)
    for trunk in _ours(network.trunks()):
        network.delete_trunk(trunk)
    for router in _ours(network.routers()):
        network.update_router(router, routes=[])
        for port in network.ports(device_id=router.id, device_owner="network:router_interface"):
            network.remove_interface_from_router(router, port_id=port.id)
        network.delete_router(router)
    for port in _ours(network.ports()):
        network.delete_port(port)
    for net in _ours(network.networks()):
        network.delete_network(net)
    for group in _ours(network.security_groups(project_id=bench.demo.current_project_id)):
        network.delete_security_group(group)
