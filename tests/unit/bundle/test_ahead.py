"""Chunks of several disks, opened in step: once for all that share them, and every fault told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

import pytest

from bundle_spec.errors import BundleError
from bundle_spec.form import layout
from bundle_spec.form.digest import of
from bundle_spec.read.ahead import AHEAD, Hashing, in_step, pool

CHUNK = layout.MIB // 4


class Opens:
    """A disk of chunks told by one letter each; ``!`` cannot be opened."""

    chunk_size = CHUNK

    def __init__(self, letters: str, opened: Counter[str]):
        self.letters = letters
        self.chunks = len(letters)
        self.opened = opened

    def key(self, number: int) -> bytes:
        return self.letters[number].encode()

    def open(self, number: int, opened: Mapping[bytes, bytes]) -> bytes:
        self.opened[self.letters[number]] += 1
        if self.letters[number] == "!":
            raise BundleError(f"chunk {number} is damaged")
        return self.key(number)


def read(*disks: str) -> tuple[list[str], Counter[str]]:
    """Of each disk what came, the last being its fault, and how often each chunk was opened."""
    opened: Counter[str] = Counter()
    came = [""] * len(disks)
    with pool() as threads:
        for batch in in_step([Opens(letters, opened) for letters in disks], threads):
            for place, raws in enumerate(batch):
                if isinstance(raws, BundleError):
                    came[place] = str(raws)
                else:
                    came[place] += b"".join(raws).decode()
    return came, opened


def test_what_clones_share_is_opened_once() -> None:
    came, opened = read("abcdefgh", "abXdefgh", "abcdefgYZ")
    assert came == ["abcdefgh", "abXdefgh", "abcdefgYZ"]
    assert set(opened.values()) == {1}


def test_zeros_are_opened_once_for_each_mebibyte() -> None:
    came, opened = read("0" * 400, "")
    assert came == ["0" * 400, ""]
    assert opened["0"] == 100


def test_the_first_fault_of_a_disk_counts_and_the_others_go_on() -> None:
    damaged = "ab" + "!" + "c" * 50 + "!" * 60
    came, _ = read(damaged, "d" * 200, "!" + "e" * 9)
    assert "chunk 2 is" in came[0]
    assert came[1] == "d" * 200
    assert "chunk 0 is" in came[2]


@pytest.mark.parametrize("disks", [1, 4])
def test_no_more_is_opened_ahead_than_the_bound(disks: int) -> None:
    letters = "".join(chr(0x100 + number) for number in range(1000))
    opened: Counter[str] = Counter()
    step = layout.MIB // CHUNK
    with pool() as threads:
        batches = in_step([Opens(letters, opened) for _ in range(disks)], threads)
        next(batches)
        # Whatever has been asked for is done before this.
        idle = threading.Barrier(threads._max_workers + 1)
        for _ in range(threads._max_workers):
            threads.submit(idle.wait)
        idle.wait(timeout=60)
        bound = AHEAD // (layout.MIB * disks)
        assert len(opened) == max(2, bound) * step
        batches.close()


def test_a_digest_that_threads_compute_is_that_of_the_bytes_in_order() -> None:
    with pool() as threads:
        hashing = Hashing(threads)
        assert hashing.hexdigest() == of(b"")
        for number in range(100):
            hashing.add([b"%d" % number, b"-"])
        assert hashing.hexdigest() == of(b"".join(b"%d-" % number for number in range(100)))
