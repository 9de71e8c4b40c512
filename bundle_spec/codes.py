"""The fault codes of a bundle, on which programs may rely, each with the rule that is broken.

The table of SPEC.md, section 8, is held against this one by a test.
"""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """``slug`` is the code as programs read it, ``rule`` the number in SPEC.md, ``level`` the
    lowest level of a check that finds the fault [F-16]."""

    # The file.
    TRAILER = "trailer", "F-1"
    HEADER = "header", "F-2"
    NOT_A_BUNDLE = "not-a-bundle", "F-3"
    UNKNOWN_FORMAT = "unknown-format", "F-3"
    TAIL_ORDER = "tail-order", "F-4"
    UNLISTED = "unlisted-member", "F-5"
    MISSING = "missing-member", "F-5"
    DUPLICATE = "duplicate-member", "F-5"
    CHUNK_ORDER = "chunk-order", "F-6"
    NOT_A_FRAME = "not-a-frame", "F-7", "stored"
    FRAME_HEADER = "frame-header", "F-7", "stored"
    FRAME_SIZE = "frame-size", "F-7", "stored"
    FRAME_CHECKSUM = "frame-checksum", "F-7", "stored"
    FRAME_DICTIONARY = "frame-dictionary", "F-7", "stored"
    FRAME_WINDOW = "frame-window", "F-7", "stored"
    FRAME_CUT = "frame-cut", "F-7", "stored"
    FRAME_TRAILING = "frame-trailing", "F-7", "stored"
    FRAME_LENGTH = "frame-length", "F-7"
    FRAME_DATA = "frame-data", "F-7", "data"
    LINK_DATA = "link-data", "F-8"
    LINK_TARGET = "link-target", "F-8"
    LINK_LENGTH = "link-length", "F-8"
    LINK_COUNT = "link-count", "F-8"
    LIST_ORDER = "list-order", "F-9"
    LIST_LINE = "list-line", "F-9", "stored"
    LIST_DIGEST = "list-digest", "F-9"
    MEMBER_SIZE = "member-size", "F-10"
    FILE_DIGEST = "file-digest", "F-10"
    INDEX_ENTRY = "index-entry", "F-11"
    INDEX_DIGEST = "index-digest", "F-11"
    TRUNCATED = "truncated", "F-14"
    END = "end", "F-14"
    MANIFEST_DIGEST = "manifest-digest", "F-14"
    PADDING = "padding", "F-15"
    OVERLAP = "overlap", "F-16"
    LIMIT = "limit", "F-17"
    CHUNK_SIZE = "chunk-size", "F-17"
    OTHER_BUNDLE = "other-bundle", "F-18"
    DIFFERENCE_FORM = "difference-form", "F-21"
    DIFFERENCE_REFERENCE = "difference-reference", "F-21"
    # The manifest.
    FORM = "form", "M-1"
    NOT_CANONICAL = "not-canonical", "M-2"
    UTF8 = "utf-8", "M-2"
    JSON = "json", "M-3"
    DEPTH = "depth", "M-4"
    VERSION_FORM = "version-form", "M-5"
    UNKNOWN_VERSION = "unknown-version", "M-5"
    UNKNOWN_FEATURE = "unknown-feature", "M-6"
    DISK_ID = "disk-id", "M-8"
    DISK_ORDER = "disk-order", "M-8"
    NEGATIVE_SIZE = "negative-size", "M-9"
    CHUNK_COUNT = "chunk-count", "M-9"
    DIGEST_FORM = "digest-form", "M-11"
    FILE_PATH = "file-path", "M-12"
    FILE_ORDER = "file-order", "M-12"
    INDEX_SIZE = "index-size", "M-13"
    REFERENCE = "reference", "M-14"
    NAME_AS_ID = "name-as-id", "M-14"
    RESOURCE_TWICE = "resource-twice", "M-15"
    RESERVED_MARK = "reserved-mark", "M-16"
    DISK_REFERENCE = "disk-reference", "M-17"
    DISK_DIGEST = "disk-digest", "M-19", "data"
    DISK_ACCOUNT = "disk-account", "M-20"
    MOMENT_FORM = "moment-form", "M-21"
    ADDRESS_FORM = "address-form", "M-22"
    # The parts of a split bundle.
    PART_LIST = "part-list", "S-2"
    PART_MISSING = "part-missing", "S-3"
    PART_SIZE = "part-size", "S-3"
    PART_DIGEST = "part-digest", "S-4"

    def __init__(self, slug: str, rule: str, level: str = "structure"):
        self.slug = slug
        self.rule = rule
        self.level = level


class Place(str):
    """Where in a bundle a fault is: the text ``MEMBER at OFFSET``, and both as attributes."""

    member: str
    offset: int
    part: str | None

    def __new__(cls, member: str, offset: int, part: str | None = None) -> Place:
        """``offset``: of the member's header from the beginning of the bundle, in bytes."""
        place = super().__new__(cls, f"{member} at {offset}" + (f" in {part}" if part else ""))
        place.member, place.offset, place.part = member, offset, part
        return place
