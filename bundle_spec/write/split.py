"""Split a finished bundle; ``BundleWriter(part_size=…)`` splits one as it is written."""

from __future__ import annotations

from pathlib import Path

from bundle_spec.check.verify import verify_files
from bundle_spec.errors import LocalError
from bundle_spec.progress import NULL, Progress
from bundle_spec.read.parts import MAX_PARTS, find_parts
from bundle_spec.read.source import Source
from bundle_spec.write.partial import PartialFile


def split_bundle(
    path: Path, part_size: int, folder: Path | None = None, *, progress: Progress = NULL
) -> Path:
    """Write parts of ``part_size`` bytes and their list into ``folder``, else beside the bundle.

    The parts are verified before they get their final names [S-1] [S-2]; the bundle stays.  Returns
    the path of the list.  Raises LocalError; BundleFaults when the bundle is not whole, or the
    medium does not give back what was written.
    """
    with Source(path, find_parts(path)) as source:
        if source.size > part_size * MAX_PARTS:
            raise LocalError(
                f"parts of {part_size} bytes would be more than {MAX_PARTS}",
                where=str(path),
                remedy=f"take parts of at least {-(-source.size // MAX_PARTS)} bytes",
            )
        target = (folder or path.parent) / path.name
        file = PartialFile(target, overwrite=False, part_size=part_size, beside_whole=True)
        try:
            if file.has_earlier_bytes:
                file.take_back(MAX_PARTS)
            file.refuse_to_overwrite()
            file.begin()
            with progress.task("split", source.size, "bytes") as task:
                for piece in source.pieces(0, source.size):
                    file.write(piece)
                    task.advance(len(piece))
            file.flush()
            file.sync()
            verify_files(file.path, file.files(), "stored", progress)
            return file.publish()
        except BaseException:
            file.discard()
            raise
