"""A user has only the wheel, and only what it asks for: all that is needed must be in it.

It is built from a checkout that has been used, as whoever makes a release has one.
"""

from __future__ import annotations

import ast
import compileall
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from downpour_export.kit import own_wheel
from tests.house import PACKAGES, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def tracked(*paths: str) -> list[str]:
    command = ["git", "ls-files", "--", *paths]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


TRACKED = tracked(*PACKAGES)


def run(*command: str | Path, cwd: Path) -> str:
    """What the command printed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose code has run: what Python compiled lies beside it."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in tracked(".", ":!tests"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for package in PACKAGES:
        assert compileall.compile_dir(folder / package, quiet=1)
    return folder


@pytest.fixture(scope="module")
def dist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist that the wheel was built from."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, cwd=checkout)
    return folder


def held(names: list[str]) -> set[str]:
    """The files of our packages among ``names``."""
    return {name for name in names if name.split("/")[0] in PACKAGES and not name.endswith("/")}


def test_the_wheel_holds_what_is_tracked_and_nothing_else(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert held(names) == set(TRACKED)
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    others = {name.split("/")[0] for name in names} - set(PACKAGES)
    version = PROJECT["version"]
    assert others <= {f"downpour-{version}.dist-info", f"downpour-{version}.data"}


def test_a_wheel_that_pip_makes_of_the_checkout_holds_the_same(
    checkout: Path, dist: Path, tmp_path: Path
) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    run(*pip, "--wheel-dir", tmp_path, ".", cwd=checkout)
    (ours,), (pips,) = dist.glob("*.whl"), tmp_path.glob("*.whl")
    with zipfile.ZipFile(ours) as one, zipfile.ZipFile(pips) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


def test_the_sdist_holds_no_less_and_nothing_that_was_compiled(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert set(TRACKED) <= set(names)
    assert not [name for name in names if name.endswith((".pyc", "__pycache__"))]


def below_share(wheel: Path) -> list[str]:
    """What a wheel installs below the prefix, by its name there."""
    begin = f"{wheel.name.removesuffix('-py3-none-any.whl')}.data/data/"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    return sorted(name.removeprefix(begin) for name in names if name.startswith(begin))


def test_manual_and_completion_come_with_the_wheel_and_with_a_kit_of_what_is_installed(
    dist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wheel,) = dist.glob("*.whl")
    assert below_share(wheel) == tracked("share")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed"]
    run(*pip, "--prefix", tmp_path / "prefix", wheel, cwd=tmp_path)
    for name in tracked("share"):
        assert (tmp_path / "prefix" / name).read_bytes() == (ROOT / name).read_bytes()
    (packages,) = tmp_path.glob("prefix/lib*/python*/site-packages")
    (installed,) = distributions(name="downpour", path=[str(packages)])
    monkeypatch.setattr(own_wheel, "_installed", lambda: installed)
    assert below_share(own_wheel.pack(tmp_path)) == tracked("share")


def test_the_commands_run_in_a_venv_that_has_only_the_wheel(dist: Path, tmp_path: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    python = programs / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    for command in ("downpour-export", "downpour-import"):
        assert "Usage:" in run(programs / command, "--help", cwd=tmp_path)
        assert run(programs / command, "--version", cwd=tmp_path).split()[-1] == PROJECT["version"]
    assert "usage:" in run(python, "-m", "bundle_spec", "--help", cwd=tmp_path).lower()
    assert run(python, "-m", "bundle_spec", "schema", cwd=tmp_path).startswith("{")
    playbooks = "import bundle_spec.playbook as p; print(*p.static_files())"
    assert "site.yml" in run(python, "-c", playbooks, cwd=tmp_path).split()


def imported() -> Iterator[str]:
    """The packages that our code imports at the top of their names, but for Python's and ours."""
    for name in TRACKED:
        if name.endswith(".py"):
            for node in ast.walk(ast.parse((ROOT / name).read_text())):
                if isinstance(node, ast.Import):
                    yield from (alias.name.split(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield node.module.split(".")[0]


def test_whatever_is_imported_is_declared() -> None:
    """What comes along with something else today may stay away tomorrow."""
    asked = {canonicalize_name(Requirement(each).name) for each in PROJECT["dependencies"]}
    known = packages_distributions()
    ours = {*PACKAGES, "ansible_collections", *sys.stdlib_module_names}
    used = {
        canonicalize_name(name)
        for package in set(imported()) - ours
        for name in known.get(package, [package])
    }
    assert used == asked


def test_every_developers_tool_is_pinned_and_nothing_else() -> None:
    """``make venv`` of a year ago and of today make the same lint."""
    extras = PROJECT["optional-dependencies"]
    asked = {
        canonicalize_name(Requirement(each).name) for group in extras.values() for each in group
    }
    lines = (ROOT / "requirements" / "dev.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert {canonicalize_name(pin.name) for pin in pins} == asked - {"downpour"}
    assert all(re.fullmatch(r"==[^*]+", str(pin.specifier)) for pin in pins)
