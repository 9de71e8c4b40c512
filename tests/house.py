"""Where the clone is, and which packages of it are downpour's."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = tuple(
    sorted({path.parent.name for path in ROOT.glob("*/__init__.py")} - {"manual", "tests"})
)
