"""Encrypt a bundle with age (age-encryption.org/v1) and decrypt it, as one stream, by pyrage.

Memory stays bounded at any size.  The ``age`` command decrypts the same files:
``age -d -i KEY FILE``.  age authenticates every 64 KiB as they are read, so a file that was
changed, cut or lengthened is refused.

pyrage is imported where something is encrypted or decrypted; the rest works without it.
"""

from __future__ import annotations

import errno
import io
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bundle_spec.errors import BundleError, EncryptionError, LocalError
from bundle_spec.medium import local_error
from bundle_spec.read.envelope import AGE_MAGIC
from bundle_spec.read.files import BundleFiles
from bundle_spec.read.source import Source

MAGIC = AGE_MAGIC
MAX_KEY_FILE = 1 << 20
"""Bytes: more than any list of keys has."""
MAX_HEADER = 1 << 16
"""Bytes: room for the stanzas of some six hundred recipients."""

_OWN_KEY = 256
"""Bytes, of the stanza for the bundle's own key, behind a passphrase; more than it takes."""

Recipient = Any
Identity = Any
_PIECE = 1 << 20
_PRIVATE = ("-----BEGIN", "AGE-SECRET-KEY-", MAGIC.decode().rstrip())
"""How the first line of a private key begins: of SSH, of age, of age behind a passphrase."""

_IS_PRIVATE = "this is a private key, and a bundle is encrypted to a public one"
_PUBLIC_HALF = "name its public half: the .pub file of an SSH key, the age1… of an age key"


def _pyrage() -> Any:
    import pyrage

    return pyrage


def is_encrypted(files: BundleFiles) -> bool:
    """Whether ``files`` are an age file, whole or in parts: decrypted, it is a bundle."""
    if os.path.isdir(files.path):
        return False
    try:
        with files.open() as source:
            return source.size >= len(MAGIC) and source.read(0, len(MAGIC)) == MAGIC
    except (BundleError, LocalError):
        return False  # whoever opens the bundle next raises this, with every fault


# --- keys ---


def recipients(texts: Iterable[str]) -> list[Recipient]:
    """The recipients to encrypt to, from ``texts`` as a person gives them.

    Each is ``age1…``, an SSH public key, or the path of a file that has one of these on each line.
    Raises EncryptionError for a text that is none of these, or more recipients than ``decrypt``
    takes; LocalError for a file.
    """
    parsed: list[Recipient] = []
    for text in texts:
        if os.path.exists(text):
            parsed += _recipients_in(text)
        elif text.startswith(_PRIVATE):
            raise EncryptionError(_IS_PRIVATE, where="--encrypt-to", remedy=_PUBLIC_HALF)
        else:
            parsed.append(_recipient(text, text, "this is no recipient, and no file"))
    if parsed and len(_pyrage().encrypt(b"", parsed)) > MAX_HEADER - _OWN_KEY:
        raise EncryptionError(
            f"{len(parsed)} recipients are more than the header of a bundle holds",
            where="--encrypt-to",
            remedy="encrypt to one key, and hand that out",
        )
    return parsed


def _recipients_in(path: str) -> Iterator[Recipient]:
    """Those in a file.  No error shows a line of it: it may be a secret that was named by mistake.

    Raises EncryptionError, LocalError.
    """
    lines = _key_file(Path(path), "recipients").decode(errors="replace").splitlines()
    keys = {number: line.strip() for number, line in enumerate(lines, 1)}
    if any(key.startswith(_PRIVATE) for key in keys.values()):
        public = f"name {path}.pub" if os.path.exists(f"{path}.pub") else _PUBLIC_HALF
        raise EncryptionError(_IS_PRIVATE, where=path, remedy=public)
    keys = {number: key for number, key in keys.items() if key and not key.startswith("#")}
    if not keys:
        raise EncryptionError("there is no recipient in it", where=path)
    for number, key in keys.items():
        yield _recipient(key, f"{path}:{number}", "this is no recipient")


def _recipient(text: str, where: str, refusal: str) -> Recipient:
    pyrage = _pyrage()
    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(text)
    except pyrage.RecipientError as exc:
        raise EncryptionError(
            refusal,
            where=where,
            remedy="name age1…, an SSH public key (ed25519 or rsa), or a file of them",
        ) from exc


def identities(path: Path, passphrase: str | None = None) -> list[Identity]:
    """The identities in a file, which decrypt: those of an age key file, or an SSH private key.

    ``passphrase``: of an age key file that is itself encrypted with one.  Raises EncryptionError,
    LocalError.
    """
    pyrage = _pyrage()
    data = _key_file(path, "identity")
    if data.startswith(MAGIC):
        if passphrase is None:
            raise EncryptionError(
                "the key file needs its passphrase",
                where=str(path),
                remedy="name a file that has it with --passphrase-file",
            )
        _require_short_header(data, str(path))
        try:
            data = pyrage.passphrase.decrypt(data, passphrase)
        except (pyrage.DecryptError, OSError) as exc:
            raise EncryptionError(
                f"wrong passphrase for this key file: {exc}",
                where=str(path),
                remedy="name the file that has the right one with --passphrase-file",
            ) from exc
    try:
        if data.startswith(b"-----BEGIN"):
            return [pyrage.ssh.Identity.from_buffer(data)]
        lines = re.findall(r"^AGE-SECRET-KEY-[0-9A-Z]+", data.decode(), re.M)
        keys = [pyrage.x25519.Identity.from_str(line) for line in lines]
    except (pyrage.IdentityError, UnicodeDecodeError) as exc:
        raise _no_identity(path) from exc
    if not keys:
        raise _no_identity(path)
    return keys


def _no_identity(path: Path) -> EncryptionError:
    return EncryptionError(
        "there is no identity in it that decrypts",
        where=str(path),
        remedy="name a file that age-keygen made, or an SSH private key (ed25519 or rsa) without "
        "a passphrase",
    )


def passphrase_key(passphrase: str) -> tuple[Recipient, bytes]:
    """A new key pair for one bundle: its recipient, and a key file that the passphrase opens.

    age can encrypt a bundle to a passphrase directly, but pyrage does that only for a file that it
    holds in memory.
    """
    pyrage = _pyrage()
    identity = pyrage.x25519.Identity.generate()
    text = f"# public key: {identity.to_public()}\n{identity}\n"
    return identity.to_public(), pyrage.passphrase.encrypt(text.encode(), passphrase)


def passphrase_of(path: Path) -> str:
    """The first line of a file.  Raises LocalError, EncryptionError for an empty one."""
    try:
        text = _key_file(path, "passphrase").decode().partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError as exc:
        raise EncryptionError("the passphrase is not UTF-8", where=str(path)) from exc
    if not text:
        raise EncryptionError("the passphrase is empty", where=str(path))
    return text


def _key_file(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_FILE)
    except OSError as exc:
        raise local_error(f"cannot read the {what}", exc, path) from exc


# --- streams ---


class Encryptor(io.RawIOBase):
    """A stream that encrypts what is written to it and passes it on to ``out``.

    ``finish`` writes the end of the age file.  Encryption runs in a thread that reads from a pipe;
    ``write`` waits while the pipe is full.  An error of ``out`` is raised by the next ``write``, or
    by ``finish``.  Not thread-safe.
    """

    def __init__(self, out: io.RawIOBase, to: Sequence[Recipient]):
        super().__init__()
        self._out = _FailureRecorder(out)
        self._failure: BaseException | None = None
        read_end, self._pipe = os.pipe()
        self._thread = threading.Thread(
            target=self._encrypt, args=(read_end, list(to)), name="encrypt", daemon=True
        )
        self._thread.start()

    def _encrypt(self, read_end: int, to: list[Recipient]) -> None:
        with os.fdopen(read_end, "rb") as source:
            try:
                out = io.BufferedWriter(self._out, _PIECE)
                _pyrage().encrypt_io(source, out, to)
                out.flush()
            except BaseException as exc:
                self._failure = self._out.failure or exc

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        try:
            return os.write(self._pipe, data)
        except BrokenPipeError:
            self._thread.join()
            raise self._failure or RuntimeError("encryption has ended") from None

    def finish(self) -> None:
        """Write the end of the age file.  Raises what ``out`` raised."""
        self._end_input()
        if self._failure:
            raise self._failure

    def close(self) -> None:
        self._end_input()
        super().close()

    def _end_input(self) -> None:
        """Close the pipe, and wait until all that was written to it is encrypted."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
            self._thread.join()


class _FailureRecorder(io.RawIOBase):
    """Keeps the exception of a failed write: pyrage raises its own instead, with the text only."""

    def __init__(self, out: io.RawIOBase):
        super().__init__()
        self._out = out
        self.failure: BaseException | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int | None:
        try:
            return self._out.write(data)
        except BaseException as exc:
            self.failure = exc
            raise


def decrypt(
    source: Source,
    out: io.RawIOBase,
    keys: Sequence[Identity],
    on_bytes: Callable[[int], None] = lambda amount: None,
) -> None:
    """Decrypt all of ``source`` and write it to ``out``.

    ``on_bytes`` is called with the number of bytes of the age file read since its last call.  Where
    this raises, what was written must not be used.  Raises EncryptionError when no key fits or the
    file was changed, OSError when ``out`` fails, LocalError when ``source`` cannot be read.
    """
    pyrage = _pyrage()
    _require_short_header(source.read(0, min(source.size, MAX_HEADER)), str(source.path))
    encrypted, recorder = _SourceStream(source, on_bytes), _FailureRecorder(out)

    def work() -> None:
        to = io.BufferedWriter(recorder, _PIECE)
        pyrage.decrypt_io(encrypted, to, list(keys))
        to.flush()

    try:
        # In a thread of its own: a Ctrl-C comes to the main one, else it would come in the midst of
        # pyrage, which tells any exception as a fault of the file.
        with ThreadPoolExecutor(1, "decrypt") as pool:
            done = pool.submit(work)
            try:
                done.result()
            finally:
                encrypted.stopped = True
    except (pyrage.DecryptError, OSError) as exc:
        if failure := encrypted.failure or recorder.failure:
            raise failure from exc
        if "No matching keys" in str(exc):
            raise EncryptionError(
                "none of the identities decrypts it",
                where=str(source.path),
                remedy="name the identity that it was encrypted to",
            ) from exc
        raise EncryptionError(
            f"this is not what was encrypted: {exc}",
            where=str(source.path),
            remedy="copy it again, all parts of it",
        ) from exc


def _require_short_header(start: bytes, where: str) -> None:
    """Raise EncryptionError unless the header of the age file ends within its first MAX_HEADER
    bytes, with the line that begins with ``---`` (age-encryption.org/v1, "Header MAC").

    Before any key is tried, a header takes time that grows with the square of its size.
    """
    if b"\n--- " not in start[:MAX_HEADER]:
        raise EncryptionError(
            f"the header of this age file does not end within {MAX_HEADER} bytes", where=where
        )


class _SourceStream(io.RawIOBase):
    """All bytes of a source, in order, as a stream that pyrage can read."""

    def __init__(self, source: Source, on_bytes: Callable[[int], None]):
        super().__init__()
        self._pieces: Iterator[bytes] = source.pieces(0, source.size)
        self._on_bytes = on_bytes
        self._rest = memoryview(b"")
        self.failure: BaseException | None = None
        self.stopped = False
        """Set it, and the next read fails."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self.stopped:
            raise OSError(errno.ECANCELED, "decryption was stopped")
        if not self._rest:
            try:
                piece = next(self._pieces, b"")
                self._on_bytes(len(piece))
            except BaseException as exc:
                self.failure = exc
                raise
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
