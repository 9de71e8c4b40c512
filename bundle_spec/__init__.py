"""The bundle format of downpour: everything about a ``.dpbundle``, nothing about clouds."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundle_spec.check.verify import (
        CheckedStructure,
        Level,
        VerifiedBundle,
        check_structure,
        verify_bundle,
    )
    from bundle_spec.form.marker import MARKER_PREFIX, is_marker, is_reserved
    from bundle_spec.read.disk_reader import DiskReader
    from bundle_spec.read.reader import BundleReader, open_bundle
    from bundle_spec.show.summary import Summary, summarise
    from bundle_spec.write.disk_writer import DiskWriter
    from bundle_spec.write.journal import OpenDisk
    from bundle_spec.write.writer import BundleWriter, FinishedBundle

__all__ = [
    "MARKER_PREFIX",
    "BundleReader",
    "BundleWriter",
    "CheckedStructure",
    "DiskReader",
    "DiskWriter",
    "FinishedBundle",
    "Level",
    "OpenDisk",
    "Summary",
    "VerifiedBundle",
    "check_structure",
    "is_marker",
    "is_reserved",
    "open_bundle",
    "summarise",
    "verify_bundle",
]

_ROOMS = {
    "BundleReader": "read.reader",
    "BundleWriter": "write.writer",
    "CheckedStructure": "check.verify",
    "DiskReader": "read.disk_reader",
    "DiskWriter": "write.disk_writer",
    "FinishedBundle": "write.writer",
    "Level": "check.verify",
    "MARKER_PREFIX": "form.marker",
    "OpenDisk": "write.journal",
    "Summary": "show.summary",
    "VerifiedBundle": "check.verify",
    "check_structure": "check.verify",
    "is_marker": "form.marker",
    "is_reserved": "form.marker",
    "open_bundle": "read.reader",
    "summarise": "show.summary",
    "verify_bundle": "check.verify",
}


if not TYPE_CHECKING:  # a name that is not there stays an error to mypy

    def __getattr__(name: str) -> object:
        """Import it when it is first asked for.

        Whatever begins below this package passes here first, also the handlers of signals
        (``cli.interrupts``), and to import all of this takes a third of a second.
        """
        if name not in _ROOMS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
        globals()[name] = value
        return value
