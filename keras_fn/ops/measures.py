"""Differences, integrals, weighted means and correlations."""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, DtypeError, ShapeError
from keras_fn.core.op import floats, op, same
from keras_fn.core.spec import Spec
from keras_fn.ops import complexes, linalg
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.diagonals import diagonal
from keras_fn.ops.known import dtype_of, known_shape

__all__ = ["average", "corrcoef", "correlate", "diff", "ptp", "trapezoid"]


def _part(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """The elements from start to stop along an axis."""
    return s.get_item(x, (slice(None),) * (axis % s.ndim(x)) + (slice(start, stop),))


@op(dtype=same("a"), oracle="numpy.diff")
def diff(a, n=1, axis=-1):
    """The differences of neighbours along an axis, taken n times.

    Args:
        a: tensor of one dimension or more. Of bools: where neighbours differ.
        n: how many times.
        axis: the axis, which becomes shorter by n.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.diff([1, 4, 9])).tolist()
        [3, 5]
    """
    if n < 0:
        raise ArgumentError(f"ops.diff: `n` must not be negative, and is {n}.")
    axis = shapes.canonical_axis(axis, s.ndim(a))
    apart = e.not_equal if dtype_of(a) == "bool" else e.subtract
    for _ in range(n):
        a = apart(_part(a, axis, 1, None), _part(a, axis, None, -1))
    return a


@op(dtype=same("x"), oracle="numpy.ptp")
def ptp(x, axis=None, keepdims=False):
    """The distance from the smallest to the largest element over axes.

    Args:
        x: tensor of numbers.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> from keras_fn import ops
        >>> int(ops.convert_to_numpy(ops.ptp([3, 9, 4])))
        6
    """
    if dtype_of(x) == "bool":
        raise DtypeError("ops.ptp takes a difference, which bools do not have. Cast with `ops.cast(x, 'int32')` first.")
    return e.subtract(r.amax(x, axis, keepdims), r.amin(x, axis, keepdims))


@op(dtype=floats("y", "x"), oracle="numpy.trapezoid")
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral along an axis by the trapezoidal rule: the sum of `(y[i] + y[i + 1]) / 2 * (x[i + 1] - x[i])`.

    Args:
        y: tensor: values of the function.
        x: tensor: where they were taken: a vector along the axis, or of the shape of y. None: `dx` apart.
        dx: distance of neighbours where `x` is None.
        axis: the axis.

    Returns:
        Tensor without the axis.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.trapezoid([1.0, 2.0, 3.0])))
        4.0
    """
    axis = shapes.canonical_axis(axis, s.ndim(y))
    step: Any = dx
    if x is not None:
        along = 0 if s.ndim(x) == 1 else axis
        step = e.subtract(_part(x, along, 1, None), _part(x, along, None, -1))
        if s.ndim(x) == 1 and axis < s.ndim(y) - 1:
            step = s.expand_dims(step, tuple(range(1, s.ndim(y) - axis)))
    heights = e.true_divide(e.add(_part(y, axis, 1, None), _part(y, axis, None, -1)), 2.0)
    return r.sum(e.multiply(heights, step), axis)


@op(dtype=floats("x", "weights"), oracle="numpy.average")
def average(x, axis=None, weights=None):
    """Weighted mean over axes: `sum(x * weights) / sum(weights)`.

    Args:
        x: tensor.
        axis: int or tuple of ints; None for all axes.
        weights: tensor of the shape of x, or a vector along the one axis; None for equal ones.

    Returns:
        Tensor of a float dtype. NaN where the weights add up to 0.

    Example:
        >>> from keras_fn import ops
        >>> float(ops.convert_to_numpy(ops.average([1.0, 2.0], weights=[3.0, 1.0])))
        1.25
    """
    if weights is None:
        return r.mean(x, axis)
    if s.ndim(weights) != s.ndim(x):
        axes = shapes.canonical_axes(axis, s.ndim(x))
        if s.ndim(weights) != 1 or len(axes) != 1:
            raise ShapeError(
                f"ops.average: `weights` must have the shape of `x`, {tuple(x.shape)}, or be a vector along one axis. "
                f"Its shape is {tuple(weights.shape)}, and the axes are {axes}."
            )
        behind = s.ndim(x) - 1 - axes[0]
        weights = s.expand_dims(weights, tuple(range(1, 1 + behind))) if behind else weights
    shapes.broadcast(known_shape(x), known_shape(weights))
    weights = e.multiply(weights, s.ones_like(x))
    return e.true_divide(r.sum(e.multiply(x, weights), axis), r.sum(weights, axis))


@op(dtype=floats("x"), oracle="numpy.corrcoef")
def corrcoef(x):
    """Pearson's coefficients of correlation of the rows: the covariance divided by both standard deviations.

    Args:
        x: tensor of shape `(variables, observations)`, or `(observations,)` of one variable.

    Returns:
        Tensor of shape `(variables, variables)`, or a scalar. NaN for a variable that does not vary.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.corrcoef([[1.0, 3.0], [4.0, 2.0]])).round(4).tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
    """
    rank = s.ndim(x)
    if rank not in (1, 2):
        raise ShapeError(f"ops.corrcoef takes a vector or a matrix, and the shape is {tuple(x.shape)}.")
    x = x if rank == 2 else s.expand_dims(x, 0)
    x = e.subtract(x, r.mean(x, 1, True))
    covariance = linalg.matmul(x, s.transpose(complexes.conj(x)))
    spread = e.sqrt(complexes.real(diagonal(covariance)))
    out = e.true_divide(e.true_divide(covariance, s.expand_dims(spread, 1)), s.expand_dims(spread, 0))
    if not complexes.is_complex(out):
        out = e.clip(out, -1.0, 1.0)  # no rounding error leads out of what correlations can be
    return out if rank == 2 else s.reshape(out, ())


def _correlated(x1: Spec, x2: Spec, mode: str = "valid") -> shapes.Shape:
    if len(x1.shape) != 1 or len(x2.shape) != 1:
        raise ShapeError(f"ops.correlate takes two vectors, and the shapes are {x1.shape} and {x2.shape}.")
    if mode not in ("valid", "same", "full"):
        raise ArgumentError(f"ops.correlate: `mode` must be 'valid', 'same' or 'full', not {mode!r}.")
    n, m = x1.shape[0], x2.shape[0]
    if n == 0 or m == 0:
        raise ShapeError(f"ops.correlate needs one element or more in both, and the lengths are {n} and {m}.")
    if n is None or m is None:
        return (None,)
    longer, shorter = max(n, m), min(n, m)
    return ({"valid": longer - shorter + 1, "same": longer, "full": longer + shorter - 1}[mode],)


@op(dtype=floats("x1", "x2"), shape=_correlated, oracle="numpy.correlate")
def _correlate(x1, x2, mode):
    """`correlate` of vectors that were checked."""


def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """The cross-correlation of two vectors: `c[k] = sum(x1[n + k] * conj(x2[n]))`.

    Args:
        x1, x2: tensors of one dimension.
        mode: "valid" for the places where they overlap wholly, "same" for as many as the longer has elements, "full"
            for all places where they overlap.

    Returns:
        Tensor of one dimension, of a float dtype.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])).tolist()
        [3.5]
    """
    x1, x2 = (x if isinstance(x, Spec) else s.convert_to_tensor(x) for x in (x1, x2))
    _correlated(Spec(known_shape(x1), "float32"), Spec(known_shape(x2), "float32"), mode)
    return _correlate(x1, x2, mode)
