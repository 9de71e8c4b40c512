"""The cloud venv (pinned), and qemu-img, the one system tool."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
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

GB, GIB = 10**9, 2**30
DISK = 2 * GB
MEMORY = 2 * GIB


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


def step(log: Path) -> str:
    """What pip is at, by the last line of its log that tells; "" if there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    for line in reversed(lines):
        match line.split():
            case ["Collecting", name, *_]:
                return f"fetching {name}"
            case ["Installing", "collected", "packages:", *names]:
                return f"installing {len(names)} packages"
    return ""


def require_machine(state: Path, *, fresh: bool, say: Callable[[str], None]) -> None:
    """What this machine must have is told before anything is begun.

    ``fresh``: everything is still to be installed.  Raises DevcloudError.
    """
    if sys.platform != "linux":
        raise DevcloudError(f"the test clouds need Linux, and this is {sys.platform}.")
    require_qemu_img(say)
    if not fresh:
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise DevcloudError(
            "this Python cannot make a venv: install it with `apt-get install python3-venv`."
        )
    free = shutil.disk_usage(state).free
    if free < DISK:
        raise DevcloudError(
            f"the test clouds need {DISK / GB:.0f} GB of disk, and {free / GB:.1f} GB are free in"
            f" {state}: free some, or choose another directory with DEVCLOUD_STATE."
        )
    memory = _available_memory()
    if memory < MEMORY:
        say(
            f"warning: the test clouds take 2 GiB of memory, and {memory / GIB:.1f} GiB are"
            " available"
        )


def _available_memory() -> int:
    text = Path("/proc/meminfo").read_text()
    return 1024 * int(text.partition("MemAvailable:")[2].split()[0])


def require_qemu_img(say: Callable[[str], None] = lambda line: None) -> None:
    """Raises DevcloudError when it is missing and cannot be installed."""
    if shutil.which("qemu-img"):
        return
    remedy = "install it with `apt-get install qemu-utils` (or your system's qemu-img package)"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise DevcloudError(f"qemu-img is missing: {remedy}.")
    say("qemu-img is missing: installing qemu-utils with apt-get ...")
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
