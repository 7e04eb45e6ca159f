"""The pixels of each window that slides over images."""

from __future__ import annotations

import math
from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import windows
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import op, same
from keras_fn.core.settings import standardize_data_format
from keras_fn.core.shapes import tuple_of
from keras_fn.core.spec import Spec
from keras_fn.ops.image_layout import tensor
from keras_fn.ops.patches import count_windows, places_seen

__all__ = ["extract_patches", "extract_patches_3d"]


@op(dtype=same("images"))
def _patches(images, size, strides, dilation, padding):
    """Windows of `(batch, *spatial, channels)`: `(batch, *places, window elements * channels)`."""
    n = len(size)
    spans = [windows.span(k, d) for k, d in zip(size, dilation, strict=True)]
    dims = s.shape(images)
    counts: list[Any] = []
    if padding == "same":
        if isinstance(images, Spec):
            counts = [windows.count(d, k, t, "same") for d, k, t in zip(dims[1:-1], spans, strides, strict=True)]
        else:
            pads = [windows.same_padding(d, k, t) for d, k, t in zip(dims[1:-1], spans, strides, strict=True)]
            images = s.pad(images, ((0, 0), *pads, (0, 0)))
            dims = s.shape(images)
    if padding != "same" or not isinstance(images, Spec):
        axes = zip(dims[1:-1], size, strides, dilation, strict=True)
        counts = [count_windows(d, k, t, g, f"shape {tuple(images.shape)}") for d, k, t, g in axes]
    if isinstance(images, Spec):
        channels = None if dims[-1] is None else dims[-1] * math.prod(size)
        return Spec((dims[0], *counts, channels), images.dtype)
    x = _cut(images, counts, size) if strides == size and all(g == 1 for g in dilation) else None
    if x is None:
        x = _gathered(images, counts, size, strides, dilation)
    order = (0, *range(1, 2 * n, 2), *range(2, 2 * n + 1, 2), 2 * n + 1)
    x = s.transpose(x, order)
    return s.reshape(x, (dims[0], *counts, dims[-1] * math.prod(size)))


def _cut(x: Any, counts: Any, size: Any) -> Any:
    """Windows that lie side by side: a reshape, where the numbers of them are known."""
    if not all(isinstance(c, int) for c in counts):
        return None
    batch, *spatial, channels = s.shape(x)
    used = [c * k for c, k in zip(counts, size, strict=True)]
    if used != spatial:
        x = s.get_item(x, (slice(None), *(slice(0, u) for u in used)))
    pairs = [d for pair in zip(counts, size, strict=True) for d in pair]
    return s.reshape(x, (batch, *pairs, channels))


def _gathered(x: Any, counts: Any, size: Any, strides: Any, dilation: Any) -> Any:
    """Windows that may overlap: `(batch, count, window, count, window, …, channels)`."""
    for i, (count, k, t, g) in enumerate(zip(counts, size, strides, dilation, strict=True)):
        x = s.take(x, places_seen(count, k, t, g), axis=1 + 2 * i)
    return x


def _extract(images: Any, rank: int, size: Any, strides: Any, dilation: Any, padding: Any, data_format: Any) -> Any:
    """`extract_patches` over `rank` spatial axes."""
    images = tensor(images)
    data_format = standardize_data_format(data_format)
    if len(images.shape) not in (rank + 1, rank + 2):
        raise ShapeError(f"{rank + 1} or {rank + 2} dimensions are needed, and the shape is {tuple(images.shape)}.")
    if padding not in ("valid", "same"):
        raise ArgumentError(f"`padding` must be 'valid' or 'same', not {padding!r}.")
    size = tuple_of(size, rank, "size")
    strides = size if strides is None else tuple_of(strides, rank, "strides")
    dilation = tuple_of(dilation, rank, "dilation_rate")
    single = len(images.shape) == rank + 1
    x = s.expand_dims(images, 0) if single else images
    first = data_format == "channels_first"
    out = _patches(s.moveaxis(x, 1, -1) if first else x, size, strides, dilation, padding)
    out = s.moveaxis(out, -1, 1) if first else out
    return s.squeeze(out, 0) if single else out


def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The pixels of each window that slides over images, in a row.

    Args:
        images: tensor `(batch, height, width, channels)` or `(height, width, channels)`, or with the channels before
            the height for 'channels_first'.
        size: height and width of the window.
        strides: step of the window along each axis; None for `size`.
        dilation_rate: distance of the pixels that the window sees, along each axis.
        padding: 'valid' (none) or 'same' (zeros, so that there are `ceil(n / stride)` windows).
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.

    Returns:
        Tensor `(batch, rows, columns, window height * window width * channels)`; a pixel's channels lie side by side.

    Raises:
        ShapeError: where an image is smaller than the window.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.reshape(ops.arange(4), (1, 2, 2, 1))
        >>> ops.convert_to_numpy(ops.image.extract_patches(x, (1, 2))).tolist()
        [[[[0, 1]], [[2, 3]]]]
    """
    return _extract(images, 2, size, strides, dilation_rate, padding, data_format)


def extract_patches_3d(
    volumes: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The elements of each window that slides over volumes, in a row.

    Args:
        volumes: tensor `(batch, depth, height, width, channels)` or without the batch, or with the channels before
            the depth for 'channels_first'.
        size: depth, height and width of the window.
        strides, dilation_rate, padding, data_format: as for `extract_patches`.

    Returns:
        Tensor `(batch, planes, rows, columns, elements of the window * channels)`.

    Example:
        >>> from keras_fn import ops
        >>> ops.image.extract_patches_3d(ops.ones((1, 4, 4, 4, 2)), 2).shape[-1]
        16
    """
    return _extract(volumes, 3, size, strides, dilation_rate, padding, data_format)
