"""Gather the wheels that the far side needs, and make a directory of them that installs itself."""

from __future__ import annotations

import hashlib
import os
import shutil
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
_ROUNDS = 5
"""Each adds what markers hid from pip; one is usual, and two suffice where it is not."""


@dataclass(frozen=True, kw_only=True)
class KitOptions:
    """``directory``: the kit's own.  ``pythons``: like ``3.11``; ``platform``: as PEP 600 says."""

    directory: Path
    pythons: tuple[str, ...]
    platform: str

    def far_sides(self) -> list[FarSide]:
        """Raises UsageError."""
        return [FarSide(python, self.platform) for python in self.pythons]


@dataclass(frozen=True)
class Kit:
    """``size``: bytes of all files.  ``sums_sha256``: the digest of the list of digests, by which
    the whole kit can be told.  ``made`` False: it was there already."""

    directory: Path
    wheels: int
    size: int
    sums_sha256: str
    made: bool


def make_kit(options: KitOptions, progress: Progress = NULL) -> Kit:
    """Make the kit, or leave the one that is there if it is whole and for the same.

    What stands there and is not a kit is never touched; an older kit is replaced when the new one
    is complete.  Raises UsageError, KitError, LocalError.
    """
    far_sides = options.far_sides()
    directory = options.directory.absolute()
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        _refuse_what_is_no_kit(directory)
        with tempfile.TemporaryDirectory(prefix=f".{directory.name}.", dir=directory.parent) as tmp:
            own = pack(Path(tmp))
            there = directory / "wheels" / own.name
            if there.is_file() and there.read_bytes() == own.read_bytes():
                kept = _whole(directory, options)
                if kept is not None:
                    return kept
            made = Path(tmp, "kit")
            _fill(made, own, far_sides, Path(tmp), progress)
            _put_in_place(made, directory, Path(tmp, "old"))
    except OSError as exc:
        raise LocalError(f"the kit cannot be written: {exc}", where=str(directory)) from exc
    return _kit(directory, made=True)


def _fill(
    kit: Path, own: Path, far_sides: Sequence[FarSide], tmp: Path, progress: Progress
) -> None:
    wheels = kit / "wheels"
    wheels.mkdir(parents=True)
    for far in far_sides:
        with progress.task(f"wheels for Python {far.python}", None, "resources") as task:
            chosen = _gather(own, far, tmp)
            lines = []
            for wheel in chosen:
                os.replace(wheel.path, wheels / wheel.path.name)
                if wheel.name != "pip":
                    digest = _sha256(wheels / wheel.path.name)
                    lines.append(f"{wheel.name}=={wheel.version} --hash=sha256:{digest}\n")
                task.advance(1)
        (kit / f"requirements-{far.python}.txt").write_text("".join(lines))
    (kit / _PLATFORM).write_text(f"{far_sides[0].platform}\n")
    files = resources.files("downpour_export.kit")
    (kit / "install.sh").write_text(files.joinpath("install.sh").read_text())
    readme = string.Template(files.joinpath("README.txt").read_text())
    (kit / "README.txt").write_text(
        readme.substitute(
            version=version("downpour"),
            pythons=", ".join(far.python for far in far_sides),
            platform=far_sides[0].platform,
        )
    )
    names = sorted(path.relative_to(kit).as_posix() for path in _files(kit))
    (kit / SUMS).write_text("".join(f"{_sha256(kit / name)}  {name}\n" for name in names))


def _gather(own: Path, far: FarSide, tmp: Path) -> tuple[Wheel, ...]:
    """The wheels that downpour comes to on the far side, and pip to install them."""
    roots = ["downpour", "pip"]
    asked = [str(own), "pip"]
    for attempt in range(_ROUNDS):
        folder = tmp / f"{far.python}-{attempt}"
        _download(asked, far, folder)
        found = closure(map(read_wheel, sorted(folder.glob("*.whl"))), roots, far)
        if not found.lacking:
            return found.reached
        asked += sorted({f"{each.name}{each.specifier}" for each in found.lacking})
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
    """Its errors in one line, without the long list of versions for other Pythons."""
    lines = stderr.strip().splitlines()
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    said = [line for line in errors if not line.startswith("Ignored the following") and line]
    if "Exception:" in said:
        said = lines[-1:]
    return "; ".join(said or lines[-1:])


def _refuse_what_is_no_kit(directory: Path) -> None:
    """Only an empty directory or a kit and nothing else may be replaced.  Raises LocalError."""
    if not directory.exists() and not directory.is_symlink():
        return
    if directory.is_dir() and not directory.is_symlink():
        if not any(directory.iterdir()):
            return
        listed = {SUMS, *_listed(directory)}
        if len(listed) > 1 and all(
            path.relative_to(directory).as_posix() in listed for path in _files(directory)
        ):
            return
    raise LocalError(
        "what is there is not a kit, or holds more than a kit",
        where=str(directory),
        remedy="name another directory",
    )


def _whole(directory: Path, options: KitOptions) -> Kit | None:
    """The kit that is there, if it is for the same far sides and undamaged."""
    listed = _listed(directory)
    wanted = {f"requirements-{python}.txt" for python in options.pythons}
    if {name for name in listed if name.startswith("requirements-")} != wanted:
        return None
    try:
        if (directory / _PLATFORM).read_text().strip() != options.platform:
            return None
        if any(_sha256(directory / name) != digest for name, digest in listed.items()):
            return None
    except FileNotFoundError:
        return None
    return _kit(directory, made=False)


def _put_in_place(made: Path, directory: Path, old: Path) -> None:
    for path in _files(made):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    if directory.exists():
        os.rename(directory, old)
    os.rename(made, directory)
    sync_folder(directory.parent)
    if old.exists():
        shutil.rmtree(old)


def _kit(directory: Path, *, made: bool) -> Kit:
    return Kit(
        directory,
        wheels=len(list((directory / "wheels").iterdir())),
        size=sum(path.stat().st_size for path in _files(directory)),
        sums_sha256=_sha256(directory / SUMS),
        made=made,
    )


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if not path.is_dir())


def _listed(directory: Path) -> dict[str, str]:
    """Name -> digest, as SHA256SUMS says; nothing where there is none."""
    try:
        lines = (directory / SUMS).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
