"""Servers, on the ports and volumes that were made for them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from bundle_spec.model import Ref, Server
from downpour_import.preflight import hostname_ref
from downpour_import.preflight.hostnames import PARAMETER, is_taken, nova_hostname
from downpour_import.recreate.base import Recreator, compare, new_id, unset
from downpour_import.recreate.context import MARKER_KEY, Context
from downpour_import.recreate.optional import attempt, drop, post
from downpour_import.recreate.patience import settle, wait_for

_TASK = "OS-EXT-STS:task_state"
"""What Nova is doing to it now."""

_HOSTNAME = "OS-EXT-SRV-ATTR:hostname"
"""Shown to a tenant from microversion 2.90 on."""


def _without_device_tags(body: dict[str, Any]) -> dict[str, Any]:
    reduced = dict(body)
    for name in ("networks", "block_device_mapping_v2"):
        if isinstance(body.get(name), list):
            reduced[name] = [drop("tag")(device) for device in body[name]]
    return reduced


_OPTIONAL = {
    "description": drop("description"),
    "hostname": drop("hostname"),
    "accessIPv4": drop("accessIPv4"),
    "accessIPv6": drop("accessIPv6"),
    "OS-DCF:diskConfig": drop("OS-DCF:diskConfig"),
    "device tags": _without_device_tags,
}


class Servers(Recreator[Server]):
    service = "compute"
    path = "/servers"
    key = "server"
    owner_key = "tenant_id"

    def make(self, context: Context, record: Server) -> str:
        body: dict[str, Any] = {
            **self._names(context, record),
            "flavorRef": context.target(Ref("flavor", record.flavor)),
            "metadata": {**record.metadata, MARKER_KEY: context.marker(record.ref)},
            "networks": self._networks(context, record),
            "config_drive": record.config_drive,
        }
        if record.image_id:
            body["imageRef"] = context.target(Ref("image", record.image_id))
        devices = self._devices(context, record)
        if devices:
            body["block_device_mapping_v2"] = devices
        key = self._key(context, record)
        if key:
            body["key_name"] = key
        zone = self._zone(context, record)
        if zone:
            body["availability_zone"] = zone
        if record.description is not None and context.cloud.supports("compute", "2.19"):
            body["description"] = record.description
        if record.user_data:
            body["user_data"] = record.user_data
        for name, value in (
            ("OS-DCF:diskConfig", record.disk_config),
            ("accessIPv4", record.access_ip_v4),
            ("accessIPv6", record.access_ip_v6),
        ):
            if value:
                body[name] = value
        hints: dict[str, Any] = {}
        if record.server_group_id:
            group = context.target(Ref("server_group", record.server_group_id))
            hints = {"os:scheduler_hints": {"group": group}}

        def send(body: dict[str, Any]) -> Any:
            return context.cloud.post("compute", self.path, {"server": body, **hints})

        return new_id(context, self.path, post(context, record, send, body, _OPTIONAL), self.key)

    def _names(self, context: Context, record: Server) -> dict[str, str]:
        """Name and host name.  A Nova without that parameter makes the host name of the first name,
        once for all: there the server gets its own name afterwards."""
        compute = context.cloud.microversion("compute")
        decided, name = context.targets.get(hostname_ref(record.id)), record.name
        if not context.cloud.supports("compute", PARAMETER):
            return {"name": decided or name}
        hostname = decided or record.hostname
        if not hostname or (hostname == nova_hostname(name) and not is_taken(hostname, compute)):
            return {"name": name}
        return {"name": name, "hostname": hostname}

    def _networks(self, context: Context, record: Server) -> list[dict[str, str]] | str:
        """Ports in the guest's order.  A NIC tag can be set from microversion 2.42 on."""
        if not record.nics:
            # Else Nova would attach the project's only network ("none": microversion 2.37).
            return "none"
        tags = context.cloud.supports("compute", "2.42")
        return [
            {"port": context.target(Ref("port", nic.port_id))}
            | ({"tag": nic.tag} if nic.tag and tags else {})
            for nic in record.nics
        ]

    def _devices(self, context: Context, record: Server) -> list[dict[str, Any]]:
        """Volumes in the guest's order; an image that it boots from comes first.  A disk tag can
        be set from microversion 2.42 on."""
        if not record.volumes:
            return []
        devices: list[dict[str, Any]] = []
        if record.image_id:
            devices.append(
                {
                    "boot_index": 0,
                    "source_type": "image",
                    "destination_type": "local",
                    "uuid": context.target(Ref("image", record.image_id)),
                    "delete_on_termination": True,
                }
            )
        tags = context.cloud.supports("compute", "2.42")
        for volume in record.volumes:
            devices.append(
                {
                    "boot_index": -1 if volume.boot_index is None else volume.boot_index,
                    "source_type": "volume",
                    "destination_type": "volume",
                    "uuid": context.target(Ref("volume", volume.volume_id)),
                    "delete_on_termination": volume.delete_on_termination
                    and not _keeps_volumes(context),
                }
                | ({"tag": volume.tag} if volume.tag and tags else {})
            )
        return devices

    def marks(self, context: Context, mark: str | None = None) -> Iterator[tuple[str | None, str]]:
        items = context.cloud.list("compute", "/servers/detail", "servers")
        for item in self.ours(context, items):
            yield item["metadata"].get(MARKER_KEY), item["id"]

    def used(self, context: Context, item: Any) -> bool:
        query = {"device_id": item["id"]}
        ports = context.cloud.list("network", "/ports", "ports", query)
        return bool(item.get("os-extended-volumes:volumes_attached")) or any(ports)

    def made_by_bundle(self, context: Context, record: Server, item: Any) -> bool:
        return bool(item["metadata"].get(MARKER_KEY) == context.marker(record.ref))

    def unmark(self, context: Context, record: Server, target: str, item: Any) -> None:
        # A locked server keeps its metadata, also from its owner.
        self.release(context, target, item)
        unset(context, self.service, f"{self.path_of(target)}/metadata/{MARKER_KEY}")
        if item.get("locked"):
            self._lock(context, target, item.get("locked_reason"))

    def release(self, context: Context, target: str, item: Any) -> None:
        if item.get("locked"):
            self._act(context, target, {"unlock": None}, lambda item: not item.get("locked"))

    def _lock(self, context: Context, target: str, reason: str | None) -> None:
        with_reason = reason and context.cloud.supports("compute", "2.73")
        lock = {"locked_reason": reason} if with_reason else None
        self._act(context, target, {"lock": lock}, lambda item: bool(item.get("locked")))

    def _act(
        self, context: Context, target: str, action: dict[str, Any], done: Callable[[Any], bool]
    ) -> None:
        """POST an ``action``; ``done``: whether the server shows it."""
        path = f"{self.path_of(target)}/action"
        settle(
            lambda: context.cloud.post("compute", path, action),
            lambda: done(self.fetch(context, target) or {}),
        )

    def complete(self, context: Context, record: Server, target: str) -> None:
        item = self._wait(context, record, target, ("ACTIVE", "SHUTOFF"))
        if record.tags and context.cloud.supports("compute", "2.26"):
            body = {"tags": list(record.tags)}
            path = f"{self.path}/{target}/tags"
            attempt(context, record, "tags", lambda: context.cloud.put("compute", path, body))
        if _keeps_volumes(context):
            self._let_volumes_end_with_it(context, record, target)
        if item["name"] != record.name:
            renamed = {"server": {"name": record.name}}
            context.cloud.put("compute", self.path_of(target), renamed)
        wanted = _status(record)
        if item["status"] != wanted:
            # Also one that runs in no journal: of an import that was to leave it off.
            action = "os-stop" if wanted == "SHUTOFF" else "os-start"
            self._act(
                context,
                target,
                {action: None},
                lambda item: item.get("status") == wanted or bool(item.get(_TASK)),
            )
            self._wait(context, record, target, (wanted,))
        if record.locked:
            # The last thing: a locked server takes no other action.
            reason = record.locked_reason
            attempt(context, record, "locked", lambda: self._lock(context, target, reason))

    def _let_volumes_end_with_it(self, context: Context, record: Server, target: str) -> None:
        for volume in record.volumes:
            if volume.delete_on_termination:
                identity = context.target(Ref("volume", volume.volume_id))
                path = f"{self.path_of(target)}/os-volume_attachments/{identity}"
                asked = {"volumeId": identity, "delete_on_termination": True}
                act = functools.partial(
                    context.cloud.put, "compute", path, {"volumeAttachment": asked}
                )
                attempt(context, record, "delete_on_termination", act)

    def _wait(self, context: Context, record: Server, target: str, ready: tuple[str, ...]) -> Any:
        return wait_for(
            context,
            lambda: self.fetch(context, target),
            lambda item: item is not None and item["status"] in ready,
            f"server {record.name!r}",
            failed=_failure_reason,
        )

    def broken(self, item: Any) -> bool:
        return bool(item["status"] == "ERROR")

    def remove(self, context: Context, target: str) -> None:
        super().remove(context, target)
        # Its ports and volumes are free again only when it is gone.
        wait_for(
            context,
            lambda: self.fetch(context, target),
            lambda item: item is None,
            f"deleting the broken server {target}",
        )

    def differences(self, context: Context, record: Server, item: Any) -> list[str]:
        metadata = {key: value for key, value in item["metadata"].items() if key != MARKER_KEY}
        attached = item.get("os-extended-volumes:volumes_attached") or ()
        ports = context.cloud.list("network", "/ports", "ports", {"device_id": item["id"]})
        wanted = {
            "name": record.name,
            "status": _status(record),
            "key_name": self._key(context, record),
            "metadata": dict(record.metadata),
            "volumes": [context.target(Ref("volume", each.volume_id)) for each in record.volumes],
            "ports": [context.target(Ref("port", nic.port_id)) for nic in record.nics],
            "tags": list(record.tags),
            "locked": record.locked,
            "accessIPv4": record.access_ip_v4 or "",
            "accessIPv6": record.access_ip_v6 or "",
        }
        if record.description is not None and context.cloud.supports("compute", "2.19"):
            wanted["description"] = record.description
        hostname = context.targets.get(hostname_ref(record.id)) or record.hostname
        if hostname and _HOSTNAME in item:
            wanted[_HOSTNAME] = hostname
        read = {
            "locked": record.locked,  # shown from microversion 2.9 on
            **item,
            "metadata": metadata,
            "volumes": [volume["id"] for volume in attached],
            "ports": [port["id"] for port in ports],
            "tags": item.get("tags", list(record.tags)),
        }
        return compare(wanted, read, context.journal.refused(record.ref))

    @staticmethod
    def _key(context: Context, record: Server) -> str | None:
        return context.optional_target(Ref("keypair", record.key_name)) if record.key_name else None

    @staticmethod
    def _zone(context: Context, record: Server) -> str | None:
        if record.availability_zone is None:
            return None
        return context.optional_target(
            Ref("availability_zone", f"compute/{record.availability_zone}")
        )


def _keeps_volumes(context: Context) -> bool:
    """Whether a server that breaks while it is made leaves its volumes alone: from microversion
    2.85 on a volume need not be bound to the server's end before it runs."""
    return context.cloud.supports("compute", "2.85")


def _status(record: Server) -> str:
    return "SHUTOFF" if record.power_state == "stopped" else "ACTIVE"


def _failure_reason(item: Any) -> str | None:
    if item is None:
        return "it is gone"
    if item["status"] == "ERROR":
        return f"the target could not make it: {(item.get('fault') or {}).get('message', 'ERROR')}"
    return None
