"""A chunk is stored as one zstd frame: make it, check it before memory is allocated, open it.

The frame of a *difference* was made with the raw bytes of another chunk, its reference, before it;
which chunk that is stands in a skippable frame before the frame [F-21].

zstandard is imported where a frame is made or opened, so that commands which read no frame work
without it.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from bundle_spec.codes import Code
from bundle_spec.form import layout

Fault = tuple[Code, str]

_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x5d\x2a\x4d\x18" + layout.LIST_LINE.to_bytes(4, "little")
"""The header of the skippable frame of a difference (RFC 8878, 3.1.2)."""

REFERENCE_SIZE = len(_SKIPPABLE) + layout.LIST_LINE
"""Bytes of a difference before its frame."""

_CHECKSUM = 4
_SINGLE_SEGMENT = 0x20
_RLE, _RESERVED = 1, 3
_MAX_BLOCK = 128 * layout.KIB
_CUT = Code.FRAME_CUT, "the frame is cut short"


class FrameError(ValueError):
    """A frame cannot be decompressed, or does not give the bytes that it declares."""


class Reference(NamedTuple):
    """The chunk that a difference is made of: number ``number`` of ``disk``, ``0001``.

    ``sha256``: the digest of its stored bytes, in hex, as in its line of the chunk list.
    """

    sha256: str
    disk: str
    number: int

    def encoded(self) -> bytes:
        """The REFERENCE_SIZE bytes that stand before the frame of a difference [F-21]."""
        return _SKIPPABLE + layout.list_line(*self)


def reference_of(data: bytes) -> Reference | None:
    """The reference of a difference, of which ``data`` has at least the first REFERENCE_SIZE bytes;
    None for a full frame.  Raises FrameError where it does not have its one form."""
    if not data.startswith(_SKIPPABLE[:4]):
        return None
    line = layout.parse_list_line(data[len(_SKIPPABLE) : REFERENCE_SIZE])
    if not data.startswith(_SKIPPABLE) or line is None:
        raise FrameError("what it is a difference to is not told as it must be")
    return Reference(*line)


class Compressor:
    """Makes frames at one zstd level.  Thread-safe: zstd's compressor is not, so each thread has
    its own."""

    def __init__(self, level: int):
        self._level = level
        self._local = threading.local()

    def __call__(self, raw: bytes) -> bytes:
        if not hasattr(self._local, "zstd"):
            import zstandard

            self._local.zstd = zstandard.ZstdCompressor(
                level=self._level,
                write_checksum=True,
                write_content_size=True,
                write_dict_id=False,
            )
        frame: bytes = self._local.zstd.compress(raw)
        return frame

    def difference(self, raw: bytes, prefix: bytes) -> bytes:
        """The frame of ``raw`` behind ``prefix``, which must be there to open it."""
        import zstandard

        zstd = zstandard.ZstdCompressor(
            level=self._level,
            dict_data=_prefix(prefix),
            write_checksum=True,
            write_content_size=True,
            write_dict_id=False,
        )
        frame: bytes = zstd.compress(raw)
        return frame


def _prefix(raw: bytes) -> Any:
    import zstandard

    return zstandard.ZstdCompressionDict(raw, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def stored_fault(data: bytes, due: int, *, differences: bool) -> Fault | None:
    """Why the stored bytes of a chunk are neither one frame of ``due`` raw bytes nor, where there
    may be ``differences``, a reference and such a frame; None when they are."""
    if differences:
        try:
            if reference_of(data):
                data = data[REFERENCE_SIZE:]
        except FrameError as exc:
            return Code.DIFFERENCE_FORM, str(exc)
    return frame_fault(data, due)


def frame_fault(data: bytes, due: int) -> Fault | None:
    """Why ``data`` is not one frame of ``due`` raw bytes [F-7]; None when it is.

    Reads headers only: nothing is decompressed and nothing allocated.
    """
    import zstandard

    if not data.startswith(_MAGIC):
        return Code.NOT_A_FRAME, "the data is not a zstd frame"
    if (window := _window(data)) > layout.MAX_CHUNK_SIZE:
        return Code.FRAME_WINDOW, f"the frame asks for a window of {window} bytes"
    try:
        parameters = zstandard.get_frame_parameters(data)
        position = zstandard.frame_header_size(data)
    except zstandard.ZstdError as exc:
        return Code.FRAME_HEADER, f"the frame header is damaged: {exc}"
    if parameters.content_size != due:
        declared = parameters.content_size
        size = "no size" if declared == zstandard.CONTENTSIZE_UNKNOWN else f"{declared} bytes"
        return Code.FRAME_SIZE, f"the frame declares {size} where {due} bytes are due"
    if not parameters.has_checksum:
        return Code.FRAME_CHECKSUM, "the frame has no checksum"
    if parameters.dict_id:
        return Code.FRAME_DICTIONARY, f"the frame asks for dictionary {parameters.dict_id}"
    return _blocks_fault(data, position, min(parameters.window_size, _MAX_BLOCK))


def content_size(data: bytes) -> int:
    """The raw bytes that a frame declares, also that of a difference.  Raises FrameError."""
    import zstandard

    try:
        start = REFERENCE_SIZE if data.startswith(_SKIPPABLE) else 0
        return zstandard.get_frame_parameters(data[start:]).content_size
    except zstandard.ZstdError as exc:
        raise FrameError(str(exc)) from exc


def _window(data: bytes) -> int:
    """The window in bytes that the frame asks for; 0 when it is a single segment or too short.

    It is computed here because zstd reports a window of more than 2 GiB as a damaged header only.
    """
    if len(data) < 6 or data[4] & _SINGLE_SEGMENT:
        return 0
    base = 1 << 10 + (data[5] >> 3)
    return base + base // 8 * (data[5] & 7)


def _blocks_fault(data: bytes, position: int, limit: int) -> Fault | None:
    """Why the blocks from ``position`` on do not fill ``data`` to the last byte; None when they do.

    ``limit``: the most bytes of a block; zstd itself does not apply it to RLE blocks.
    """
    size = len(data)
    last = False
    while not last:
        if position + 3 > size:
            return _CUT
        block = int.from_bytes(data[position : position + 3], "little")
        last, kind = bool(block & 1), block >> 1 & 3
        if kind == _RESERVED:
            return Code.FRAME_HEADER, "the frame has a block of a reserved kind"
        if block >> 3 > limit:
            return Code.FRAME_HEADER, f"the frame has a block of more than {limit} bytes"
        position += 3 + (1 if kind == _RLE else block >> 3)
    position += _CHECKSUM
    if position > size:
        return _CUT
    if position < size:
        return Code.FRAME_TRAILING, f"{size - position} bytes follow the frame"
    return None


class Decompressor:
    """Opens frames in which ``frame_fault`` found no fault.  Thread-safe."""

    def __init__(self) -> None:
        self._local = threading.local()

    def __call__(self, data: bytes, due: int, prefix: bytes | None = None) -> bytes:
        """The ``due`` raw bytes of a frame; ``prefix``: the raw bytes of a difference's reference.

        Raises FrameError.
        """
        import zstandard

        if prefix is not None:
            zstd = zstandard.ZstdDecompressor(dict_data=_prefix(prefix))
            data = data[REFERENCE_SIZE:]
        else:
            if not hasattr(self._local, "zstd"):
                self._local.zstd = zstandard.ZstdDecompressor()
            zstd = self._local.zstd
        # max_output_size does nothing once a size is declared; ``frame_fault`` has compared it.
        try:
            raw: bytes = zstd.decompress(data, max_output_size=due, allow_extra_data=False)
        except zstandard.ZstdError as exc:
            raise FrameError(str(exc)) from exc
        if len(raw) != due:
            raise FrameError(f"{len(raw)} bytes came where {due} were declared")
        return raw
