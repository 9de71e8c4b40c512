"""``downpour-export`` as a process of its own, whose source is a cloud in memory.

``python -m tests.unit.export.live_export STATE [WORD …]``: the file STATE keeps the cloud from one
process to the next.  It has one running server of two disks, ``web``.  Of the environment:

- ``AT``: at this call to the cloud, counted from 1, happens what the next two say.
- ``SIGNALS``: these signals, by their numbers, are sent to the process, half a second apart.
- ``HANG_UP``: the process waits until its terminal has gone.
- ``NOTHING_IS_DELETED``: that many requests to delete are refused as busy.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bundle_spec.cli.interrupts import begin

if TYPE_CHECKING:
    import requests

    from tests.unit.export.capture_source import Source
    from tests.unit.fake_cloud import Call

WANTED = "servers: [{name: web, stop: true}]\n"
PATHS = ("/servers", "/images", "/volumes", "/snapshots")
_STARTED = "the terminal may go"


def main() -> int:
    """Imports what the program imports, and then what only this test needs."""
    from downpour_export import cli
    from downpour_export.capture.cancel import Polling
    from downpour_export.cloud import SourceCloud

    Polling.FIRST = Polling.LONGEST = 0.01
    fake = cloud(Path(sys.argv[1]))
    vars(cli)["connect"] = lambda options, tell: SourceCloud(fake.connection)
    return cli.main(sys.argv[2:])


def cloud(state: Path) -> Source:
    """The cloud as ``state`` has it, which every change is written to."""
    from tests.unit.export.project_of_everything import everything

    fake = everything()
    fake.of("/servers")["web"]["status"] = "ACTIVE"
    if state.exists():
        kept = json.loads(state.read_text())
        for path in PATHS:
            fake.of(path).clear()
            fake.of(path).update(kept[path])
        fake.bytes_of.update({key: bytes.fromhex(text) for key, text in kept["bytes"].items()})
    fake.new_id = lambda: os.urandom(16).hex()  # type: ignore[method-assign]
    one_at_a_time = threading.Lock()

    def save(call: Call) -> None:
        if call.method == "GET":
            return
        with one_at_a_time:
            whole = {path: fake.of(path) for path in PATHS}
            bytes_of = {key: data.hex() for key, data in list(fake.bytes_of.items())}
            beside = state.with_name(f"{state.name}.new")
            beside.write_text(json.dumps({**whole, "bytes": bytes_of}))
            beside.replace(state)

    fake.after.append(save)
    if "AT" in os.environ:
        fake.before.append(_at(fake, int(os.environ["AT"])))
    if "NOTHING_IS_DELETED" in os.environ:
        fake.before.append(_busy(int(os.environ["NOTHING_IS_DELETED"])))
    return fake


def _at(fake: Source, number: int) -> Callable[[Call], None]:
    def hook(call: Call) -> None:
        if len(fake.calls) != number:
            return
        if "HANG_UP" in os.environ:
            os.write(2, _STARTED.encode())
            _wait_until(lambda: not os.isatty(2))
        import time

        for signal in os.environ.get("SIGNALS", "").split():
            os.kill(os.getpid(), int(signal))
            time.sleep(0.5)

    return hook


def _busy(number: int) -> Callable[[Call], requests.Response | None]:
    from tests.unit.fake_cloud import response

    refusals = iter(range(number))

    def hook(call: Call) -> requests.Response | None:
        return response(409) if call.method == "DELETE" and next(refusals, None) else None

    return hook


def _wait_until(true: Callable[[], bool]) -> None:
    import time

    deadline = time.monotonic() + 30
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(begin(main))
