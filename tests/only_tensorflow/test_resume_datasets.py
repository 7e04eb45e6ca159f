"""Runs on tf.data pipelines that are cut off inside of an epoch and taken up again."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import tensorflow as tf

from resuming import BATCH, DATA, ROWS, Killed, X, Y, same, train


def rows() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((X, Y))


PIPELINES: dict[str, Any] = {
    "in order": (lambda: rows().batch(BATCH), {}),
    "shuffled with a seed": (lambda: rows().shuffle(ROWS, seed=3).batch(BATCH).prefetch(2), {}),
    "the same order each epoch": (
        lambda: rows().shuffle(ROWS, seed=3, reshuffle_each_iteration=False).batch(BATCH), {}
    ),
    "without end": (lambda: rows().repeat().batch(BATCH), {"steps_per_epoch": 7}),
}
DATA |= {f"tf.data, {name}": entry for name, entry in PIPELINES.items()}


@pytest.mark.parametrize("data", [name for name in DATA if name.startswith("tf.data")])
def test_pipelines(data: str, tmp_path: pathlib.Path) -> None:
    whole = train(tmp_path / "whole", data)
    for kill in (3, 8, 6):
        with pytest.raises(Killed):
            train(tmp_path / "cut", data, kill=kill)
    same(whole, train(tmp_path / "cut", data))
