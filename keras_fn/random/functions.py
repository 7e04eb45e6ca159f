"""Random tensors: `keras_fn.random.*`.

`seed` means the same everywhere. None: the global generator, which `keras_fn.utils.set_random_seed` starts anew. An
int: the same numbers at every call. A `SeedGenerator`: fresh numbers at every call, also in compiled code.

The numbers come from the active backend's own generator, so they differ from backend to backend, unless
`keras_fn.config.enable_portable_random()` was called.
"""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import ArgumentError, DtypeError, ShapeError
from keras_fn.core.op import floats, mixes, op
from keras_fn.core.spec import Spec
from keras_fn.core.switches import switches
from keras_fn.ops import random as native
from keras_fn.random import portable
from keras_fn.random.seed_generator import draw


def _source() -> Any:
    """Where the numbers come from: the backend's own generator, or in portable mode the one that all have."""
    return portable if switches.portable_random else native


def _float(dtype: Any, name: str) -> str:
    dtype = dtypes.standardize(dtype)
    if not dtypes.is_float(dtype):
        raise DtypeError(f"random.{name} makes floats, and the dtype {dtype!r} is none.")
    return dtype


def _unknown(shape: Any) -> bool:
    """Whether the shape is one that is inferred while a model is built: then there is nothing to draw."""
    return any(d is None or isinstance(d, Spec) for d in shape)


def _scaled(x: Any, factor: Any, shift: Any) -> Any:
    if not (isinstance(factor, (int, float)) and factor == 1):
        x = ops.multiply(x, factor)
    return x if isinstance(shift, (int, float)) and shift == 0 else ops.add(x, shift)


def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Normally distributed numbers.

    Args:
        shape: shape of the result. With unknown dimensions (None), as while a model is built, the result is a spec.
        mean: mean.
        stddev: standard deviation.
        dtype: float dtype; None for the default float.
        seed: None, int or SeedGenerator; see `keras_fn.random`.

    Example:
        >>> from keras_fn import random
        >>> random.normal((2, 3), seed=1).shape == (2, 3)
        True
    """
    shape, dtype = shapes.standardize(shape), _float(dtype, "normal")
    if _unknown(shape):
        return Spec(shape, dtype)
    return _scaled(_source().random_normal(draw(seed), shape, dtype), stddev, mean)


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Normally distributed numbers that lie no further than two `stddev` from the mean.

    Args:
        shape: shape of the result.
        mean: mean.
        stddev: standard deviation before the cut.
        dtype: float dtype; None for the default float.
        seed: None, int or SeedGenerator; see `keras_fn.random`.

    Example:
        >>> from keras_fn import ops, random
        >>> bool(ops.max(ops.absolute(random.truncated_normal((1000,), seed=1))) <= 2.0)
        True
    """
    shape, dtype = shapes.standardize(shape), _float(dtype, "truncated_normal")
    if _unknown(shape):
        return Spec(shape, dtype)
    return _scaled(_source().random_truncated_normal(draw(seed), shape, dtype), stddev, mean)


def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Uniformly distributed numbers: floats in `[minval, maxval)`; integers where the dtype is an integer one.

    Args:
        shape: shape of the result.
        minval: lower end.
        maxval: upper end, not included.
        dtype: float or integer dtype; None for the default float.
        seed: None, int or SeedGenerator; see `keras_fn.random`.

    Example:
        >>> from keras_fn import ops, random
        >>> x = random.uniform((1000,), -1.0, 1.0, seed=1)
        >>> bool(ops.min(x) >= -1.0) and bool(ops.max(x) < 1.0)
        True
    """
    dtype = dtypes.standardize(dtype)
    if dtypes.is_integer(dtype):
        return randint(shape, int(minval), int(maxval), dtype, seed)
    shape, dtype = shapes.standardize(shape), _float(dtype, "uniform")
    if _unknown(shape):
        return Spec(shape, dtype)
    return _scaled(_source().random_uniform(draw(seed), shape, dtype), maxval - minval, minval)


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Uniformly distributed integers from `minval` up to, without, `maxval`.

    Args:
        shape: shape of the result.
        minval, maxval: ints, `minval < maxval`.
        dtype: integer dtype.
        seed: None, int or SeedGenerator; see `keras_fn.random`.

    Raises:
        ArgumentError: where there is no integer between the ends.

    Example:
        >>> from keras_fn import ops, random
        >>> sorted(set(ops.convert_to_numpy(random.randint((100,), 0, 3, seed=1)).tolist()))
        [0, 1, 2]
    """
    shape, dtype = shapes.standardize(shape), dtypes.standardize(dtype)
    if not dtypes.is_integer(dtype):
        raise DtypeError(f"random.randint makes integers, and the dtype {dtype!r} is none. Use random.uniform.")
    low, high = int(minval), int(maxval)
    if low >= high:
        raise ArgumentError(f"random.randint needs minval < maxval, and got minval={minval}, maxval={maxval}.")
    if _unknown(shape):
        return Spec(shape, dtype)
    return _source().random_integers(draw(seed), low, high, shape, dtype)


@op(dtype=mixes("logits"))
def _categorical(logits, num_samples, dtype, seed):
    """`categorical` with a dtype name."""
    if len(logits.shape) != 2:
        raise ShapeError(f"random.categorical needs logits of the shape (batch, classes), not {tuple(logits.shape)}.")
    rows, classes = ops.shape(logits)
    if isinstance(logits, Spec):
        return Spec((rows, num_samples), dtype)
    # the largest of logits with Gumbel noise is a draw from their softmax: https://arxiv.org/abs/1611.01144
    noise = _source().random_uniform(draw(seed), (rows, num_samples, classes), "float32")
    gumbel = ops.negative(ops.log(ops.negative(ops.log(ops.maximum(noise, 1e-38)))))
    scores = ops.add(ops.expand_dims(ops.cast(logits, "float32"), 1), gumbel)
    return ops.cast(ops.argmax(scores, -1), dtype)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Class ids drawn with the probabilities `softmax(logits)`.

    Args:
        logits: tensor of shape `(batch, classes)`.
        num_samples: draws for each row.
        dtype: integer dtype.
        seed: None, int or SeedGenerator; see `keras_fn.random`.

    Returns:
        Tensor of shape `(batch, num_samples)`.

    Example:
        >>> from keras_fn import ops, random
        >>> ops.convert_to_numpy(random.categorical([[0.0, 100.0]], 3, seed=1)).tolist()
        [[1, 1, 1]]
    """
    return _categorical(logits, num_samples, dtypes.standardize(dtype), seed)


@op(dtype=floats("inputs"))
def dropout(inputs, rate, noise_shape=None, seed=None):
    """Sets a share of the elements to 0 at random and divides the others by `1 - rate`, which keeps the expected sum.

    Source: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html

    Args:
        inputs: tensor.
        rate: the share to drop, from 0 to 1.
        noise_shape: shape of the mask, which broadcasts to `inputs`: elements along an axis of length 1 are kept or
            dropped together. None (also for single dimensions): as `inputs`.
        seed: None, int or SeedGenerator; see `keras_fn.random`.

    Raises:
        ArgumentError: where the rate lies outside of 0 to 1.

    Example:
        >>> from keras_fn import ops, random
        >>> sorted(set(ops.convert_to_numpy(random.dropout(ops.ones((100,)), 0.5, seed=1)).tolist()))
        [0.0, 2.0]
    """
    if not 0 <= rate <= 1:
        raise ArgumentError(f"`rate` must lie between 0 and 1, and {rate} came.")
    if noise_shape is not None:
        noise_shape = _noise_shape(inputs, noise_shape)
    if isinstance(inputs, Spec) or rate == 0:
        return inputs
    if rate == 1:
        return ops.zeros_like(inputs)
    return _source().random_dropout(draw(seed), inputs, rate, ops.shape(inputs) if noise_shape is None else noise_shape)


def _noise_shape(inputs: Any, noise_shape: Any) -> tuple[Any, ...]:
    dims = ops.shape(inputs)
    noise_shape = tuple(noise_shape)
    fits = len(noise_shape) == len(dims) and all(
        n is None or n == 1 or not isinstance(n, int) or not isinstance(d, int) or n == d
        for n, d in zip(noise_shape, dims, strict=False)
    )
    if not fits:
        raise ShapeError(
            f"`noise_shape` {noise_shape} must broadcast to the shape of the inputs, {tuple(dims)}: "
            "as many dimensions, each one equal, 1 or None."
        )
    return tuple(d if n is None else n for n, d in zip(noise_shape, dims, strict=True))


@op(dtype=mixes("x"))
def shuffle(x, axis=0, seed=None):
    """The slices of x along an axis in random order.

    Args:
        x: tensor.
        axis: the axis.
        seed: None, int or SeedGenerator; see `keras_fn.random`.

    Example:
        >>> from keras_fn import ops, random
        >>> sorted(ops.convert_to_numpy(random.shuffle(ops.arange(5), seed=1)).tolist())
        [0, 1, 2, 3, 4]
    """
    axis = shapes.canonical_axis(axis, len(x.shape))
    if isinstance(x, Spec):
        return x
    return ops.take(x, _source().random_permutation(draw(seed), ops.shape(x)[axis]), axis)


def _drawn_shape(shape: Any, dtype: Any, name: str, *parameters: Any) -> tuple[Any, str, bool]:
    shape, dtype = shapes.standardize(shape), _float(dtype, name)
    return shape, dtype, _unknown(shape) or any(isinstance(p, Spec) for p in parameters)


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Gamma distributed numbers of scale 1: density `x**(alpha - 1) * exp(-x) / Gamma(alpha)` for x > 0.

    Args:
        shape: shape of the result.
        alpha: shape parameter: a number, or a tensor that broadcasts to `shape`.
        dtype: float dtype; None for the default float.
        seed: None, int or SeedGenerator; see `keras_fn.random`.

    Example:
        >>> from keras_fn import ops, random
        >>> bool(ops.all(random.gamma((10,), 2.0, seed=1) > 0.0))
        True
    """
    shape, dtype, symbolic = _drawn_shape(shape, dtype, "gamma", alpha)
    if symbolic:
        return Spec(shape, dtype)
    return _source().random_gamma(draw(seed), _spread(alpha, shape, dtype))


def _spread(parameter: Any, shape: Any, dtype: str) -> Any:
    return ops.broadcast_to(ops.convert_to_tensor(parameter, dtype), shape)


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Any:
    """How many of so many trials succeed.

    Args:
        shape: shape of the result.
        counts: number of trials: a number, or a tensor that broadcasts to `shape`.
        probabilities: the chance of each trial, likewise.
        dtype: float dtype; None for the default float.
        seed: None, int or SeedGenerator; see `keras_fn.random`.

    Example:
        >>> from keras_fn import ops, random
        >>> ops.convert_to_numpy(random.binomial((3,), 5, 1.0, seed=1)).tolist()
        [5.0, 5.0, 5.0]
    """
    shape, dtype, symbolic = _drawn_shape(shape, dtype, "binomial", counts, probabilities)
    if symbolic:
        return Spec(shape, dtype)
    n, p = _spread(counts, shape, "float32"), _spread(probabilities, shape, "float32")
    return ops.cast(_source().random_binomial(draw(seed), n, p), dtype)


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Beta distributed numbers: density proportional to `x**(alpha - 1) * (1 - x)**(beta - 1)` for 0 < x < 1.

    Drawn as `a / (a + b)` of two gamma distributed numbers.

    Args:
        shape: shape of the result.
        alpha, beta: parameters: numbers, or tensors that broadcast to `shape`.
        dtype: float dtype; None for the default float.
        seed: None, int or SeedGenerator; see `keras_fn.random`.

    Example:
        >>> from keras_fn import ops, random
        >>> x = random.beta((10,), 2.0, 3.0, seed=1)
        >>> bool(ops.all(x > 0.0)) and bool(ops.all(x < 1.0))
        True
    """
    shape, dtype, symbolic = _drawn_shape(shape, dtype, "beta", alpha, beta)
    if symbolic:
        return Spec(shape, dtype)
    parameters = ops.stack([_spread(alpha, shape, dtype), _spread(beta, shape, dtype)], 0)
    a, b = ops.unstack(_source().random_gamma(draw(seed), parameters))
    return ops.true_divide(a, ops.add(a, b))
