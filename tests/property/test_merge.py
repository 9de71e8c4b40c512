"""Whatever stands in a resource file, and whatever resources are called."""

from __future__ import annotations

from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from bundle_spec.model import Keypair, Resource, Server, Volume
from downpour_export import merge
from downpour_export.query import Match
from downpour_export.resource_file import Item, ResourceFile, parse
from tests.property.strategies import examples

PATH = Path("export.yml")
HOSTILE = (
    "null", "yes", "1e3", "0o7", "1:30", "2026-11-25", "- a", "# a", "*a", "&a", "{{ a }}", "a: b",
    "a #b", " a ", "'", '"', "a\nb", "a\\nb", "\u2028", "%", "@", "`", "é\U0001f600", "=", "<<",
    "~", "x" * 255,
)  # fmt: skip
NAME = st.sampled_from(HOSTILE) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


def _record(section: str, identity: str, name: str) -> Resource:
    match section:
        case "servers":
            return Server(id=identity, name=name, flavor="f")
        case "volumes":
            return Volume(id=identity, name=name, size=1)
    return Keypair(id=name, name=name, public_key="")


MATCHES = st.lists(
    st.builds(
        lambda section, name, number, by_name: Match(
            section, _record(section, f"id-{number}", name), by_name or section == "keypairs"
        ),
        st.sampled_from(("servers", "volumes", "keypairs")),
        NAME,
        st.integers(0, 99),
        st.booleans(),
    ),
    max_size=6,
    unique_by=(
        lambda each: (each.section, each.record.id),
        lambda each: (each.section, each.record.name),
    ),
)
COMMENT = st.sampled_from(("", "# a comment\n", "\n", "  # indented\n\n"))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A resource file as some person writes it, that has no mistake."""
    out = draw(COMMENT)
    for section in draw(st.permutations(("servers", "volumes", "images"))):
        names = draw(st.lists(NAME, max_size=3, unique=True))
        indent = draw(st.sampled_from(("", "  ", "    ")))
        if draw(st.booleans()) or not names:
            items = ", ".join(f"{{name: {_quoted(name)}}}" for name in names)
            out += f"{section}: [{items}]\n{draw(COMMENT)}"
            continue
        out += f"{section}:\n"
        for name in names:
            out += draw(COMMENT)
            out += f"{indent}- name: {_quoted(name)}{draw(st.sampled_from(('', '  # why')))}\n"
            if section != "images" and draw(st.booleans()):
                out += f"{indent}  save_state: {draw(st.sampled_from(('no', 'true', 'False')))}\n"
    return out


def _quoted(name: str) -> str:
    return yaml.safe_dump(name, default_style='"', width=1 << 16).strip()


def _items(file: ResourceFile) -> dict[str, list[tuple[object, ...]]]:
    return {
        section: [_plain(each) for each in getattr(file, section)]
        for section in ("servers", "volumes", "images", "keypairs")
    }


def _plain(item: Item) -> tuple[object, ...]:
    return item.name, item.id, item.save_state


def _comments(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]


@examples(150)
@given(texts(), MATCHES, st.booleans())
def test_a_merge_adds_what_is_new_and_changes_nothing_else(
    text: str, found: list[Match], save_state: bool
) -> None:
    old = parse(text, PATH)
    merged, added = merge.merged(text, old, found, save_state=save_state)
    new = parse(merged, PATH)
    for section, items in _items(old).items():
        own = [each for each in added if each.section == section]
        assert _items(new)[section] == items + [
            (
                each.record.name if each.by_name else None,
                None if each.by_name else each.record.id,
                save_state or section not in ("servers", "volumes"),
            )
            for each in own
        ]
    assert _comments(merged) == _comments(text)
    again, twice = merge.merged(merged, new, found, save_state=save_state)
    assert (again, twice) == (merged, [])
    # Written once more with nothing new, the text is as it was.
    if not added:
        assert merged == text
