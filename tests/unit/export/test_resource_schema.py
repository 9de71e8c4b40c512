"""The schema for editors, the documentation and the parser know the same sections and keys."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

import downpour_export
from downpour_export.errors import ResourceFileFaults
from downpour_export.resource_file import SECTIONS, Item, parse

SCHEMA: dict[str, Any] = json.loads(
    (Path(downpour_export.__file__).parent / "schema" / "resource-file.schema.json").read_text()
)
DOCUMENT = (Path(__file__).parents[3] / "docs" / "reference" / "resource-file.md").read_text()
EXAMPLE = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.S)[0]
KEYS = {each.name for each in dataclasses.fields(Item)} - {"where"}


def keys_of(section: str) -> set[str]:
    return set(SCHEMA["properties"][section]["items"]["properties"])


def is_accepted(text: str, tmp_path: Path) -> bool:
    try:
        parse(text, tmp_path / "export.yml")
    except ResourceFileFaults:
        return False
    return True


def test_all_three_have_the_same_sections_and_keys() -> None:
    assert tuple(SCHEMA["properties"]) == SECTIONS
    assert set.union(*map(keys_of, SECTIONS)) == KEYS
    assert set(re.findall(r"^\| `(\w+)` \| (?:all|`)", DOCUMENT, re.M)) == KEYS
    assert set(yaml.safe_load(EXAMPLE)) == set(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_parser_takes_in_a_section_what_the_schema_takes(section: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    values = {"save_state": "false", "snapshots": "true", "stop": "keep", "boot": "image"}
    for key in KEYS - {"name", "id"}:
        text = f"{section}: [{{name: a, {key}: {values.get(key, 'x')}}}]\n"
        assert is_accepted(text, tmp_path) == (key in keys_of(section)), text


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        "servers:\n",
        "servers: []\n",
        "servers: [{name: a, stop: false}]\n",
        "{}\n",
        "serverz: []\n",
        "servers: web\n",
        "servers: [web]\n",
        "servers: [{}]\n",
        "servers: [{name: 7}]\n",
        "servers: [{name: a, id: b}]\n",
        "servers: [{name: a, stop: always}]\n",
        "servers: [{name: a, stop: 1}]\n",
        "servers: [{name: a, boot: disk}]\n",
        "volumes: [{name: a, stop: true}]\n",
        "volumes: [{name: a, snapshots: 1}]\n",
    ],
)
def test_schema_and_parser_agree(text: str, tmp_path: Path) -> None:
    (tmp_path / "web-init.sh").write_text("")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    fits = jsonschema.Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text))
    assert fits == is_accepted(text, tmp_path)
