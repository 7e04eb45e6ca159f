"""Runs on tf.data pipelines that are cut off inside of an epoch and taken up again."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import keras_fn
from keras_fn import callbacks
from resuming import BATCH, DATA, ROWS, X, Y, as_new, cut_and_compare


def rows() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((X, Y))


def parts() -> tf.data.Dataset:
    """Two parts that are read by turns, and shuffled anew each time."""
    starts = tf.data.Dataset.from_tensor_slices(np.array([0, ROWS // 2]))
    return starts.interleave(
        lambda at: rows().skip(at).take(ROWS // 2).shuffle(9, seed=1), cycle_length=2, num_parallel_calls=2
    )


def noisy() -> tf.data.Dataset:
    """Draws in the pipeline, from TensorFlow's generators."""
    return rows().shuffle(ROWS).map(lambda x, y: (x + tf.random.normal((6,)), y)).batch(BATCH)


def generated() -> tf.data.Dataset:
    """A generator of Python that draws from NumPy's global generator where it begins."""

    def batches() -> Iterator[Any]:
        order = np.random.permutation(ROWS)
        for i in range(ROWS // BATCH):
            yield X[order[i * BATCH : (i + 1) * BATCH]], Y[order[i * BATCH : (i + 1) * BATCH]]

    return tf.data.Dataset.from_generator(
        batches, output_signature=(tf.TensorSpec((BATCH, 6)), tf.TensorSpec((BATCH,), tf.int64))
    )


PIPELINES: dict[str, Any] = {
    "shuffled with a seed": (lambda: rows().shuffle(ROWS, seed=3).batch(BATCH).prefetch(2), {}),
    "the global seed alone": (lambda: rows().shuffle(ROWS).batch(BATCH), {}),
    "shuffled without end": (lambda: rows().shuffle(ROWS, seed=3).repeat().batch(BATCH), {"steps_per_epoch": 7}),
    "interleaved": (lambda: parts().batch(BATCH), {}),
    "noisy": (noisy, {}),
    "a generator": (generated, {}),
}  # fmt: skip
DATA |= {f"tf.data, {name}": entry for name, entry in PIPELINES.items()}


@pytest.mark.parametrize("data", [name for name in DATA if name.startswith("tf.data")])
def test_pipelines(data: str, tmp_path: pathlib.Path) -> None:
    cut_and_compare(tmp_path, data)


def _run(folder: pathlib.Path, data: tf.data.Dataset, epochs: int) -> None:
    safe = callbacks.BackupAndRestore(folder, delete_checkpoint=False)
    as_new().fit(data, epochs=epochs, verbose=0, callbacks=[safe])


def test_an_order_that_nobody_can_bring_back_is_told(tmp_path: pathlib.Path) -> None:
    """The first batches are the same now and then, as only their order is drawn, and from no seed."""
    for number in range(3):
        keras_fn.utils.set_random_seed(number)
        _run(tmp_path / str(number), rows().batch(BATCH).shuffle(2), 1)
        tf.random.set_seed(number + 100)
        with pytest.warns(UserWarning, match="gives other batches than it gave to the run that was cut off"):
            _run(tmp_path / str(number), rows().batch(BATCH).shuffle(2, seed=number), 2)


def test_batches_without_an_order_are_told(tmp_path: pathlib.Path) -> None:
    options = tf.data.Options()
    options.deterministic = False
    _run(tmp_path, rows().batch(BATCH).with_options(options), 1)
    with pytest.warns(UserWarning, match=r"deterministic=False.*another order"):
        _run(tmp_path, rows().batch(BATCH).with_options(options), 2)
