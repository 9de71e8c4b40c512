"""However long a text of a bundle is, what is said of it stays short, and costs no memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from bundle_spec.errors import BundleError, Faults
from bundle_spec.form import codec
from bundle_spec.form.graph_check import graph_faults
from bundle_spec.form.manifest_text import parse_manifest
from bundle_spec.model import Manifest, Ref
from bundle_spec.model.playbook import PlaybookData
from bundle_spec.text import outline, quoted, shortened

LONG = "x" * 2**22
SHORT = 400
"""Characters: no sentence of an error is longer."""

MANIFEST: dict[str, Any] = {
    "created": "2026-01-02T03:04:05Z",
    "tool": "",
    "source": {"auth_url": "", "region": None, "project_id": "", "project_name": ""},
    "format": "dpbundle",
    "version": [1, 0],
    "uuid": "00000000-0000-0000-0000-000000000000",
    "index_sha256": "0" * 64,
}
DISK: dict[str, Any] = {
    "id": "0001",
    "disk_format": "raw",
    "size": 0,
    "sha256": "0" * 64,
    "chunk_size": 2**20,
    "chunks": 0,
    "list_sha256": "0" * 64,
    "stored": 0,
    "shared": 0,
}
SERVER = {"id": "s", "name": "s", "flavor": "f"}
GROUP = {"id": "g", "name": "g"}
RULE = {"direction": "ingress", "ether_type": "IPv4"}
IMAGE = {"id": "i", "name": "i", "disk_format": "raw", "container_format": "bare"}
MARK = "dpb-" + "0" * 12 + "-" + "0" * 32


def told(data: bytes) -> list[BundleError]:
    try:
        return list(graph_faults(parse_manifest(data, "manifest.json")))
    except Faults as exc:
        return [fault for fault in exc.faults if isinstance(fault, BundleError)]
    except BundleError as exc:
        return [exc]


def resources(**sections: object) -> dict[str, object]:
    return {"resources": sections}


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("is not a UUID", {"uuid": LONG}),
        ("expected a string", {"uuid": [LONG, LONG]}),
        ("expected a string", {"uuid": {LONG: {LONG: LONG}}}),
        ("expected a string", {"uuid": [[]] * 10**5}),
        ("the version is not", {"version": [LONG]}),
        ("does not know", {"requires": [LONG]}),
        ("does not know", {"requires": [[LONG]]}),
        ("and 99990 more", {"requires": [f"word {number}" for number in range(10**5)]}),
        ("is not an id", {"disks": [DISK | {"id": LONG}]}),
        ("two disks have the id", {"disks": [DISK | {"id": LONG}, DISK | {"id": LONG}]}),
        ("sha256 is not", {"disks": [DISK | {"sha256": LONG}]}),
        ("lies outside", {"files": [{"path": LONG, "size": 0, "sha256": LONG}]}),
        ("found 7", resources(servers=[SERVER | {"metadata": {LONG: 7}}])),
        ("refers to flavor 'x", resources(servers=[SERVER | {"flavor": LONG}])),
        ("stands 2 times", resources(servers=[SERVER | {"id": LONG}] * 2)),
        ("the key 'dpb-", resources(servers=[SERVER | {"metadata": {f"dpb-{LONG}": ""}}])),
        ("a tag is reserved", resources(networks=[GROUP | {"tags": [f"dpb-{LONG}"]}])),
        ("refers to disk 'x", resources(images=[IMAGE | {"disk_id": LONG}])),
        (
            "a text is reserved",
            resources(
                security_groups=[GROUP | {"rules": [RULE | {"id": LONG, "description": MARK}]}]
            ),
        ),
        (
            "refers to network 'x",
            {"references": {"subnets": [GROUP | {"cidr": "10.0.0.0/24", "network_id": LONG}]}},
        ),
    ],
    ids=range(20),
)
def test_a_fault_of_a_manifest_is_told_in_a_sentence(words: str, change: dict[str, object]) -> None:
    found = [str(fault) for fault in told(codec.dumps(MANIFEST | change))]
    assert any(words in fault for fault in found)
    assert max(map(len, found)) < SHORT


def test_a_key_that_nobody_knows_is_told_in_a_sentence() -> None:
    with pytest.raises(BundleError, match=r"the key 'xxx.* is not known") as caught:
        codec.decode(PlaybookData, {"bundle": "b", LONG: 1}, "resources.yml")
    assert len(str(caught.value)) < SHORT


@pytest.mark.parametrize(
    "text",
    [f"0.{LONG}", f'{{"{LONG}": 1, "{LONG}": 2}}', LONG, f'"{LONG}'],
    ids=["not-json", "key-twice", "word", "open-string"],
)
def test_a_fault_of_json_is_told_in_a_sentence(text: str) -> None:
    (fault,) = told(text.encode())
    assert len(str(fault)) < SHORT


@pytest.mark.parametrize("digits", ["0." + "1" * 2**22, "1e" + "1" * 2**22, "1" * 2**22])
def test_a_number_that_is_none_is_told_in_a_sentence(digits: str) -> None:
    (fault,) = told(digits.encode())
    assert len(str(fault)) < SHORT


def test_no_more_of_a_value_is_looked_at_than_is_shown() -> None:
    value = {"bundle": [[LONG] * 50, {LONG: LONG}] * 50}
    tracemalloc.start()
    try:
        with pytest.raises(BundleError) as caught:
            codec.decode(PlaybookData, value, "resources.yml")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert 'found [["xxx' in str(caught.value)


def test_a_reference_is_told_in_a_sentence() -> None:
    assert str(Ref("floating_ip", "a\x1b[2J")) == r"floating ip 'a\x1b[2J'"
    assert len(str(Ref("keypair", LONG))) < SHORT


@pytest.mark.parametrize("cut", [shortened, quoted, outline])
def test_what_is_cut_says_so(cut: Callable[[str], str]) -> None:
    assert cut(LONG).endswith("...")
    assert len(cut(LONG)) < 80
    assert "short" in cut("short")
    assert "..." not in cut("short")
    assert cut("\x1b\n\u202e").isprintable()


def test_a_value_is_outlined_as_json() -> None:
    value = {"a": [1, None, True, "é"], "b": {}, "c": []}
    assert outline(value) == '{"a": [1, null, true, "\\u00e9"], "b":...'
    assert outline(value, 80) == '{"a": [1, null, true, "\\u00e9"], "b": {}, "c": []}'
    deep: list[object] = []
    for _ in range(10**5):
        deep = [deep]
    assert outline(deep) == "[" * 37 + "..."


def test_the_manifest_of_these_tests_has_no_fault_of_its_own() -> None:
    assert told(codec.dumps(MANIFEST)) == []
    assert isinstance(parse_manifest(codec.dumps(MANIFEST), "m"), Manifest)
