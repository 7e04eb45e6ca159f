"""Pieces of images: taken out, laid together again, and exchanged for channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import keras_fn.ops.shape as s
from keras_fn.core import windows
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import op, same
from keras_fn.core.reading import remembered
from keras_fn.core.settings import standardize_data_format
from keras_fn.core.shapes import tuple_of
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r

__all__ = ["depth_to_space", "fold", "space_to_depth", "unfold"]


def _tensor(x: Any) -> Any:
    return x if hasattr(x, "shape") else s.convert_to_tensor(x)


# --- windows
def count_windows(length: Any, size: int, stride: int, dilation: int, name: str) -> Any:
    """How many windows lie along an axis."""
    if length is None:
        return None
    count = (length - windows.span(size, dilation)) // stride + 1
    if isinstance(count, int) and count < 1:
        raise ShapeError(f"An axis of {length} elements ({name}) is shorter than a window of {size} x {dilation}.")
    return count


def places_seen(count: Any, size: int, stride: int, dilation: int) -> Any:
    """The elements that each window sees along an axis: int tensor `(count, size)`."""
    starts = e.multiply(s.arange(count, dtype="int32"), stride)
    return e.add(s.expand_dims(starts, 1), e.multiply(s.arange(size, dtype="int32"), dilation))


# --- unfold and fold
def _pair(value: Any, name: str, *, zero: bool = False) -> tuple[int, int]:
    return tuple_of(value, 2, name, zero=zero)  # type: ignore[return-value]


@op(dtype=same("x"))
def _unfold(x, kernel_size, dilation, padding, stride):
    """`unfold` with pairs for arguments."""
    batch, channels, *spatial = s.shape(x)
    high, wide = (
        count_windows(None if n is None else n + 2 * p, k, t, d, f"padded shape of {tuple(x.shape)}")
        for n, k, t, d, p in zip(spatial, kernel_size, stride, dilation, padding, strict=True)
    )
    if isinstance(x, Spec):
        places = None if high is None or wide is None else high * wide
        return Spec((batch, None if channels is None else channels * math.prod(kernel_size), places), x.dtype)
    x = s.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    x = s.take(x, places_seen(high, kernel_size[0], stride[0], dilation[0]), axis=2)
    x = s.take(x, places_seen(wide, kernel_size[1], stride[1], dilation[1]), axis=4)
    x = s.transpose(x, (0, 1, 3, 5, 2, 4))
    return s.reshape(x, (batch, channels * math.prod(kernel_size), high * wide))


def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The elements of each window that slides over images, as columns (im2col).

    Args:
        x: tensor `(batch, channels, height, width)`.
        kernel_size: height and width of the window.
        dilation: distance of the elements that the window sees.
        padding: zeros around the images, along each axis.
        stride: step of the window.

    Returns:
        Tensor `(batch, channels * window height * window width, places)`.

    Raises:
        ShapeError: where x has not four dimensions, or is smaller than the window.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.unfold(ops.reshape(ops.arange(4), (1, 1, 2, 2)), (1, 2))).tolist()
        [[[0, 2], [1, 3]]]
    """
    x = _tensor(x)
    if len(x.shape) != 4:
        raise ShapeError(f"x must have the shape (batch, channels, height, width), and has {tuple(x.shape)}.")
    pairs = _pair(kernel_size, "kernel_size"), _pair(dilation, "dilation"), _pair(padding, "padding", zero=True)
    return _unfold(x, *pairs, _pair(stride, "stride"))


@remembered(maxsize=128)
def _contributors(length: int, count: int, size: int, stride: int, dilation: int, padding: int) -> np.ndarray:
    """For each element of an axis, the pairs (place in the window, window) that cover it, each as one number.

    Shape `(length, most)`; where fewer cover an element, `size * count`, which stands for a zero.
    """
    covering: list[list[int]] = [[] for _ in range(length)]
    for k in range(size):
        for w in range(count):
            place = w * stride + k * dilation - padding
            if 0 <= place < length:
                covering[place].append(k * count + w)
    most = max(map(len, covering), default=0) or 1
    rows = [found + [size * count] * (most - len(found)) for found in covering]
    return np.array(rows, "int32")


@op(dtype=same("x"))
def _fold(x, output_size, kernel_size, dilation, padding, stride):
    """`fold` with pairs for arguments."""
    batch, rows, places = s.shape(x)
    area = math.prod(kernel_size)
    high, wide = (
        count_windows(n + 2 * p, k, t, d, f"output_size {output_size}, padded")
        for n, k, t, d, p in zip(output_size, kernel_size, stride, dilation, padding, strict=True)
    )
    if (isinstance(rows, int) and rows % area) or (isinstance(places, int) and places != high * wide):
        raise ShapeError(
            f"x must have the shape (batch, a multiple of {area}, {high * wide}) for these windows and the output size "
            f"{tuple(output_size)}, and has {tuple(x.shape)}."
        )
    channels = None if rows is None else rows // area
    if isinstance(x, Spec):
        return Spec((batch, channels, *output_size), x.dtype)
    x = s.reshape(x, (batch, channels, *kernel_size, high, wide))
    x = s.transpose(x, (0, 1, 2, 4, 3, 5))  # window row, place, window column, place
    x = s.reshape(x, (batch, channels, kernel_size[0] * high, kernel_size[1] * wide))
    for i, count in enumerate((high, wide)):
        table = _contributors(output_size[i], count, kernel_size[i], stride[i], dilation[i], padding[i])
        pads = [(0, 0)] * 4
        pads[2 + i] = (0, 1)
        x = r.sum(s.take(s.pad(x, tuple(pads)), table, axis=2 + i), axis=3 + i)
    return x


def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Images from columns of windows: each window is added at its place (col2im), the transpose of `unfold`.

    Args:
        x: tensor `(batch, channels * window height * window width, places)`.
        output_size: height and width of the images.
        kernel_size, dilation, padding, stride: those of `unfold`.

    Returns:
        Tensor `(batch, channels, *output_size)`.

    Raises:
        ShapeError: where x does not hold such windows.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.ones((1, 2, 2))
        >>> ops.convert_to_numpy(ops.fold(x, (1, 3), (1, 2))).tolist()
        [[[[1.0, 2.0, 1.0]]]]
    """
    x = _tensor(x)
    if len(x.shape) != 3:
        raise ShapeError(f"x must have the shape (batch, elements of windows, places), and has {tuple(x.shape)}.")
    pairs = _pair(kernel_size, "kernel_size"), _pair(dilation, "dilation"), _pair(padding, "padding", zero=True)
    return _fold(x, _pair(output_size, "output_size"), *pairs, _pair(stride, "stride"))


# --- channels and places
def _exchange(x: Any, block_size: Any, data_format: Any) -> tuple[Any, int, str]:
    x = _tensor(x)
    if not isinstance(block_size, int) or block_size < 2:
        raise ArgumentError(f"`block_size` must be an int of 2 or more, not {block_size!r}.")
    if len(x.shape) != 4:
        raise ShapeError(f"x must have 4 dimensions (batch, height, width, channels), and has {tuple(x.shape)}.")
    return x, block_size, standardize_data_format(data_format)


def _divided(n: Any, block: int, name: str, x: Any) -> Any:
    if isinstance(n, int) and n % block:
        raise ShapeError(f"The {name} ({n}) of the shape {tuple(x.shape)} is no multiple of {block}.")
    return None if n is None else n // block


def _times(n: Any, block: int) -> Any:
    return None if n is None else n * block


@op(dtype=same("x"))
def _depth_to_space(x, block, data_format):
    """`depth_to_space` with arguments that were checked."""
    first = data_format == "channels_first"
    batch, *rest = s.shape(x)
    channels, (height, width) = (rest[0], rest[1:]) if first else (rest[2], rest[:2])
    depth, tall, wide = _divided(channels, block * block, "channels", x), _times(height, block), _times(width, block)
    if isinstance(x, Spec):
        return Spec((batch, depth, tall, wide) if first else (batch, tall, wide, depth), x.dtype)
    if first:
        x = s.reshape(x, (batch, depth, block, block, height, width))
        return s.reshape(s.transpose(x, (0, 1, 4, 2, 5, 3)), (batch, depth, tall, wide))
    x = s.reshape(x, (batch, height, width, block, block, depth))
    return s.reshape(s.transpose(x, (0, 1, 3, 2, 4, 5)), (batch, tall, wide, depth))


def depth_to_space(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """Channels as pixels: every `block_size ** 2` of them become a square.

    Source: https://arxiv.org/abs/1609.05158

    Args:
        x: tensor `(batch, height, width, channels)`, channels being those of the square's pixels one pixel after the
            other; for 'channels_first' `(batch, channels, height, width)`, with all pixels of one channel together.
        block_size: height and width of the square.
        data_format: 'channels_last' or 'channels_first'.

    Returns:
        Tensor `(batch, height * block_size, width * block_size, channels / block_size ** 2)`, or with the channels on
        axis 1.

    Raises:
        ShapeError: where the channels do not make whole squares.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.depth_to_space([[[[1, 2, 3, 4]]]], 2))[0, ..., 0].tolist()
        [[1, 2], [3, 4]]
    """
    return _depth_to_space(*_exchange(x, block_size, data_format))


@op(dtype=same("x"))
def _space_to_depth(x, block, data_format):
    """`space_to_depth` with arguments that were checked."""
    first = data_format == "channels_first"
    batch, *rest = s.shape(x)
    channels, (height, width) = (rest[0], rest[1:]) if first else (rest[2], rest[:2])
    low, slim = _divided(height, block, "height", x), _divided(width, block, "width", x)
    depth = _times(channels, block * block)
    if isinstance(x, Spec):
        return Spec((batch, depth, low, slim) if first else (batch, low, slim, depth), x.dtype)
    if first:
        x = s.reshape(x, (batch, channels, low, block, slim, block))
        return s.reshape(s.transpose(x, (0, 1, 3, 5, 2, 4)), (batch, depth, low, slim))
    x = s.reshape(x, (batch, low, block, slim, block, channels))
    return s.reshape(s.transpose(x, (0, 1, 3, 2, 4, 5)), (batch, low, slim, depth))


def space_to_depth(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """Pixels as channels: the inverse of `depth_to_space`.

    Args:
        x: tensor `(batch, height, width, channels)`, or with the channels on axis 1 for 'channels_first'.
        block_size: height and width of the squares whose pixels become channels.
        data_format: 'channels_last' or 'channels_first'.

    Raises:
        ShapeError: where the height or the width is no multiple of `block_size`.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.space_to_depth([[[[1], [2]], [[3], [4]]]], 2)).tolist()
        [[[[1, 2, 3, 4]]]]
    """
    return _space_to_depth(*_exchange(x, block_size, data_format))
