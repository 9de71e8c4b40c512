"""Any manifest comes back as it was written, to the last key and byte."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundle_spec import model
from bundle_spec.errors import BundleError
from bundle_spec.form import codec
from bundle_spec.form.graph_check import graph_faults
from bundle_spec.form.manifest_text import format_manifest, parse_manifest
from bundle_spec.model import SECTIONS
from tests.property.strategies import REFERENCES, examples, manifests, record
from tests.vectors.forge import canonical


@pytest.mark.parametrize("section", dict.fromkeys([*SECTIONS, *REFERENCES]))
def test_a_manifest_is_read_back(section: str) -> None:
    """[M-2] [M-7]  With any record of each resource type, and keys that nobody knows."""

    @examples(15)
    @given(manifest=manifests(section))
    def check(manifest: model.Manifest) -> None:
        data = format_manifest(manifest)
        again = parse_manifest(data, "manifest.json")
        assert again == manifest
        assert format_manifest(again) == data
        assert canonical(codec.encode(manifest)) == data
        for fault in graph_faults(again):
            assert isinstance(fault, BundleError)

    check()


BASES = (model.Record, model.Resource, model.Tagged, model.Reference)
RECORDS: list[type] = [
    each
    for each in vars(model).values()
    if isinstance(each, type) and dataclasses.is_dataclass(each) and each not in BASES
]


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_a_record_is_read_back(cls: type) -> None:
    """[M-1] [M-7]"""

    @examples(10)
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        found = data.draw(record(cls))
        value = codec.loads(codec.dumps(codec.encode(found)), "x")
        assert codec.decode(cls, value, "x") == found

    check()
