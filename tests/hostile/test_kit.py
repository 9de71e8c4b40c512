"""A kit whose list is the one that was sent, and beside it what somebody put onto the medium."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from importlib.metadata import distribution
from pathlib import Path

import pytest

from bundle_spec.errors import LocalError
from downpour_export.kit import KitOptions, collect, make_kit, this_python, usual_platform

OWN = "downpour-9-py3-none-any.whl"
PROGRAM = "def main():\n    print('downpour-import 9')\n"
EVIL = "import os; open(os.environ['PROOF'], 'w').close()\n"


def packed(path: Path, name: str, members: Mapping[str, bytes | str]) -> Path:
    info = path.name.split("-py3")[0] + ".dist-info"
    kind = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    version = path.name.split("-")[1]
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", kind)
        archive.writestr(f"{info}/RECORD", "")
    return path


def real_pip(folder: Path) -> Path:
    """The pip that runs here, as a wheel."""
    pip = distribution("pip")
    code = {
        file.as_posix(): file.read_binary()
        for file in pip.files or ()
        if file.parts[0] == "pip" and file.suffix != ".pyc"
    }
    return packed(folder / f"pip-{pip.version}-py3-none-any.whl", "pip", code)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit with the real pip and a small downpour, as ``make_kit`` makes it."""
    folder = tmp_path_factory.mktemp("kit")
    real_pip(folder)
    entry = "[console_scripts]\ndownpour-import = program:main\n"
    own = packed(
        folder / OWN,
        "downpour",
        {"program.py": PROGRAM, "downpour-9.dist-info/entry_points.txt": entry},
    )
    options = KitOptions(
        directory=folder / "kit", pythons=(this_python(),), platform=usual_platform()
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(folder))
        patch.setattr(collect, "pack", lambda to: Path(shutil.copy(own, to / own.name)))
        return make_kit(options).directory


@pytest.fixture
def kit(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "kit")


def install(kit: Path, cwd: Path | None = None, **variables: str) -> tuple[int, str]:
    """Run the installer; what it says.  Code of the medium writes the file ``proof``."""
    proof = kit.parent / "proof"
    done = subprocess.run(
        ["sh", kit / "install.sh", str(kit.parent / "there")],
        cwd=cwd or kit.parent,
        env={
            "PATH": os.environ["PATH"],
            "PYTHON": sys.executable,
            "PROOF": str(proof),
            **variables,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert not proof.exists(), "code of the medium ran"
    return done.returncode, (done.stdout + done.stderr).decode()


def refused(kit: Path) -> str:
    code, said = install(kit, cwd=kit)
    assert code == 1
    assert "error: the kit holds what its list does not have" in said
    assert not (kit.parent / "there").exists()
    return said


def test_a_whole_kit_is_installed(kit: Path) -> None:
    code, said = install(kit, cwd=kit)
    assert (code, "downpour-import 9" in said) == (0, True)
    installed = kit.parent / "there/bin/downpour-import"
    assert subprocess.check_output([installed]) == b"downpour-import 9\n"


PLANTED = [
    "wheels/pip-zz.whl/pip/__main__.py",
    "platform.py",
    "venv.py",
    "sitecustomize.py",
    "usercustomize.py",
    "pip/__main__.py",
    "pip.conf",
    ".hidden",
    "wheels/.hidden",
    "requirements-3.99.txt",
    "wheels/thing-1.0-py3-none-any.whl",
    "PLATFORM\n",
    "PLATFORM\nPLATFORM",
    "wheels\n./PLATFORM",
    " PLATFORM",
    "PLATFORM\\",
    "\u0440LATFORM",
    "-rf",
]


@pytest.mark.parametrize("name", PLANTED)
def test_a_file_that_the_list_does_not_have_is_refused(kit: Path, name: str) -> None:
    path = kit / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(EVIL)
    refused(kit)


def link_out(kit: Path, name: str) -> None:
    """Replace what has the name by a link to the same outside."""
    os.rename(kit / name, kit.parent / "elsewhere")
    (kit / name).symlink_to(kit.parent / "elsewhere")


def fifo(kit: Path, name: str) -> None:
    (kit / name).unlink(missing_ok=True)
    os.mkfifo(kit / name)


OTHERS: dict[str, Callable[[Path], object]] = {
    "an empty directory": lambda kit: (kit / "later").mkdir(),
    "an empty directory among the wheels": lambda kit: (kit / "wheels/later").mkdir(),
    "a link": lambda kit: (kit / "more").symlink_to("/etc/passwd"),
    "a link to nothing": lambda kit: (kit / "more").symlink_to("/nowhere"),
    "a listed file is a link": lambda kit: link_out(kit, "PLATFORM"),
    "wheels is a link": lambda kit: link_out(kit, "wheels"),
    "a FIFO": lambda kit: fifo(kit, "more"),
    "a listed file is a FIFO": lambda kit: fifo(kit, "PLATFORM"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_regular_file_is_refused(kit: Path, what: str) -> None:
    OTHERS[what](kit)
    refused(kit)


@pytest.mark.parametrize("change", [link_out, fifo])
def test_a_list_that_is_no_regular_file_is_not_read(
    kit: Path, change: Callable[[Path, str], None]
) -> None:
    change(kit, "SHA256SUMS")
    code, said = install(kit)
    assert (code, "SHA256SUMS cannot be read" in said) == (1, True)


def test_names_of_the_medium_do_not_reach_the_terminal_raw(kit: Path) -> None:
    (kit / "\x1b]0;title\x07\x9b31m").write_text("")
    assert "./?]0;title" in refused(kit)


def test_many_strange_names_are_not_all_told(kit: Path) -> None:
    for number in range(500):
        (kit / f"more{number}").write_text("")
    assert len(refused(kit).splitlines()) < 30


def test_code_in_the_working_directory_and_the_environment_is_not_run(
    kit: Path, tmp_path: Path
) -> None:
    cwd = tmp_path / "cwd"
    for name in ("platform.py", "venv.py", "sitecustomize.py", "os.py", "pip/__main__.py"):
        (cwd / name).parent.mkdir(parents=True, exist_ok=True)
        (cwd / name).write_text(EVIL)
    (cwd / "pip.conf").write_text("[install]\ntarget = /nowhere\n")
    code, said = install(
        kit,
        cwd=cwd,
        HOME=str(cwd),
        PYTHONPATH=str(cwd),
        PYTHONSTARTUP=str(cwd / "os.py"),
        PIP_CONFIG_FILE=str(cwd / "pip.conf"),
        PIP_TARGET="/nowhere",
        PIP_INDEX_URL="http://127.0.0.1:9/",
        PIP_REQUIREMENT=str(cwd / "none.txt"),
    )
    assert (code, "downpour-import 9" in said) == (0, True)


@pytest.mark.parametrize("path", [".:{}", "{}:", ":{}", "{}:bin", "{}::/bin"])
def test_no_tool_is_looked_for_in_the_kit(kit: Path, path: str) -> None:
    for folder in (kit, kit / "bin"):
        folder.mkdir(exist_ok=True)
        for tool in ("sha256sum", "find", "grep", "python3"):
            (folder / tool).write_text('#!/bin/sh\n: > "$PROOF"\n')
            (folder / tool).chmod(0o755)
    code, said = install(kit, cwd=kit, PATH=path.format(os.environ["PATH"]))
    assert (code, "does not begin with /" in said) == (1, True)


# What the exporter does with a directory that is there


@pytest.mark.parametrize("what", OTHERS)
def test_a_kit_with_more_than_its_files_is_neither_kept_nor_replaced(kit: Path, what: str) -> None:
    OTHERS[what](kit)
    with pytest.raises(LocalError, match="not a kit, or holds more"):
        make_kit(KitOptions(directory=kit, pythons=(this_python(),), platform=usual_platform()))


def anew(kit: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    folder = made.parent
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(collect, "pack", lambda to: Path(shutil.copy(folder / OWN, to / OWN)))
    options = KitOptions(directory=kit, pythons=(this_python(),), platform=usual_platform())
    return make_kit(options).made


def test_a_kit_with_another_installer_and_a_list_that_fits_is_not_kept(
    kit: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not anew(kit, made, monkeypatch)
    (kit / "install.sh").write_text(": evil\n")
    sums = "".join(
        f"{collect._sha256(path)}  {path.relative_to(kit).as_posix()}\n"
        for path in sorted(kit.rglob("*"))
        if path.is_file() and path.name != "SHA256SUMS"
    )
    (kit / "SHA256SUMS").write_text(sums)
    assert anew(kit, made, monkeypatch)
    assert "evil" not in (kit / "install.sh").read_text()


def test_a_list_that_names_files_elsewhere_has_none_of_them_read(
    kit: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo(kit.parent, "elsewhere")
    with (kit / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  ../elsewhere\n")
    assert anew(kit, made, monkeypatch)
