"""``make cover``: the coverage of each package, held against what CONTRIBUTING.md says of it.

The figures on that page are the floors: a page that claims more than is true fails the build.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Mapping

from coverage import Coverage

from tests.house import PACKAGES, ROOT

PAGE = ROOT / "CONTRIBUTING.md"


def claimed(page: str) -> dict[str, int]:
    """Package -> percent, in the table of the page."""
    return {
        name: int(percent) for name, percent in re.findall(r"^\| `(\w+)` \| (\d+) %", page, re.M)
    }


def measured() -> dict[str, float]:
    """Package -> percent of lines and branches that the last run under coverage went through."""
    coverage = Coverage(data_file=ROOT / ".coverage", config_file=ROOT / "pyproject.toml")
    coverage.load()
    return {
        package: coverage.report(include=[f"{package}/*"], file=io.StringIO())
        for package in PACKAGES
    }


def faults(claims: Mapping[str, int], found: Mapping[str, float]) -> Iterator[str]:
    """Where the page says more than is true, nothing of what is there, or names what is not."""
    for package, percent in found.items():
        if package not in claims:
            yield f"{package} has {percent:.1f} %, and {PAGE.name} does not say so"
        elif percent < claims[package]:
            yield f"{package} has {percent:.2f} %, and {PAGE.name} says {claims[package]} %"
    for package in claims.keys() - found.keys():
        yield f"{PAGE.name} has a figure for {package}, which is not there"


def main() -> int:
    """Returns 1 where the page says more than is true."""
    claims, found = claimed(PAGE.read_text()), measured()
    for package, percent in found.items():
        sys.stdout.write(f"{package:<18}{percent:5.1f} %  (at least {claims.get(package)} %)\n")
    wrong = list(faults(claims, found))
    sys.stderr.writelines(f"error: {each}\n" for each in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
