"""What all the checks use: connections, known bytes, a record of what passed, cleaning."""

from __future__ import annotations

import hashlib
import random
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import NotFoundException

from ..cloud import Cloud
from ..seed import connect

MIB = 1 << 20
PREFIX = "accept-"
"""Begins the name of all that is made here; what is named otherwise is left alone."""


class Bench:
    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder
        self.demo: Connection = connect(cloud, cloud.demo)
        self.other: Connection = connect(cloud, cloud.other)
        self.passed = 0
        self.failed = 0
        self.things: dict[str, Any] = {}
        """What one check made and later ones need."""

    @contextmanager
    def check(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except Exception:
            self.failed += 1
            verdict = "FAIL"
            traceback.print_exc()
        else:
            self.passed += 1
            verdict = "ok"
        seconds = time.monotonic() - began
        print(f"{self.cloud.name} {verdict:<4} {seconds:5.1f} s  {what}", flush=True)

    # -- known bytes ------------------------------------------------------------------------
    def disk_files(self) -> tuple[Path, Path]:
        """The same disk, raw (data and holes) and qcow2."""
        raw, qcow2 = self.folder / "disk.raw", self.folder / "disk.qcow2"
        if not raw.exists():
            noise = random.Random(7)
            with raw.open("wb") as file:
                for _ in range(4):
                    file.write(noise.randbytes(4 * MIB))
                    file.seek(4 * MIB, 1)
                file.truncate(32 * MIB)
            qemu_img_convert(raw, qcow2, "qcow2")
        return raw, qcow2

    def downloaded(self, image_id: str) -> bytes:
        response = self.demo.image.download_image(image_id, stream=True)
        return b"".join(response.iter_content(MIB))

    # -- waiting ----------------------------------------------------------------------------
    def image_when_active(self, image_id: str) -> Any:
        def active() -> Any:
            image = self.demo.image.get_image(image_id)
            assert image.status not in ("killed", "deleted"), image.status
            return image if image.status == "active" else None

        return until(active)

    def volume_when(self, status: str, volume: Any) -> Any:
        def reached() -> Any:
            now = self.demo.block_storage.get_volume(volume.id)
            assert "error" not in now.status, now.status
            return now if now.status == status else None

        return until(reached)

    def snapshot_when_available(self, snapshot: Any) -> Any:
        return self.demo.block_storage.wait_for_status(snapshot, "available", interval=0.2, wait=60)

    def server_when(self, status: str, server: Any) -> Any:
        def reached() -> Any:
            now = self.demo.compute.get_server(server.id)
            assert now.status == status or now.status != "ERROR", now.fault
            return now if now.status == status and now.task_state is None else None

        return until(reached)


def until(answer: Callable[[], Any], timeout: float = 120) -> Any:
    """The first answer that is something."""
    deadline = time.monotonic() + timeout
    while not (got := answer()):
        if time.monotonic() > deadline:
            raise TimeoutError("it does not come")
        time.sleep(0.2)
    return got


def is_gone(get: Callable[[str], Any], identifier: str) -> bool:
    try:
        get(identifier)
    except NotFoundException:
        return True
    return False


def overwrite(path: Path, data: bytes, offset: int = 5 * MIB) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def beginning(path: Path) -> bytes:
    """All that is not a hole, in volumes with a small image or with overwritten bytes."""
    with path.open("rb") as file:
        return file.read(32 * MIB)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def qemu_img_convert(source: Path, target: Path, form: str) -> None:
    subprocess.run(["qemu-img", "convert", "-O", form, source, target], check=True)
