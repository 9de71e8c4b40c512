"""Pack the downpour that runs here into a wheel, however it was installed.

It may have been installed from a wheel, or from a clone that no longer exists or has changed.  So
the imported files are packed, in the binary distribution format
(packaging.python.org/specifications/binary-distribution-format).
"""

from __future__ import annotations

import base64
import hashlib
import os.path
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path

from downpour_export.errors import KitError

_WHEEL = """\
Wheel-Version: 1.0
Generator: downpour
Root-Is-Purelib: true
Tag: py3-none-any
"""
_NOT_CARRIED = ("INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json")
"""Files of ``.dist-info`` that belong to one installation, or that ``pack`` writes itself."""


def pack(directory: Path) -> Path:
    """Write the wheel into ``directory``; the same bytes for the same downpour.

    Raises KitError where downpour runs without having been installed.
    """
    installed = _installed()
    info = f"downpour-{installed.version}.dist-info"
    members = dict(sorted(_members(installed, info)))
    members[f"{info}/WHEEL"] = _WHEEL.encode()
    lines = [f"{name},{_digest(data)},{len(data)}\n" for name, data in members.items()]
    members[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    path = directory / f"downpour-{installed.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            # A fixed time and mode; ZipInfo's own time is 1980.
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return path


def _installed() -> Distribution:
    """The installed distribution; not a clone in the working directory, which has no WHEEL file."""
    for candidate in distributions(name="downpour"):
        if candidate.read_text("WHEEL") is not None:
            return candidate
    raise KitError("downpour is not installed here", remedy="pip install it, then make the kit")


def _members(installed: Distribution, info: str) -> Iterator[tuple[str, bytes]]:
    for package in (installed.read_text("top_level.txt") or "").split():
        spec = find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            for path in Path(folder).rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    yield f"{package}/{path.relative_to(folder).as_posix()}", path.read_bytes()
    for file in installed.files or ():
        if file.parts[0] == info and file.parts[1] not in _NOT_CARRIED:
            yield file.as_posix(), file.read_binary()
        elif file.parts[0] == ".." and "share" in file.parts and os.path.isfile(file.locate()):
            # Manual pages and completion lie below the prefix, beside the packages' own folder.
            below = "/".join(file.parts[file.parts.index("share") :])
            yield f"{info.replace('.dist-info', '.data')}/data/{below}", file.read_binary()


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"
