"""Nova driver that keeps a real root disk per server, and runs nothing.

instances/<id>/disk         the root disk: the image's bytes, in the image's format
instances/<id>/server.json  what must outlive the process: name, host, power state, format
"""

from __future__ import annotations

import json
import shutil
import threading
import uuid
from pathlib import Path
from typing import Any

import nova.conf
from nova import exception
from nova.compute import power_state, task_states
from nova.image import glance
from nova.virt import fake

CONF = nova.conf.CONF

# Of all computes: they are in one process and share the instances folder.
_lock = threading.RLock()


def _node_id(host: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, host))


class FileDriver(fake.FakeDriver):
    capabilities = {  # noqa: RUF012 -- as Nova declares it
        **fake.FakeDriver.capabilities,
        "supports_migrate_to_same_host": True,
        "supports_image_type_qcow2": True,
        "supports_bfv_rescue": True,
        "has_imagecache": False,
    }
    vcpus = 256
    memory_mb = 512 * 1024
    local_gb = 10000

    def __init__(self, virtapi: Any, read_only: bool = False) -> None:
        super().__init__(virtapi, read_only)
        self._image_api = glance.API()

    def init_host(self, host: str) -> None:
        self._host = host
        self._set_nodes([host])
        for file in Path(CONF.instances_path).glob("*/server.json"):
            server = json.loads(file.read_text())
            if server["host"] == host:
                self.instances[file.parent.name] = fake.FakeInstance(
                    server["name"], server["state"], file.parent.name
                )

    # The ids of nodes must be the same at each start, and differ between the hosts.
    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        return {_node_id(node): node for node in self.get_available_nodes()}

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        resource: dict[str, Any] = super().get_available_resource(nodename)
        return {**resource, "uuid": _node_id(nodename)}

    # -- what is kept on disk -------------------------------------------------------------
    @staticmethod
    def _folder(instance: Any) -> Path:
        return Path(CONF.instances_path) / str(instance["uuid"])

    def _disk(self, instance: Any) -> Path:
        return self._folder(instance) / "disk"

    def _load(self, instance: Any) -> dict[str, Any]:
        file = self._folder(instance) / "server.json"
        loaded: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        return loaded

    def _store(self, instance: Any, **changes: Any) -> None:
        with _lock:
            known = self.instances.get(instance["uuid"])
            server = {
                **self._load(instance),
                "name": instance["name"],
                "host": self._host,
                "state": known.state if known else power_state.RUNNING,
                **changes,
            }
            folder = self._folder(instance)
            folder.mkdir(exist_ok=True)
            part = folder / "server.json.part"
            part.write_text(json.dumps(server, indent=1))
            part.rename(folder / "server.json")

    def instance_on_disk(self, instance: Any) -> bool:
        return self._folder(instance).is_dir()

    # -- life of a server -----------------------------------------------------------------
    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        injected_files: Any,
        admin_password: Any,
        allocations: Any,
        network_info: Any = None,
        block_device_info: Any = None,
        power_on: bool = True,
        accel_info: Any = None,
    ) -> None:
        self._folder(instance).mkdir(parents=True, exist_ok=True)
        changes = {}
        disk = self._disk(instance)
        if instance.image_ref and not disk.exists():
            part = disk.with_name("disk.part")
            self._image_api.download(context, instance.image_ref, dest_path=str(part))
            part.rename(disk)
            changes["disk_format"] = image_meta.disk_format
        super().spawn(
            context,
            instance,
            image_meta,
            injected_files,
            admin_password,
            allocations,
            network_info=network_info,
            block_device_info=block_device_info,
            power_on=power_on,
            accel_info=accel_info,
        )
        self._store(instance, **changes)

    def destroy(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        for vif in network_info or ():
            self._interfaces.pop(vif["id"], None)
        super().destroy(
            context, instance, network_info, block_device_info, destroy_disks, destroy_secrets
        )
        if destroy_disks:
            shutil.rmtree(self._folder(instance), ignore_errors=True)

    def cleanup(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        migrate_data: Any = None,
        destroy_vifs: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        if destroy_disks:
            shutil.rmtree(self._folder(instance), ignore_errors=True)

    def _set_state(self, instance: Any, state: int) -> None:
        self.instances[instance.uuid].state = state
        self._store(instance)

    def power_off(self, instance: Any, *args: Any, **kwargs: Any) -> None:
        super().power_off(instance, *args, **kwargs)
        self._store(instance)

    def power_on(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        super().power_on(context, instance, *args, **kwargs)
        self._store(instance)

    def pause(self, instance: Any) -> None:
        self._set_state(instance, power_state.PAUSED)

    def unpause(self, instance: Any) -> None:
        self._set_state(instance, power_state.RUNNING)

    def suspend(self, context: Any, instance: Any) -> None:
        self._set_state(instance, power_state.SUSPENDED)

    def resume(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        self._set_state(instance, power_state.RUNNING)

    # -- resize and migrate: the hosts share one instances folder ---------------------------
    def confirm_migration(
        self, context: Any, migration: Any, instance: Any, network_info: Any
    ) -> None:
        if migration.source_compute != migration.dest_compute:
            # Forget the server here, and leave the disk, which is the new host's now.
            super().destroy(context, instance, network_info)

    def finish_revert_migration(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> None:
        super().finish_revert_migration(context, instance, *args, **kwargs)
        self._store(instance)

    def check_instance_shared_storage_local(self, context: Any, instance: Any) -> dict[str, bool]:
        return {"shared": True}

    def check_instance_shared_storage_remote(self, context: Any, data: Any) -> bool:
        return True

    def check_instance_shared_storage_cleanup(self, context: Any, data: Any) -> None:
        pass

    # -- snapshot and console ---------------------------------------------------------------
    def snapshot(self, context: Any, instance: Any, image_id: str, update_task_state: Any) -> None:
        if instance.uuid not in self.instances:
            raise exception.InstanceNotRunning(instance_id=instance.uuid)
        image = self._image_api.get(context, image_id)
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        metadata = {
            "status": "active",
            "name": image["name"],
            "disk_format": self._load(instance).get("disk_format", "raw"),
            "container_format": "bare",
            "properties": {
                "image_location": "snapshot",
                "image_state": "available",
                "owner_id": instance.project_id,
                "kernel_id": instance.kernel_id,
                "ramdisk_id": instance.ramdisk_id,
            },
        }
        update_task_state(
            task_state=task_states.IMAGE_UPLOADING,
            expected_state=task_states.IMAGE_PENDING_UPLOAD,
        )
        with self._disk(instance).open("rb") as disk:
            self._image_api.update(context, image_id, metadata, disk)

    def get_console_output(self, context: Any, instance: Any) -> str:
        return f"devcloud: {instance.display_name} on {self._host}\n"
