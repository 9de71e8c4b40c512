"""A chunk is stored as one zstd frame: make it, check it before memory is allocated, open it.

zstandard is imported where a frame is made or opened, so that commands which read no frame work
without it.
"""

from __future__ import annotations

import threading

from bundle_spec.codes import Code
from bundle_spec.form import layout

Fault = tuple[Code, str]

_MAGIC = b"\x28\xb5\x2f\xfd"
_CHECKSUM = 4
_SINGLE_SEGMENT = 0x20
_RLE, _RESERVED = 1, 3
_MAX_BLOCK = 128 * layout.KIB
_CUT = Code.FRAME_CUT, "the frame is cut short"


class FrameError(ValueError):
    """A frame cannot be decompressed, or does not give the bytes that it declares."""


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
    """The raw bytes that a frame declares.  Raises FrameError."""
    import zstandard

    try:
        return zstandard.get_frame_parameters(data).content_size
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

    def __call__(self, data: bytes, due: int) -> bytes:
        """The ``due`` raw bytes of a frame.  Raises FrameError."""
        import zstandard

        if not hasattr(self._local, "zstd"):
            self._local.zstd = zstandard.ZstdDecompressor()
        # max_output_size does nothing once a size is declared; ``frame_fault`` has compared it.
        zstd = self._local.zstd
        try:
            raw: bytes = zstd.decompress(data, max_output_size=due, allow_extra_data=False)
        except zstandard.ZstdError as exc:
            raise FrameError(str(exc)) from exc
        if len(raw) != due:
            raise FrameError(f"{len(raw)} bytes came where {due} were declared")
        return raw
