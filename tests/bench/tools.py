"""The system's tools that are measured against, or make what is measured."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

from tests.bench.errors import BenchError
from tests.devcloud import DevcloudError
from tests.devcloud.install import require_qemu_img

PACKAGES = {
    "mkfs.ext4": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "qemu-img": "qemu-utils",
    "zstd": "zstd",
    "openssl": "openssl",
    "sha256sum": "coreutils",
    "sync": "coreutils",
}
"""Each with its Debian package."""


def require(tools: Iterable[str]) -> None:
    """See that all ``tools`` are there.  Raises BenchError that names what is to be installed."""
    # Where mkfs.ext4 is, and Debian's users do not look.
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    tools = [*tools]
    missing = [tool for tool in tools if tool != "qemu-img" and not shutil.which(tool)]
    if missing:
        packages = " ".join(sorted({PACKAGES[tool] for tool in missing}))
        verb = "is" if len(missing) == 1 else "are"
        raise BenchError(
            f"{' and '.join(missing)} {verb} missing: "
            f"install it with `apt-get install {packages}` (or your system's packages)."
        )
    if "qemu-img" in tools:
        try:
            require_qemu_img()
        except DevcloudError as exc:
            raise BenchError(str(exc)) from exc
