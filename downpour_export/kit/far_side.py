"""The machine that a kit is for: its Python, the oldest glibc it may have, and its processor."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass

from bundle_spec.errors import UsageError

_LEGACY = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
"""The names of glibc 2.5, 2.12 and 2.17 before PEP 600."""


def this_python() -> str:
    """The Python that runs this, like ``3.11``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def usual_platform() -> str:
    """glibc 2.28 (Debian 10, RHEL 8 and later) on a processor of this machine's kind."""
    return f"manylinux_2_28_{platform.machine()}"


@dataclass(frozen=True)
class FarSide:
    """One Python (``3.11``) on a platform (``manylinux_2_28_x86_64``, as PEP 600 names it).

    Raises UsageError.
    """

    python: str
    platform: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"3\.(1[1-9]|[2-9][0-9])", self.python):
            raise UsageError(f"--python takes 3.11 or later, not {self.python!r}")
        if not re.fullmatch(r"manylinux_2_([0-9]{1,2})_([a-z0-9_]+)", self.platform):
            raise UsageError(
                f"--platform takes a name like manylinux_2_28_x86_64, not {self.platform!r}",
                remedy="2_28 is the far side's glibc: ldd --version tells it",
            )

    @property
    def glibc(self) -> int:
        """28 for glibc 2.28."""
        return int(self.platform.split("_")[2])

    @property
    def machine(self) -> str:
        """``x86_64``."""
        return self.platform.split("_", 3)[3]

    def platforms(self) -> list[str]:
        """The tags of all platforms whose wheels run on it, the newest first.

        PEP 600: a wheel for an older glibc runs on a newer one.  pip takes names literally.
        """
        names = []
        for minor in range(self.glibc, 4, -1):
            names.append(f"manylinux_2_{minor}_{self.machine}")
            if minor in _LEGACY:
                names.append(f"{_LEGACY[minor]}_{self.machine}")
        return [*names, f"linux_{self.machine}"]

    def markers(self) -> dict[str, str]:
        """The values of its environment markers (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }
