"""Check what a manifest says of the file itself: sizes, counts and names, within their limits.

Done before a size in the manifest decides how much memory is allocated.  Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from bundle_spec.codes import Code
from bundle_spec.errors import BundleError
from bundle_spec.form import layout
from bundle_spec.form.value_check import value_faults
from bundle_spec.model import AbandonedDisk, Disk, Manifest
from bundle_spec.text import quoted, shortened

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DISK_ID = re.compile(r"(?!0000)[0-9]{4}")


def is_uuid(text: str) -> bool:
    """Whether it is a UUID in the one form of the format [M-11]."""
    return bool(_UUID.fullmatch(text))


def manifest_faults(manifest: Manifest) -> Iterator[BundleError]:
    """Every breach of M-8 to M-12, M-21 and M-22, and of F-17 by what the manifest says."""
    for code, message, place in value_faults(manifest):
        yield _fault(code, message, place)
    if not is_uuid(manifest.uuid):
        message = f"{quoted(manifest.uuid)} is not a UUID in lower case"
        yield _fault(Code.DIGEST_FORM, message, "uuid")
    if not _is_sha256(manifest.index_sha256):
        yield _fault(Code.DIGEST_FORM, "not a SHA-256 in hex", "index_sha256")
    sections: tuple[tuple[str, tuple[Disk | AbandonedDisk, ...]], ...] = (
        ("disks", manifest.disks),
        ("abandoned", manifest.abandoned),
    )
    for section, disks in sections:
        for number, disk in enumerate(disks):
            for code, message in _disk_faults(disk):
                yield _fault(code, message, f"{section}[{number}]")
        if [disk.id for disk in disks] != sorted(disk.id for disk in disks):
            yield _fault(Code.DISK_ORDER, "not in the order of the ids", section)
    ids = Counter(disk.id for disk in manifest.all_disks())
    for repeated in sorted(disk_id for disk_id, count in ids.items() if count > 1):
        yield _fault(Code.DISK_ORDER, f"two disks have the id {shortened(repeated)}", "disks")
    total = sum(max(0, disk.chunks) for disk in manifest.all_disks())
    if total > layout.MAX_TOTAL_CHUNKS:
        yield _fault(Code.LIMIT, f"more than {layout.MAX_TOTAL_CHUNKS} chunks", "disks")
    yield from _file_faults(manifest)


def _fault(code: Code, message: str, place: str) -> BundleError:
    return BundleError(message, where=f"{layout.MANIFEST_NAME}: {place}", code=code)


def index_size(manifest: Manifest) -> int:
    """The bytes of INDEX [F-11]: an entry for each chunk, chunk list and file."""
    entries = sum(disk.chunks + 1 for disk in manifest.all_disks()) + len(manifest.files)
    return entries * layout.INDEX_ENTRY


def _is_sha256(text: str) -> bool:
    try:
        layout.sha256_text(text)
    except ValueError:
        return False
    return True


def _disk_faults(disk: Disk | AbandonedDisk) -> Iterator[tuple[Code, str]]:
    if not _DISK_ID.fullmatch(disk.id):
        yield Code.DISK_ID, f"{quoted(disk.id)} is not an id: four digits from 0001"
    digests = {"list_sha256": disk.list_sha256}
    if isinstance(disk, Disk):
        digests["sha256"] = disk.sha256
    for key, value in digests.items():
        if not _is_sha256(value):
            yield Code.DIGEST_FORM, f"{key} is not a SHA-256 in hex"
    size = disk.chunk_size
    if not layout.MIN_CHUNK_SIZE <= size <= layout.MAX_CHUNK_SIZE or size & (size - 1):
        message = f"the chunk size {size} is not a power of two from 64 KiB to 16 MiB"
        yield Code.CHUNK_SIZE, message
    elif disk.size >= 0 and 0 <= disk.chunks != layout.chunk_count(disk.size, size):
        yield Code.CHUNK_COUNT, f"{disk.size} bytes do not make {disk.chunks} chunks of {size}"
    if disk.chunks > layout.MAX_CHUNKS:
        yield Code.LIMIT, f"{disk.chunks} chunks are more than {layout.MAX_CHUNKS}"


def _file_faults(manifest: Manifest) -> Iterator[BundleError]:
    if len(manifest.files) > layout.MAX_FILES:
        yield _fault(Code.LIMIT, f"more than {layout.MAX_FILES}", "files")
        return
    seen: set[str] = set()
    folders: set[str] = set()
    for number, file in enumerate(manifest.files):
        place = f"files[{number}]"
        if message := layout.file_path_fault(file.path):
            yield _fault(Code.FILE_PATH, message, f"{place}.path")
        else:
            # Some file systems take names that differ only in case for one name.
            name = file.path.lower()
            if name in seen:
                yield _fault(Code.FILE_PATH, f"{file.path!r} stands twice", f"{place}.path")
            seen.add(name)
            # Only for a path within its limit: one with a million slashes would take all memory.
            folders.update(name[:cut] for cut, letter in enumerate(name) if letter == "/")
        if file.size > layout.MAX_FILE_SIZE:
            message = f"a size of {file.size} bytes is out of bounds"
            yield _fault(Code.LIMIT, message, f"{place}.size")
        if not _is_sha256(file.sha256):
            yield _fault(Code.DIGEST_FORM, "not a SHA-256 in hex", f"{place}.sha256")
    for name in sorted(seen & folders):
        yield _fault(Code.FILE_PATH, f"{name!r} is a file and a directory", "files")
    paths = [file.path for file in manifest.files]
    if paths != sorted(paths):
        yield _fault(Code.FILE_ORDER, "not in the order of the paths", "files")
