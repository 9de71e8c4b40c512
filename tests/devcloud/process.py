"""The services' processes: start, recognise, stop. Everything known about them is in files."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict
from pathlib import Path

from .cloud import HOST, SERVICES, Cloud, ServiceProcess
from .errors import DevcloudError

PACKAGE = __name__.rpartition(".")[0]
ROOT = Path(__file__).resolve().parents[PACKAGE.count(".") + 1]
"""The folder from which this package is imported under its name."""

START_TIMEOUT = 180.0
STOP_TIMEOUT = 5.0

# Keeps the Popen objects of our own children, so that they are reaped and not zombies.
_children: list[subprocess.Popen[bytes]] = []


def environment(cloud: Cloud, venv: Path) -> dict[str, str]:
    # The user's own OS_* variables must not reach the services.
    env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    env.update(
        PATH=f"{venv / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        PYTHONPATH=f"{ROOT}:{cloud.plugins}",
        PYTHONWARNINGS="ignore",
        PYTHONDONTWRITEBYTECODE="1",
        XDG_CACHE_HOME=str(cloud.root / "cache"),
        # glibc's arena per thread costs these many-threaded processes 100 MiB each.
        MALLOC_ARENA_MAX="2",
        # Must be set before anything of Cinder is imported; see services/cinder.py.
        OS_CINDER_DISABLE_EVENTLET_PATCHING="1",
    )
    return env


def module_command(venv: Path, module: str, *arguments: str) -> list[str]:
    return [str(venv / "bin" / "python"), "-m", f"{PACKAGE}.{module}", *arguments]


def start(cloud: Cloud, venv: Path, owner: int | None, services: Iterable[str] = SERVICES) -> None:
    """Start services of a cloud; they wait for each other by themselves."""
    for service in services:
        _require_free_port(cloud, service)
    owner_arguments = [] if owner is None else [str(owner), str(start_time(owner))]
    for service in services:
        command = module_command(venv, "services", service, str(cloud.root), *owner_arguments)
        with cloud.output_file(service).open("ab") as output:
            child = subprocess.Popen(
                command,
                cwd=cloud.root,
                env=environment(cloud, venv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        _children.append(child)
        process = ServiceProcess(service, child.pid, start_time(child.pid) or 0, owner)
        _file(cloud.root, service).write_text(json.dumps(asdict(process)))


def wait_until_ready(cloud: Cloud, cancelled: threading.Event) -> None:
    """A service listens once its application is loaded."""
    deadline = time.monotonic() + START_TIMEOUT
    waiting = set(SERVICES)
    while waiting:
        alive = {process.service for process in running(cloud.root)}
        for service in sorted(waiting):
            log = cloud.output_file(service)
            if service not in alive:
                raise DevcloudError(f"{service} of {cloud.name} did not start; see {log}.")
            if cancelled.is_set() or time.monotonic() > deadline:
                raise DevcloudError(f"{service} of {cloud.name} is not ready; see {log}.")
            if is_listening(cloud.port(service)):
                waiting.discard(service)
        time.sleep(0.1)


def running(root: Path) -> list[ServiceProcess]:
    """The processes of the cloud in this folder, whatever else is the matter with it."""
    found = []
    for service in SERVICES:
        try:
            content = json.loads(_file(root, service).read_text())
        except (FileNotFoundError, ValueError):
            continue
        process = ServiceProcess(**content)
        if _is_alive(process, root):
            found.append(process)
    return found


def stop(root: Path, services: Collection[str] = SERVICES) -> None:
    """Stop what runs, for certain: when this returns, nothing of these services is left."""

    def left() -> list[ServiceProcess]:
        return [process for process in running(root) if process.service in services]

    for signum in (signal.SIGTERM, signal.SIGKILL):
        for process in left():
            # Each service leads a process group of its own, with the qemu-img it may run.
            os.killpg(process.pid, signum)
        if _wait(lambda: not left(), STOP_TIMEOUT):
            break
    else:
        pids = ", ".join(str(process.pid) for process in left())
        raise DevcloudError(f"these processes of {root.name} cannot be killed: {pids}.")
    for service in services:
        _file(root, service).unlink(missing_ok=True)


def resident_mib(processes: Iterable[ServiceProcess]) -> int:
    pages = 0
    for process in processes:
        try:
            pages += int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        except FileNotFoundError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def start_time(pid: int) -> int | None:
    """When the process was started, in clock ticks since boot; None when it is no more.

    A zombie is no more, unless other threads of it are still there with its open sockets.
    """
    try:
        # The name, in parentheses, may itself hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, threads, started = fields[0], int(fields[17]), int(fields[19])
    return None if state in "ZX" and threads <= 1 else started


def is_listening(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _file(root: Path, service: str) -> Path:
    return root / "run" / f"{service}.json"


def _is_alive(process: ServiceProcess, root: Path) -> bool:
    if start_time(process.pid) != process.start_time:
        return False
    try:
        # Neutron renames its process, which turns the separators into spaces.
        command = Path(f"/proc/{process.pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except (FileNotFoundError, ProcessLookupError):
        return False
    # Empty while a process begins (exec) and while it ends, its ports still open.
    return not command or f".services {process.service} {root}".encode() in command


def _wait(done: Callable[[], bool], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        _children[:] = [child for child in _children if child.poll() is None]
        if done():
            return True
        time.sleep(0.05)
    return False


def _require_free_port(cloud: Cloud, service: str) -> None:
    port = cloud.port(service)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DevcloudError(
                f"port {port}, for {service} of {cloud.name}, is taken{_by_whom(port)}:"
                " stop that, or use other ports (`down --wipe`, then `up --port-base N`)."
            ) from error


def _by_whom(port: int) -> str:
    listening = f":{port:04X} "
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if f"{fields[1]} ".endswith(listening) and fields[3] == "0A":
                inodes.add(f"socket:[{fields[9]}]")
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(descriptor) in inodes:
                pid = descriptor.parts[2]
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                return f" by process {pid} ({name})"
        except OSError:
            continue
    return ""
