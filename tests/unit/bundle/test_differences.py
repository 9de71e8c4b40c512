"""[F-21]  Chunks that are almost equal to others: stored as differences, read back whole."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from bundle_spec import BundleWriter, open_bundle, verify_bundle
from bundle_spec.errors import BundleError, LocalError
from bundle_spec.form import layout
from bundle_spec.form.frame import REFERENCE_SIZE, Decompressor, Reference, reference_of
from bundle_spec.form.layout import MIB
from bundle_spec.trust import age
from bundle_spec.write.guess import Guess
from bundle_spec.write.journal import place_of
from tests.unit.bundle.samples import CHUNK, content, noise

WORDS = [noise(chance % 9 + 3, chance) for chance in range(2000)]


def text(size: int, seed: int) -> bytes:
    """Bytes that compress to about a half."""
    chance = random.Random(seed)
    return b"".join(chance.choices(WORDS, k=size // 6))[:size]


def changed(raw: bytes, seed: int, count: int = 1) -> bytes:
    """``raw`` with a few other bytes in each chunk."""
    chance, edited = random.Random(seed), bytearray(raw)
    for start in range(0, len(raw), CHUNK):
        for _ in range(count):
            at = start + chance.randrange(min(CHUNK, len(raw) - start))
            edited[at] ^= 0xFF
    return bytes(edited)


BASE = text(6 * CHUNK + 1234, 1)
CLONES = [BASE, changed(BASE, 2), changed(BASE, 3)]


def write(path: Path, *disks: bytes) -> Path:
    with BundleWriter(path) as writer:
        for raw in disks:
            disk = writer.disk("qcow2", size_hint=1, label=str(len(raw)))
            disk.write(raw)
            disk.finish()
        writer.finish(content())
    return path


def stored(path: Path) -> Iterator[tuple[str, int, bytes]]:
    """Disk, number and stored bytes of each chunk that is no link."""
    data = path.read_bytes()
    position = 0
    while (head := layout.parse_header(data[position : position + 512])) is not None:
        if (chunk := layout.parse_chunk_name(head.name)) and not head.link:
            yield (*chunk, data[position + 512 : position + 512 + head.size])
        position += 512 + layout.padded(head.size)


def references(path: Path) -> dict[tuple[str, int], tuple[str, int] | None]:
    """Disk and number of each chunk that is no link -> those of what it is a difference to."""
    found = {}
    for disk, number, data in stored(path):
        reference = reference_of(data)
        found[disk, number] = reference and (reference.disk, reference.number)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.dpbundle"


def test_clones_are_stored_as_differences_to_the_first_of_them(path: Path) -> None:
    write(path, *CLONES)
    found = references(path)
    assert all(found["0001", number] is None for number in range(7))
    assert all(
        found[disk, number] == ("0001", number) for disk in ("0002", "0003") for number in range(7)
    )
    verified = verify_bundle(path, read_data=True)
    assert verified.manifest.requires == ("differences",)
    with open_bundle(path) as bundle:
        for disk, raw in zip(bundle.manifest.disks, CLONES, strict=True):
            assert b"".join(bundle.disk(disk.id).stream()) == raw
            assert bundle.disk(disk.id).read(5 * CHUNK - 10, 20) == raw[5 * CHUNK - 10 :][:20]


def test_a_check_opens_a_reference_once_for_all_clones(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, *CLONES)
    opened: list[bytes] = []
    real = Decompressor.__call__

    def spy(self: Decompressor, data: bytes, due: int, prefix: bytes | None = None) -> bytes:
        opened.append(data)
        return real(self, data, due, prefix)

    monkeypatch.setattr(Decompressor, "__call__", spy)
    verify_bundle(path, read_data=True)
    # But for the last chunk, which is short: of a reference no length is told.
    assert (len(set(opened)), len(opened)) == (3 * 7, 3 * 7 + 2)


def test_a_bundle_without_differences_asks_nothing_of_its_reader(path: Path) -> None:
    write(path, BASE, noise(len(BASE), 9))
    assert set(references(path).values()) == {None}
    assert verify_bundle(path).manifest.requires == ()


def test_what_moved_by_whole_chunks_is_found_behind_a_repeat(path: Path) -> None:
    moved = noise(2 * CHUNK, 5) + BASE[:CHUNK] + CLONES[1][CHUNK : 4 * CHUNK]
    write(path, BASE, moved)
    found = references(path)
    assert [found["0002", number] for number in (3, 4, 5)] == [("0001", n) for n in (1, 2, 3)]


def test_nothing_is_a_difference_to_a_difference(path: Path) -> None:
    """The third disk repeats chunks of the second, which are differences to the first."""
    second = CLONES[1]
    third = second[: 2 * CHUNK] + changed(second[2 * CHUNK :], 7)
    write(path, BASE, second, third)
    found = references(path)
    assert {disk for disk, _ in found} == {"0001", "0002", "0003"}
    assert all(reference is None or found[reference] is None for reference in found.values())
    verify_bundle(path, read_data=True)


def test_a_chunk_that_is_not_a_tenth_smaller_is_a_full_frame(path: Path) -> None:
    write(path, BASE, changed(BASE, 4, CHUNK // 5))
    sizes = {(disk, number): len(data) for disk, number, data in stored(path)}
    for key, reference in references(path).items():
        assert reference is None or sizes[key] <= 0.9 * CHUNK
    verify_bundle(path, read_data=True)


def test_a_killed_run_is_gone_on_with_behind_a_difference(path: Path) -> None:
    with BundleWriter(path) as writer:
        first = writer.disk("qcow2", size_hint=1, label="first")
        first.write(BASE)
        first.finish()
        second = writer.disk("qcow2", size_hint=1, label="second")
        second.write(CLONES[1][: 3 * CHUNK])
        second.leave()
        writer.checkpoint()
    with BundleWriter(path) as writer:
        (left,) = writer.open_disks()
        seen: list[bytes] = []
        disk = writer.resume_disk(left, seen.append)
        assert b"".join(seen) == CLONES[1][: 3 * CHUNK]
        disk.write(CLONES[1][3 * CHUNK :])
        disk.finish()
        assert writer.finish(content()).manifest.requires == ("differences",)
    assert any(references(path).values())
    verify_bundle(path, read_data=True)


def test_damage_to_a_reference_is_told_of_it_and_hands_out_nothing_wrong(path: Path) -> None:
    write(path, *CLONES[:2])
    data = bytearray(path.read_bytes())
    (frame,) = (each for disk, number, each in stored(path) if (disk, number) == ("0001", 2))
    data[bytes(data).index(frame) + len(frame) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=r"0001/00000/002\.zst at .*: damaged"):
        verify_bundle(path)
    with open_bundle(path) as bundle, pytest.raises(BundleError, match=r"0001/00000/002\.zst"):
        bundle.disk("0002").read(2 * CHUNK, CHUNK)


def test_rot_that_a_reference_shows_while_writing_is_told(path: Path) -> None:
    with BundleWriter(path) as writer:
        disk = writer.disk("qcow2", size_hint=1)
        disk.write(BASE)
        disk.finish()
        with path.with_name("out.dpbundle.partial").open("r+b") as file:
            file.seek(3 * 512 + 600)
            file.write(b"rot")
        disk = writer.disk("qcow2", size_hint=1)
        disk.write(CLONES[1])
        with pytest.raises(LocalError, match="does not hold what was written"):
            disk.finish()


def test_an_encrypted_bundle_has_none(path: Path) -> None:
    """What is encrypted cannot be read back."""
    key = pyrage.x25519.Identity.generate()
    to = age.recipients([str(key.to_public())])
    with BundleWriter(path, encrypt_to=to) as writer:
        for raw in CLONES:
            disk = writer.disk("qcow2", size_hint=1)
            disk.write(raw)
            disk.finish()
        assert writer.finish(content()).manifest.requires == ()


def test_a_split_bundle_has_them_too(path: Path) -> None:
    with BundleWriter(path, part_size=2**17) as writer:
        for raw in CLONES:
            disk = writer.disk("qcow2", size_hint=1)
            disk.write(raw)
            disk.finish()
        assert writer.finish(content()).manifest.requires == ("differences",)
    verify_bundle(path, read_data=True)


SPEC = Path(layout.__file__).parents[1] / "SPEC.md"


def test_zstd_and_tar_open_it_as_the_specification_shows(path: Path, tmp_path: Path) -> None:
    missing = [tool for tool in ("tar", "zstd", "od") if not shutil.which(tool)]
    assert not missing, f"install {', '.join(missing)}: the format promises that they suffice"
    write(path, *CLONES)
    start = SPEC.read_text().index("for c in disks/0001/")
    recipe = SPEC.read_text()[start:].partition("```")[0]
    for number, raw in enumerate(CLONES, 1):
        script = f"tar xf out.dpbundle\n{recipe.replace('0001', f'{number:04d}')}"
        subprocess.run(["bash", "-euc", script], cwd=tmp_path, check=True)
        assert (tmp_path / "disk.img").read_bytes() == raw
    check = f"tail -c +9 disks/0002/00000/003.zst | head -c {REFERENCE_SIZE - 8} | sha256sum -c"
    subprocess.run(["bash", "-euc", check], cwd=tmp_path, check=True, capture_output=True)


# --- the guess ---


def test_the_guess_goes_on_behind_the_latest_repeat() -> None:
    guess = Guess(None)
    assert guess.at(0) is None
    guess.found(5, place_of("0003", 70))
    assert guess.at(6) == place_of("0003", 71)
    guess.found(4, place_of("0002", 1))  # of a thread that comes late
    assert guess.at(9) == place_of("0003", 74)
    assert guess.at(5 - 71) is None
    assert guess.at(5 + layout.MAX_CHUNKS) is None


def test_what_was_in_vain_is_tried_seldom() -> None:
    guess = Guess(0)
    for _ in range(100):
        guess.tried(success=False)
    tries = [number for number in range(160) if guess.at(number) is not None]
    assert len(tries) == 10
    guess.tried(success=True)
    assert all(guess.at(number) is not None for number in range(3))


def test_a_reference_is_read_back_as_it_was_told() -> None:
    reference = Reference("ab" * 32, "0007", 4097)
    assert reference_of(reference.encoded() + b"frame") == reference
    assert reference_of(noise(MIB)) is None
