"""resources.yml: the records, whatever tenants call their things."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle_spec.errors import BundleError
from bundle_spec.form import codec, yaml_reader
from bundle_spec.model import (
    Content,
    FlavorReference,
    Keypair,
    Network,
    References,
    Resources,
    Server,
    Source,
    Volume,
)
from bundle_spec.model.playbook import PlaybookData
from bundle_spec.playbook import static_files
from downpour_export.playbook import playbook_files

NAMES = [
    "{{ lookup('pipe', 'id') }}",
    "{% raw %}{# c #}",
    "two\nlines\n",
    "\n\nresources: {}",
    "cr\r\nlf",
    'it\'s "quoted"',
    "# comment",
    "a # b",
    "---",
    "...",
    "- dash",
    "? key: [",
    "ネットワーク 🌧",
    "x" * 255,
    "é" * 255,
    "nel\x85in",
    "ls\u2028ps\u2029end",
    "\u2028",
    "  led and trailed  ",
    "\ttab",
    "yes",
    "null",
    "~",
    "1e3",
    "0x10",
    "2024-01-01",
    "=",
    "<<",
    "*alias",
    "&anchor",
    "!tag",
    "%d",
    "@at",
    "`tick`",
    "bell\x07 del\x7f nul\x00 vt\x0b fs\x1c",
    "\ufeffbom",
    "\\n back\\slash",
    "",
]


def content(name: str) -> Content:
    """Records that say ``name`` everywhere: as name, description, key and value."""
    return Content(
        created="2026-01-02T03:04:05+00:00",
        tool="downpour 0",
        source=Source(auth_url="u", region=None, project_id="p", project_name=name),
        resources=Resources(
            keypairs=(Keypair(id=name, name=name, public_key="ssh-ed25519 A"),),
            networks=(
                Network(id="n1", name=name, description=name, tags=(name, "t")),
                Network(id="n2", name="plain"),
            ),
            volumes=(Volume(id="v1", name=name, size=1, metadata={name: name, "k": "no"}),),
            servers=(Server(id="s1", name=name, flavor=name, description=None),),
        ),
        references=References(
            flavors=(FlavorReference(id=name, name=name, vcpus=1, ram=2, disk=3),)
        ),
    )


def resources_yml(name: str) -> str:
    return playbook_files("b-uuid", content(name))["playbook/resources.yml"].decode()


def check(name: str) -> None:
    text, given_content = resources_yml(name), content(name)
    value = yaml_reader.read(text.encode(), "resources.yml", BundleError).value
    found = codec.decode(PlaybookData, value, "resources.yml")
    assert found == PlaybookData(
        bundle="b-uuid",
        references=given_content.references,
        resources=given_content.resources,
    )
    comments = [line for line in text.split("\n") if line.lstrip(" ").startswith("# ")]
    assert text.isprintable() or "\x85" not in "".join(comments)
    assert sum(json.dumps(name) in line for line in comments) >= 4
    assert all(line.isascii() for line in comments if json.dumps(name) in line)


@pytest.mark.parametrize("name", NAMES)
def test_the_records_come_back_whatever_a_name_holds(name: str) -> None:
    check(name)


@pytest.mark.parametrize("name", NAMES)
def test_the_records_come_back_without_libyaml_too(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("downpour_export.playbook._Dumper", yaml.SafeDumper)
    check(name)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_the_records_come_back_for_any_text(name: str) -> None:
    check(name)


def test_a_name_is_a_comment_on_one_line_above_its_record() -> None:
    lines = resources_yml("two\nlines").split("\n")
    place = lines.index("  networks:")
    assert lines[place + 1] == '    # "two\\nlines"'
    assert lines[place + 2].startswith("    - ")


def test_every_section_is_there_also_an_empty_one() -> None:
    value = yaml.safe_load(resources_yml("x"))
    assert value["resources"]["routers"] == []
    assert list(value["resources"])[:3] == ["keypairs", "address_groups", "security_groups"]


def test_the_other_files_are_the_static_ones_byte_for_byte() -> None:
    files = playbook_files("b", content("x"))
    del files["playbook/resources.yml"]
    assert files == {f"playbook/{name}": data for name, data in static_files().items()}
