"""Whatever JSON is written as YAML, by PyYAML or by us, is read back as it was."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bundle_spec.errors import BundleError
from bundle_spec.form import codec, yaml_reader
from bundle_spec.model import Content, Resources, SecurityGroup, Server, Source
from bundle_spec.model.playbook import MappingRules, PlaybookData, Settings
from downpour_export import playbook
from downpour_import.preflight import mapping
from downpour_import.source.unpack import data_file
from tests.property.strategies import JSON, TEXT, examples, record

WORDS = st.sampled_from(
    [*"~=-?:#&*!%@|>", *"<< --- ... null yes off 1:30 0x10 017 1_000 1e3 .inf 2024-01-01".split()]
)
LONG = st.text(st.characters(codec="utf-8"), min_size=100, max_size=1500)
KEY = TEXT | WORDS | LONG
VALUE: st.SearchStrategy[Any] = st.recursive(
    JSON | WORDS | LONG,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3),
    max_leaves=8,
)
DUMPERS = [yaml.SafeDumper, getattr(yaml, "CSafeDumper", yaml.SafeDumper)]
LOADERS = [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]


def back(data: bytes) -> list[Any]:
    """What either parser reads."""
    found: list[Any] = []
    for loader in LOADERS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yaml_reader, "_Loader", loader)
            document = yaml_reader.read(data, "f", BundleError)
        assert not document.faults, document.faults
        found.append(document.value)
    return found


@examples(150)
@given(VALUE, st.booleans(), st.sampled_from((None, True, False)), st.sampled_from((80, 10**9)))
def test_json_that_pyyaml_writes_is_read_back(
    value: Any, unicode: bool, flow: bool | None, width: int
) -> None:
    # PyYAML's own writer folds these where it does not escape them, and loses them.
    unicode = unicode and not set("\x85\u2028\u2029") & set(codec.dumps(value).decode())
    text = yaml.safe_dump(value, allow_unicode=unicode, default_flow_style=flow, width=width)
    assert [codec.dumps(each) for each in back(text.encode())] == [codec.dumps(value)] * 2


@examples(100)
@given(VALUE)
def test_json_is_yaml(value: Any) -> None:
    """But for surrogate pairs: YAML has an escape for the character itself."""
    text = codec.dumps(value).decode()
    if all(char.isprintable() or char == "\n" for char in text):
        assert back(codec.dumps(value)) == [value] * 2


def _exported(content: Content, dumper: Any) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(playbook, "_Dumper", dumper)
        return playbook.playbook_files("b", content)["playbook/resources.yml"]


@examples(60)
@given(st.lists(record(Server), max_size=2), st.lists(record(SecurityGroup), max_size=1), TEXT)
def test_the_data_of_a_bundle_is_read_back(
    servers: list[Server], groups: list[SecurityGroup], name: str
) -> None:
    resources = Resources(servers=tuple(servers), security_groups=tuple(groups))
    source = Source(auth_url="u", region=None, project_id="p", project_name=name)
    content = Content(created="c", tool="t", source=source, resources=resources)
    wanted = PlaybookData(bundle="b", references=content.references, resources=resources)
    exported = [_exported(content, dumper) for dumper in DUMPERS]
    for data in (*exported, data_file(wanted)):
        assert list(map(codec.dumps, back(data))) == [codec.dumps(codec.encode(wanted))] * 2


@examples(60)
@given(st.none() | TEXT | WORDS, st.dictionaries(KEY, st.none() | KEY, max_size=3), st.booleans())
def test_the_settings_of_a_run_are_read_back(
    text: str | None, rules: dict[str, str | None], keep: bool
) -> None:
    found = MappingRules(flavors=rules)
    settings = Settings(bundle=text, cloud=text, keep_images=keep, mapping=found)
    assert back(data_file(settings)) == [codec.encode(settings)] * 2


@examples(60)
@given(st.dictionaries(KEY, KEY.filter(lambda name: name != mapping.DROP), max_size=3))
def test_a_proposed_mapping_is_read_back(rules: dict[str, str]) -> None:
    sections = {"flavors": {name: (target, name) for name, target in rules.items()}}
    text = mapping.proposal(sections, MappingRules())
    assert [value or {"flavors": {}} for value in back(text.encode())] == [{"flavors": rules}] * 2
