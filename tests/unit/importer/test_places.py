"""Where the keys and values of a person's YAML file stand."""

from __future__ import annotations

from pathlib import Path

from downpour_import.errors import MappingError
from downpour_import.preflight import places


def test_keys_and_values_have_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yml"
    path.write_text("networks:\n  public: internet\n")
    value, where = places.read(path, MappingError)
    assert value == {"networks": {"public": "internet"}}
    assert where.of_key("networks", "public") == f"{path}:2:3"
    assert where.below("networks").of_value("public") == f"{path}:2:11"
    assert where.of_value("flavors") == str(path)


def test_what_aliases_repeat_is_gone_through_once(tmp_path: Path) -> None:
    """Else a kilobyte of a stranger's file would become a billion places."""
    names = [f"n{number}" for number in range(100)]
    path = tmp_path / "settings.yml"
    path.write_text(
        "a: &a {" + ", ".join(f"{name}: 1" for name in names) + "}\n"
        "b: &b {" + ", ".join(f"{name}: *a" for name in names) + "}\n"
        "c: {" + ", ".join(f"{name}: *b" for name in names) + "}\n"
    )
    _, where = places.read(path, MappingError)
    assert len(where.keys) == 303
    assert where.of_key("c", "n7").startswith(f"{path}:3:")
