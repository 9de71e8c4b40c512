"""The manual, made of the programs' help texts: man pages, completion, and a page of the docs.

``make manual`` writes it; a test holds what is committed to what would be written.
"""

from __future__ import annotations

import downpour_export.usage
import downpour_import.usage
from bundle_spec.cli import usage
from manual import bash, man, reference, zsh

INSTALLED = (downpour_export.usage.PROGRAM, downpour_import.usage.PROGRAM)
ALL = (*INSTALLED, usage.PROGRAM)


def files() -> dict[str, str]:
    """Path below the root of the repository -> text, of all that is made."""
    made = {"docs/reference/commands.md": reference.page(ALL)}
    for program in INSTALLED:
        name = program.name
        made[f"share/man/man1/{name}.1"] = man.page(program)
        made[f"share/bash-completion/completions/{name}"] = bash.script(program)
        made[f"share/zsh/site-functions/_{name}"] = zsh.script(program)
    return made
