"""The kit: whole for the far side's Python, and not this one's; installed by nothing else."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from bundle_spec.errors import LocalError, UsageError
from downpour_export.errors import KitError
from downpour_export.kit import FarSide, Kit, KitOptions, collect, make_kit, this_python
from downpour_export.kit.closure import closure, read_wheel
from downpour_export.kit.own_wheel import pack

PLATFORM = "manylinux_2_28_x86_64"
FAR = FarSide("3.12", PLATFORM)


def wheel(folder: Path, name: str, version: str = "1.0", *requires: str) -> Path:
    """A wheel of nothing but its metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def names(folder: Path, far: FarSide = FAR) -> tuple[list[str], list[str]]:
    found = closure(map(read_wheel, sorted(folder.glob("*.whl"))), ["root"], far)
    return [each.name for each in found.reached], [str(each) for each in found.lacking]


# What is there, and what lacks


def test_all_that_is_required_is_reached_and_nothing_else(tmp_path: Path) -> None:
    wheel(tmp_path, "root", "1.0", "middle>=2")
    wheel(tmp_path, "middle", "2.1", "Leaf.Name")
    wheel(tmp_path, "leaf_name")
    wheel(tmp_path, "stray")
    assert names(tmp_path) == (["leaf-name", "middle", "root"], [])


def test_a_requirement_is_read_as_the_far_side_reads_it(tmp_path: Path) -> None:
    wheel(tmp_path, "root", "1.0", 'old; python_version < "3.12"', 'new; python_version >= "3.12"')
    assert names(tmp_path)[1] == ['new; python_version >= "3.12"']
    assert names(tmp_path, FarSide("3.11", PLATFORM))[1] == ['old; python_version < "3.12"']


@pytest.mark.parametrize(
    "marker", ['sys_platform == "win32"', 'platform_machine == "aarch64"', 'extra == "dev"']
)
def test_what_is_for_others_is_not_wanted(tmp_path: Path, marker: str) -> None:
    wheel(tmp_path, "root", "1.0", f"other; {marker}")
    assert names(tmp_path)[1] == []


def test_extras_are_followed_also_when_they_are_asked_for_later(tmp_path: Path) -> None:
    wheel(tmp_path, "root", "1.0", "plain", "middle[more]")
    wheel(tmp_path, "plain", "1.0", "middle")
    wheel(tmp_path, "middle", "1.0", 'extra-thing; extra == "more"')
    assert names(tmp_path) == (["middle", "plain", "root"], ['extra-thing; extra == "more"'])


def test_a_version_that_does_not_fit_lacks(tmp_path: Path) -> None:
    wheel(tmp_path, "root", "1.0", "middle>=2")
    wheel(tmp_path, "middle", "1.9")
    assert names(tmp_path) == (["root"], ["middle>=2"])


# The far side


def test_wheels_of_an_older_glibc_run_on_a_newer_one() -> None:
    platforms = FarSide("3.11", "manylinux_2_17_x86_64").platforms()
    assert platforms[:3] == [
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
        "manylinux_2_16_x86_64",
    ]
    assert {"manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"} <= set(platforms)
    assert "manylinux_2_18_x86_64" not in platforms


@pytest.mark.parametrize("python", ["3.10", "2.7", "3", "3.11.2", "3.2\u0661", "latest", ""])
def test_what_is_no_python_of_ours_is_refused(python: str) -> None:
    with pytest.raises(UsageError, match="--python takes"):
        FarSide(python, PLATFORM)


@pytest.mark.parametrize("platform", ["win32", "linux_x86_64", "manylinux2014_x86_64", "../x", ""])
def test_what_is_no_platform_is_refused(platform: str) -> None:
    with pytest.raises(UsageError, match="manylinux_2_28_x86_64"):
        FarSide("3.11", platform)


# Our own wheel


def test_own_wheel_holds_what_runs_here_and_lists_every_byte(tmp_path: Path) -> None:
    path = pack(tmp_path)
    with zipfile.ZipFile(path) as archive:
        info = next(name for name in archive.namelist() if name.endswith("/RECORD"))
        listed = {row[0]: row[1:] for row in csv.reader(io.TextIOWrapper(archive.open(info)))}
        assert set(listed) == set(archive.namelist())
        for name in set(listed) - {info}:
            data = archive.read(name)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            assert listed[name] == [f"sha256={digest}", str(len(data))]
        assert archive.read("downpour_export/kit/collect.py") == Path(collect.__file__).read_bytes()
        assert (
            "downpour-import = "
            in archive.read(info.replace("RECORD", "entry_points.txt")).decode()
        )
    assert any("ansible_collections" in name for name in listed)
    assert not any(name.endswith(".pyc") for name in listed)
    again = pack(tmp_path / ".." / tmp_path.name).read_bytes()
    assert again == path.read_bytes()


# A kit out of an index that is a folder


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip's only index; a downpour that needs one thing now and another one on a newer Python."""
    folder = tmp_path / "index"
    newer = f"3.{sys.version_info.minor + 1}"
    own = wheel(tmp_path, "downpour", "9", "thing>=1", f'later; python_version >= "{newer}"')
    for name in ("thing", "later", "pip"):
        wheel(folder, name, "1.0", *(["downpour"] if name == "thing" else []))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(
        collect, "pack", lambda directory: Path(shutil.copy(own, directory / own.name))
    )
    return folder


@pytest.fixture
def options(tmp_path: Path) -> KitOptions:
    return KitOptions(directory=tmp_path / "kit", pythons=(this_python(),), platform=PLATFORM)


def contents(directory: Path) -> set[str]:
    return {
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()
    }


def test_what_markers_hide_from_pip_is_gathered_too(index: Path, options: KitOptions) -> None:
    newer = f"3.{sys.version_info.minor + 1}"
    make_kit(replace(options, pythons=(this_python(), newer)))
    kit = options.directory
    assert "later" not in (kit / f"requirements-{this_python()}.txt").read_text()
    lines = (kit / f"requirements-{newer}.txt").read_text().splitlines()
    digest = hashlib.sha256((kit / "wheels/later-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    assert f"later==1.0 --hash=sha256:{digest}" in lines
    # pip only installs; the far side's venv is to hold no more than downpour needs.
    assert not any(line.startswith("pip==") for line in lines)
    assert (kit / "wheels/pip-1.0-py3-none-any.whl").exists()


def test_every_file_is_listed_with_its_digest(index: Path, options: KitOptions) -> None:
    kit = make_kit(options)
    lines = (kit.directory / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(listed) | {"SHA256SUMS"} == contents(kit.directory)
    for name, digest in listed.items():
        assert hashlib.sha256((kit.directory / name).read_bytes()).hexdigest() == digest
    sums = (kit.directory / "SHA256SUMS").read_bytes()
    assert kit.sums_sha256 == hashlib.sha256(sums).hexdigest()
    assert this_python() in (kit.directory / "README.txt").read_text()


def test_a_whole_kit_for_the_same_is_left_as_it_is(index: Path, options: KitOptions) -> None:
    first = make_kit(options)
    stamp = (first.directory / "SHA256SUMS").stat().st_mtime_ns
    shutil.rmtree(index)
    assert make_kit(options) == replace(first, made=False)
    assert (first.directory / "SHA256SUMS").stat().st_mtime_ns == stamp


@pytest.mark.parametrize("damage", ["flip", "lose", "platform", "python"])
def test_a_kit_that_does_not_fit_is_made_anew(
    index: Path, options: KitOptions, damage: str
) -> None:
    make_kit(options)
    thing = options.directory / "wheels/thing-1.0-py3-none-any.whl"
    if damage == "flip":
        thing.write_bytes(thing.read_bytes() + b"\0")
    elif damage == "lose":
        thing.unlink()
    elif damage == "platform":
        options = replace(options, platform="manylinux_2_31_x86_64")
    else:
        options = replace(options, pythons=("3.20",))
    assert make_kit(options).made
    assert not make_kit(options).made


@pytest.mark.parametrize("there", ["a file", "a folder", "a kit and more", "a link to a kit"])
def test_what_is_no_kit_is_never_touched(
    index: Path, options: KitOptions, tmp_path: Path, there: str
) -> None:
    directory = options.directory
    if there == "a file":
        directory.write_text("mine")
    elif there == "a folder":
        directory.mkdir()
        (directory / "mine").write_text("mine")
    else:
        make_kit(options)
        if there == "a kit and more":
            (directory / "wheels" / "mine").write_text("mine")
            (directory / "PLATFORM").write_text("damaged")
        else:
            os.rename(directory, tmp_path / "elsewhere")
            directory.symlink_to(tmp_path / "elsewhere")
    before = contents(directory)
    with pytest.raises(LocalError, match="not a kit, or holds more"):
        make_kit(options)
    assert contents(directory) == before


def test_what_fails_leaves_the_older_kit_and_nothing_else(
    index: Path, options: KitOptions, tmp_path: Path
) -> None:
    make_kit(options)
    before = contents(options.directory)
    (index / "thing-1.0-py3-none-any.whl").unlink()
    with pytest.raises(KitError, match=r"No matching distribution found for thing>=1.*pip reaches"):
        make_kit(replace(options, platform="manylinux_2_31_x86_64"))
    assert contents(options.directory) == before
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "downpour-9-py3-none-any.whl",
        "index",
        "kit",
    ]


def test_what_pip_cannot_agree_on_is_named(index: Path, options: KitOptions) -> None:
    newer = f"3.{sys.version_info.minor + 1}"
    (index / "later-1.0-py3-none-any.whl").unlink()
    with pytest.raises(KitError, match=f"for Python {newer}.*later"):
        make_kit(replace(options, pythons=(newer,)))


# install.sh


def install(kit: Kit, *arguments: str, cwd: Path, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        ["sh", kit.directory / "install.sh", *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr


def resum(kit: Kit) -> None:
    lines = [
        f"{hashlib.sha256((kit.directory / name).read_bytes()).hexdigest()}  {name}\n"
        for name in sorted(contents(kit.directory) - {"SHA256SUMS"})
    ]
    (kit.directory / "SHA256SUMS").write_text("".join(lines))


def test_a_damaged_kit_installs_nothing(index: Path, options: KitOptions, tmp_path: Path) -> None:
    kit = make_kit(options)
    thing = kit.directory / "wheels/thing-1.0-py3-none-any.whl"
    thing.write_bytes(thing.read_bytes()[:-1])
    code, said = install(kit, "there", cwd=tmp_path)
    assert code == 1
    assert "wheels/thing-1.0-py3-none-any.whl: FAILED\nerror: the kit is damaged" in said
    assert not (tmp_path / "there").exists()


def test_a_kit_without_its_list_installs_nothing(
    index: Path, options: KitOptions, tmp_path: Path
) -> None:
    kit = make_kit(options)
    (kit.directory / "SHA256SUMS").unlink()
    code, said = install(kit, "there", cwd=tmp_path)
    assert (code, said) == (
        1,
        "SHA256SUMS cannot be read\nerror: the kit is damaged or not complete (copy it again)\n",
    )


def test_a_python_that_the_kit_does_not_hold_is_named(
    index: Path, options: KitOptions, tmp_path: Path
) -> None:
    kit = make_kit(replace(options, pythons=("3.98", "3.99")))
    code, said = install(kit, "there", cwd=tmp_path)
    assert code == 1
    assert "this kit is for Python 3.99 3.98, and here is 3." in said
    code, said = install(kit, "there", cwd=tmp_path, PYTHON=sys.executable)
    assert code == 1
    assert f"is Python {this_python()}, and this kit is for Python 3.99 3.98" in said
    code, said = install(kit, "there", cwd=tmp_path, PYTHON="/no/such/python3")
    assert (code, said) == (1, "error: /no/such/python3 is not a Python that runs\n")


@pytest.mark.parametrize("platform", ["manylinux_2_99_x86_64", "manylinux_2_17_sparc"])
def test_another_platform_is_told_before_anything_is_made(
    index: Path, options: KitOptions, tmp_path: Path, platform: str
) -> None:
    kit = make_kit(options)
    (kit.directory / "PLATFORM").write_text(platform + "\n")
    resum(kit)
    code, said = install(kit, "there", cwd=tmp_path, PYTHON=sys.executable)
    assert code == 1
    assert said.startswith(f"error: this kit is for glibc 2.{platform.split('_')[2]} or later on")
    assert not (tmp_path / "there").exists()


def test_what_exists_is_not_installed_over(
    index: Path, options: KitOptions, tmp_path: Path
) -> None:
    kit = make_kit(options)
    (tmp_path / "there").mkdir()
    code, said = install(kit, "there", cwd=tmp_path)
    assert code == 1
    assert f"{tmp_path}/there exists already" in said
    code, said = install(kit, "--prefix", "there", cwd=tmp_path)
    assert (code, said.splitlines()[-1]) == (
        1,
        "error: install.sh takes one argument at most, the directory to install to",
    )


def test_a_failed_install_leaves_nothing(index: Path, options: KitOptions, tmp_path: Path) -> None:
    kit = make_kit(options)  # its pip is a wheel of nothing
    code, said = install(kit, "there", cwd=tmp_path, PYTHON=sys.executable)
    assert code == 1
    assert "pip could not install what is in the kit" in said
    assert not (tmp_path / "there").exists()
