"""A small ext4 on a loop device whose power is cut: the kernel's own, where root may mount.

``EXT4_IOC_SHUTDOWN`` lets every further call fail, and throws away what is not on the device, the
file system's own journal too: for whoever writes, the medium has been pulled out.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = 2


def can_mount() -> bool:
    """Whether this machine lets us try."""
    if os.geteuid() or not all(map(shutil.which, ("mkfs.ext4", "mount", "umount"))):
        return False
    listed = Path("/proc/filesystems").read_text().split()
    return "ext4" in listed and os.path.exists("/dev/loop-control")


class Ext4:
    """One of ``size`` bytes, in files below ``folder``; ``path``: where it is mounted."""

    def __init__(self, folder: Path, size: int):
        self._image, self.path = folder / "image", folder / "mounted"
        self.path.mkdir()
        with self._image.open("wb") as file:
            file.truncate(size)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self._image)], check=True)
        self.mount()

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop", str(self._image), str(self.path)], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.path)], check=True)

    def cut(self) -> None:
        """Cut the power; ``mount`` it again to see what is left."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(fd)
