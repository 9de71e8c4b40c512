"""The bundle format of downpour: everything about a ``.dpbundle``, nothing about clouds."""

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
