"""Empty databases of all services, made once per version set and copied for each cloud.

The services' own migrations take minutes one after the other; a copy takes no time.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from . import config
from .cloud import DATABASES, Cloud
from .clouds import SOURCE
from .errors import DevcloudError
from .install import constraints_key
from .process import environment, module_command

# Nova fills these from its [database] connection, so that the mapping of a copied
# database is right wherever the copy lies.
CELL0_CONNECTION = "{scheme}:////{path}_cell0?{query}"
CELL1_CONNECTION = "{scheme}:////{path}?{query}"

Command = Sequence[str | Path]


def _folder(state: Path) -> Path:
    sources = (Path(__file__), Path(__file__).with_name("neutron_schema.py"))
    made_from = constraints_key().encode() + b"".join(file.read_bytes() for file in sources)
    return state / f"template-{hashlib.sha256(made_from).hexdigest()[:12]}"


def has_template(state: Path) -> bool:
    """Whether the databases of these versions have been made."""
    return _folder(state).is_dir()


def template(state: Path, venv: Path) -> Path:
    """The folder with the databases; made when it is not there yet."""
    folder = _folder(state)
    if not folder.is_dir():
        for old in state.glob("template-*"):
            shutil.rmtree(old)
        _make(state / "template-new", venv)
        (state / "template-new" / "db").rename(folder)
        shutil.rmtree(state / "template-new")
    return folder


def copy(folder: Path, cloud: Cloud) -> None:
    for name in DATABASES:
        shutil.copy(folder / name, cloud.database_file(name))


def _make(root: Path, venv: Path) -> None:
    cloud = Cloud.create(SOURCE, root, port_base=1)  # nothing listens: the schema only
    config.write(cloud, venv)
    for name in DATABASES:
        with closing(sqlite3.connect(cloud.database_file(name))) as database:
            database.execute("PRAGMA journal_mode = WAL")
    # Longest first, two at a time.
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(_run, cloud, venv, steps) for steps in _steps(cloud, venv)]:
            done.result()
    for name in DATABASES:
        with closing(sqlite3.connect(cloud.database_file(name))) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("VACUUM")


def _steps(cloud: Cloud, venv: Path) -> list[list[Command]]:
    def manage(service: str, file: str, *arguments: str) -> Command:
        return [
            venv / "bin" / "python",
            venv / "bin" / f"{service}-manage",
            "--config-file",
            cloud.etc / file,
            *arguments,
        ]

    def cell(verb: str, connection: str, *arguments: str) -> Command:
        option = ("--database_connection", connection)
        return manage("nova", "nova.conf", "cell_v2", verb, *option, *arguments)

    return [
        [
            manage("nova", "nova.conf", "api_db", "sync"),
            cell("map_cell0", CELL0_CONNECTION),
            manage("nova", "nova.conf", "db", "sync"),
            cell("create_cell", CELL1_CONNECTION, "--name", "cell1", "--transport-url", "fake:/"),
        ],
        [manage("cinder", "cinder.conf", "db", "sync")],
        [module_command(venv, "neutron_schema", cloud.database_url("neutron"))],
        [manage("placement", "placement.conf", "db", "sync")],
        [manage("glance", "glance-api.conf", "db_sync")],
        [manage("keystone", "keystone.conf", "db_sync")],
    ]


def _run(cloud: Cloud, venv: Path, commands: list[Command]) -> None:
    log = cloud.root.parent / "template.log"
    for command in commands:
        with log.open("a") as output:
            print(f"# {time.strftime('%X')}", *command, file=output, flush=True)
            done = subprocess.run(
                command, env=environment(cloud, venv), stdout=output, stderr=output, check=False
            )
        if done.returncode:
            raise DevcloudError(f"a database schema could not be made; the reason is in {log}.")
