"""Pooling to a given size, whatever the size of the inputs."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

import keras_fn.ops.shape as s
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import Op, floats, op, same
from keras_fn.core.reading import remembered
from keras_fn.core.settings import standardize_data_format
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r

__all__ = ["adaptive_average_pool", "adaptive_max_pool"]


@remembered(maxsize=128)
def _windows(old: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    """The elements of each of `new` windows along an axis, and their shares in its mean: two tables `(new, longest)`.

    Window i goes from `floor(i * old / new)` up to, without, `ceil((i + 1) * old / new)`. A shorter one than others
    repeats its last element, with a share of 0.
    """
    starts = np.arange(new) * old // new
    ends = -(-(np.arange(1, new + 1) * old) // new)
    places = starts[:, None] + np.arange((ends - starts).max())
    counts = places < ends[:, None]
    return np.minimum(places, ends[:, None] - 1).astype("int32"), counts / counts.sum(1, keepdims=True)


def _axes(inputs: Any, output_size: Any, data_format: str) -> tuple[int, ...]:
    first = 2 if data_format == "channels_first" else 1
    return tuple(range(first, first + len(output_size)))


def _spec(inputs: Spec, output_size: Any, axes: Any) -> Spec:
    dims = list(inputs.shape)
    for axis, new in zip(axes, output_size, strict=True):
        dims[axis] = new
    return Spec(dims, inputs.dtype)


def _known(inputs: Any, axis: int) -> int:
    length = s.shape(inputs)[axis]
    if not isinstance(length, int):
        raise ShapeError(f"Axis {axis} must be known to pool to a given size, and the shape is {tuple(inputs.shape)}.")
    return operator.index(length)  # torch.compile may have taken it for unknown: the tables hold for one length


@op(dtype=floats("inputs"))
def _adaptive_average_pool(inputs, output_size, data_format):
    """`adaptive_average_pool` with all arguments given."""
    axes = _axes(inputs, output_size, data_format)
    if isinstance(inputs, Spec):
        return _spec(inputs, output_size, axes)
    for axis, new in zip(axes, output_size, strict=True):
        places, shares = _windows(_known(inputs, axis), new)
        shares = shares.reshape(*shares.shape, *(1,) * (len(inputs.shape) - axis - 1))
        taken = s.take(inputs, places, axis=axis)
        inputs = r.sum(e.multiply(taken, e.cast(shares, s._dtype(inputs))), axis + 1)
    return inputs


@op(dtype=same("inputs"))
def _adaptive_max_pool(inputs, output_size, data_format):
    """`adaptive_max_pool` with all arguments given."""
    axes = _axes(inputs, output_size, data_format)
    if isinstance(inputs, Spec):
        return _spec(inputs, output_size, axes)
    for axis, new in zip(axes, output_size, strict=True):
        inputs = r.amax(s.take(inputs, _windows(_known(inputs, axis), new)[0], axis=axis), axis + 1)
    return inputs


def _pooled(declared: Op, inputs: Any, output_size: Any, data_format: str | None) -> Any:
    inputs = inputs if hasattr(inputs, "shape") else s.convert_to_tensor(inputs)
    rank = len(inputs.shape) - 2
    if not 1 <= rank <= 3:
        raise ShapeError(
            "`inputs` must have 3, 4 or 5 dimensions (batch, channels, and 1 to 3 spatial ones), and its shape is "
            f"{tuple(inputs.shape)}."
        )
    data_format = standardize_data_format(data_format)
    sizes = (output_size,) * rank if output_size is None or isinstance(output_size, int) else tuple(output_size)
    if len(sizes) != rank or any(n is not None and (not isinstance(n, int) or n < 1) for n in sizes):
        raise ArgumentError(f"`output_size` must be a positive int or {rank} of them (or None), not {output_size!r}.")
    first = 2 if data_format == "channels_first" else 1
    dims = s.shape(inputs)[first : first + rank]
    return declared(inputs, tuple(d if n is None else n for n, d in zip(sizes, dims, strict=True)), data_format)


def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """The mean of each of so many windows that cover the spatial axes evenly.

    Window i of m along an axis of n elements goes from `floor(i * n / m)` up to, without, `ceil((i + 1) * n / m)`.

    Args:
        inputs: tensor `(batch, *spatial, channels)`, or with the channels on axis 1 for 'channels_first'.
        output_size: the number of windows along each axis: an int, or one for each; None keeps an axis.
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.

    Returns:
        Tensor `(batch, *output_size, channels)`, or with the channels on axis 1.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.reshape(ops.arange(5.0), (1, 5, 1))
        >>> ops.convert_to_numpy(ops.nn.adaptive_average_pool(x, 2))[0, :, 0].tolist()
        [1.0, 3.0]
    """
    return _pooled(_adaptive_average_pool, inputs, output_size, data_format)


def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """The largest element of each of so many windows that cover the spatial axes evenly.

    Args:
        inputs, output_size, data_format: as for `adaptive_average_pool`.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.reshape(ops.arange(5.0), (1, 5, 1))
        >>> ops.convert_to_numpy(ops.nn.adaptive_max_pool(x, 2))[0, :, 0].tolist()
        [2.0, 4.0]
    """
    return _pooled(_adaptive_max_pool, inputs, output_size, data_format)
