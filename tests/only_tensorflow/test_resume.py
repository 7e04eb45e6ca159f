"""A run over a `tf.data.Dataset` that shuffles anew each epoch goes on where it was."""

from __future__ import annotations

import pathlib

import pytest
import tensorflow as tf

import resuming


def dataset() -> tf.data.Dataset:
    data = tf.data.Dataset.from_tensor_slices((resuming.X, resuming.Y))
    return data.shuffle(100, seed=4, reshuffle_each_iteration=True).batch(resuming.BATCH, drop_remainder=True)


def test_a_data_set_that_shuffles(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(resuming.DATA, "tf.data", (dataset, {}))
    whole = resuming.train(tmp_path / "whole", "tf.data", save_freq="epoch")
    for kill in (12, 11, 4):
        with pytest.raises(resuming.Killed):
            resuming.train(tmp_path / "cut", "tf.data", kill, "epoch")
    resuming.same(whole, resuming.train(tmp_path / "cut", "tf.data", save_freq="epoch"))
