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


@pytest.mark.parametrize("size", [30, 32, 33, 150])
@pytest.mark.parametrize("lower", [True, False])
def test_triangular_equations_of_whole_and_broken_blocks(size: int, lower: bool) -> None:
    a = RANDOM.standard_normal((size, size)) / 20 + 2 * np.eye(size)
    b = RANDOM.standard_normal((size, 2))
    found = ops.convert_to_numpy(ops.solve_triangular(a, b, lower=lower))
    np.testing.assert_allclose((np.tril(a) if lower else np.triu(a)) @ found, b, atol=1e-12)
    a[size // 2, size // 2] = 0
    with pytest.raises(np.linalg.LinAlgError):
        ops.solve_triangular(a, b, lower=lower)


def with_ties(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Few different numbers; for floats with both zeros, infinities and NaN of both signs among them."""
    x = RANDOM.integers(-4, 5, shape).astype(dtype)
    if x.dtype.kind == "f":
        for odd in (-0.0, np.inf, -np.inf, np.nan, -np.float32("nan")):
            x[RANDOM.random(shape) < 0.05] = odd
    return x


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int32", "int16", "int8", "int64"])
@pytest.mark.parametrize("shape", [(20_000,), (40, 50, 21), (3, 30_000)])
def test_order_of_many_numbers_with_ties(shape: tuple[int, ...], dtype: str) -> None:
    x = with_ties(shape, dtype)
    for axis in range(len(shape)):
        found = ops.convert_to_numpy(ops.argsort(x, axis))
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, np.argsort(x, axis, kind="stable"))
        view = np.swapaxes(x, 0, -1)
        np.testing.assert_array_equal(ops.argsort(view, axis), np.argsort(view, axis, kind="stable"))
    order = x.shape[-1] - 1 - np.argsort(x[..., ::-1], -1, kind="stable")[..., ::-1]
    for k in (1, 7, x.shape[-1]):
        values, places = ops.top_k(x, k)
        np.testing.assert_array_equal(places, order[..., :k])
        np.testing.assert_array_equal(values, np.take_along_axis(x, order[..., :k], -1))


@pytest.mark.parametrize("shape", [(3, 40, 40, 6), (70, 9, 9, 6), (2, 400, 8, 6)])
def test_convolution_in_blocks_of_windows(shape: tuple[int, ...]) -> None:
    x, kernel = RANDOM.standard_normal(shape), RANDOM.standard_normal((3, 2, 6, 4))
    found = ops.convert_to_numpy(ops.conv(x, kernel, (2, 1), "valid"))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 2), (1, 2))[:, ::2]
    np.testing.assert_allclose(found, np.einsum("nhwcij,ijcf->nhwf", windows, kernel), atol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
@pytest.mark.parametrize(("size", "strides"), [((2, 3), (2, 1)), ((1, 4), (3, 3)), ((3, 3), (2, 2))])
def test_pooling_of_whole_windows(dtype: str, size: tuple[int, int], strides: tuple[int, int]) -> None:
    x = RANDOM.integers(-9, 9, (2, 11, 10, 3)).astype(dtype)
    windows = np.lib.stride_tricks.sliding_window_view(x, size, (1, 2))[:, :: strides[0], :: strides[1]]
    np.testing.assert_array_equal(ops.max_pool(x, size, strides), windows.max((-2, -1)))
    if dtype == "float32":
        np.testing.assert_allclose(ops.average_pool(x, size, strides), windows.mean((-2, -1)), atol=1e-6)


@pytest.mark.parametrize(("shape", "axes"), [((70, 33, 5), (0, 1)), ((5, 7, 3000), (0,)), ((3000, 1), (0,))])
def test_moments_over_the_first_axes(shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    x = (RANDOM.standard_normal(shape) + 100).astype("float32")
    for keepdims in (False, True):
        mean, variance = ops.moments(x, axes, keepdims)
        wide = x.astype("float64")
        np.testing.assert_allclose(mean, wide.mean(axes, keepdims=keepdims), rtol=1e-6)
        np.testing.assert_allclose(variance, wide.var(axes, keepdims=keepdims), rtol=1e-4)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("source", ["float16", "float32", "float64"])
def test_floats_as_integers_that_cannot_hold_them(dtype: str, source: str) -> None:
    with np.errstate(over="ignore"):
        x = np.array([1.9, -1.9, 200.5, -200.5, 7e4, 3e9, -3e9, 1e19, -1e19, 2e19, np.inf, -np.inf, np.nan], source)
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    wanted = [0 if math.isnan(v) else low if v <= low else high if v >= high else int(v) for v in x.tolist()]
    for part in (slice(None), slice(0, 5), slice(0, 1)):
        assert ops.convert_to_numpy(ops.cast(x[part], dtype)).tolist() == wanted[part]
