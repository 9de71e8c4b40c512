"""The JSON schema says what the records say, and SPEC.md numbers its rules without a gap."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

import bundle_spec
from bundle_spec import open_bundle
from bundle_spec.cli.alone import main
from bundle_spec.codes import Code
from bundle_spec.form import codec
from bundle_spec.form.json_schema import manifest_schema
from tests.vectors import generate, table
from tests.vectors.forge import Forge

ROOM = Path(bundle_spec.__file__).parent
SCHEMA = ROOM / "schema" / "manifest.schema.json"


def test_the_schema_file_is_that_of_the_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    remedy = "run: python -m bundle_spec schema > bundle_spec/schema/manifest.schema.json"
    assert SCHEMA.read_text() == capsys.readouterr().out, remedy


@pytest.fixture
def manifest(tmp_path: Path) -> Any:
    with open_bundle(Forge().write(tmp_path / "x")) as bundle:
        return codec.encode(bundle.manifest)


def test_a_manifest_fits_the_schema(manifest: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(manifest_schema())
    jsonschema.validate(manifest, json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.pop("uuid"),
        lambda value: value["disks"][0].update(size="1"),
        lambda value: value["resources"].update(keypairs=[{"id": "k"}]),
        lambda value: value.update(format="zip"),
        lambda value: value["source"].update(region=1),
    ],
)
def test_what_does_not_fit(manifest: Any, change: Callable[[Any], None]) -> None:
    change(manifest)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize("name", table.valid())
def test_the_manifest_of_every_valid_vector_fits(tmp_path: Path, name: str) -> None:
    with open_bundle(generate.unpacked(f"valid/{name}", tmp_path)) as bundle:
        value = codec.encode(bundle.manifest)
    jsonschema.validate(value, json.loads(SCHEMA.read_text()))


RECORDS = manifest_schema()["$defs"]


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_and_every_key_says_what_it_means(name: str) -> None:
    described = {name: RECORDS[name], **RECORDS[name]["properties"]}
    assert [key for key, value in described.items() if not value["description"].strip()] == []
    assert "``" not in json.dumps(described)


@pytest.mark.parametrize("name", RECORDS)
def test_a_key_may_be_absent_where_there_is_a_default(name: str) -> None:
    """[M-1]  And the default is a value that the key may have."""
    keys = RECORDS[name]["properties"]
    absent = {key: value["default"] for key, value in keys.items() if "default" in value}
    assert sorted([*RECORDS[name]["required"], *absent]) == sorted(keys)
    for key, default in absent.items():
        jsonschema.validate(default, {**keys[key], "$defs": RECORDS})


def test_the_table_of_codes_is_that_of_the_code() -> None:
    spec = (ROOM / "SPEC.md").read_text()
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([FMS]-\d+) \| (\w+) \| .+ \|$", spec, re.M)
    assert rows == [(code.slug, code.rule, code.level) for code in Code]


def test_the_rules_are_numbered_without_a_gap_and_those_cited_exist() -> None:
    spec = (ROOM / "SPEC.md").read_text()
    for letter in "FMS":
        numbers = [int(number) for number in re.findall(rf"^\*\*\[{letter}-(\d+)\]", spec, re.M)]
        assert numbers == list(range(1, len(numbers) + 1))
    rules = set(re.findall(r"^\*\*\[([FMS]-\d+)\]", spec, re.M))
    places = [*ROOM.rglob("*.py"), *Path(__file__).parent.rglob("*.py"), ROOM / "SPEC.md"]
    for place in places:
        cited = set(re.findall(r"\b([FMS]-\d+)\b", place.read_text()))
        assert cited <= rules, f"{place} cites {cited - rules}"
