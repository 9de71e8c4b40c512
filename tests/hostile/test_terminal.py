"""Nothing of a bundle or a cloud drives a terminal, makes a line, or passes for words of ours."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

import downpour_cloud.errors
import downpour_export.errors
import downpour_import.errors
from bundle_spec import BundleWriter
from bundle_spec.cli import alone as spec
from bundle_spec.errors import BundleFaults, DownpourError, Faults, UsageError
from bundle_spec.form.layout import chunk_count
from bundle_spec.model import Content, Disk, Omission
from bundle_spec.model.manifest import Capture
from bundle_spec.text import MAX_MARKS, as_word, json_text, printable
from bundle_spec.write.tail import make_manifest
from downpour_export import cli as export_cli
from downpour_export.cloud import SourceCloud
from downpour_export.errors import PlanError
from downpour_export.playbook import playbook_files
from downpour_import import cli as import_cli
from downpour_import import cloud as target_cloud
from downpour_import.errors import Refused, TargetError
from tests.hostile.poison import FORGED, HARMLESS, POISON, is_clean, poisoned, texts
from tests.unit.bundle.samples import content, noise
from tests.unit.export.capture_source import Source
from tests.unit.export.test_cleanup import NAME, OURS
from tests.unit.fake_cloud import PROJECT, FakeCloud
from tests.unit.importer.every_type import REFERENCES, records
from tests.unit.importer.test_whole_import import Far

Texts = set[tuple[str, str]]

# --- the gate itself ---


@pytest.mark.parametrize(
    "text",
    [
        *"\x00\x07\t\n\r\x1b\x7f\x85\x9b\xa0\xad",
        *"\u061c\u200b\u200d\u200e\u200f\u2028\u202a\u202e\u2060\u2066\u2069\ufeff",
        *"\u034f\u115f\u17b4\u180b\u2800\u3164\ufe00\ufe0f\uffa0\U000e0041\U000e0100\ud800",
    ],
)
def test_what_drives_a_terminal_or_shows_nothing_is_escaped(text: str) -> None:
    shown = printable(f"a{text}b")
    assert shown == f"a{ascii(text)[1:-1]}b"
    assert printable(shown) == shown


def test_what_people_write_stays() -> None:
    for text in ("web-1", "Zürich", "e\u0301", "雨", "שָׁלוֹם", "ที่นี่", "हिन्दी", "❤", "it's"):
        assert printable(text) == text


def test_marks_neither_pile_up_nor_go_to_what_stands_before() -> None:
    assert printable("\u0301a") == r"\u0301a"
    assert printable("\n\u0301") == r"\n\u0301"
    shown = printable("a" + "\u0301" * 100 + "b")
    assert shown.count("\u0301") == MAX_MARKS
    assert printable(shown) == shown


def test_more_than_one_word_of_data_is_quoted() -> None:
    assert as_word("7d1a0bd4-2c5e-4c1e-9a53-cf4f4f6b8f0e") == "7d1a0bd4-2c5e-4c1e-9a53-cf4f4f6b8f0e"
    assert as_word("2026-01-02T03:04:05Z") == "2026-01-02T03:04:05Z"
    assert as_word("http://[::1]:5000/v3") == "'http://[::1]:5000/v3'"
    assert as_word(f"now'; {FORGED}") == f'"now\'; {FORGED}"'
    assert as_word("") == "''"


def test_json_is_visible_ascii_and_the_same_to_a_program() -> None:
    text = json_text({POISON: [POISON]})
    assert text.isascii()
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.loads(text) == {POISON: [POISON]}


# --- errors ---


def error_classes() -> list[type[DownpourError]]:
    found = [DownpourError]
    for cls in found:
        found += [each for each in cls.__subclasses__() if each.__module__.startswith("downpour_")]
        found += [each for each in cls.__subclasses__() if each.__module__ == "bundle_spec.errors"]
    assert downpour_import.errors.StateError in found
    assert downpour_export.errors.CaptureError in found
    assert downpour_cloud.errors.CloudError in found
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("cls", error_classes())
def test_an_error_has_as_many_lines_as_it_has_faults(cls: type[DownpourError]) -> None:
    if cls is Refused:
        assert is_clean(str(Refused(POISON, where=POISON, status=409)))
        return
    fault = DownpourError(POISON, where=POISON, remedy=POISON, lines=["- was", f"+ {POISON}"])
    if issubclass(cls, Faults):
        error: DownpourError = cls(POISON, [fault, fault], remedy=POISON)
        assert (is_clean(str(error)), str(error).count("\n")) == (True, 6)
    else:
        error = cls(POISON, where=POISON, remedy=POISON)
        assert (is_clean(str(error)), str(error).count("\n")) == (True, 0)


# --- bundles ---


def whole(disk: str) -> Content:
    """One resource of each type, a loss, and everything that a bundle says of itself."""
    loss = Omission(type="server", id="lost", name="lost", attribute="tags", reason="no reason")
    source = replace(content().source, region="here")
    return replace(content(records(disk)), references=REFERENCES, omissions=(loss,), source=source)


DIGEST = "ab" * 32
UUID = "01234567-89ab-4def-8000-000000000000"


def a_disk() -> Disk:
    return Disk(
        id="0001",
        disk_format="raw",
        size=70_000,
        sha256=DIGEST,
        chunk_size=1 << 16,
        chunks=chunk_count(70_000, 1 << 16),
        list_sha256=DIGEST,
        stored=1,
        shared=0,
        capture=Capture(type="image", id="i", at="2026-01-02T03:04:05Z", consistency="live"),
    )


def is_formed(text: str) -> bool:
    """Whether it is an address, which a program reads before a person does."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return bool(re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", text))
    return True


@pytest.fixture(scope="module")
def accepted() -> Texts:
    """The texts that may be anything in a bundle; the refusal of each other one is clean."""
    clean = whole("0001")
    refused: dict[tuple[str, str], BundleFaults] = {}
    for each in texts(clean):
        try:
            make_manifest(poisoned(clean, {each}, POISON), UUID, [a_disk()], {})
        except BundleFaults as exc:
            refused[each] = exc
    for error in refused.values():
        assert is_clean(str(error))
        assert str(error).count("\n") == len(error.faults)
    found = set(texts(clean)) - refused.keys()
    assert len(found) > 50
    return found


def write(path: Path, which: Texts, poison: str) -> Path:
    with BundleWriter(path) as writer:
        disk = writer.disk("raw", label="d")
        disk.write(noise(70_000))
        held = poisoned(whole(disk.finish().id), which, poison)
        when = replace(held, created=content().created)  # an exporter's own clock
        for name, data in playbook_files(writer.uuid, when).items():
            writer.add_file(name, data)
        writer.finish(held)
    return path


@dataclass
class Printed:
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DOWNPOUR_POLICY", "")

    def run(main: Any, *words: str) -> Printed:
        capsys.readouterr()
        code = main(list(words))
        told = capsys.readouterr()
        assert is_clean(told.out), ascii(told.out)
        assert is_clean(told.err), ascii(told.err)
        return Printed(code, told.out, told.err)

    return run


@pytest.mark.parametrize(
    "words",
    [("verify",), ("verify", "--json"), ("show",), ("show", "--json"), ("unpack",)],
    ids=" ".join,
)
def test_a_bundle_is_told_in_as_many_lines_whatever_it_says(
    tmp_path: Path, accepted: Texts, run: Any, words: tuple[str, ...]
) -> None:
    lines = []
    for folder, poison in (("one", HARMLESS), ("two", POISON)):
        (tmp_path / folder).mkdir()
        path = write(tmp_path / folder / "b.dpbundle", accepted, poison)
        more = [str(tmp_path / folder / "by-hand")] if words == ("unpack",) else []
        for main in (import_cli.main, spec.main) if not more else (import_cli.main,):
            told = run(main, *words, str(path), *more)
            assert told.code == 0, told.err
            lines.append(told.out.count("\n"))
        if "--json" in words:
            assert json.loads(told.out)
    assert len(set(lines)) == 1


def test_what_looks_like_a_signature_stands_in_quotes(
    tmp_path: Path, accepted: Texts, run: Any
) -> None:
    """By themselves, so that nothing else in them gives it away."""
    forged = f"; {FORGED}"
    only = {each for each in accepted if each[0] == "Content.tool"}
    path = write(tmp_path / "b.dpbundle", only, forged)
    assert FORGED not in run(import_cli.main, "verify", str(path)).out
    out = run(import_cli.main, "show", str(path)).out
    assert FORGED in out
    for line in out.splitlines():
        assert FORGED not in line or re.search(f"'[^']*{re.escape(FORGED)}'", line), line


# --- what is imported ---


@pytest.fixture
def far(tmp_path: Path, accepted: Texts, monkeypatch: pytest.MonkeyPatch) -> Far:
    far = Far(tmp_path)
    # An import refuses these for what they say, not for how it looks.
    formats = ("Image.disk_format", "Image.container_format")
    looked_at = ("Keypair.name", "Keypair.id", "Server.name", "ServerGroup.name", *formats)
    kept = {text for field, text in accepted if field in looked_at or is_formed(text)}
    only = {each for each in accepted if each[1] not in kept}
    far.bundle.unlink()
    write(far.bundle, only, POISON)
    flavors = far.cloud.of("/flavors")
    flavors["target-flavor"]["name"] = POISON
    opened = SimpleNamespace(connection=far.cloud.connection, config_file=None, secure_file=None)
    monkeypatch.setattr(target_cloud, "open_connection", lambda *words, **more: opened)
    return far


def words(far: Far, command: str, *more: str) -> list[str]:
    config = str(far.folder / "clouds.yaml")
    state = str(far.folder / "state")
    options = ["--cloud", "target", "--os-client-config", config, "--state", state]
    return [command, *options, *more, str(far.bundle)]


def test_what_an_import_says_of_a_bundle_and_a_target(far: Far, run: Any) -> None:
    planned = [run(import_cli.main, *words(far, "plan", *more)) for more in ([], ["--json"])]
    assert {told.code for told in planned} == {0}, planned
    assert planned[0].out.count("\n") == 1 + len(list(records("0001")))
    far.cloud.of("/flavors")["target-flavor"]["vcpus"] = 9
    refused = [run(import_cli.main, *words(far, "plan", *more)) for more in ([], ["--json"])]
    assert {told.code for told in refused} == {TargetError.exit_code}, refused


def test_what_undo_and_forget_list(tmp_path: Path, run: Any, monkeypatch: Any) -> None:
    """A hostile target: the names of what was made are read from it."""
    far = Far(tmp_path)
    far.run()
    for path in ("/networks", "/servers", "/floatingips", "/os-keypairs"):
        for item in far.cloud.of(path).values():
            item["name"] = POISON
            item["floating_ip_address"] = POISON
    opened = SimpleNamespace(connection=far.cloud.connection, config_file=None, secure_file=None)
    monkeypatch.setattr(target_cloud, "open_connection", lambda *words, **more: opened)
    asked = run(import_cli.main, *words(far, "undo"))
    done = run(import_cli.main, *words(far, "forget", "--yes"))
    assert asked.code == UsageError.exit_code, "stdin is no terminal"
    assert done.code == 0
    assert asked.out.count("\n") > 10
    assert done.out.count("\n") == asked.out.count("\n") + 1


# --- what is exported ---


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeCloud], None]:
    """Sets the source cloud."""

    def use(fake: FakeCloud) -> None:
        monkeypatch.setattr(export_cli, "connect", lambda *words: SourceCloud(fake.connection))

    return use


def with_a_keypair() -> FakeCloud:
    fake = FakeCloud()
    fake.add("/os-keypairs", id=POISON, name=POISON, public_key="ssh-ed25519 A")
    return fake


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_plan_of_a_hostile_source(
    tmp_path: Path, source: Callable[[FakeCloud], None], run: Any, more: list[str]
) -> None:
    source(with_a_keypair())
    path = tmp_path / "export.yml"
    path.write_text(yaml.safe_dump({"keypairs": [{"name": POISON}, {"name": f"no {POISON}"}]}))
    told = run(export_cli.main, "plan", *more, str(path))
    assert told.code == PlanError.exit_code, told.err
    path.write_text(yaml.safe_dump({"keypairs": [{"name": POISON}]}))
    told = run(export_cli.main, "plan", *more, str(path))
    assert told.code == 0, told.err
    assert told.out


def test_what_query_and_cleanup_say_of_a_hostile_source(
    tmp_path: Path, source: Callable[[FakeCloud], None], run: Any
) -> None:
    source(with_a_keypair())
    told = run(export_cli.main, "query", "--keypair-name", "*", str(tmp_path / "export.yml"))
    assert (told.code, told.out.count("\n")) == (0, 1), told.err
    fake, name = Source(), f"{NAME}{POISON}"
    fake.add("/volumes", id=f"t1{POISON}", name=name, status="available", **OURS)
    fake.add("/images", id=f"i1{POISON}", name=name, status="active", owner=PROJECT)
    source(fake)
    told = run(export_cli.main, "cleanup", "--yes")
    assert told.out.count("\n") == 2
