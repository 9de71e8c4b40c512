"""``show``: what a bundle holds, told from both ends of the file and from nothing between."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import bundle_spec.cli.alone
import downpour_import.cli
from bundle_spec import BundleWriter, Summary, summarise
from bundle_spec.errors import BundleError, BundleFaults, LocalError
from bundle_spec.form.layout import BLOCK, END_SIZE, End, Span, decode_end, encode_end
from bundle_spec.model import (
    AvailabilityZoneReference,
    Capture,
    FlavorReference,
    Image,
    Keypair,
    Network,
    Omission,
    References,
    Resources,
    Server,
    Volume,
)
from bundle_spec.read.envelope import BODY, END_AND_TRAILER
from bundle_spec.show.summary import NotCarried
from bundle_spec.show.summary_text import render
from tests.split import split
from tests.unit.bundle.samples import CHUNK, content, noise
from tests.vectors.forge import Forge

EVIL = "e\x1b[2Jv\r\nil\u202e\x9b"
AT = "2026-01-02T03:04:05Z"
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "show.md"


def write(path: Path, name: str = "web") -> None:
    """A server with its own disk, a volume that shares chunks with it, an abandoned attempt."""
    raw = noise(8 * CHUNK)
    with BundleWriter(path) as writer:
        broken = writer.disk("qcow2", size_hint=100 * CHUNK)
        broken.write(noise(100 * CHUNK, seed=1))
        broken.abandon()
        first = writer.disk("qcow2", size_hint=len(raw))
        first.write(raw)
        own = first.finish(Capture(type="server", id="s1", at=AT, consistency="live"))
        second = writer.disk("raw", size_hint=2 * len(raw))
        second.write(raw + bytes(len(raw)))
        data = second.finish()
        image = Image(
            id="i1", name="downpour-s1", disk_id=own.id, disk_format="qcow2",
            container_format="bare", server_id="s1",
        )  # fmt: skip
        resources = Resources(
            keypairs=(Keypair(id="k", name="k", public_key="ssh-rsa A"),),
            networks=(Network(id="n1", name=""),),
            images=(image,),
            volumes=(Volume(id="v1", name=f"{name} data", size=1, disk_id=data.id),),
            servers=(Server(id="s1", name=name, flavor=name, image_id="i1"),),
        )
        flavor = FlavorReference(id=name, name=name, vcpus=1, ram=1, disk=1)
        zones = (
            AvailabilityZoneReference(id="compute/nova", name="nova", service="compute"),
            AvailabilityZoneReference(id="volume/nova", name="nova", service="volume"),
        )
        whole = dataclasses.replace(
            content(resources),
            references=References(flavors=(flavor,), availability_zones=zones),
            omissions=(
                Omission(
                    type="server", id="s1", name=name, attribute="user_data", reason="never told"
                ),
            ),
        )  # fmt: skip
        writer.finish(whole)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "b.dpbundle"
    write(path)
    return path


def test_what_is_not_carried_of_a_whole_type_has_no_empty_name(path: Path) -> None:
    found = summarise(path)
    whole = NotCarried("load_balancer", "", "", None, "2 of the project")
    told = render(dataclasses.replace(found, omissions=(*found.omissions, whole)))
    assert "  server 'web' user_data: 'never told'\n  load balancer: '2 of the project'" in told


def test_zones_of_one_name_are_told_with_their_service(path: Path) -> None:
    assert "availability zones (2): 'nova' (compute), 'nova' (volume)" in render(summarise(path))


def test_everything_is_told(path: Path) -> None:
    found = summarise(path)
    assert (found.path, found.size, found.parts) == (path, path.stat().st_size, 1)
    assert (found.version, found.tool, found.created) == ((1, 0), "downpour 0", AT)
    assert (found.source.auth_url, found.source.project_name) == ("http://source:5000/v3", "demo")
    assert {section: len(items) for section, items in found.resources.items() if items} == {
        "keypairs": 1, "networks": 1, "images": 1, "volumes": 1, "servers": 1,
    }  # fmt: skip
    assert [each.name for each in found.references["flavors"]] == ["web"]
    own, data = found.disks
    # The image that carries a server's own disk has a name that nobody knows.
    assert [(each.type, each.name) for each in own.used_by] == [("server", "web")]
    assert [(each.type, each.name) for each in data.used_by] == [("volume", "web data")]
    assert (own.consistency, own.captured_at) == ("live", AT)
    assert (own.disk_format, own.size, own.virtual_size) == ("qcow2", 8 * CHUNK, None)
    assert (data.consistency, data.captured_at) == (None, None)
    assert (data.disk_format, data.size, data.virtual_size) == ("raw", 16 * CHUNK, 16 * CHUNK)
    assert found.totals.size == 24 * CHUNK
    assert found.totals.stored == own.stored + data.stored
    assert found.totals.shared == own.shared + data.shared
    frames = found.totals.stored + found.totals.shared
    assert found.totals.compression == round(24 * CHUNK / frames, 2)
    assert found.abandoned.disks == 1
    assert [each.reason for each in found.omissions] == ["never told"]


def test_a_bundle_of_nothing_has_no_ratio(tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "b") as writer:
        writer.finish(content())
    found = summarise(tmp_path / "b")
    assert found.totals.compression is None
    assert "disks: 0\n\nnot carried: 0" in render(found)


def test_abandoned_disks_are_counted_apart(tmp_path: Path) -> None:
    forge = Forge(manifest=lambda value: value.update(disks=[], abandoned=value["disks"]))
    found = summarise(forge.write(tmp_path / "b"))
    assert (found.disks, found.totals.stored) == ((), 0)
    assert (found.abandoned.disks, found.abandoned.size) == (1, 3 * CHUNK + 4)
    assert found.abandoned.stored > found.abandoned.shared > 0


def test_people_read_it_at_a_glance(path: Path) -> None:
    text = render(summarise(path))
    first = text.splitlines()[0]
    assert first.startswith(f"{path}: NOT verified: only both ends of the file were read")
    for line in (
        r"project          'demo' \(p1\)",
        r"file             .* \([\d,]+ bytes\)",
        r"resources: 5",
        r"  networks \(1\): n1",
        r"  servers \(1\): 'web'",
        r"needed from the target: 3",
        r"  flavors \(1\): 'web'",
        r"disks: 2",
        r"  000\d  qcow2 .* live .* 2026-01-02T03:04:05Z  server 'web'",
        r"  000\d  raw +1.0 MiB .* volume 'web data'",
        r"  1.5 MiB in .*: compression [\d.]+ to 1, and .* saved by storing repeated chunks once",
        r"  abandoned capture attempts, never imported: 1, .* stored",
        r"not carried: 1",
        r"  server 'web' user_data: 'never told'",
    ):
        assert re.search(f"^{line}$", text, re.M), line


def test_a_narrow_terminal_breaks_it_between_words_and_keeps_the_columns(path: Path) -> None:
    found = dataclasses.replace(summarise(path), path=Path("b"))
    text = render(found, 80)
    assert max(map(len, text.splitlines())) <= 80
    assert text.split() == render(found).split()
    begin = text.splitlines().index("disks: 2")
    head, heads_words, own, own_words, data, data_words = text.splitlines()[begin + 1 : begin + 7]
    assert head.split() == ["disk", "format", "virtual", "size", "stored", "shared"]
    assert [line.rindex(" ") for line in (own, data)] == [own.rindex(" ")] * 2
    assert len({len(line) for line in (head, own, data)}) == 1
    place = heads_words.index("what")
    assert own_words[place:] == "server 'web'"
    assert data_words[place:] == "volume 'web data'"
    assert render(found, 300) == render(found)


def test_tenant_text_cannot_drive_the_terminal(tmp_path: Path) -> None:
    write(tmp_path / "plain", "x")
    write(tmp_path / EVIL, EVIL)
    plain, evil = (render(summarise(tmp_path / name)) for name in ("plain", EVIL))
    assert all(line.isprintable() for line in evil.split("\n"))
    assert len(evil.split("\n")) == len(plain.split("\n"))
    assert r"servers (1): 'e\x1b[2Jv\r\nil\u202e\x9b'" in evil


def test_many_names_go_on_on_lines_of_their_own(tmp_path: Path) -> None:
    keys = tuple(Keypair(id=f"key {n}", name=f"key {n}", public_key="") for n in range(40))
    with BundleWriter(tmp_path / "b") as writer:
        writer.finish(content(Resources(keypairs=keys)))
    text = render(summarise(tmp_path / "b"))
    found = text[text.index("keypairs (40):") : text.index("needed from")]
    assert re.findall(r"'key (\d+)'", found) == [str(n) for n in range(40)]
    assert max(map(len, found.splitlines())) < 120
    assert "'key 0', 'key 1', " in found


# --- reads both ends and nothing between ---


def tail_of(data: bytes) -> tuple[int, End]:
    """Where the tail begins, and what END says."""
    place = len(data) - END_AND_TRAILER + BLOCK
    end = decode_end(data[place : place + END_SIZE], "END")
    return end.index.offset - BLOCK, end


def test_a_body_of_zeros_is_not_even_looked_at(path: Path) -> None:
    before = summarise(path)
    data = bytearray(path.read_bytes())
    tail, end = tail_of(bytes(data))
    data[BODY:tail] = bytes(tail - BODY)
    data[end.index.offset : end.index.offset + end.index.size] = bytes(end.index.size)
    path.write_bytes(data)
    assert summarise(path) == before


def test_a_terabyte_is_told_at_once(path: Path) -> None:
    """The same tail, behind a hole."""
    data, hole = path.read_bytes(), 1 << 40
    tail, end = tail_of(data)

    def moved(span: Span) -> Span:
        return Span(span.offset + hole, span.size)

    there = dataclasses.replace(end, index=moved(end.index), manifest=moved(end.manifest))
    place = len(data) - END_AND_TRAILER + BLOCK
    with path.open("wb") as file:
        file.write(data[:BODY])
        file.seek(tail + hole)
        file.write(data[tail:place] + encode_end(there) + data[place + END_SIZE :])
    start = time.monotonic()
    found = summarise(path)
    assert time.monotonic() - start < 1
    assert found.size == len(data) + hole
    assert "(1,099,5" in render(found)


def test_parts_are_read_where_they_lie(path: Path) -> None:
    before, folders = summarise(path), [path.parent, path.parent / "two"]
    split(path, folders, 1 << 18)
    found = summarise(path, folders[1:])
    assert found.parts > 2
    assert dataclasses.replace(found, parts=1) == before
    assert f" in {found.parts} parts\n" in render(found)
    assert summarise(path.with_name("b.dpbundle.parts"), folders[1:]).uuid == before.uuid
    with pytest.raises(BundleFaults, match=r"b\.dpbundle\.002: this part is missing"):
        summarise(path)


# --- mistakes ---


@pytest.mark.parametrize("cut", [1, 512, 4096])
def test_a_cut_bundle_is_not_told(path: Path, cut: int) -> None:
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(BundleError, match="cut short"):
        summarise(path)


def test_what_is_no_bundle_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="No such file"):
        summarise(tmp_path / "none")
    (tmp_path / "text").write_text("hello" * 1000)
    with pytest.raises(BundleError, match="not a bundle"):
        summarise(tmp_path / "text")


@pytest.mark.parametrize("key", ["stored", "shared"])
@pytest.mark.parametrize("amount", [-1, -(2**53) + 1])
def test_absurd_accounts_are_refused(tmp_path: Path, key: str, amount: int) -> None:
    forge = Forge(manifest=lambda value: value["disks"][0].update({key: amount}))
    with pytest.raises(BundleError, match=f"{key}: {amount} is less than 0") as caught:
        summarise(forge.write(tmp_path / "b"))
    assert isinstance(caught.value, BundleFaults)


@pytest.mark.parametrize("key", ["stored", "virtual_size"])
def test_numbers_that_no_tool_could_add_up_are_refused(tmp_path: Path, key: str) -> None:
    """[M-3]"""
    forge = Forge(manifest=lambda value: value["disks"][0].update({key: 2**53}))
    with pytest.raises(BundleError, match="out of range"):
        summarise(forge.write(tmp_path / "b"))


# --- the command ---

MAINS: list[Any] = [
    pytest.param(bundle_spec.cli.alone.main, id="bundle_spec"),
    pytest.param(downpour_import.cli.main, id="downpour-import"),
]


@pytest.mark.parametrize("main", MAINS)
def test_the_command(
    path: Path, capsys: pytest.CaptureFixture[str], main: Callable[[Sequence[str]], int]
) -> None:
    assert main(["show", str(path)]) == 0
    assert capsys.readouterr().out == render(summarise(path)) + "\n"
    assert main(["show", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["verified"] is False
    split(path, [path.parent / "two"], 1 << 18)
    assert main(["show", "--parts", str(path.parent / "two"), str(path)]) == 0
    assert "parts" in capsys.readouterr().out
    for arguments, code in ((["--json", str(path)], 12), ([str(path.parent)], 2)):
        assert main(["show", *arguments]) == code
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith("error: ")


def keys_of(value: Any, place: str = "") -> set[str]:
    """The path of every key, lists taken as one item."""
    if isinstance(value, dict):
        return {
            place,
            *(k for key, child in value.items() for k in keys_of(child, f"{place}.{key}")),
        }
    if isinstance(value, list):
        return {place, *(k for child in value for k in keys_of(child, f"{place}[]"))}
    return {place}


def test_the_documented_object_is_the_one_written(path: Path) -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    found: Summary = summarise(path)
    value = json.loads(json.dumps(found.as_json()))
    documented = json.loads(shown)
    assert list(documented) == list(value)
    # The page does not repeat all that is empty.
    for sections in ("resources", "references"):
        assert set(documented[sections]) <= set(value[sections])
        documented[sections] = value[sections] = next(filter(None, documented[sections].values()))
    assert keys_of(documented) == keys_of(value)
    rows = re.findall(r"^\| (`[^|]*) \|", PAGE.read_text(), re.M)
    assert set(value) <= {key for row in rows for key in re.findall(r"`(\w+)`", row)}
