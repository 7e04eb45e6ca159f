"""Thousands of damaged files, see `fuzz`: none is loaded with other weights, none crashes or hangs the process."""

from __future__ import annotations

import warnings

import pytest

from fuzz.kinds import KINDS, Kind
from fuzz.mutate import Mutable, MutableZip
from fuzz.run import run

# 10,000 in all; the reader alone is the fastest
COUNTS = {"arrays": 4000, "modern": 1000, "weights": 2500, "keras": 1500, "legacy": 1000}


@pytest.mark.parametrize("kind", KINDS)
def test_mutants(kind: str) -> None:
    outcome = run(kind, 0, COUNTS[kind], timeout=120)
    assert not outcome.failures, str(outcome)
    assert outcome.tried == COUNTS[kind]
    # both happen, else nothing is tested
    assert outcome.tried // 50 < outcome.loaded < outcome.tried // 2
    assert outcome.peak_mb < 400


@pytest.mark.parametrize("name", KINDS)
def test_whole_files_are_loaded(name: str) -> None:
    kind = Kind(name)
    source = kind.source
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind._load(source.raw if isinstance(source, Mutable) else source._whole.raw)
    kind.close()


def test_a_mutant_can_be_made_again() -> None:
    kind = Kind("keras")
    assert isinstance(kind.source, MutableZip)
    assert kind.source.mutant(7) == kind.source.mutant(7)
    first = [kind.source.mutant(i) for i in range(50)]
    assert len(set(first)) > 40
    for i in range(50, 3000):  # no mutant changes those that are made after it
        kind.source.mutant(i)
    assert [kind.source.mutant(i) for i in range(50)] == first
    kind.close()


def test_silently_wrong_weights_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without check sums the same mutants do get through, so the search finds what it looks for."""
    from keras_fn.saving import checksums

    monkeypatch.setattr(checksums, "expect", lambda *_: False)
    kind = Kind("weights")
    caught = 0
    for seed in range(600):
        try:
            kind.check(seed)
        except AssertionError as e:
            caught += "has other values" in str(e)
    kind.close()
    assert caught > 5
