"""The tables of README.md: what each vector is for, and who finds what is wrong with it."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.vectors.generate import FOLDER

README = (FOLDER / "README.md").read_text()


class Row(NamedTuple):
    """One line of the table of invalid vectors.

    ``level``: the first that finds the fault.  ``also``: codes of faults to which it must lead.
    """

    case: str
    level: str
    code: str
    rule: str
    also: frozenset[str]


def invalid() -> list[Row]:
    lines = re.findall(
        r"^\| `([a-z0-9-]+)` \| (\w+) \| `([a-z0-9-]+)` \| ([FMS]-\d+) \| (.+) \|$", README, re.M
    )
    return [
        Row(case, level, code, rule, frozenset(re.findall(r"also `([a-z0-9-]+)`", words)))
        for case, level, code, rule, words in lines
    ]


def valid() -> list[str]:
    return re.findall(r"^\| `([a-z0-9-]+)` \| [^|]+ \|$", README, re.M)
