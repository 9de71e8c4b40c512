"""What the fuzzer begins with, beside its corpus: the vectors, and files as people write them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests import tenant
from tests.docs.pages import ROOT, blocks
from tests.unit.bundle.test_signature import member
from tests.vectors import generate
from tests.vectors.zstd_frames import frame

CORPUS = Path(__file__).parent / "corpus"
_LARGEST = 1 << 15
_MAPPING = ROOT / "docs" / "reference" / "mapping-file.md"
_RESOURCES = ROOT / "docs" / "reference" / "resource-file.md"


def seeds(target: str) -> Iterator[bytes]:
    match target:
        case "bundle":
            for vector in generate.vectors().values():
                if "" in vector.files and len(vector.data) <= _LARGEST:
                    yield vector.data
        case "manifest" | "json":
            for name, vector in generate.vectors().items():
                if name.startswith("valid/") and "" in vector.files:
                    yield member(vector.data, "manifest.json")
        case "part-list":
            yield b"".join(b"%064x  list.dpbundle.%03d\n" % (n, n) for n in (1, 2, 3))
        case "frame":
            yield from (frame(raw) for raw in (b"", b"x", b"abc" * 1000, bytes(5000)))
        case "age":
            yield b"-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc\nAAAA\n--- AAAA\n"
        case "mapping" | "settings":
            yield from (text.encode() for text in blocks(_MAPPING, "yaml"))
        case "resource-file":
            yield tenant.EXPORT_YML.encode()
            yield from (text.encode() for text in blocks(_RESOURCES, "yaml"))
        case "records":
            yield b"bundle: u\nreferences: {}\nresources: {networks: [{id: n, name: n}]}\n"


def corpus(target: str) -> list[Path]:
    return sorted((CORPUS / target).glob("*"))
