"""The examples in the docstrings of the writer and the reader run as they stand."""

from __future__ import annotations

import doctest
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from bundle_spec.model import Content, Disk, Resources
from bundle_spec.read import reader
from bundle_spec.write import writer
from tests.unit.bundle.samples import content, image


def content_of(record: Disk) -> Content:
    return content(Resources(images=(replace(image(record.id), name="web"),)))


def run(module: ModuleType, **names: object) -> None:
    text = module.__doc__
    assert text is not None
    example = doctest.DocTestParser().get_doctest(
        text, {**vars(module), **names}, module.__name__, module.__file__, 0
    )
    assert len(example.examples) > 0
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert said == []


def test_the_example_of_the_reader_reads_what_that_of_the_writer_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    qcow2 = Path("disk.qcow2")
    qcow2.write_bytes(b"QFI\xfb".ljust(3 * 65536, b"\0"))
    run(writer, image=qcow2, content_of=content_of)
    run(reader)
    assert Path("web.qcow2").read_bytes() == qcow2.read_bytes()
