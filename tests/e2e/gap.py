"""The far side: a network namespace without any route, and one cloud's ports carried into it.

Outside, ``Gap`` listens on a socket file for every port of the cloud.  Inside, this file as a
program brings loopback up, listens on the same ports, passes each connection on to the socket
file, and runs a shell.  So the shell reaches that cloud, and there is nothing else to be reached.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Self

_SIOCSIFFLAGS, _IFF_UP_RUNNING = 0x8914, 0x41

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Gap:
    """``folder``: where the socket files lie, with a short path."""

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        self._folder, self._ports = folder, ports
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gap", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(20)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    async def _listen(self) -> None:
        for port in self._ports:
            connect = _to_port(port)
            await asyncio.start_unix_server(connect, self._folder / str(port))

    def run(
        self, script: str, *, cwd: Path, env: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell script on the far side of the gap."""
        command = ["unshare", "--map-root-user", "--net", sys.executable, "-I", __file__]
        return subprocess.run(
            [*command, str(self._folder), script],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )


def _to_port(port: int) -> Handler:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join(reader, writer, *await asyncio.open_connection("127.0.0.1", port))

    return connected


def _to_file(path: Path) -> Handler:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _join(reader, writer, *await asyncio.open_unix_connection(path))

    return connected


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    other_reader: asyncio.StreamReader,
    other_writer: asyncio.StreamWriter,
) -> None:
    await asyncio.gather(_copy(reader, other_writer), _copy(other_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def _far_side(folder: Path, script: str) -> int:
    with socket.socket() as any_socket:
        request = struct.pack("16sh", b"lo", _IFF_UP_RUNNING)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)
    for each in folder.iterdir():
        await asyncio.start_server(_to_file(each), "127.0.0.1", int(each.name))
    shell = await asyncio.create_subprocess_exec("bash", "-eu", "-o", "pipefail", "-c", script)
    return await shell.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(_far_side(Path(sys.argv[1]), sys.argv[2])))
