"""Kernels that let NumPy sort what lies in the memory of the host: the same values, places and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from keras_fn import ops

RANDOM = np.random.default_rng(0)


def with_ties(dtype: str) -> np.ndarray:
    x = RANDOM.integers(-4, 5, (30, 40)).astype(dtype)
    if x.dtype.kind == "f":
        for odd in (-0.0, np.inf, -np.inf, np.nan):
            x[RANDOM.random(x.shape) < 0.05] = odd
    return x


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int32", "int64", "uint8"])
def test_order_of_many_numbers_with_ties(dtype: str) -> None:
    x = with_ties(dtype)
    tensor = torch.from_numpy(x)
    for axis in (0, 1):
        np.testing.assert_array_equal(ops.argsort(tensor, axis).numpy(), np.argsort(x, axis, kind="stable"))
        np.testing.assert_array_equal(ops.sort(tensor, axis).numpy(), np.sort(x, axis))
    order = 39 - np.argsort(x[:, ::-1], -1, kind="stable")[:, ::-1]
    for k in (1, 7, 40):
        values, places = ops.top_k(tensor, k)
        assert places.dtype == torch.int32
        np.testing.assert_array_equal(places.numpy(), order[:, :k])
        np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, order[:, :k], -1))


def test_largest_of_different_numbers() -> None:
    x = torch.from_numpy(RANDOM.permutation(1200).reshape(30, 40).astype("float32"))
    values, places = ops.top_k(x, 5)
    assert torch.equal(values, torch.gather(x, 1, places.long()))
    assert torch.equal(values, x.sort(1, descending=True).values[:, :5])


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sort": lambda x: ops.sum(ops.square(ops.sort(x)[:, :3])),
    "top_k": lambda x: ops.sum(ops.square(ops.top_k(x, 3)[0])),
    "median": lambda x: ops.sum(ops.median(x, -1)),
    "quantile": lambda x: ops.sum(ops.square(ops.quantile(x, [0.25, 0.3], 0))),
    "moments": lambda x: ops.sum(ops.multiply(*ops.moments(x, (0,)))),
    "blur": lambda x: ops.sum(ops.square(ops.image.gaussian_blur(ops.reshape(x, (1, 30, 40, 1)), (3, 5)))),
    "ldexp": lambda x: ops.sum(ops.square(ops.ldexp(x, torch.full((40,), -2, dtype=torch.int32)))),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_are_those_of_differences(name: str) -> None:
    fn, x = FUNCTIONS[name], torch.from_numpy(RANDOM.permutation(1200).reshape(30, 40) / 1000)
    way = torch.from_numpy(RANDOM.standard_normal(x.shape))
    step = 1e-7
    slope = float(fn(x + step * way) - fn(x - step * way)) / (2 * step)
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(fn(leaf), leaf)
    assert float((gradient * way).sum()) == pytest.approx(slope, rel=1e-5, abs=1e-5)
    assert float(torch.func.jvp(fn, (x,), (way,))[1]) == pytest.approx(slope, rel=1e-5, abs=1e-5)
    torch.testing.assert_close(torch.func.grad(fn)(x), gradient)


@pytest.mark.parametrize("fn", [ops.sort, ops.argsort, lambda x: ops.top_k(x, 4)[1], lambda x: ops.median(x, -1)])
def test_transformed_by_vmap(fn: Callable[[Any], Any]) -> None:
    x = torch.from_numpy(RANDOM.permutation(3000).reshape(2, 1500).astype("float32"))
    torch.testing.assert_close(torch.vmap(fn)(x), torch.stack([fn(row) for row in x]))
