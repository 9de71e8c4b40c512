"""The downpour that runs here as a wheel, however it came to be installed.

It may have come from a wheel, from a clone that is gone by now, or from one that is being worked
on; so it is packed from what is imported, as the binary distribution format says
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
"""What belongs to one installation, or is written anew."""


def pack(directory: Path) -> Path:
    """Write the wheel into ``directory``; the same bytes for the same downpour.

    Raises KitError where downpour runs without having been installed.
    """
    own = _installed()
    info = f"downpour-{own.version}.dist-info"
    members = dict(sorted(_members(own, info)))
    members[f"{info}/WHEEL"] = _WHEEL.encode()
    lines = [f"{name},{_digest(data)},{len(data)}\n" for name, data in members.items()]
    members[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    path = directory / f"downpour-{own.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            # A fixed time and mode; ZipInfo's own time is 1980.
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return path


def _installed() -> Distribution:
    """A clone that is the working directory also passes for one, without what a wheel needs."""
    for own in distributions(name="downpour"):
        if own.read_text("WHEEL") is not None:
            return own
    raise KitError("downpour is not installed here", remedy="pip install it, then make the kit")


def _members(own: Distribution, info: str) -> Iterator[tuple[str, bytes]]:
    for package in (own.read_text("top_level.txt") or "").split():
        spec = find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            for path in Path(folder).rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    yield f"{package}/{path.relative_to(folder).as_posix()}", path.read_bytes()
    for each in own.files or ():
        if each.parts[0] == info and each.parts[1] not in _NOT_CARRIED:
            yield each.as_posix(), each.read_binary()
        elif each.parts[0] == ".." and "share" in each.parts and os.path.isfile(each.locate()):
            # Manual pages and completion lie below the prefix, beside the packages' own folder.
            below = "/".join(each.parts[each.parts.index("share") :])
            yield f"{info.replace('.dist-info', '.data')}/data/{below}", each.read_binary()


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"
