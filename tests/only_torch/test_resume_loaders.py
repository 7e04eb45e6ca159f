"""Runs on DataLoaders that are cut off inside of an epoch and taken up again."""

from __future__ import annotations

import itertools
import pathlib
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, RandomSampler, TensorDataset

import keras_fn
from keras_fn import callbacks
from resuming import BATCH, DATA, ROWS, X, Y, as_new, cut_and_compare


class Noisy(Dataset[Any]):
    """Draws from torch's and NumPy's global generators for each row."""

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, i: int) -> Any:
        return X[i] + torch.randn(6).numpy() / 10 + np.random.normal(size=6).astype("float32") / 10, Y[i]


class Drawing(Noisy):
    """Draws from a generator that it holds."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(4)

    def __getitem__(self, i: int) -> Any:
        return X[i] + self.rng.normal(size=6).astype("float32") / 10, Y[i]


class Streamed(IterableDataset[Any]):
    """Without a length, in an order that is drawn where it begins."""

    def __iter__(self) -> Any:
        return ((X[i], Y[i]) for i in torch.randperm(ROWS).tolist())


class Endless(IterableDataset[Any]):
    """It never ends, so that epochs are parts of it."""

    def __iter__(self) -> Any:
        return ((X[i % ROWS], Y[i % ROWS]) for i in itertools.count())


def rows() -> TensorDataset:
    return TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))


def shuffled(data: Any, **options: Any) -> Any:
    """From torch's global generator, which a program seeds where it begins."""
    torch.manual_seed(3)
    return DataLoader(data, BATCH, shuffle=True, **options)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(7)


LOADERS: dict[str, Any] = {
    "global generator": lambda: shuffled(rows()),
    "own generator": lambda: DataLoader(rows(), BATCH, shuffle=True, generator=seeded()),
    "sampler": lambda: DataLoader(rows(), BATCH, sampler=RandomSampler(rows(), replacement=True, generator=seeded())),
    "noisy rows": lambda: shuffled(Noisy(), drop_last=True),
    "rows that draw": lambda: shuffled(Drawing()),
    "noisy rows of a worker": lambda: shuffled(Noisy(), num_workers=1),
    "stream": lambda: DataLoader(Streamed(), BATCH),
}
DATA |= {f"loader, {name}": (make, {}) for name, make in LOADERS.items()}
DATA["loader, stream without end"] = (lambda: DataLoader(Endless(), BATCH), {"steps_per_epoch": 7})
DATA["loader, epochs end inside"] = (LOADERS["own generator"], {"steps_per_epoch": 5})


@pytest.mark.parametrize("data", [name for name in DATA if name.startswith("loader")])
def test_loaders(data: str, tmp_path: pathlib.Path) -> None:
    cut_and_compare(tmp_path, data)


def test_workers_that_stay_are_told_where_they_draw_something_else(tmp_path: pathlib.Path) -> None:
    """Their generators lie in processes that have gone."""

    def run(epochs: int) -> None:
        safe = callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
        loader = shuffled(Noisy(), num_workers=1, persistent_workers=True)
        as_new().fit(loader, epochs=epochs, verbose=0, callbacks=[safe])

    run(2)
    with pytest.warns(UserWarning, match="DataLoader gives other batches than it gave to the run that was cut off"):
        run(3)


def test_one_seed_gives_one_order_of_a_loader() -> None:
    loader: Any = DataLoader(list(range(20)), batch_size=20, shuffle=True)
    orders = []
    for _ in range(2):
        keras_fn.utils.set_random_seed(3)
        orders.append([batch.tolist() for batch in loader])
    assert orders[0] == orders[1]
