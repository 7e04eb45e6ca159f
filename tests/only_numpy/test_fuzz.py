"""Thousands of damaged files, see `fuzz`: none is loaded with other weights, none crashes or hangs the process."""

from __future__ import annotations

import warnings

import pytest

from fuzz.kinds import KINDS, Kind
from fuzz.run import run

# 10,000 in all; the reader alone is the fastest
COUNTS = {
    "arrays": 3900, "modern": 800, "weights": 1700, "shards": 600, "safetensors": 1200, "keras": 1000, "legacy": 800,
}  # fmt: skip


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
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind._load(kind.source.raw)
    kind.close()


@pytest.mark.parametrize("name", ["keras", "safetensors", "shards"])
def test_a_mutant_can_be_made_again(name: str) -> None:
    kind = Kind(name)
    assert kind.source.mutant(7) == kind.source.mutant(7)
    first = [kind.source.mutant(i) for i in range(50)]
    assert len(set(map(str, first))) > 40
    for i in range(50, 3000):  # no mutant changes those that are made after it
        kind.source.mutant(i)
    assert [kind.source.mutant(i) for i in range(50)] == first
    kind.close()


@pytest.mark.parametrize("name", ["weights", "shards", "safetensors"])
def test_silently_wrong_weights_would_be_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without check sums the same mutants do get through, so the search finds what it looks for."""
    from keras_fn.saving import checksums, safetensors_reader, shards

    monkeypatch.setattr(checksums, "expect", lambda *_: False)
    monkeypatch.setattr(safetensors_reader, "expect_noted", lambda *_: False)
    monkeypatch.setattr(shards, "_check_sums", lambda *_: None)
    kind = Kind(name)
    caught = 0
    for seed in range(600):
        try:
            kind.check(seed)
        except AssertionError as e:
            caught += "has other values" in str(e)
    kind.close()
    assert caught > 5


def test_a_file_of_another_save_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is whole by itself: only the index tells that they do not belong together."""
    from keras_fn.saving import shards

    monkeypatch.setattr(shards, "_check_sums", lambda *_: None)
    kind = Kind("shards")
    found = [seed for seed in range(300) if not _holds(kind, seed)]
    assert len(found) > 5
    monkeypatch.undo()
    assert all(_holds(kind, seed) for seed in found)
    kind.close()


def _holds(kind: Kind, seed: int) -> bool:
    try:
        kind.check(seed)
    except AssertionError:
        return False
    return True
