"""The one error tree of downpour.

An error says what happened in one sentence, where, and what to do about it; its class
carries the exit code of the process.  ``docs/reference/exit-codes.md`` is the table, and a test
holds it against the classes below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from bundle_spec.codes import Code, Place
from bundle_spec.text import printable

MAX_FAULTS = 1000
"""At most so many faults of a bundle are collected: each takes memory, and more help nobody."""


class DownpourError(Exception):
    """The root: something that downpour can explain.

    ``message`` is one sentence without a trailing full stop, ``where`` a place that a person
    can find (``export.yml:12:3``, ``disks/0001/00000/00f.zst at 7340032``), ``remedy`` what to do.
    ``lines``: what stands below, such as a difference.  All may hold data of others: it makes no
    line of its own, and drives no terminal.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        remedy: str | None = None,
        lines: Iterable[str] = (),
    ):
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy
        self.lines = tuple(lines)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        sentence = f"{text} ({self.remedy})" if self.remedy else text
        return "\n".join(map(printable, (sentence, *self.lines)))


class Faults(DownpourError):
    """Several faults of one kind, found in one pass: all are reported, not only the first."""

    def __init__(self, message: str, faults: Iterable[DownpourError], *, remedy: str | None = None):
        super().__init__(message, remedy=remedy)
        self.faults: Sequence[DownpourError] = tuple(faults)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {fault}" for fault in self.faults)])


class UsageError(DownpourError):
    """The command line is not one of the documented patterns."""

    exit_code = 2


class BundleError(DownpourError):
    """The bundle is damaged, incomplete, or not a bundle.

    ``code`` names the fault for programs; None where the fault is not one of the format.
    """

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        remedy: str | None = None,
        code: Code | None = None,
    ):
        super().__init__(message, where=where, remedy=remedy)
        self.code = code

    def as_json(self) -> dict[str, Any]:
        """What programs read: see ``verify --json`` in SPEC.md, section 8."""
        place = self.where if isinstance(self.where, Place) else None
        return {
            "code": self.code.slug if self.code else None,
            "rule": self.code.rule if self.code else None,
            "where": self.where,
            "member": place.member if place else None,
            "offset": place.offset if place else None,
            "part": place.part if place else None,
            "message": self.message,
        }


class UnsupportedBundle(BundleError):
    """The bundle has a format version, or needs a feature, that this reader does not know; or it is
    encrypted."""


class TrustError(DownpourError):
    """The operator does not trust the bundle: its digest, its signer, or what was edited in it."""

    exit_code = 5


class SignatureError(TrustError):
    """The bundle is not signed, or not by a key that the operator allows: see ``signature``."""


class LocalError(DownpourError):
    """A local file or directory cannot be read or written."""

    exit_code = 12


class EncryptionError(DownpourError):
    """A key or passphrase is malformed or does not fit, or an encrypted file was changed."""

    exit_code = 14


class BundleFaults(Faults, BundleError):
    """Several faults of one bundle."""


class LocalFaults(Faults, LocalError):
    """Several faults of one local file."""


INTERRUPTED_EXIT_CODE = 130
"""Ctrl-C, SIGTERM or SIGHUP: what a shell reports for SIGINT."""

UNREAD_EXIT_CODE = 141
"""All was done, but whoever read stdout went away: what a shell reports for SIGPIPE."""
