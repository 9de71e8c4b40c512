"""Records <-> JSON: every fault told with its path, nothing lost that is not known."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from bundle_spec import model
from bundle_spec.errors import BundleError, BundleFaults
from bundle_spec.form import codec
from bundle_spec.model import Port, Server, Subnet
from bundle_spec.model.base import Record

PORT: dict[str, Any] = {
    "id": "p1",
    "name": "eth0",
    "network_id": "n1",
    "mac_address": "fa:16:3e:00:00:01",
    "fixed_ips": [{"subnet_id": "s1", "ip_address": "10.0.0.5"}],
}


def test_a_record_survives_the_round_trip() -> None:
    port = codec.decode(Port, PORT, "port")
    again = codec.decode(Port, codec.loads(codec.dumps(codec.encode(port)), "port"), "port")
    assert again == port
    assert port.fixed_ips[0].ip_address == "10.0.0.5"


def test_keys_that_nobody_knows_survive_at_every_depth() -> None:
    """[M-7]"""
    value = {
        **PORT,
        "colour": "red",
        "fixed_ips": [{"subnet_id": "s1", "ip_address": "10.0.0.5", "shade": {"deep": [1]}}],
    }
    encoded = codec.encode(codec.decode(Port, value, "port"))
    assert encoded["colour"] == "red"
    assert encoded["fixed_ips"][0]["shade"] == {"deep": [1]}


@pytest.mark.parametrize(
    "cls", [c for c in vars(model).values() if dataclasses.is_dataclass(c)], ids=str
)
def test_every_record_can_hold_unknown_keys(cls: type) -> None:
    """[M-7]"""
    assert issubclass(cls, Record)


def test_a_key_called_extra_is_data_like_any_other() -> None:
    port = codec.decode(Port, {**PORT, "extra": {"name": "not a field"}}, "port")
    assert codec.encode(port)["extra"] == {"name": "not a field"}
    assert port.name == "eth0"


def test_an_unknown_key_never_hides_a_field() -> None:
    port = dataclasses.replace(codec.decode(Port, PORT, "port"), extra={"name": "forged"})
    assert codec.encode(port)["name"] == "eth0"


def test_every_fault_is_told_with_its_path() -> None:
    value = {"id": 7, "name": None, "network_id": "n", "fixed_ips": [{"subnet_id": "s"}, "x"]}
    with pytest.raises(BundleFaults) as caught:
        codec.decode(Port, value, "ports[0]")
    assert {str(fault) for fault in caught.value.faults} == {
        "ports[0].id: expected a string, found 7",
        "ports[0].name: expected a string, found null",
        "ports[0]: the key 'mac_address' is missing",
        "ports[0].fixed_ips[0]: the key 'ip_address' is missing",
        'ports[0].fixed_ips[1]: expected an object, found "x"',
    }


def test_true_is_no_integer_and_one_is_not_true() -> None:
    value = {"id": "v", "name": "v", "size": True, "bootable": 1}
    with pytest.raises(BundleFaults, match=r"v\.size: expected an integer, found true"):
        codec.decode(model.Volume, value, "v")


@pytest.mark.parametrize("version", [6.0, True, "6", 5, [6]])
def test_a_literal_is_one_value_of_one_type(version: object) -> None:
    value = {
        "id": "s",
        "name": "s",
        "network_id": "n",
        "ip_version": version,
        "cidr": "fd00::/64",
        "gateway_ip": None,
    }
    with pytest.raises(BundleFaults, match="expected one of 4, 6"):
        codec.decode(Subnet, value, "subnet")


def test_mappings_are_checked_value_by_value() -> None:
    value = {"id": "s", "name": "s", "flavor": "f", "metadata": {"a": "1", "b": 2}}
    with pytest.raises(BundleFaults, match=r"server\.metadata\.b: expected a string"):
        codec.decode(Server, value, "server")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1, "a": 1}', "stands twice"),
        (b'{"a": NaN}', "not a JSON number"),
        (b'{"a": -Infinity}', "not a JSON number"),
        (b'{"a": 1.0}', "1.0 is not an integer"),
        (b'{"a": 1e999}', "1e999 is not an integer"),
        (b'{"a": 1} x', "not JSON"),
        (b"\xff{}", "not UTF-8 at byte 0"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"[" * 100_000, "nested too deeply|not JSON"),
        (b"[" * 33 + b"]" * 33, "nested deeper than 32"),
        (b"", "not JSON"),
        (b"1" * 5000, "out of range"),
        (b"9007199254740992", "out of range"),
        (b"-9007199254740992", "out of range"),
    ],
)
def test_parsing_is_strict(data: bytes, message: str) -> None:
    """[M-3] [M-4]"""
    with pytest.raises(BundleError, match=message) as caught:
        codec.loads(data, "manifest.json")
    assert caught.value.where == "manifest.json"


def test_the_numbers_that_are_allowed() -> None:
    """[M-3]"""
    for number in (2**53 - 1, -(2**53 - 1), 0):
        assert codec.loads(str(number).encode(), "x") == number


def test_the_allowed_depth_is_allowed() -> None:
    """[M-4]"""
    data = b"[" * codec.MAX_DEPTH + b"]" * codec.MAX_DEPTH
    assert json.dumps(codec.loads(data, "x")).encode() == data


def test_canonical_json_is_one_form_only() -> None:
    """[M-2]"""
    assert codec.dumps({"b": "é", "a": [1, None]}) == (
        '{\n "a": [\n  1,\n  null\n ],\n "b": "é"\n}\n'.encode()
    )
