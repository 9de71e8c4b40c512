"""Words for people on a terminal."""

from __future__ import annotations

import pytest

from bundle_spec.text import (
    counted,
    filled,
    human_bytes,
    printable,
    some_of,
    table,
    width,
    wrapped,
)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (-5, "-5 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (1 << 30, "1.0 GiB"),
        (5 << 50, "5120.0 TiB"),
    ],
)
def test_sizes_are_told_in_binary_units(size: int, text: str) -> None:
    assert human_bytes(size) == text


def test_control_characters_are_shown_and_not_sent() -> None:
    assert printable("a\x1b[2J\r\n\x9b\u202e\udcff") == r"a\x1b[2J\r\n\x9b\u202e\udcff"
    assert printable("Zürich 雨 {{ 7*7 }}") == "Zürich 雨 {{ 7*7 }}"


def test_names_beyond_the_most_are_counted_and_empty_ones_are_none() -> None:
    assert some_of(["a", "b"], 2) == "'a', 'b'"
    assert some_of(["a", "b\n", "c", "d"], 2) == r"'a', 'b\n' and 2 more"
    assert some_of(["", ""], 1) == ""


def test_a_table_is_aligned_by_what_a_terminal_shows() -> None:
    rows = [("name", "size", "x"), ("雨", "1", "y"), ("a\nb", "100", ""), ("e\u0301", "20", "z")]
    assert list(table(rows, right=frozenset({1}))) == [
        "name  size  x",
        "雨       1  y",
        "a\\nb   100",
        "e\u0301       20  z",
    ]
    assert width("雨e\u0301") == 3


def test_words_fill_lines_and_are_never_cut() -> None:
    assert filled([]) == []
    assert filled(["a"] * 5, 7) == ["a, a,", "a, a,", "a"]
    assert filled(["a", "b" * 30, "c"], 10) == ["a,", "b" * 30 + ",", "c"]


def test_one_is_not_told_as_several() -> None:
    assert [counted(number, "disk") for number in (0, 1, 2)] == ["0 disks", "1 disk", "2 disks"]


def test_lines_end_between_words_where_the_terminal_ends() -> None:
    text = "  one two  three\n雨雨 雨雨 x\nlooooooooong word"
    assert wrapped(text, None) == text
    assert wrapped(text, 17) == text
    assert wrapped(text, 9).split("\n") == [
        "  one two",
        "      three",  # no blank is left to break it at
        "雨雨 雨雨",
        "    x",
        "looooooooong",
        "    word",
    ]
    assert wrapped("a  b c", 4, hang=3) == "a  b\n   c"
    assert wrapped("", 9) == ""
