"""Services of the target that restart in the middle of an import: it waits, and goes on."""

from __future__ import annotations

import time
from typing import Any

from tests.devcloud import Devcloud
from tests.e2e.conftest import Shell
from tests.e2e.holdings import holdings
from tests.e2e.test_killed import wait_for_rows
from tests.tenant import Tenant

SECONDS = 20


def test_an_import_goes_on_when_services_were_down(
    shell: Shell, made: Tenant, clouds: Devcloud, connect: Any
) -> None:
    """Without Keystone the other services answer 503; Glance refuses the connection."""
    wanted = f"networks: [{{id: {made.network}}}]\nimages: [{{id: {made.qcow2_image}}}]\n"
    (shell.directory / "outage.yml").write_text(wanted)
    shell.run("downpour-export", "outage.yml", "outage.dpbundle", OS_CLOUD="source")
    before = holdings(connect("target-other"))
    state = shell.directory / "outage"
    command = ["downpour-import", "outage.dpbundle", "--cloud", "target-other", "--state", "outage"]

    process = shell.start(*command)
    wait_for_rows(process, state, 1)
    with clouds.outage("target", ("keystone", "glance")):
        time.sleep(SECONDS)
    stdout, stderr = process.communicate(timeout=300)

    assert process.returncode == 0, stderr
    assert "every resource is as the manifest says" in stdout
    assert "waiting for the cloud to answer" in stderr
    shell.run("downpour-import", "undo", *command[1:], "--yes")
    assert holdings(connect("target-other")) == before
