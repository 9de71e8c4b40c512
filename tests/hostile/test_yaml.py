"""YAML that was made to cost: every kind of file is read in time, in memory, and told in a line."""

from __future__ import annotations

import re
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from bundle_spec.errors import DownpourError, Faults
from bundle_spec.form import yaml_reader
from bundle_spec.form.yaml_reader import BY_HAND
from bundle_spec.model.playbook import PlaybookData
from bundle_spec.trust import policy
from downpour_export import resource_file
from downpour_export.resource_file import merge
from downpour_import.playbook.data import decode_data, load_data
from downpour_import.playbook.settings import load_settings
from downpour_import.preflight import mapping
from tests.house import PACKAGES, ROOT

SECONDS = 30
"""Far more than needed, on a busy machine and without libyaml; each took longer or never ended."""


def bomb() -> str:
    """594 bytes that are a thousand million values."""
    lines = ["a: &a [" + ",".join(["lol"] * 10) + "]"]
    for name, before in zip("bcdefghi", "abcdefgh", strict=True):
        lines.append(f"{name}: &{name} [" + ",".join([f"*{before}"] * 10) + "]")
    return "\n".join(lines)


BOMBS = {
    "aliases": bomb(),
    "an-alias-of-itself": "a: &a [*a]",
    "a-merge-of-itself": "a: &a\n  <<: *a\n",
    "merges": "a: &a {x: 1}\n" + "".join(f"k{n}: &a\n  <<: [*a, *a]\n" for n in range(1000)),
    "a-number-in-base-60": "a: " + "1:" * 300_000 + "1",
    "hex-digits": "a: 0x" + "f" * 5000,
    "hex-digits-as-key": "a: {0x" + "f" * 900 + ": b}",
    "digits": "a: " + "9" * 600_000,
    "digits-as-key": "a: {" + "9" * 900 + ": b}",
    "lists-in-lists": "a: " + "[" * 10**6,
    "mappings-in-mappings": "{a: " * 200_000,
    "dashes": "- " * 250_000,
    "keys-of-keys": "? " * 500_000,
    "lists-as-keys": "[? " * 300_000,
    "tags-of-tags": "".join(f"%TAG !a{n}! x\n" for n in range(70_000)) + "---\na: b",
    "tags-of-a-second-document": "a\n...\n" + "".join(f"%TAG !a{n}! x\n" for n in range(60_000)),
    "versions": "%YAML 1." + "1" * 300_000,
    "anchors": "[" + "&a a," * 200_000 + "]",
    "the-same-key": "a: b\n" * 200_000,
    "keys": "{" + ",".join(f"k{number}" for number in range(20_000)) + "}",
    "commas": "[" + "a," * 60_000 + "]",
    "documents": "---\n" * 250_000,
    "code": "a: !!python/object/apply:os.system [touch /tmp/never]",
    "a-float": "a: !!float " + "1:" * 300_000 + "1",
    "bytes": "a: !!binary " + "A" * 300_000,
    "a-tag": "a: !" + "x" * 300_000 + " b",
    "a-key": '? "' + "x" * 300_000 + '"\n: b',
    "the-same-long-key": ('? "' + "x" * 150_000 + '"\n: b\n') * 2,
    "a-scalar": "a: " + "x" * 300_000,
    "escapes": 'a: "' + "\\0" * 150_000 + '"',
    "a-file-too-large": "a" * (BY_HAND.bytes + 1),
    "control": "a: \x1b]0;x\x07",
    "utf-16": "a\0: \0b\0",
}


def _policy(path: Path) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(policy.VARIABLE, str(path))
        return policy.load()


READERS: dict[str, Callable[[Path], object]] = {
    "resources.yml": lambda path: decode_data(load_data(path), str(path)),
    "settings.yml": load_settings,
    "mapping.yml": mapping.load,
    "policy.yml": _policy,
    "export.yml": resource_file.load,
    "export-to-add-to.yml": merge.load,
}


def check_refused(name: str, text: str, folder: Path) -> None:
    path = folder / name
    path.write_text(text)
    begun = time.monotonic()
    with pytest.raises(DownpourError) as caught:
        READERS[name](path)
    assert time.monotonic() - begun < SECONDS
    lines = str(caught.value).splitlines()
    assert len(lines) <= 1001
    assert max(map(len, lines)) < len(str(folder)) + 400
    assert any(name in line for line in lines)


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_by_every_reader_in_time_and_in_a_few_lines(
    text: str, tmp_path: Path
) -> None:
    for name in READERS:
        check_refused(name, text, tmp_path)


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_without_libyaml_too(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_reader, "_Loader", yaml.SafeLoader)
    check_refused("resources.yml", text, tmp_path)


@pytest.mark.parametrize("text", [bomb(), "a: " + "x" * 300_000, "[" + "&a a," * 200_000])
def test_a_bomb_takes_no_memory_worth_speaking_of(text: str, tmp_path: Path) -> None:
    path = tmp_path / "resources.yml"
    path.write_text(text)
    tracemalloc.start()
    try:
        with pytest.raises(DownpourError):
            READERS["resources.yml"](path)
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("more", ["bundle: b", "references: &a {}", "resources: !x {}"])
def test_data_with_two_readings_is_refused(more: str, tmp_path: Path) -> None:
    path = tmp_path / "resources.yml"
    path.write_text("bundle: a\n")
    assert READERS["resources.yml"](path) == PlaybookData(bundle="a")
    path.write_text(f"bundle: a\n{more}\n")
    with pytest.raises(DownpourError, match=r"resources\.yml:2:"):
        READERS["resources.yml"](path)


def test_no_more_faults_are_told_than_of_a_bundle(tmp_path: Path) -> None:
    path = tmp_path / "settings.yml"
    path.write_text("mapping: {flavors: {" + ",".join(f"{n}: &a b" for n in range(5000)) + "}}")
    with pytest.raises(Faults) as caught:
        load_settings(path)
    assert len(caught.value.faults) == 1000
    path.write_text("flavors: {" + ",".join(f"a{n}: [b]" for n in range(5000)) + "}")
    with pytest.raises(Faults) as caught:
        mapping.load(path)
    assert len(caught.value.faults) == 1000


def _sources() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            yield str(path.relative_to(ROOT)), path.read_text("utf-8")


def test_no_other_reader_of_yaml_is_in_the_house() -> None:
    reads = re.compile(r"yaml\.(?:\w*load\w*|\w*Loader|parse|scan|compose\w*|cyaml)\b|from_yaml")
    found = {name for name, text in _sources() if reads.search(text)}
    assert found == {
        "bundle_spec/form/yaml_reader.py",
        # Looks for places in a text that the reader has taken.
        "downpour_export/resource_file/insertion.py",
    }
