"""Kernels of convolutions lie in memory as torch's convolutions read them."""

from __future__ import annotations

import copy
import pathlib
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import keras_fn as keras


def is_turned(variable: Any) -> bool:
    return torch.movedim(variable._cell, (-1, -2), (0, 1)).is_contiguous(memory_format=torch.channels_last)


@pytest.fixture
def model() -> Any:
    made = keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            keras.layers.Conv2D(4, 3),
            keras.layers.Conv2DTranspose(5, 2),
            keras.layers.SeparableConv2D(2, 2),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    made.compile("adam", "mse")
    return made


X, Y = np.random.default_rng(0).random((8, 6, 6, 3), "float32"), np.zeros((8, 2), "float32")


def kernels(model: Any) -> list[Any]:
    conv, turned, separable = model.layers[:3]
    return [conv.kernel, turned.kernel, separable.pointwise_kernel]


def test_they_lie_so_from_the_beginning_and_after_steps_and_assignments(model: Any) -> None:
    assert all(map(is_turned, kernels(model)))
    model.fit(X, Y, verbose=0)
    model.set_weights([w + 1 for w in model.get_weights()])
    assert all(map(is_turned, kernels(model)))
    slots = [v for v in model.optimizer.variables if v.shape == model.layers[0].kernel.shape]
    assert len(slots) == 2
    assert all(map(is_turned, slots)), "what the optimizer keeps for a kernel lies as the kernel does"


@pytest.mark.parametrize("how", ["deepcopy", "pickle", "file"])
def test_copies_lie_so_too(model: Any, how: str, tmp_path: pathlib.Path) -> None:
    if how == "file":
        model.save(tmp_path / "m.keras")
        other = keras.saving.load_model(tmp_path / "m.keras")
    else:
        other = copy.deepcopy(model) if how == "deepcopy" else pickle.loads(pickle.dumps(model))
    assert all(map(is_turned, kernels(other)))
    assert np.array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def test_no_call_turns_a_kernel_round(model: Any) -> None:
    model.predict(X, verbose=0)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True) as profile:
        model.layers[0](X)
    copied = [e.input_shapes[0] for e in profile.events() if e.name == "aten::copy_"]
    assert [4, 3, 3, 3] not in copied
