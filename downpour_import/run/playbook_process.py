"""ansible-playbook that ends with the importer that started it, also if that is killed.

``python -m downpour_import.run.playbook_process PARENT [ARGUMENT …]``.  Otherwise an orphaned run
would still make resources when the user starts the next one.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that this process gets when its parent dies."""


def main() -> None:
    parent, *arguments = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    # Ansible hands SIGTERM on to its workers, and they to their modules.
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != int(parent):
        raise SystemExit("the importer ended before its playbook began")
    # Only now: importing Ansible takes half a second in which the parent might die unseen.
    from ansible.cli.playbook import main as playbook

    playbook(["ansible-playbook", *arguments])


if __name__ == "__main__":
    main()
