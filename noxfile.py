"""The matrix: every Python and both ends of the range of ansible-core that downpour runs on.

``nox`` tries in each what depends on them; ``nox -s unit`` runs all unit tests instead.  What the
machine lacks is skipped, and nox says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

PYTHONS = ["3.11", "3.12", "3.13"]
ANSIBLE_CORES = {"2.16": "ansible-core~=2.16.0", "newest": "ansible-core>=2.17"}
OF_ANSIBLE = ["tests/unit/importer/test_collection.py", "tests/unit/importer/test_runner.py"]
OF_PYTHON = [
    "tests/unit/test_imports.py",
    "tests/unit/test_console.py",
    "tests/unit/bundle/test_round_trip.py",
    "tests/unit/bundle/test_vectors.py",
    "tests/unit/export/test_discover.py",
    "tests/unit/export/test_playbook.py",
    "tests/unit/importer/test_every_type.py",
]
"""What takes seconds and uses most of Python and of the libraries."""

# The same installer everywhere, with the settings that pip has.
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = ["matrix"]
nox.options.reuse_venv = "yes"
# Also where CI is set: the machine has what it has.
nox.options.error_on_missing_interpreters = False


def _find(python: str) -> None:
    """Have ``python3.X`` on the path run, where pyenv has one but lets it run only by request."""
    request = {**os.environ, "PYENV_VERSION": python}
    for environment in (None, request):
        done = subprocess.run(
            [shutil.which(f"python{python}") or "false", "-c", "import sys; print(sys.executable)"],
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            if environment is request:
                folder = Path(done.stdout.strip()).parent
                os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
            return


for each in PYTHONS:
    _find(each)


@nox.session(python=PYTHONS)
def matrix(session: nox.Session) -> None:
    """What depends on Python and Ansible, under each ansible-core."""
    _install(session, "test", "2.16")
    session.run("pytest", "-q", *OF_ANSIBLE)
    session.install(ANSIBLE_CORES["newest"])
    session.run("pytest", "-q", *OF_ANSIBLE, *OF_PYTHON)


@nox.session(python=PYTHONS)
@nox.parametrize("ansible_core", list(ANSIBLE_CORES))
def unit(session: nox.Session, ansible_core: str) -> None:
    """All unit tests; minutes each."""
    _install(session, "test,bench", ansible_core)
    session.run("pytest", "-q", "--ignore=tests/e2e", *session.posargs)


def _install(session: nox.Session, extras: str, ansible_core: str) -> None:
    pins = ["--constraint", "requirements/dev.txt"]
    session.install(*pins, "--editable", f".[{extras}]", ANSIBLE_CORES[ansible_core])
