"""Shuffling and cutting arrays into a training and a test part."""

from __future__ import annotations

import numpy as np

from keras_fn.core.errors import ArgumentError

Pair = tuple[np.ndarray, np.ndarray]


def shuffled(x: np.ndarray, y: np.ndarray, rng: np.random.RandomState) -> Pair:
    """Both arrays in one random order. The old generator is taken because it gives the order that Keras users know."""
    order = np.arange(len(x))
    rng.shuffle(order)
    return x[order], y[order]


def cut(x: np.ndarray, y: np.ndarray, test_split: float) -> tuple[Pair, Pair]:
    """`(x_train, y_train), (x_test, y_test)`, where the last `test_split` (a fraction) is for the test."""
    if not 0 <= test_split < 1:
        raise ArgumentError(f"`test_split` must be a fraction, at least 0 and below 1, not {test_split!r}.")
    n = int(len(x) * (1 - test_split))
    return (x[:n], y[:n]), (x[n:], y[n:])
