"""The oracle sees what is wrong: each world here has one fault, and it is told."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.soak import oracle
from tests.soak.engines.place import Place
from tests.soak.stories.story import Story
from tests.soak.stories.telling import Wrong


def made(story: Story, kind: str) -> str:
    """The target's ID of the one thing of this type that was carried."""
    (row,) = [each for each in story.rows() if each.kind == kind]
    return row.new


def target(story: Story, path: str, kind: str) -> dict[str, Any]:
    item: dict[str, Any] = place(story).target.of(path)[made(story, kind)]
    return item


def place(story: Story) -> Place:
    assert isinstance(story.scene, Place)
    return story.scene


def edit_rows(story: Story, edit: Callable[[str], str]) -> None:
    path = story.state / "uuids.csv"
    path.write_text(edit(path.read_text()))


def a_double(story: Story) -> None:
    cloud = place(story).target
    cloud.add("/networks", **{**target(story, "/networks", "network"), "id": "double"})


def one_missing(story: Story) -> None:
    del place(story).target.of("/floatingips")[made(story, "floating_ip")]


def a_server_off(story: Story) -> None:
    target(story, "/servers", "server")["status"] = "SHUTOFF"


def another_name(story: Story) -> None:
    target(story, "/ports", "port")["name"] = "somebody's"


def another_network(story: Story) -> None:
    target(story, "/subnets", "subnet")["network_id"] = "elsewhere"


def an_address_on_nothing(story: Story) -> None:
    target(story, "/floatingips", "floating_ip")["port_id"] = None


def a_rule_less(story: Story) -> None:
    target(story, "/security-groups", "security_group")["security_group_rules"].clear()


def a_flipped_byte(story: Story) -> None:
    data = place(story).target.bytes_of
    volume = made(story, "volume")
    data[volume] = data[volume][:999] + bytes([data[volume][999] ^ 1]) + data[volume][1000:]


def a_short_disk(story: Story) -> None:
    data = place(story).target.bytes_of
    volume = made(story, "volume")
    data[volume] = data[volume][:-1]


def a_stale_row(story: Story) -> None:
    edit_rows(story, lambda text: text.replace(made(story, "router"), "gone"))


def no_row(story: Story) -> None:
    def without(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if '"router"' not in line)

    edit_rows(story, without)


def a_row_twice(story: Story) -> None:
    edit_rows(story, lambda text: text + text.splitlines(keepends=True)[-1])


def a_row_of_nothing(story: Story) -> None:
    edit_rows(story, lambda text: text + '"network","x","never","was"\n')


def a_row_with_another_name(story: Story) -> None:
    edit_rows(story, lambda text: text.replace('"edge"', '"egde"'))


def somebodys_changed(story: Story) -> None:
    place(story).target.of("/networks")["target-ext"]["name"] = "changed"


def a_temporary_image(story: Story) -> None:
    place(story).target.add("/images", name="left", status="active")


WRONG_TARGETS: dict[Callable[[Story], None], str] = {
    a_double: "the target has network 'net' (double) too much",
    one_missing: "uuids.csv: floating_ip '198.51.100.1' is .*, which is not there",
    a_server_off: "server 'web' .* is SHUTOFF, and was on",
    another_name: "port \"somebody's\" .* is to be called 'web'",
    another_network: "subnet 'sub' .*: network_id is elsewhere",
    an_address_on_nothing: "floating_ip .*: port_id is None, and was",
    a_rule_less: "security_group 'web' .* lacks the rule",
    a_flipped_byte: "volume 'data' .*: .*the first difference is at 999",
    a_short_disk: "volume 'data' .* bytes, not ",
    a_stale_row: "uuids.csv: router 'edge' is gone, which is not there",
    no_row: "uuids.csv has no row for router 'edge'",
    a_row_twice: "uuids.csv has 2 rows for",
    a_row_of_nothing: "uuids.csv has a row for network never, which was not to be made",
    a_row_with_another_name: "uuids.csv calls router .* 'egde', not 'edge'",
    somebodys_changed: "the target: network 'internet' .*: name was 'internet', is 'changed'",
    a_temporary_image: "the target has image 'left' .* too much",
}


def test_a_clean_move_is_right(story: Story) -> None:
    story.check_exported()
    story.check_imported(None)
    story.check_source_between()
    story.check_target_between()


@pytest.mark.parametrize("falsify", WRONG_TARGETS, ids=lambda each: each.__name__)
def test_a_wrong_target_is_told(story: Story, falsify: Callable[[Story], None]) -> None:
    falsify(story)
    with pytest.raises(Wrong) as caught:
        story.check_imported(None)
    wanted = WRONG_TARGETS[falsify].replace("(double)", r"\(double\)")
    assert any(re.search(wanted, line) for line in caught.value.problems), caught.value


def test_two_things_of_one_mark_are_told_while_an_import_is_under_way(story: Story) -> None:
    a_double(story)
    with pytest.raises(Wrong, match="2 things bear one mark: network 'net'"):
        story.check_target_between()


def test_a_mark_that_forget_left_is_told(story: Story) -> None:
    assert any("still bears a mark" in line for line in oracle.unmarked(story.new()))


def test_what_undo_left_is_told(story: Story) -> None:
    after = place(story).target_world()
    assert any("too much" in line for line in oracle.unchanged(story.target, after, "the target"))


def leave_an_image(story: Story) -> None:
    place(story).source.add("/images", name="downpour-0123456789ab-x", status="active")


def leave_a_server_off(story: Story) -> None:
    for server in place(story).source.of("/servers").values():
        server["status"] = "SHUTOFF"


def leave_a_mark(story: Story) -> None:
    for server in place(story).source.of("/servers").values():
        server["metadata"]["dpb-stopped"] = "x"


def lose_a_volume(story: Story) -> None:
    place(story).source.of("/volumes").clear()


@pytest.mark.parametrize(
    ("falsify", "line"),
    [
        (leave_an_image, "the source has image 'downpour-0123456789ab-x' .* too much"),
        (leave_a_server_off, "server 'web' .*: status was 'ACTIVE', is 'SHUTOFF'"),
        (leave_a_mark, "server 'web' .*: metadata was"),
        (lose_a_volume, "the source lacks volume 'data'"),
    ],
)
def test_a_source_that_is_not_as_before_is_told(
    story: Story, falsify: Callable[[Story], None], line: str
) -> None:
    falsify(story)
    with pytest.raises(Wrong, match=line):
        story.check_exported()


def test_a_server_that_is_off_after_an_interrupt_is_told(story: Story) -> None:
    leave_a_mark(story)
    leave_a_server_off(story)
    with pytest.raises(Wrong, match="status was 'ACTIVE', is 'SHUTOFF'"):
        story.check_source_between()


def test_a_damaged_bundle_is_told(story: Story) -> None:
    data = story.bundle.read_bytes()
    try:
        story.bundle.write_bytes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])
        with pytest.raises(Wrong, match="the bundle is not whole"):
            story.check_exported()
    finally:
        story.bundle.write_bytes(data)


def test_a_file_beside_the_bundle_is_told(story: Story) -> None:
    beside = story.bundle.with_name(story.bundle.name + ".partial.journal")
    beside.touch()
    try:
        with pytest.raises(Wrong, match=r"\.partial\.journal lies beside"):
            story.check_exported()
    finally:
        beside.unlink()


def test_disks_of_two_moments_and_wrong_bytes_are_told(story: Story) -> None:
    assert story.found is not None
    source = place(story).source
    server, volume = source.id_of("server-0"), source.id_of("volume-0")
    other = source.bytes_at(volume, 10_000)
    disks = {**story.found.disks, ("volume", volume): other}
    wrong = [*place(story).captured_wrongly(dataclasses.replace(story.found, disks=disks))]
    assert any(
        line.startswith(f"the disks of server {server} are of the moments") for line in wrong
    )
    disks = {**story.found.disks, ("volume", volume): other[:-600] + b"x" + other[-599:]}
    wrong = [*place(story).captured_wrongly(dataclasses.replace(story.found, disks=disks))]
    assert any(line.startswith(f"volume {volume}: ") for line in wrong)


def test_what_was_asked_for_and_is_not_in_the_bundle_is_told(story: Story) -> None:
    assert story.found is not None
    story.expected, kept = (
        [each for each in story.expected if each.kind != "router"],
        story.expected,
    )
    try:
        assert any("router 'edge'" in line for line in story.missing())
    finally:
        story.expected = kept


def test_a_crash_is_told() -> None:
    for text in (
        "x\nTraceback (most recent call last):\n",
        "error: a fault of downpour itself: KeyError",
    ):
        assert [*oracle.in_words(text)]
    assert not [*oracle.in_words("error: the target does not answer")]
