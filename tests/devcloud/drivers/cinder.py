"""Cinder driver: one sparse raw file per volume and per snapshot in one folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from cinder import interface
from cinder.image import image_utils
from cinder.volume import configuration, driver, volume_utils
from oslo_config import cfg
from oslo_utils import units

OPTIONS = [cfg.StrOpt("devcloud_volumes_dir", help="Where the volumes' files are.")]
CAPACITY_GIB = 2000
cfg.CONF.register_opts(OPTIONS, group=configuration.SHARED_CONF_GROUP)


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", source, part], check=True)
    part.rename(target)


@interface.volumedriver
class FileVolumeDriver(driver.VolumeDriver):
    VERSION = "1.0"
    CI_WIKI_NAME = "devcloud"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTIONS)
        self._folder = Path(self.configuration.devcloud_volumes_dir)

    @staticmethod
    def get_driver_options() -> list[Any]:
        return OPTIONS

    def check_for_setup_error(self) -> None:
        pass

    def _path(self, volume_or_snapshot: Any) -> Path:
        # The name is volume-<id> or snapshot-<id>.
        return self._folder / str(volume_or_snapshot.name)

    def local_path(self, volume: Any) -> str:
        return str(self._path(volume))

    def _grow_to_size(self, volume: Any) -> None:
        os.truncate(self._path(volume), volume.size * units.Gi)

    # -- volumes and snapshots ------------------------------------------------------------
    def create_volume(self, volume: Any) -> None:
        self._path(volume).touch(exist_ok=False)
        self._grow_to_size(volume)

    def create_volume_from_snapshot(self, volume: Any, snapshot: Any) -> None:
        _copy(self._path(snapshot), self._path(volume))
        self._grow_to_size(volume)

    def create_cloned_volume(self, volume: Any, src_vref: Any) -> None:
        _copy(self._path(src_vref), self._path(volume))
        self._grow_to_size(volume)

    def extend_volume(self, volume: Any, new_size: int) -> None:
        os.truncate(self._path(volume), new_size * units.Gi)

    def delete_volume(self, volume: Any) -> None:
        path = self._path(volume)
        path.unlink(missing_ok=True)
        path.with_name(path.name + ".part").unlink(missing_ok=True)

    def create_snapshot(self, snapshot: Any) -> None:
        _copy(self._path(snapshot.volume), self._path(snapshot))

    def delete_snapshot(self, snapshot: Any) -> None:
        self._path(snapshot).unlink(missing_ok=True)

    def revert_to_snapshot(self, context: Any, volume: Any, snapshot: Any) -> None:
        _copy(self._path(snapshot), self._path(volume))
        self._grow_to_size(volume)

    # -- images -----------------------------------------------------------------------
    def copy_image_to_volume(
        self,
        context: Any,
        volume: Any,
        image_service: Any,
        image_id: str,
        disable_sparse: bool = False,
    ) -> None:
        image_utils.fetch_to_raw(
            context,
            image_service,
            image_id,
            self.local_path(volume),
            "1M",
            size=volume.size,
            run_as_root=False,
            disable_sparse=disable_sparse,
        )
        self._grow_to_size(volume)

    def copy_volume_to_image(
        self, context: Any, volume: Any, image_service: Any, image_meta: Any
    ) -> None:
        volume_utils.upload_volume(
            context, image_service, image_meta, self.local_path(volume), volume, run_as_root=False
        )

    # -- types and backends: all backends share one folder ----------------------------------
    def retype(
        self, context: Any, volume: Any, new_type: Any, diff: Any, host: Any
    ) -> tuple[bool, None]:
        return True, None

    def migrate_volume(self, context: Any, volume: Any, host: Any) -> tuple[bool, None]:
        return False, None

    def update_migrated_volume(
        self, context: Any, volume: Any, new_volume: Any, original_volume_status: str
    ) -> dict[str, Any]:
        return {"_name_id": new_volume["_name_id"] or new_volume["id"]}

    # -- attaching: the "device" is the file --------------------------------------------------
    def ensure_export(self, context: Any, volume: Any) -> None:
        pass

    def create_export(self, context: Any, volume: Any, connector: Any) -> None:
        pass

    def remove_export(self, context: Any, volume: Any) -> None:
        pass

    def initialize_connection(self, volume: Any, connector: Any, **kwargs: Any) -> dict[str, Any]:
        return {
            "driver_volume_type": "local",
            "data": {"device_path": self.local_path(volume)},
        }

    def terminate_connection(self, volume: Any, connector: Any, **kwargs: Any) -> None:
        pass

    def _update_volume_stats(self) -> None:
        self._stats = {
            "volume_backend_name": self.configuration.volume_backend_name,
            "vendor_name": "devcloud",
            "driver_version": self.VERSION,
            "storage_protocol": "local",
            # What the disk really has is not asked: volumes are sparse.
            "total_capacity_gb": CAPACITY_GIB,
            "free_capacity_gb": CAPACITY_GIB,
            "provisioned_capacity_gb": 0,
            "max_over_subscription_ratio": 20,
            "reserved_percentage": 0,
            "thin_provisioning_support": True,
            "thick_provisioning_support": False,
            "QoS_support": False,
            "multiattach": True,
            "online_extend_support": True,
        }
