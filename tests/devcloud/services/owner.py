"""End with the process that wanted the cloud, even when that one was killed outright."""

from __future__ import annotations

import os
import signal
import threading
import time

from ..process import start_time as start_time_of

INTERVAL = 1.0


def watch(pid: int, start_time: int) -> None:
    threading.Thread(target=_watch, args=(pid, start_time), name="owner", daemon=True).start()


def _watch(pid: int, start_time: int) -> None:
    while start_time_of(pid) == start_time:
        time.sleep(INTERVAL)
    # The whole group, with a qemu-img that may be running; the launcher made us its leader.
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)
