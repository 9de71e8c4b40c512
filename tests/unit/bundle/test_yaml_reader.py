"""What is read of YAML: JSON, with its places; by libyaml and by PyYAML's own parser alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bundle_spec.errors import BundleError, LocalError
from bundle_spec.form import codec, yaml_reader
from bundle_spec.form.yaml_reader import Document, Limit
from bundle_spec.read import yaml_file

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


@pytest.fixture(params=LOADERS, autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(yaml_reader, "_Loader", request.param)
    return request.param


def read(text: str | bytes, **options: Any) -> Document[BundleError]:
    data = text.encode() if isinstance(text, str) else text
    return yaml_reader.read(data, "f.yml", BundleError, **options)


def told(text: str | bytes, **options: Any) -> list[str]:
    return [str(fault) for fault in read(text, **options).faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("---\n", None),
        ("[null, ~, Null, NULL, ]", [None] * 4),
        ("[true, True, TRUE, false, False, FALSE]", [True] * 3 + [False] * 3),
        (
            "[0, -0, 7, -7, 9007199254740991, -9007199254740991]",
            [0, 0, 7, -7, 2**53 - 1, 1 - 2**53],
        ),
        ("['true', \"null\", '7', \"\"]", ["true", "null", "7", ""]),
        ("a: {b: [c, {d: }]}\ne: |\n  f\n  g\n", {"a": {"b": ["c", {"d": None}]}, "e": "f\ng\n"}),
        ("? a\n: b\n? c\n", {"a": "b", "c": None}),
        ("{a, b: }", {"a": None, "b": None}),
        ("'<<': <<\n", {"<<": "<<"}),
        ("%YAML 1.1\n---\na\n...\n# the end", "a"),
        ("# why\n%YAML 1.2 # 2009\n\n---\na: b", {"a": "b"}),
        ("\ufeffa: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
        ("a: b\x85c: d\u2028e: f\u2029", {"a": "b", "c": "d", "e": "f"}),
        ('"\\U0001f600 \\x41 \\u0085"', "😀 A \x85"),
    ],
)
def test_json_is_read(text: str, value: object) -> None:
    found = read(text)
    assert (found.value, found.faults) == (value, ())
    assert codec.dumps(found.value) == codec.dumps(value)  # True is not 1


@pytest.mark.parametrize(
    "word",
    "yes No ON off y 0o17 017 0815 0x1f 0b1 1_000 +5 1.5 1. .5 1e3 .inf -.inf .nan 1:30 190:20:30 "
    "2024-01-01 2024-13-45 2024-01-01T00:00:00Z = << - -- 1a nUll tRUE".replace(" - ", " ").split(),
)
def test_any_other_word_is_a_string_whatever_other_readers_make_of_it(word: str) -> None:
    assert read(f"a: {word}").value == {"a": word}
    if word != "<<":
        assert read(f"{word}: a").value == {word: "a"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x 1\n", "f.yml:1:4: an anchor (&) is not read (leave it out)"),
        ("a: *x\n", "f.yml:1:4: an alias (*) is not read (write the value itself)"),
        ("*x : a\n", "f.yml:1:1: an alias (*) is not read (write the value itself)"),
        ("a: !x 1", "f.yml:1:4: the tag !x is not read (leave it out)"),
        ("a: !!str 1", "f.yml:1:4: the tag !!str is not read (leave it out)"),
        ("a: ! 1", "f.yml:1:4: the tag ! is not read (leave it out)"),
        ("!!map {a: 1}", "f.yml:1:1: the tag !!map is not read (leave it out)"),
        ("!!str a: 1", "f.yml:1:1: the tag !!str is not read (leave it out)"),
        ("a:\n  <<: {b: 1}", "f.yml:2:3: a merge key (<<) is not read (write its keys here)"),
        ("a: 1\nb: 2\na: 3", "f.yml:3:1: the key 'a' stands here twice"),
        ("{a: {b: 1, 'b': 1}}", "f.yml:1:12: the key 'b' stands here twice"),
        ("a: 1\n7: b", "f.yml:2:1: the key 7 is not a string (quote it)"),
        ("false: b", "f.yml:1:1: the key false is not a string (quote it)"),
        ("? \n: b", "f.yml:1:2: the key null is not a string (quote it)"),
        ("? [a, b]\n: c", "f.yml:1:3: the key […] is not a string (quote it)"),
        ("? {a: b}\n: c", "f.yml:1:3: the key […] is not a string (quote it)"),
        (
            "a: 9007199254740992",
            "f.yml:1:4: the number 9007199254740992 is out of range (quote it if it is a text)",
        ),
        ("-9007199254740992", "f.yml:1:1: the number -9007199254740992 is out of range "
         "(quote it if it is a text)"),
        ("a\n---\nb", "f.yml:2:1: not YAML: a second document begins (a file holds one)"),
        ("a\n...\n\n%YAML 1.1\n---\nb", "f.yml:4:1: not YAML: a second document begins "
         "(a file holds one)"),
        ("%TAG ! tag:x,2000:\n---\na", "f.yml:1:1: a directive other than %YAML 1.1 or 1.2 is not "
         "read"),
        ("\n%FOO\n---\na", "f.yml:2:1: a directive other than %YAML 1.1 or 1.2 is not read"),
        ("%YAML 1.3\n---\na", "f.yml:1:1: a directive other than %YAML 1.1 or 1.2 is not read"),
        ("%YAML 1.1\n%YAML 1.1\n---\na", "f.yml:2:1: a directive other than %YAML 1.1 or 1.2 is "
         "not read"),
        ("a: \x07", "f.yml:1:4: not YAML: the control character U+0007"),
        ("a: b\r\nc: \x9b", "f.yml:2:4: not YAML: the control character U+009B"),
        ("a: \ufeff", "f.yml:1:4: not YAML: the control character U+FEFF"),
        (b"a: \xff", "f.yml: not UTF-8 at byte 3"),
        ("a: 1".encode("utf-16"), "f.yml: not UTF-8 at byte 0"),
        ("a: 1".encode("utf-16-be"), "f.yml:1:1: not YAML: the control character U+0000"),
    ],
)  # fmt: skip
def test_what_is_more_than_json_is_a_fault_with_its_place(text: str | bytes, message: str) -> None:
    assert told(text) == [message]


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"\\ud83d\\ude00"', '"\\U00110000"', "a: [\n", "\ta: 1", "a: b: c", '"a']
)
def test_what_is_not_yaml_is_told(text: str) -> None:
    (fault,) = told(text)
    assert ": not YAML: " in fault


def test_every_fault_is_told_and_the_rest_is_read() -> None:
    found = read("a: &x '1'\nb: *x\na: {a: !y 2}\nc: [3, !z 4]\n7: &x 8\n")
    places = [str(fault.where).removeprefix("f.yml:") for fault in found.faults]
    assert places == ["1:4", "2:4", "3:1", "3:8", "4:8", "5:1", "5:4"]
    assert found.value == {"a": "1", "b": None, "c": [3, "4"]}


def test_the_allowed_depth_is_that_of_the_format() -> None:
    deep = codec.MAX_DEPTH
    for opened, value, closed in (("[", "", "]"), ("{a: ", "", "}"), ("[", "7", "]")):
        fits = deep - (opened != "[" or value != "")
        for levels in (fits, fits + 1):
            text = opened * levels + value + closed * levels
            assert bool(told(text)) == (levels > fits), text
    (fault,) = told("[" * 33 + "]" * 33)
    assert fault == "f.yml:1:33: nested deeper than 32 levels"


def test_bytes_and_values_are_bounded() -> None:
    assert told("a: 1", limit=Limit(4, 3)) == []
    assert told("a: 1", limit=Limit(3, 3)) == ["f.yml: the file is larger than 3 B"]
    assert told("a: 1", limit=Limit(4, 2)) == [
        "f.yml:1:4: more keys and values than such a file may hold"
    ]


def test_keys_and_values_have_line_and_column() -> None:
    where = read("\ufeffnetworks:\n  public: internet\n  é😀x: [a,\n    b]\n").places
    assert where.of_value() == "f.yml:1:1"
    assert where.of_key("networks", "public") == "f.yml:2:3"
    assert where.below("networks").of_value("public") == "f.yml:2:11"
    assert where.of_value("networks", "é😀x", 1) == "f.yml:4:5"
    assert where.of_value("flavors") == "f.yml"


def test_a_file_that_cannot_be_read_is_a_local_error(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"none: cannot read the list: No such file"):
        yaml_file.load(tmp_path / "none", BundleError, what="the list")
    (tmp_path / "large").write_text("a" * 100)
    (fault,) = yaml_file.load(tmp_path / "large", BundleError, limit=Limit(99, 1)).faults
    assert "larger than 99 B" in str(fault)
