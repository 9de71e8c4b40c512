"""Collect the wheels that the far side needs into a directory with an installer."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import string
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from bundle_spec.durable import sync_folder
from bundle_spec.errors import LocalError
from bundle_spec.progress import NULL, Progress
from downpour_export.errors import KitError
from downpour_export.kit.closure import Wheel, closure, read_wheel
from downpour_export.kit.far_side import FarSide
from downpour_export.kit.own_wheel import pack

SUMS = "SHA256SUMS"
_PLATFORM = "PLATFORM"
_INSTALLER = "install.sh"
_WHEELS = "wheels"
_ROUNDS = 5
"""How often pip is called at most: each call adds the requirements that markers hid from the one
before.  One call usually is enough."""


@dataclass(frozen=True, kw_only=True)
class KitOptions:
    """``directory``: of the kit alone.  ``pythons``: like ``3.11``.  ``platform``: PEP 600 tag."""

    directory: Path
    pythons: tuple[str, ...]
    platform: str

    def far_sides(self) -> list[FarSide]:
        """Raises UsageError."""
        return [FarSide(python, self.platform) for python in self.pythons]


@dataclass(frozen=True)
class Kit:
    """``size``: bytes of all files.  ``sums_sha256``: the digest of SHA256SUMS, which identifies
    the whole kit.  ``made`` False: it existed already."""

    directory: Path
    wheels: int
    size: int
    sums_sha256: str
    made: bool


def make_kit(options: KitOptions, progress: Progress = NULL) -> Kit:
    """Make the kit, or keep an undamaged one of the same downpour with the same options.

    A directory that is not a kit is never changed; an older kit is replaced when the new one is
    complete.  Raises UsageError, KitError, LocalError.
    """
    far_sides = options.far_sides()
    directory = options.directory.absolute()
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        _refuse_what_is_no_kit(directory)
        with tempfile.TemporaryDirectory(prefix=f".{directory.name}.", dir=directory.parent) as tmp:
            own_wheel = pack(Path(tmp))
            old_wheel = directory / _WHEELS / own_wheel.name
            if old_wheel.is_file() and old_wheel.read_bytes() == own_wheel.read_bytes():
                kept = _undamaged(directory, options)
                if kept is not None:
                    return kept
            new = Path(tmp, "kit")
            _fill(new, own_wheel, far_sides, Path(tmp), progress)
            _put_in_place(new, directory, Path(tmp, "old"))
    except OSError as exc:
        raise LocalError(f"the kit cannot be written: {exc}", where=str(directory)) from exc
    return _kit(directory, made=True)


def _fill(
    kit: Path, own_wheel: Path, far_sides: Sequence[FarSide], tmp: Path, progress: Progress
) -> None:
    wheels = kit / _WHEELS
    wheels.mkdir(parents=True)
    for far in far_sides:
        with progress.task(f"wheels for Python {far.python}", None, "resources") as task:
            chosen = _gather(own_wheel, far, tmp)
            lines = []
            for wheel in chosen:
                os.replace(wheel.path, wheels / wheel.path.name)
                if wheel.name != "pip":
                    digest = _sha256(wheels / wheel.path.name)
                    lines.append(f"{wheel.name}=={wheel.version} --hash=sha256:{digest}\n")
                task.advance(1)
        (kit / f"requirements-{far.python}.txt").write_text("".join(lines))
    (kit / _PLATFORM).write_text(f"{far_sides[0].platform}\n")
    (kit / _INSTALLER).write_text(_shipped(_INSTALLER))
    readme = string.Template(_shipped("README.txt"))
    (kit / "README.txt").write_text(
        readme.substitute(
            version=version("downpour"),
            pythons=", ".join(far.python for far in far_sides),
            platform=far_sides[0].platform,
        )
    )
    names = sorted(path.relative_to(kit).as_posix() for path in _files(kit))
    (kit / SUMS).write_text("".join(f"{_sha256(kit / name)}  {name}\n" for name in names))


def _shipped(name: str) -> str:
    """The text of a file of this package."""
    return resources.files("downpour_export.kit").joinpath(name).read_text()


def _gather(own_wheel: Path, far: FarSide, tmp: Path) -> tuple[Wheel, ...]:
    """The wheels of downpour, all that it requires on the far side, and pip to install them."""
    roots = ["downpour", "pip"]
    asked = [str(own_wheel), "pip"]
    for attempt in range(_ROUNDS):
        folder = tmp / f"{far.python}-{attempt}"
        _download(asked, far, folder)
        closed = closure(map(read_wheel, sorted(folder.glob("*.whl"))), roots, far)
        if not closed.lacking:
            return closed.reached
        asked += sorted({f"{need.name}{need.specifier}" for need in closed.lacking})
    raise KitError(
        f"these packages cannot be gathered for Python {far.python}: {', '.join(asked[2:])}",
        remedy=f"make the kit with Python {far.python}",
    )


def _download(asked: Sequence[str], far: FarSide, folder: Path) -> None:
    platforms = [word for name in far.platforms() for word in ("--platform", name)]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"]
    command += ["--quiet", "--dest", str(folder), "--only-binary", ":all:"]
    command += ["--implementation", "cp", "--python-version", far.python, *platforms, *asked]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        if "No module named pip" in done.stderr:
            raise KitError(
                "this Python has no pip to gather wheels with",
                remedy=f"{sys.executable} -m ensurepip",
            )
        raise KitError(
            f"pip cannot gather the wheels for Python {far.python} on {far.platform}: "
            f"{_what_pip_says(done.stderr)}",
            remedy="see whether pip reaches its index here, and whether the Python and the "
            "platform are right",
        )


def _what_pip_says(stderr: str) -> str:
    """pip's errors in one line, without the long list of versions for other Pythons."""
    lines = stderr.strip().splitlines()
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    reasons = [line for line in errors if not line.startswith("Ignored the following") and line]
    if "Exception:" in reasons:
        reasons = lines[-1:]
    return "; ".join(reasons or lines[-1:])


def _refuse_what_is_no_kit(directory: Path) -> None:
    """Only an empty directory or a kit and nothing else may be replaced.  Raises LocalError."""
    if not os.path.lexists(directory):
        return
    if directory.is_dir() and not directory.is_symlink():
        if not any(directory.iterdir()):
            return
        found = set(_entries(directory)) - {SUMS}
        if found and found <= _listed(directory).keys():
            return
    raise LocalError(
        "what is there is not a kit, or holds more than a kit",
        where=str(directory),
        remedy="name another directory",
    )


def _undamaged(directory: Path, options: KitOptions) -> Kit | None:
    """The existing kit, if it is for the same far sides, has our installer, and its digests are
    right."""
    listed = _listed(directory)
    wanted = {f"requirements-{python}.txt" for python in options.pythons}
    if {name for name in listed if name.startswith("requirements-")} != wanted:
        return None
    # A list can name files elsewhere: no file is read but those of the directory.
    if {SUMS, *listed} != set(_entries(directory)):
        return None
    same = {_PLATFORM: f"{options.platform}\n", _INSTALLER: _shipped(_INSTALLER)}
    for name, text in same.items():
        if name not in listed or (directory / name).read_bytes() != text.encode():
            return None
    if any(_sha256(directory / name) != digest for name, digest in listed.items()):
        return None
    return _kit(directory, made=False)


def _put_in_place(new: Path, directory: Path, old: Path) -> None:
    for path in _files(new):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    if directory.exists():
        os.rename(directory, old)
    os.rename(new, directory)
    sync_folder(directory.parent)
    if old.exists():
        shutil.rmtree(old)


def _kit(directory: Path, *, made: bool) -> Kit:
    return Kit(
        directory,
        wheels=len(list((directory / _WHEELS).iterdir())),
        size=sum(path.stat().st_size for path in _files(directory)),
        sums_sha256=_sha256(directory / SUMS),
        made=made,
    )


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if not path.is_dir())


def _entries(directory: Path) -> Iterator[str]:
    """The names below a directory; of what is no regular file with a "/" behind, as no list has
    them.  Not ``wheels`` itself."""
    for path in directory.rglob("*"):
        name, mode = path.relative_to(directory).as_posix(), path.lstat().st_mode
        if stat.S_ISREG(mode):
            yield name
        elif not (name == _WHEELS and stat.S_ISDIR(mode)):
            yield f"{name}/"


def _listed(directory: Path) -> dict[str, str]:
    """File name -> digest in SHA256SUMS; empty if there is no such file."""
    path = directory / SUMS
    if path.is_symlink() or not path.is_file():
        return {}
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {
        name: digest
        for digest, _, name in (line.partition("  ") for line in lines)
        if not name.endswith("/")
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
