"""What the runner is given: the playbook's files with this run's settings, and its environment."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from bundle_spec.model.playbook import PlaybookData, Settings
from downpour_import.cloud import TargetCloud
from downpour_import.source.opening import Opened
from downpour_import.source.unpack import data_file


def playbook_of(
    opened: Opened, data: PlaybookData, settings: Settings, cloud: TargetCloud, jobs: int | None
) -> dict[str, bytes]:
    """Path below the playbook's directory -> bytes.

    ``data``: what of the bundle is imported.  ``jobs``: lanes; None: as the playbook says.
    """
    run_settings = replace(
        settings,
        config_file=_absolute(cloud.config_file),
        manifest_sha256=opened.bundle.manifest_sha256,
    )
    files = {**opened.playbook, "settings.yml": data_file(run_settings)}
    if data != opened.data:
        files["resources.yml"] = data_file(data)
    if jobs is not None:
        files["inventory.ini"] = inventory(opened.playbook["inventory.ini"], jobs)
    return files


def environment_of(cloud: TargetCloud) -> dict[str, str]:
    """Variables by which the playbook finds the same cloud."""
    secure = _absolute(cloud.secure_file)
    return {"OS_CLIENT_SECURE_FILE": secure} if secure else {}


def inventory(text: bytes, jobs: int) -> bytes:
    """The playbook's inventory with ``jobs`` lanes, each of which uploads one disk at a time."""
    lines = [line for line in text.splitlines() if not re.fullmatch(rb"lane\d+", line)]
    place = lines.index(b"[lanes]") + 1
    lines[place:place] = [b"lane%d" % number for number in range(1, jobs + 1)]
    return b"\n".join(lines) + b"\n"


def _absolute(path: str | None) -> str | None:
    """An absolute path, as the playbook runs in another directory."""
    return str(Path(path).resolve()) if path else None
