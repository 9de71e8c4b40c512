from __future__ import annotations

import faulthandler
import importlib
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType

from ..cloud import Cloud
from . import http, owner


def main(service: str, root: str, *owned_by: str) -> None:
    cloud = Cloud.load(Path(root))
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # kill -USR1 shows what hangs
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if owned_by:
        owner.watch(pid=int(owned_by[0]), start_time=int(owned_by[1]))
    application = importlib.import_module(f".{service}", __package__).load(cloud)
    signal.signal(signal.SIGTERM, _stop)  # the services set their own handlers
    http.serve(application, cloud.port(service), cloud.requests_file)


def _stop(signum: int, frame: FrameType | None) -> None:
    # At once: what matters is in the databases, and some threads never end.
    os._exit(0)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # threads that are already running would keep the process alive
