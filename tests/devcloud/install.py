"""The cloud venv (pinned), and qemu-img, the one system tool."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .errors import DevcloudError

CONSTRAINTS = Path(__file__).with_name("constraints.txt")
REQUIREMENTS = (
    "keystone",
    "glance",
    "openstack-placement",
    "neutron",
    "cinder",
    "nova",
    "openstacksdk",
    "python-openstackclient",
    "cheroot",
)
STAMP = "devcloud-stamp"


def constraints_key() -> str:
    """Stands for the version set: changes when a pin changes."""
    return hashlib.sha256(CONSTRAINTS.read_bytes()).hexdigest()[:12]


def is_installed(venv: Path) -> bool:
    try:
        return (venv / STAMP).read_text() == _stamp(venv)
    except FileNotFoundError:
        return False


def install(venv: Path, log: Path) -> None:
    """Make the venv unless it is whole and of these versions."""
    if is_installed(venv):
        return
    shutil.rmtree(venv, ignore_errors=True)
    _run(log, "create a virtual environment (is python3-venv there?)", "-m", "venv", str(venv))
    _run(
        log,
        "install OpenStack from the package index",
        *("-m", "pip", "install", "--disable-pip-version-check", "--no-input"),
        *("--constraint", str(CONSTRAINTS), *REQUIREMENTS),
        python=venv / "bin" / "python",
    )
    # Written last: a venv without the stamp is one whose making was cut short.
    (venv / STAMP).write_text(_stamp(venv))


def require_qemu_img() -> None:
    if shutil.which("qemu-img"):
        return
    remedy = "install it with `apt-get install qemu-utils` (or your system's qemu-img package)"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise DevcloudError(f"qemu-img is missing: {remedy}.")
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "qemu-utils"]):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=False)
    if not shutil.which("qemu-img"):
        raise DevcloudError(f"qemu-img is missing and apt-get could not install it: {remedy}.")


def _stamp(venv: Path) -> str:
    # A venv is bound to its path and to the python that made it.
    return f"{constraints_key()} {' '.join(REQUIREMENTS)} {venv.resolve()}\n"


def _run(log: Path, what: str, *arguments: str, python: Path | str = sys.executable) -> None:
    with log.open("a") as output:
        done = subprocess.run([str(python), *arguments], stdout=output, stderr=output, check=False)
    if done.returncode:
        raise DevcloudError(f"could not {what}; the reason is at the end of {log}.")
