"""Batches of W1's data that come one by one: what `fit` and the loops by hand are fed with alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.workloads import BATCH, SOURCE_SAMPLES, data


def _arrays() -> tuple[Any, Any]:
    x, y = data("mlp")
    return x[:SOURCE_SAMPLES], y[:SOURCE_SAMPLES]


def _generator() -> Callable[[], Iterable[Any]]:
    x, y = _arrays()
    batch = BATCH["mlp"]

    def batches() -> Iterable[Any]:
        for i in range(0, SOURCE_SAMPLES, batch):
            yield x[i : i + batch], y[i : i + batch]

    return batches


def _tfdata() -> Callable[[], Iterable[Any]]:
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(_arrays()).batch(BATCH["mlp"]).prefetch(2)
    return lambda: dataset


def _dataloader() -> Callable[[], Iterable[Any]]:
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(*map(torch.from_numpy, _arrays())), batch_size=BATCH["mlp"])
    return lambda: loader


_MAKERS = {"mlp-generator": _generator, "mlp-tfdata": _tfdata, "mlp-dataloader": _dataloader}
SOURCE_STEPS = SOURCE_SAMPLES // BATCH["mlp"]


def source(name: str) -> Callable[[], Iterable[Any]]:
    """A function that gives the batches of an epoch: a generator anew, or the data set itself."""
    return _MAKERS[name]()
