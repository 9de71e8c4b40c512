"""The clouds of one state directory: install, up, down, status."""

from __future__ import annotations

import base64
import fcntl
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import clouds_yaml, config, install, process, schema
from .cloud import DEFAULT_PORT_BASE, PORTS_PER_CLOUD, SERVICES, Cloud, write_private
from .clouds import CLOUDS
from .errors import DevcloudError
from .told import told


@dataclass(frozen=True)
class CloudStatus:
    name: str
    auth_url: str | None
    missing: tuple[str, ...]
    """Services that do not run."""
    resident_mib: int
    owner: int | None

    @property
    def is_up(self) -> bool:
        return not self.missing

    @property
    def is_down(self) -> bool:
        return len(self.missing) == len(SERVICES)


class Devcloud:
    """`state` is the directory that holds everything; see README.md for its layout."""

    def __init__(self, state: Path | str | None = None, *, quiet: bool = False) -> None:
        chosen = state or os.environ.get("DEVCLOUD_STATE") or ".devcloud"
        self.state = Path(chosen).resolve()
        self._quiet = quiet
        self._thread_lock = threading.Lock()

    # -- where things are ---------------------------------------------------------------
    @property
    def venv(self) -> Path:
        return self.state / "venv"

    @property
    def clouds_yaml(self) -> Path:
        """For OS_CLIENT_CONFIG_FILE: entries source, source-other, source-admin, target, ..."""
        return self.state / "clouds.yaml"

    def cloud(self, name: str) -> Cloud:
        """One cloud, once it was made by `up`."""
        self._require_known([name])
        try:
            return Cloud.load(self.state / name)
        except FileNotFoundError:
            raise DevcloudError(f"there is no cloud {name} yet: run `up {name}`.") from None

    # -- what can be done ---------------------------------------------------------------
    def require_machine(self) -> None:
        """Raises DevcloudError when this machine lacks what the clouds need; installs nothing but
        qemu-img, where it can."""
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o700)
        fresh = not install.is_installed(self.venv)
        install.require_machine(self.state, fresh=fresh, say=self._say)

    def install(self) -> None:
        """The cloud venv and the empty databases; does nothing when they are there."""
        with self._locked():
            self._install()

    def up(
        self,
        names: Sequence[str] = (),
        *,
        owner: int | None = None,
        port_base: int | None = None,
        debug: bool = False,
    ) -> None:
        """Have these clouds (default: all) running; one that is already up stays as it is.

        With `owner`, the processes started here end by themselves when that process is gone.
        """
        names = self._require_known(names)
        if owner is not None and process.start_time(owner) is None:
            raise DevcloudError(f"there is no process {owner} to be the owner.")
        with self._locked():
            self._install()
            made = [self._make(name, port_base) for name in names]
            wanted = [cloud for cloud in made if not self._status(cloud.name).is_up]
            if wanted:
                what = f"starting {' and '.join(cloud.name for cloud in wanted)}: half a minute"
                with told(self._say, what):
                    self._start_all(wanted, owner, debug)
            for cloud in made:
                if cloud not in wanted:
                    self._say(f"{cloud.name}: already up at {cloud.auth_url}")

    def down(self, names: Sequence[str] = (), *, wipe: bool = False) -> None:
        """Stop these clouds (default: all); with `wipe`, forget all that was in them."""
        names = self._require_known(names)
        if not self.state.is_dir():
            return
        with self._locked():
            for name in names:
                root = self.state / name
                process.stop(root)
                if wipe:
                    shutil.rmtree(root, ignore_errors=True)
                self._say(f"{name}: down{' and wiped' if wipe else ''}")
            self._write_clouds_yaml()

    @contextmanager
    def outage(self, name: str, services: Collection[str]) -> Iterator[None]:
        """Some services of a cloud that is up are down for as long as the block takes."""
        cloud = self.cloud(name)
        (owner,) = {each.owner for each in process.running(cloud.root)}
        process.stop(cloud.root, services)
        try:
            yield
        finally:
            process.start(cloud, self.venv, owner, services)
            process.wait_until_ready(cloud, threading.Event())

    def status(self) -> list[CloudStatus]:
        return [self._status(name) for name in CLOUDS]

    # -- the steps ----------------------------------------------------------------------
    def _install(self) -> None:
        self.require_machine()
        log = self.state / "install.log"
        if not install.is_installed(self.venv):
            what = "installing OpenStack from the package index: 2 to 4 minutes, once"
            with told(self._say, what, lambda: install.step(log)):
                install.install(self.venv, log)
        if not schema.has_template(self.state):
            with told(self._say, "making the empty databases: half a minute, once"):
                schema.template(self.state, self.venv)

    def _make(self, name: str, port_base: int | None) -> Cloud:
        """The cloud's folder, with databases and keys but nothing running."""
        spec, root = CLOUDS[name], self.state / name
        offset = spec.index * PORTS_PER_CLOUD
        if (root / "seeded").exists():
            cloud = Cloud.load(root)
            if port_base not in (None, cloud.settings.port_base - offset):
                raise DevcloudError(
                    f"{name} was made with --port-base {cloud.settings.port_base - offset}, and"
                    " its catalog holds those ports: leave the option out, or `down --wipe` first."
                )
            return cloud
        process.stop(root)  # there may be one whose making was cut short
        shutil.rmtree(root, ignore_errors=True)
        if port_base is None:
            port_base = int(os.environ.get("DEVCLOUD_PORT_BASE") or DEFAULT_PORT_BASE)
        cloud = Cloud.create(spec, root, port_base + offset)
        schema.copy(schema.template(self.state, self.venv), cloud)
        for repository in ("fernet", "credential"):
            for key in ("0", "1"):
                secret = base64.urlsafe_b64encode(os.urandom(32)).decode()
                write_private(root / "keystone" / repository / key, secret)
        return cloud

    def _start_all(self, clouds: Sequence[Cloud], owner: int | None, debug: bool) -> None:
        """Side by side; when one does not start, the others are given up."""
        cancelled = threading.Event()
        with ThreadPoolExecutor(len(clouds)) as pool:
            try:
                starts = [
                    pool.submit(self._start, cloud, owner, debug, cancelled) for cloud in clouds
                ]
                for started in as_completed(starts):
                    started.result()
            except BaseException:
                cancelled.set()
                raise

    def _start(
        self, cloud: Cloud, owner: int | None, debug: bool, cancelled: threading.Event
    ) -> None:
        began = time.monotonic()
        process.stop(cloud.root)  # a cloud of which only some services run
        config.write(cloud, self.venv, debug=debug)
        try:
            process.start(cloud, self.venv, owner)
            process.wait_until_ready(cloud, cancelled)
            if not cloud.seeded_mark.exists():
                self._seed(cloud)
                cloud.seeded_mark.touch()
        except BaseException:
            process.stop(cloud.root)
            raise
        self._write_clouds_yaml()
        seconds = time.monotonic() - began
        self._say(f"{cloud.name}: up at {cloud.auth_url} after {seconds:.0f} s")

    def _seed(self, cloud: Cloud) -> None:
        log = cloud.output_file("seed")
        with log.open("wb") as output:
            done = subprocess.run(
                process.module_command(self.venv, "seed", str(cloud.root)),
                env=process.environment(cloud, self.venv),
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode:
            raise DevcloudError(f"{cloud.name} could not be set up; the reason is in {log}.")

    def _status(self, name: str) -> CloudStatus:
        try:
            cloud = self.cloud(name)
        except DevcloudError:
            return CloudStatus(name, None, SERVICES, 0, None)
        processes = process.running(cloud.root)
        up = {p.service for p in processes if process.is_listening(cloud.port(p.service))}
        return CloudStatus(
            name,
            cloud.auth_url,
            tuple(service for service in SERVICES if service not in up),
            process.resident_mib(processes),
            next((p.owner for p in processes), None),
        )

    def _write_clouds_yaml(self) -> None:
        with self._thread_lock:  # clouds that start side by side both write it
            roots = [self.state / name for name in CLOUDS]
            made = [Cloud.load(root) for root in roots if (root / "seeded").exists()]
            write_private(self.clouds_yaml, clouds_yaml.render(made))

    # -- helpers ------------------------------------------------------------------------
    def _require_known(self, names: Sequence[str]) -> Sequence[str]:
        for name in names:
            if name not in CLOUDS:
                raise DevcloudError(f"there is no cloud {name!r}: choose of {', '.join(CLOUDS)}.")
        return names or tuple(CLOUDS)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One install, up or down at a time; the lock goes with the process that holds it."""
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o700)
        with (self.state / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say(f"waiting for another devcloud command on {self.state} ...")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _say(self, message: str) -> None:
        if not self._quiet:
            with self._thread_lock:
                print(message, file=sys.stderr, flush=True)
