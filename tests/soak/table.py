"""What a soak ran, as a table for docs/reliability.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime

from tests.soak.stories.kinds import Run


def table(runs: Iterable[Run]) -> str:
    """Markdown: a line for each kind, and where and when they ran."""
    by_kind: dict[str, list[Run]] = {}
    for run in runs:
        by_kind.setdefault(run.kind, []).append(run)
    lines = [
        "| kind | runs | kills | commands needed | failed | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for kind, some in sorted(by_kind.items()):
        kills, commands = sum(run.kills for run in some), sum(run.commands for run in some)
        failed = sum(1 for run in some if run.wrong)
        seconds = sum(run.seconds for run in some)
        cells = (kind, len(some), kills, commands, failed, f"{seconds:.0f}")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, "", machine()])


def machine() -> str:
    """Date, cores, Python."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    cores = os.cpu_count()
    return f"{now}; {cores} cores, {platform.machine()}, Python {platform.python_version()}"
