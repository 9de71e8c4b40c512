"""Where the CPU of a command goes: py-spy looks at its stacks, and each is somebody's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.bench.clouds import program
from tests.house import PACKAGES

RATE = 100
"""Looks a second."""

_FRAME = re.compile(r"(?P<function>.+) \((?P<path>[^():]+)(:\d+)?\)$")
_OWN = re.compile(rf"/(?P<file>({'|'.join(PACKAGES)})/.+)$")
_IDLE = re.compile(r"_worker \([^()]*/concurrent/futures/thread\.py(:\d+)?\)$")
"""A thread of a pool that waits for work, and is woken a little for each piece of others."""
_PARTIES = {
    "Ansible itself": "/ansible/",
    "openstacksdk and what it is made of": "/(openstack|keystoneauth1|requests|urllib3)/",
}


def spied(command: Sequence[str | Path], stacks: Path) -> list[str | Path]:
    """``command`` and all that it starts, watched: every stack that was on a CPU, with how often,
    is in ``stacks`` afterwards."""
    # A process that is stopped for each look wakes threads that only wait, and they would count.
    options = ["--nonblocking", "--rate", str(RATE), "--format", "raw", "--function"]
    options += ["--full-filenames"]
    return [program("py-spy"), "record", *options, "--subprocesses", "-o", stacks, "--", *command]


def costs(stacks: Path) -> list[tuple[str, float]]:
    """Who used the CPU, and its share of all, the largest first."""
    found: Counter[str] = Counter()
    for line in stacks.read_text().splitlines():
        stack, _, number = line.rpartition(" ")
        if not _IDLE.search(stack):
            found[_whose(stack.split(";"))] += int(number)
    total = found.total() or 1
    return [(whose, number / total) for whose, number in found.most_common()]


def _whose(stack: Iterable[str]) -> str:
    """The innermost function of ours, unless what it called is a cost of its own."""
    whose = "Python itself"
    for frame in stack:
        parsed = _FRAME.match(frame)
        if not parsed:
            continue
        if "importlib" in parsed["path"]:
            return "loading modules"
        if own := _OWN.search(parsed["path"]):
            whose = f"`{parsed['function']}` in `{own['file']}`"
        for party, pattern in _PARTIES.items():
            if re.search(f"/site-packages{pattern}", parsed["path"]):
                whose = party
    return whose
