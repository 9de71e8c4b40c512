"""``python -m bundle_spec`` where nothing is installed but what a command needs."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import bundle_spec
from bundle_spec.trust import policy
from tests.unit.bundle.samples import noise, write_bundle

Alone = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def alone(tmp_path: Path) -> Alone:
    """Runs a copy of the format's folder by a Python that has its own library only, and those of
    our packages that are named."""
    here = tmp_path / "here"
    shutil.copytree(Path(bundle_spec.__file__).parent, here / "bundle_spec")

    def run(*words: str, packages: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        for package in packages:
            spec = importlib.util.find_spec(package)
            assert spec
            assert spec.origin
            (here / package).symlink_to(Path(spec.origin).parent)
        return subprocess.run(
            [sys.executable, "-S", "-m", "bundle_spec", *words],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "b.dpbundle"
    write_bundle(path, noise(200_000))
    return path


@pytest.mark.parametrize("words", [["--help"], ["help", "show"], ["verify", "--help"]])
def test_help_needs_nothing(alone: Alone, words: list[str]) -> None:
    done = alone(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("python -m bundle_spec")


def test_the_version_is_told_also_where_nothing_was_installed(alone: Alone) -> None:
    done = alone("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("downpour, not installed")


def test_a_package_that_is_missing_is_named_with_what_installs_it(
    alone: Alone, bundle: Path
) -> None:
    done = alone("show", str(bundle))
    assert (done.returncode, done.stdout) == (12, "")
    assert done.stderr == "error: the package docopt-ng is missing (pip install docopt-ng)\n"
    done = alone("verify", str(bundle), packages=("docopt",))
    assert (done.returncode, done.stdout) == (12, "")
    assert done.stderr.endswith("error: the package zstandard is missing (pip install zstandard)\n")


def test_what_opens_no_disk_needs_docopt_only(alone: Alone, bundle: Path) -> None:
    done = alone("show", str(bundle), packages=("docopt",))
    assert (done.returncode, done.stderr) == (0, "")
    assert "disks: 1\n" in done.stdout
    for words in (["schema"], ["verify", "--quick", "-q", bundle]):
        done = alone(*map(str, words))
        assert (done.returncode, done.stderr) == (0, "")


def test_a_policy_that_cannot_be_read_for_want_of_a_package_is_not_passed_over(
    alone: Alone, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policy.yml").write_text("allowed_signers: signers\n")
    monkeypatch.setenv(policy.VARIABLE, str(tmp_path / "policy.yml"))
    done = alone("show", str(bundle), packages=("docopt",))
    assert (done.returncode, done.stdout) == (12, "")
    assert done.stderr == "error: the package PyYAML is missing (pip install PyYAML)\n"


def test_a_disk_is_read_with_zstandard(alone: Alone, bundle: Path) -> None:
    done = alone("verify", "--read-data", str(bundle), packages=("docopt", "zstandard"))
    assert done.returncode == 0
    assert "whole, also the contents of every disk" in done.stdout
