"""What the order of an import decides by itself: where a proposal goes."""

from __future__ import annotations

from pathlib import Path

from downpour_import.pipeline import _propose


def test_a_proposal_never_replaces_a_persons_work(tmp_path: Path) -> None:
    first = _propose("flavors: {a: b}\n", tmp_path)
    assert _propose("flavors: {a: b}\n", tmp_path) == first
    first.write_text("flavors: {a: mine}\n")
    second = _propose("flavors: {a: b}\n", tmp_path)
    assert second != first
    assert first.read_text() == "flavors: {a: mine}\n"
    assert second.read_text() == "flavors: {a: b}\n"
