"""The disks: file systems of real files, cloned, each clone then changed as a server's life does.

Nothing is mounted and no root is needed: mkfs.ext4 fills a file from a tree, debugfs changes it.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tests.bench.errors import BenchError

ROOTS = ("/usr/share", "/usr/lib", sys.base_prefix, sys.prefix)
"""Where real files are: texts, programs, libraries, archives."""

USED = 0.75
"""Part of a disk's size that its files take."""

CHANGED = 0.04
"""Part of the used bytes that are other ones in each clone."""

BLOCK = 4096
LARGEST = 1 / 16
"""No file takes more than this part of what is wanted: a few large ones would be the whole disk."""

# What a line of a debugfs script, and every file system, takes without quotes.
_PLAIN = re.compile(r"[A-Za-z0-9._+@/-]+")

# One disk is made like another, by name and by the hashes that order a directory.
_IDENTITY = "6d1f5f0e-0000-4000-8000-000000000001"


@dataclass(frozen=True, slots=True)
class RealFile:
    """``size`` in bytes as a file system stores it: whole blocks."""

    path: Path
    size: int

    @property
    def place(self) -> PurePosixPath:
        """Where it lies in a disk."""
        return PurePosixPath(*self.path.parts[1:])


def make(folder: Path, size: int, clones: int) -> list[Path]:
    """``clones`` raw disks of ``size`` bytes in ``folder``: ``disk1.raw``, ``disk2.raw``, …

    All are clones of one file system; in each, CHANGED of the used bytes have been replaced.  The
    choice of files is the same in every run.  Raises BenchError when the machine has too few.
    """
    chance = random.Random(20)
    used = int(size * USED)
    changed = int(used * CHANGED)
    files = _real_files(used + clones * changed, chance)
    tree, others = _take(files, used)
    golden = folder / "golden.raw"
    _make_file_system(golden, size, tree, folder / "tree")
    disks = []
    for number in range(1, clones + 1):
        disk = folder / f"disk{number}.raw"
        _run("cp", "--sparse=always", golden, disk)
        new, others = _take(others, changed)
        gone, _ = _take(chance.sample(tree, len(tree)), changed)
        _change(disk, gone, new, folder / "change.debugfs")
        disks.append(disk)
    golden.unlink()
    return disks


def convert(disk: Path) -> Path:
    """The same disk as qcow2, beside it."""
    target = disk.with_suffix(".qcow2")
    _run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", disk, target)
    return target


def _real_files(wanted: int, chance: random.Random) -> list[RealFile]:
    """Files of at least ``wanted`` bytes, those of one directory together.

    Directories come in a shuffled order, so that any part of the list is a mixture.
    """
    folders: list[list[RealFile]] = []
    found = 0
    for files in _walk(wanted):
        folders.append(files)
        found += sum(file.size for file in files)
        if found >= 4 * wanted:
            break
    if found < wanted:
        raise BenchError(
            f"{found >> 20} MiB of real files are in {', '.join(ROOTS)}, and "
            f"{wanted >> 20} MiB are needed to fill the disks."
        )
    chance.shuffle(folders)
    return [file for files in folders for file in files]


def _walk(wanted: int) -> Iterator[list[RealFile]]:
    """The files of each directory, in the order of their names; none of them twice."""
    seen: set[str] = set()
    for root in ROOTS:
        for folder, names, leaves in os.walk(os.path.realpath(root)):
            names.sort()
            if folder in seen:
                names.clear()
                continue
            seen.add(folder)
            if files := [*_plain_files(Path(folder), sorted(leaves), int(wanted * LARGEST))]:
                yield files


def _plain_files(folder: Path, leaves: list[str], largest: int) -> Iterator[RealFile]:
    for leaf in leaves:
        path = folder / leaf
        # Python writes its caches while this runs.
        if not _PLAIN.fullmatch(str(path)) or leaf.endswith(".pyc"):
            continue
        try:
            status = path.lstat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) and 0 < status.st_size <= largest and os.access(path, 4):
            yield RealFile(path, -(-status.st_size // BLOCK) * BLOCK)


def _take(files: list[RealFile], wanted: int) -> tuple[list[RealFile], list[RealFile]]:
    """The first of ``files`` that have ``wanted`` bytes together, and all others."""
    taken: list[RealFile] = []
    size = 0
    rest = iter(files)
    left: list[RealFile] = []
    for file in rest:
        if file.size > wanted * LARGEST:
            left.append(file)
            continue
        taken.append(file)
        size += file.size
        if size >= wanted:
            break
    return taken, [*left, *rest]


def _make_file_system(disk: Path, size: int, files: list[RealFile], tree: Path) -> None:
    folders: set[Path] = set()
    for file in files:
        copy = tree / file.place
        if copy.parent not in folders:
            copy.parent.mkdir(parents=True, exist_ok=True)
            folders.add(copy.parent)
        shutil.copyfile(file.path, copy)
    inodes = size // 16384 + len(files)
    # No journal: it would be zeros only, and most of the smallest disk.
    _run(
        *(
            "mkfs.ext4",
            "-q",
            "-F",
            "-O",
            "^has_journal",
            "-b",
            str(BLOCK),
            "-m",
            "0",
            "-N",
            str(inodes),
        ),
        *("-U", _IDENTITY, "-E", f"hash_seed={_IDENTITY},root_owner=0:0", "-d", tree),
        *(disk, str(size // BLOCK)),
    )
    shutil.rmtree(tree)


def _change(disk: Path, gone: list[RealFile], new: list[RealFile], script: Path) -> None:
    """Remove ``gone`` and write ``new``, as far as there are both under the same names."""
    lines = []
    for file in gone:
        lines.append(f"rm /{file.place}")
    for number, file in enumerate(new):
        old = gone[number % len(gone)].place
        name = old.name if number < len(gone) else f"{old.name}.{number}"
        lines += [f"cd /{old.parent}", f"write {file.path} {name}"]
    script.write_text("\n".join(lines) + "\n")
    said = _run("debugfs", "-w", "-f", script, disk)
    script.unlink()
    # debugfs ends with 0 whatever happens; after its version, stderr has only complaints.
    complaints = said.splitlines()[1:]
    if complaints:
        raise BenchError(f"debugfs could not change a disk: {complaints[0]}")


def _run(*command: str | Path) -> str:
    """Run a tool; returns what it said on stderr."""
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BenchError(f"{command[0]} ended with {done.returncode}: {last}")
    return done.stderr
