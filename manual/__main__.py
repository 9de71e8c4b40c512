"""``python -m manual``: write the manual, from the root of the repository."""

from __future__ import annotations

from pathlib import Path

from manual import files

ROOT = Path(__file__).parents[1]


def main() -> None:
    for name, text in files().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
