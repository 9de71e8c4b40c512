"""Whatever stands in a resource file, and whatever resources are called."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from bundle_spec.model import Keypair, Resource, Server, Volume
from downpour_export.resource_file import Item, ResourceFile, merge, parse
from downpour_export.resource_file.query import Match
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
COMMENT = st.lists(
    st.sampled_from(("", "# a comment", "  # indented", "    # a: b  ", "   ", "# ---- é ----")),
    max_size=2,
)
LINE_END = st.sampled_from(("\n", "\r\n"))
END = st.sampled_from(("", "  # why", "   "))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A resource file as some person writes it, that has no mistake."""
    margin = draw(st.sampled_from(("", "", "  ")))
    lines = [*draw(COMMENT), *draw(st.sampled_from(((), ("---",)))), *draw(COMMENT)]
    for section in draw(st.permutations(("servers", "volumes", "images"))):
        names = draw(st.lists(NAME, max_size=3, unique=True))
        indent = margin + " " * draw(st.sampled_from((0, 2, 4)))
        gap = " " * draw(st.sampled_from((1, 1, 3)))
        style = draw(st.sampled_from(("block", "block", "flow", "none")))
        if style == "flow":
            items = ", ".join(f"{{name: {_quoted(name)}}}" for name in names)
            lines += [f"{margin}{section}: [{items}]", *draw(COMMENT)]
            continue
        lines += [f"{margin}{section}:{draw(END)}", *draw(COMMENT)]
        for name in names if style == "block" else ():
            lines += [f"{indent}-{gap}name: {_quoted(name)}{draw(END)}", *draw(COMMENT)]
            if section != "images" and draw(st.booleans()):
                value = draw(st.sampled_from(("false", "true", "False")))
                lines += [f"{indent} {gap}save_state: {value}{draw(END)}", *draw(COMMENT)]
        if style == "block" and draw(st.booleans()):
            header = draw(st.sampled_from(("|", "|-", "|+", ">")))
            lines += [f"{indent}-{gap}name: {header}", f"{indent} {gap}  in a block", ""]
            lines += draw(COMMENT)
    lines += draw(st.sampled_from(((), (), ("...", "# after the end"))))
    mixed = draw(st.booleans())
    end = draw(LINE_END)
    text = "".join(line + (draw(LINE_END) if mixed else end) for line in lines)
    text = draw(st.sampled_from(("", "", "\ufeff"))) + text
    # Of a block scalar the end of the last line is a part.
    if "in a block" in text or draw(st.booleans()):
        return text
    return text.removesuffix("\n").removesuffix("\r")


def _quoted(name: str) -> str:
    return yaml.safe_dump(name, default_style='"', width=1 << 16).strip()


def _items(file: ResourceFile) -> dict[str, list[tuple[object, ...]]]:
    return {
        section: [_plain(each) for each in getattr(file, section)]
        for section in ("servers", "volumes", "images", "keypairs")
    }


def _plain(item: Item) -> tuple[object, ...]:
    return item.name, item.id, item.save_state


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _keep(old: str, new: str) -> bool:
    """Whether every old line is among the new ones, in order."""
    rest = iter(_lines(new))
    return all(any(_is(line, each) for each in rest) for line in _lines(old))


def _is(old: str, new: str) -> bool:
    """The same line; the last gets its end, and a list in flow style may be longer."""
    if not old.endswith("\n"):
        new = new.rstrip("\r\n")
    head, bracket, tail = old.rpartition("]")
    is_flow = re.match(r"\ufeff?\s*\w+: \[", old)
    return new == old or bool(is_flow and new.startswith(head) and new.endswith(bracket + tail))


@examples(150)
@given(texts(), MATCHES, st.booleans())
def test_a_merge_only_inserts_lines_and_only_for_what_is_new(
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
    assert _keep(text, merged)
    again, twice = merge.merged(merged, new, found, save_state=save_state)
    assert (again, twice) == (merged, [])
    # Written once more with nothing new, the text is as it was.
    if not added:
        assert merged == text
