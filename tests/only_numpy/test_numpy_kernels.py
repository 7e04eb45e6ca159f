"""Kernels of the NumPy backend that go another way for large tensors, or by ranges of numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keras_fn import ops

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(("name", "right"), [("erf", math.erf), ("erfc", math.erfc)])
@pytest.mark.parametrize(("dtype", "within"), [("float32", 2e-7), ("float64", 2e-15)])
def test_error_functions_in_all_their_ranges(name: str, right: object, dtype: str, within: float) -> None:
    edges = [0.0, 0.46875, 4.0, 3.9192059, 26.0, 30.0, np.inf]
    x = np.concatenate([RANDOM.uniform(-7, 7, 40_000), edges, np.negative(edges)]).astype(dtype)
    found = ops.convert_to_numpy(getattr(ops, name)(x))
    wanted = np.array([right(float(v)) for v in x])  # type: ignore[operator]
    assert found.dtype == dtype
    np.testing.assert_allclose(found, wanted, rtol=within, atol=1e-38)
    assert np.isnan(ops.convert_to_numpy(getattr(ops, name)(np.array([np.nan], dtype)))).all()


@pytest.mark.parametrize("lower", [True, False])
def test_triangular_equations_of_more_than_a_block(lower: bool) -> None:
    a = RANDOM.standard_normal((2, 150, 150)) / 20 + 2 * np.eye(150)
    b = RANDOM.standard_normal((1, 150, 3))
    triangle = np.tril(a) if lower else np.triu(a)
    found = ops.convert_to_numpy(ops.solve_triangular(a, b, lower=lower))
    np.testing.assert_allclose(triangle @ found, np.broadcast_to(b, (2, 150, 3)), atol=1e-12)


@pytest.mark.parametrize("strides", [1, 2])
def test_depthwise_convolution_is_one_of_each_channel(strides: int) -> None:
    x = RANDOM.standard_normal((2, 9, 8, 3), "float32")
    kernel = RANDOM.standard_normal((3, 2, 3, 1), "float32")
    found = ops.convert_to_numpy(ops.depthwise_conv(x, kernel, strides, "same"))
    for c in range(3):
        alone = ops.conv(x[..., c : c + 1], kernel[:, :, c : c + 1], strides, "same")
        np.testing.assert_allclose(found[..., c : c + 1], ops.convert_to_numpy(alone), atol=1e-5)


def test_least_squares_of_matrices_without_full_rank() -> None:
    a = np.outer(np.arange(1.0, 6.0), [1.0, 2.0, 3.0])
    b = RANDOM.standard_normal((5, 2))
    np.testing.assert_allclose(ops.convert_to_numpy(ops.lstsq(a, b)), np.linalg.pinv(a) @ b, atol=1e-12)
