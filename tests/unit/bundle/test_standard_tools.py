"""tar, sha256sum and zstd are enough to take a bundle apart."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from bundle_spec import BundleWriter
from bundle_spec.form.layout import MIB
from tests.unit.bundle.samples import CHUNK, content, noise


def test_a_disk_of_seventy_thousand_zero_chunks(tmp_path: Path) -> None:
    """[F-8]  More equal chunks than a file may have names, more files than a command line holds."""
    missing = [tool for tool in ("tar", "sha256sum", "zstd") if not shutil.which(tool)]
    assert not missing, f"install {', '.join(missing)}: the format promises that they suffice"
    zeros = 70_000 * CHUNK
    first, last = noise(CHUNK, 1), noise(1000, 2)
    with BundleWriter(tmp_path / "out.dpbundle") as writer:
        disk = writer.disk("qcow2", size_hint=zeros)
        disk.write(first)
        for _ in range(zeros // (16 * MIB)):
            disk.write(bytes(16 * MIB))
        disk.write(bytes(zeros % (16 * MIB)))
        disk.write(last)
        record = disk.finish()
        writer.add_file("playbook/site.yml", b"---\n")
        writer.finish(content())
    assert record.chunks == 70_002

    def run(command: str) -> None:
        subprocess.run(["bash", "-euc", command], cwd=tmp_path, check=True, capture_output=True)

    run("tar xf out.dpbundle")
    run(f"sha256sum --strict --quiet -c disks/{record.id}.sha256")
    loop = f'for d in disks/{record.id}/*/; do cat "$d"*.zst; done | zstd -dc'
    found = hashlib.sha256()
    with subprocess.Popen(["bash", "-euc", loop], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout
        while piece := process.stdout.read(MIB):
            found.update(piece)
    assert process.returncode == 0
    assert found.hexdigest() == record.sha256
    assert (tmp_path / "playbook/site.yml").read_bytes() == b"---\n"
    # Some 70,000 names would burden whoever looks at or removes the temporary directory.
    shutil.rmtree(tmp_path / "disks")
