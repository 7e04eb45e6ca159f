"""Runs on DataLoaders that are cut off inside of an epoch and taken up again."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, RandomSampler, TensorDataset

import keras_fn
from resuming import BATCH, DATA, ROWS, Killed, X, Y, same, train


class Noisy(Dataset[Any]):
    """Draws from torch's and NumPy's global generators for each row."""

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, i: int) -> Any:
        return X[i] + torch.randn(6).numpy() / 10 + np.random.normal(size=6).astype("float32") / 10, Y[i]


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
}
DATA |= {f"loader, {name}": (make, {}) for name, make in LOADERS.items()}
DATA["loader, epochs end inside"] = (LOADERS["own generator"], {"steps_per_epoch": 5})


@pytest.mark.parametrize("data", [name for name in DATA if name.startswith("loader")])
def test_loaders(data: str, tmp_path: pathlib.Path) -> None:
    whole = train(tmp_path / "whole", data)
    for kill in (3, 8, 6):
        with pytest.raises(Killed):
            train(tmp_path / "cut", data, kill=kill)
    same(whole, train(tmp_path / "cut", data))


def test_one_seed_gives_one_order_of_a_loader() -> None:
    loader: Any = DataLoader(list(range(20)), batch_size=20, shuffle=True)
    orders = []
    for _ in range(2):
        keras_fn.utils.set_random_seed(3)
        orders.append([batch.tolist() for batch in loader])
    assert orders[0] == orders[1]
