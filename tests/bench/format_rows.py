"""What is claimed of the bundle format: each row of its table, with how it is measured."""

from __future__ import annotations

from tests.bench.report import Row

MIB = 1 << 20

_WRITE = (
    "`BundleWriter` with the exporter's defaults (level 3, two disks at once), each disk read in "
    "pieces of 1 MiB; fsync and the verification of what was written are in it. By hand: "
    "`zstd -q -T2 -3` of the three files, `sync` of what it wrote because downpour syncs too, "
    "then `sha256sum` of the disks."
)
_OPENSSL = (
    "With `openssl dgst -sha256` in place of sha256sum, which does not use the CPU's instructions "
    "for SHA-256 everywhere (that of Debian 12 does not)."
)
_SIZE = "The bundle against the three files that zstd made."

_RAW = (
    Row("raw-time", "write three raw clones: time", goal=0.8, note=_WRITE),
    Row("raw-time-openssl", "… against zstd and a fast sum", note=_OPENSSL),
    Row("raw-size", "write three raw clones: size", goal=0.60, prize=0.57, note=_SIZE),
)

_QCOW2 = (
    Row(
        "qcow2-time",
        "write three qcow2 clones: time",
        note="The same disks after `qemu-img convert`; both sides as for raw ones.",
    ),
    Row("qcow2-time-openssl", "… against zstd and a fast sum"),
    Row("qcow2-size", "write three qcow2 clones: size", goal=0.70, note=_SIZE),
)

_READ = (
    Row(
        "verify-time",
        "verify: time",
        goal=1.0,
        note="`python -m bundle_spec verify BUNDLE` against `sha256sum BUNDLE`, for the bundle of "
        "the three raw clones.",
    ),
    Row("verify-time-openssl", "… against a fast sum", note=_OPENSSL),
    Row(
        "read-data-time",
        "verify all data: time",
        goal=1.0,
        note="`python -m bundle_spec verify --read-data BUNDLE`, which also decompresses all disks "
        "and compares the digests of their bytes, against `zstd -q -t -T2` of the three files.",
    ),
    Row(
        "read-out-time",
        "read one disk out: time",
        goal=0.8,
        note="`DiskReader.stream` of the third raw disk, written to `/dev/null`, against "
        "`zstd -q -dc -T2 > /dev/null` of its file.",
    ),
)

_MEMORY = (
    Row(
        "memory-small",
        "memory to write 1 GiB",
        "bytes",
        goal=150 * MIB,
        note="The peak of the resident memory (VmHWM) of a process that writes a raw disk of "
        "noise, but for every sixteenth MiB of zeros; it is made on the fly.",
    ),
    Row(
        "memory-large",
        "memory to write 16 GiB",
        "bytes",
        goal=150 * MIB,
        note="The same; what follows the first GiB is zeros and repeats in turn.",
    ),
    Row(
        "memory-growth",
        "memory: 16 GiB over 1 GiB",
        goal=1.10,
        note="Of five pairs; one peak differs from the next of the same disk by up to a fifth, "
        "because it depends on how the threads happened to run.",
    ),
)

ROWS = {row.key: row for row in (*_RAW, *_READ, *_QCOW2, *_MEMORY)}
