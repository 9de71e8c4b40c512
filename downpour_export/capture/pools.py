"""Threads that an interrupt leaves none of."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor


def pool(count: int, name: str) -> ThreadPoolExecutor:
    """A pool whose threads run already.

    A Ctrl-C may come within ``submit``, between the start of a thread and its registration.  Nobody
    would wait for that thread: it would stop a server while all is set right.
    """
    threads = ThreadPoolExecutor(count, name)
    registered = threading.Event()
    try:
        for _ in range(count):
            threads.submit(registered.wait)
    finally:
        registered.set()
    return threads
