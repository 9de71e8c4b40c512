"""What a manifest says of the file itself: sizes, counts, names within their limits.

Pure, and done before anything is allocated by what a manifest says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from bundle_spec import layout
from bundle_spec.errors import BundleError
from bundle_spec.model import AbandonedDisk, Disk, Manifest

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DISK_ID = re.compile(r"(?!0000)[0-9]{4}")


def manifest_faults(manifest: Manifest) -> Iterator[BundleError]:
    """Every breach of the rules M-8 to M-13."""

    def fault(message: str, place: str) -> BundleError:
        return BundleError(message, where=f"{layout.MANIFEST_NAME}: {place}")

    if not _UUID.fullmatch(manifest.uuid):
        yield fault(f"{manifest.uuid!r} is not a UUID in lower case", "uuid")
    if not _is_sha256(manifest.index_sha256):
        yield fault("not a SHA-256 in hex", "index_sha256")
    sections: tuple[tuple[str, tuple[Disk | AbandonedDisk, ...]], ...] = (
        ("disks", manifest.disks),
        ("abandoned", manifest.abandoned),
    )
    for section, disks in sections:
        for number, disk in enumerate(disks):
            for message in _disk_faults(disk):
                yield fault(message, f"{section}[{number}]")
        if [disk.id for disk in disks] != sorted(disk.id for disk in disks):
            yield fault("not in the order of the ids", section)
    ids = Counter(disk.id for disk in manifest.all_disks())
    for each in sorted(each for each, count in ids.items() if count > 1):
        yield fault(f"two disks have the id {each}", "disks")
    total = sum(max(0, disk.chunks) for disk in manifest.all_disks())
    if total > layout.MAX_TOTAL_CHUNKS:
        yield fault(f"more than {layout.MAX_TOTAL_CHUNKS} chunks", "disks")
    for message, place in _file_faults(manifest):
        yield fault(message, place)


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


def _disk_faults(disk: Disk | AbandonedDisk) -> Iterator[str]:
    if not _DISK_ID.fullmatch(disk.id):
        yield f"{disk.id!r} is not an id: four digits from 0001"
    digests = {"list_sha256": disk.list_sha256}
    if isinstance(disk, Disk):
        digests["sha256"] = disk.sha256
    for key, value in digests.items():
        if not _is_sha256(value):
            yield f"{key} is not a SHA-256 in hex"
    size = disk.chunk_size
    if not layout.MIN_CHUNK_SIZE <= size <= layout.MAX_CHUNK_SIZE or size & (size - 1):
        yield f"the chunk size {size} is not a power of two from 64 KiB to 16 MiB"
    elif disk.size < 0 or disk.chunks != layout.chunk_count(disk.size, size):
        yield f"{disk.size} bytes do not make {disk.chunks} chunks of {size}"
    elif isinstance(disk, AbandonedDisk) and disk.size % size:
        yield "an abandoned disk ends within a chunk"
    if disk.chunks > layout.MAX_CHUNKS:
        yield f"{disk.chunks} chunks are more than {layout.MAX_CHUNKS}"


def _file_faults(manifest: Manifest) -> Iterator[tuple[str, str]]:
    if len(manifest.files) > layout.MAX_FILES:
        yield f"more than {layout.MAX_FILES}", "files"
        return
    seen: set[str] = set()
    folders: set[str] = set()
    for number, file in enumerate(manifest.files):
        place = f"files[{number}]"
        if message := layout.file_path_fault(file.path):
            yield message, f"{place}.path"
        # Some file systems take names that differ only in case for one name.
        name = file.path.lower()
        if name in seen:
            yield f"{file.path!r} stands twice", f"{place}.path"
        seen.add(name)
        folders.update(name[:cut] for cut, letter in enumerate(name) if letter == "/")
        if not 0 <= file.size <= layout.MAX_FILE_SIZE:
            yield f"a size of {file.size} bytes is out of bounds", f"{place}.size"
        if not _is_sha256(file.sha256):
            yield "not a SHA-256 in hex", f"{place}.sha256"
    for name in sorted(seen & folders):
        yield f"{name!r} is a file and a directory", "files"
    paths = [file.path for file in manifest.files]
    if paths != sorted(paths):
        yield "not in the order of the paths", "files"
