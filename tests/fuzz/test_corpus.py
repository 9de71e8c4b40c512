"""Whatever the fuzzer has found: every reader gives an answer, and it gives one at once."""

from __future__ import annotations

import pytest

from tests.fuzz.seeds import CORPUS, corpus, seeds
from tests.fuzz.targets import TARGETS, run


@pytest.mark.parametrize("target", TARGETS)
def test_every_reader_answers_whatever_it_reads(target: str) -> None:
    for data in seeds(target):
        run(target, data)
    for path in corpus(target):
        run(target, path.read_bytes())


def test_the_corpus_is_of_these_readers() -> None:
    assert {path.name for path in CORPUS.iterdir()} == TARGETS.keys()
    assert all(corpus(target) for target in TARGETS)
