"""The marks of an import: one for each resource, in a name space that no bundle may use."""

from __future__ import annotations

import pytest

from bundle_spec.form.marker import is_marker, is_reserved, marker

BUNDLE = "01234567-89ab-4def-8000-000000000000"
DIGEST = "5e" * 32
PORT = "aaaaaaaa-0000-4000-8000-000000000001"


def test_a_mark_begins_with_the_uuid_of_its_bundle() -> None:
    assert marker(BUNDLE, DIGEST, PORT) == "dpb-0123456789ab-9786b7a5ef8e205b02f41a77d7803642"


def test_no_two_ids_have_one_mark() -> None:
    ids = ["ab", "a-b", "-ab", "", PORT, PORT.replace("-", ""), PORT.upper(), f"{PORT}\n"]
    assert len({marker(BUNDLE, DIGEST, each) for each in ids}) == len(ids)


def test_a_bundle_that_calls_itself_as_another_has_other_marks() -> None:
    assert marker(BUNDLE, "5f" * 32, PORT) != marker(BUNDLE, DIGEST, PORT)


@pytest.mark.parametrize("identity", ["", "a-b", "ü 雨", PORT, "x" * 1000])
def test_every_mark_is_known_as_one(identity: str) -> None:
    """So that an export leaves it behind, and no bundle can bring one."""
    made = marker(BUNDLE, DIGEST, identity)
    assert is_reserved(made)
    assert is_marker(made)
