"""An age file that was made to take long, and an interrupt while one is decrypted."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path
from typing import Any

import pyrage
import pytest

from bundle_spec.errors import EncryptionError
from bundle_spec.read.source import Source
from bundle_spec.trust import age
from tests.unit.bundle.test_age import write

STANZA = b"-> X25519 " + b"A" * 43 + b"\n" + b"B" * 43 + b"\n"
END = b"--- " + b"C" * 43 + b"\n"


@pytest.fixture(scope="module")
def identity() -> Any:
    return pyrage.x25519.Identity.generate()


def decrypt(path: Path, identity: Any) -> None:
    with Source(path) as source:
        age.decrypt(source, io.FileIO(os.devnull, "wb"), [identity])


@pytest.mark.parametrize("end", [b"", END], ids=["endless", "long"])
def test_a_header_that_is_too_long_is_refused_before_any_key_is_tried(
    tmp_path: Path, identity: Any, end: bytes
) -> None:
    path = tmp_path / "b.age"
    path.write_bytes(age.MAGIC + STANZA * 4000 + end)
    with pytest.raises(EncryptionError, match="does not end within 65536 bytes"):
        decrypt(path, identity)


def test_so_is_that_of_a_key_file_that_came_with_the_bundle(tmp_path: Path) -> None:
    path = tmp_path / "b.age.key"
    path.write_bytes(age.MAGIC + STANZA * 4000 + END)
    with pytest.raises(EncryptionError, match="does not end within"):
        age.identities(path, "correct horse")


def test_a_header_of_five_hundred_recipients_is_read(tmp_path: Path, identity: Any) -> None:
    path = tmp_path / "b.age"
    others = [pyrage.x25519.Identity.generate().to_public() for _ in range(499)]
    path.write_bytes(pyrage.encrypt(b"a bundle", [*others, identity.to_public()]))
    decrypt(path, identity)


@pytest.mark.parametrize("piece", [1, 2], ids=["header", "contents"])
def test_an_interrupt_while_a_bundle_is_decrypted_is_one(
    tmp_path: Path, identity: Any, piece: int
) -> None:
    """And no fault of the file, as which pyrage tells whatever a callback of it raises."""
    path = tmp_path / "b.age"
    write(path, [identity.to_public()], size=8 << 20)
    pieces: list[int] = []

    def on_bytes(amount: int) -> None:
        pieces.append(amount)
        if len(pieces) == piece:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Source(path) as source, pytest.raises(KeyboardInterrupt):
            age.decrypt(source, io.FileIO(os.devnull, "wb"), [identity], on_bytes)
    finally:
        signal.signal(signal.SIGINT, before)
    assert sum(pieces) < path.stat().st_size


def test_what_a_watcher_raises_is_what_is_told(tmp_path: Path, identity: Any) -> None:
    path = tmp_path / "b.age"
    write(path, [identity.to_public()])

    def on_bytes(amount: int) -> None:
        raise ZeroDivisionError

    with Source(path) as source, pytest.raises(ZeroDivisionError):
        age.decrypt(source, io.FileIO(os.devnull, "wb"), [identity], on_bytes)


def test_as_many_recipients_as_an_export_takes_are_taken_back_and_no_more(tmp_path: Path) -> None:
    own = pyrage.x25519.Identity.generate()
    keys = [own, *(pyrage.x25519.Identity.generate() for _ in range(999))]
    texts = [str(each.to_public()) for each in keys]
    with pytest.raises(EncryptionError, match="1000 recipients are more"):
        age.recipients(texts)
    most = 1000
    while True:
        try:
            recipients = age.recipients(texts[:most])
            break
        except EncryptionError:
            most -= 10
    assert most > 500
    path, clear = tmp_path / "b.age", io.FileIO(tmp_path / "clear", "w+b")
    path.write_bytes(pyrage.encrypt(b"x" * 100, recipients))
    with Source(path) as source:
        age.decrypt(source, clear, [own])
    assert (tmp_path / "clear").read_bytes() == b"x" * 100
