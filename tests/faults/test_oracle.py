"""The oracle sees what is gone, left over, another, or there twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.faults.trials import oracle
from tests.tenant import MADE, RESOURCES

OFF = {"name": "web", "status": "SHUTOFF"}
ON = {"name": "web", "status": "ACTIVE"}


def told(was: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return list(oracle.differences("source", {"servers": was}, {"servers": now}))


def test_the_same_is_nothing_to_tell() -> None:
    assert not told({"1": ON}, {"1": dict(ON)})


def test_what_is_gone_left_over_or_another_is_told() -> None:
    assert told({"1": ON}, {}) == ["source: servers 1 is gone"]
    assert told({}, {"1": ON}) == ["source: servers 1 'web' is left over"]
    assert told({"1": ON}, {"1": OFF}) == [
        "source: servers 1 is another: status 'ACTIVE' -> 'SHUTOFF'"
    ]


def empty() -> Any:
    return {kind: {} for kind in MADE}


def made() -> Any:
    return {
        kind: {f"{kind}-{number}": {"name": "x"} for number in range(count)}
        for kind, count in MADE.items()
    }


def test_a_thing_too_many_or_too_few_is_told() -> None:
    assert not list(oracle.of_counts(empty(), made()))
    twice = made()
    twice["networks"]["double"] = {"name": "y"}
    del twice["servers"]["servers-0"]
    assert list(oracle.of_counts(empty(), twice)) == [
        "target: 2 servers were made, and not 3: ['x', 'x']",
        "target: 3 networks were made, and not 2: ['x', 'x', 'y']",
    ]


def test_rows_that_are_missing_twice_or_untrue_are_told() -> None:
    rows = [(("network", f"old-{number}"), "networks-0") for number in range(RESOURCES)]
    assert not list(oracle.of_uuids(rows, made()))
    wrong = [*rows[1:], rows[1], (("floating ip", "old"), "none")]
    assert list(oracle.of_uuids(wrong, made())) == [
        f"uuids.csv has {RESOURCES + 1} rows, and not {RESOURCES}",
        "uuids.csv has ('network', 'old-1') 2 times",
        "uuids.csv: floating ip old -> none does not exist",
    ]


def test_uuids_are_read_as_they_are_written(tmp_path: Path) -> None:
    text = '"Resource Type","Resource Name","Old","New"\n"network","a, b","o","n"\n'
    (tmp_path / "uuids.csv").write_text(text)
    assert oracle.read_uuids(tmp_path) == [(("network", "o"), "n")]
