"""What the test clouds need is told at once, and long steps tell how long they have taken."""

from __future__ import annotations

import os
import shutil
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from tests.devcloud import Devcloud, DevcloudError, install
from tests.devcloud.told import told

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def test_a_missing_qemu_img_is_told_with_the_package_to_install(
    no_root: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DevcloudError, match="apt-get install qemu-utils"):
        Devcloud(tmp_path).require_machine()


def test_too_little_disk_is_told_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9, 5 * 10**8))
    with pytest.raises(DevcloudError, match=r"need 2 GB of disk, and 0\.5 GB are free"):
        Devcloud(tmp_path).require_machine()
    assert not (tmp_path / "venv").exists()


def test_a_long_step_says_what_it_is_and_how_long_it_has_taken() -> None:
    said: list[str] = []
    twice = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 3:
            twice.set()

    with told(say, "installing", lambda: "fetching nova", every=0.01):
        assert twice.wait(5)
    assert said[0] == "installing ..."
    assert said[1] == "  0 s: fetching nova"
    assert said[-1] == "  done after 0 s"


def test_what_pip_is_at_is_told_by_its_log(tmp_path: Path) -> None:
    log = tmp_path / "install.log"
    assert install.step(log) == ""
    log.write_text(
        "Collecting keystone\n  Downloading keystone-30.whl\nCollecting nova==33\n   90%"
    )
    assert install.step(log) == "fetching nova==33"
    log.write_text("Collecting nova\nInstalling collected packages: a, b, c\n")
    assert install.step(log) == "installing 3 packages"
