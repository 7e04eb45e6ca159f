"""Images in another height and width."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import ArgumentError, ShapeError, closest
from keras_fn.core.op import op, same
from keras_fn.core.reading import remembered
from keras_fn.core.settings import standardize_data_format
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e

__all__ = ["resize"]


# --- interpolation kernels: weight of a neighbour at a distance, and the distance beyond which it is 0
def _triangle(d: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - np.abs(d))


def _cubic(d: np.ndarray) -> np.ndarray:
    """Keys's cubic convolution with a = -1/2. Source: https://doi.org/10.1109/TASSP.1981.1163711"""
    d = np.abs(d)
    near, far = (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    """A sinc, windowed by a wider sinc. Source: https://doi.org/10.1175/1520-0450(1979)018%3C1016:LFIOAT%3E2.0.CO;2"""
    return lambda d: np.where(np.abs(d) < radius, np.sinc(d) * np.sinc(d / radius), 0)


METHODS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], int]] = {
    "bilinear": (_triangle, 1),
    "bicubic": (_cubic, 2),
    "lanczos3": (_lanczos(3), 3),
    "lanczos5": (_lanczos(5), 5),
}


@remembered(maxsize=128)
def _taps(old: int, new: int, interpolation: str, antialias: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """For each new place along an axis, the old places that it is made of, and their weights: `(taps, new)` each.

    Places are centres of pixels; neighbours beyond the edge are left out, and the weights sum to 1.
    """
    if interpolation == "nearest":
        return ((2 * np.arange(new) + 1) * old // (2 * new))[None].astype("int32"), None
    weigh, radius = METHODS[interpolation]
    stretch = max(old / new, 1.0) if antialias else 1.0
    centres = (np.arange(new) + 0.5) * (old / new) - 0.5
    first = np.ceil(centres - radius * stretch).astype("int64")
    indices = first + np.arange(math.floor(2 * radius * stretch) + 1)[:, None]
    weights = np.where((indices >= 0) & (indices < old), weigh((indices - centres) / stretch), 0)
    used = np.any(weights != 0, axis=1)
    indices, weights = indices[used], weights[used]
    return np.clip(indices, 0, old - 1).astype("int32"), weights / weights.sum(0)


def _along_axis(x: Any, axis: int, new: int, interpolation: str, antialias: bool) -> Any:
    """The tensor with `new` elements along one axis."""
    rank, old = len(x.shape), s.shape(x)[axis]
    if old == new:
        return x
    if not isinstance(old, int):
        raise ShapeError(
            "The height and width of images must be known to resize them on this backend. Take a backend with a kernel "
            "of its own, or whole factors with `ops.repeat`."
        )
    if interpolation == "nearest" and new % old == 0:
        return _repeated(x, axis, new // old)
    indices, weights = _taps(old, new, interpolation, antialias)
    if weights is None:
        return s.take(x, indices[0], axis)
    out: Any = None
    column = (-1,) + (1,) * (rank - axis - 1)
    for places, shares in zip(indices, weights, strict=True):
        part = s.take(x, places, axis)
        part = e.multiply(part, e.cast(shares.reshape(column), dtypes.standardize(x.dtype)))
        out = part if out is None else e.add(out, part)
    return out


def _repeated(x: Any, axis: int, factor: int) -> Any:
    """Each element so many times along an axis: one copy, without a table of indices."""
    dims = list(s.shape(x))
    wide = s.broadcast_to(s.expand_dims(x, axis + 1), (*dims[: axis + 1], factor, *dims[axis + 1 :]))
    dims[axis] *= factor
    return s.reshape(wide, tuple(dims))


def _spatial_axis(rank: int, data_format: str) -> int:
    """The axis of the height; that of the width is the next."""
    return rank - 2 if data_format == "channels_first" else rank - 3


@op(dtype=same("images"))
def _resize(images, size, interpolation, antialias, data_format):
    """`resize` with all arguments given and without care for the aspect ratio."""
    first = _spatial_axis(len(images.shape), data_format)
    if isinstance(images, Spec):
        return Spec((*images.shape[:first], *size, *images.shape[first + 2 :]), images.dtype)
    name = dtypes.standardize(images.dtype)
    whole = interpolation != "nearest" and not dtypes.is_float(name)
    x = e.cast(images, "float32") if whole else images
    # the axis that shrinks most goes first, so that less is left for the other
    order = sorted((0, 1), key=lambda i: size[i] / images.shape[first + i] if images.shape[first + i] else 1)
    for i in order:
        x = _along_axis(x, first + i, size[i], interpolation, antialias)
    return e.cast(_rounded(x, name), name) if whole else x


def _rounded(x: Any, name: str) -> Any:
    """The nearest whole numbers that an integer dtype holds."""
    if not dtypes.is_integer(name):
        return x
    limits = np.iinfo(name)
    return e.clip(e.round(x), float(limits.min), float(limits.max))


def resize(
    images: Any,
    size: int | tuple[int, int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Images in another height and width.

    Args:
        images: tensor `(batch, height, width, channels)` or `(height, width, channels)`; for 'channels_first',
            `(batch, channels, height, width)` or `(channels, height, width)`.
        size: new `(height, width)`.
        interpolation: 'nearest', 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'.
        antialias: whether neighbours are taken from so far that no pixel is lost when images shrink.
        crop_to_aspect_ratio: cut the borders off first where the new shape is flatter or slimmer.
        pad_to_aspect_ratio: add borders first where the new shape is flatter or slimmer.
        fill_mode: 'constant', the only way to fill borders.
        fill_value: what such borders hold.
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.

    Returns:
        Tensor in the dtype of `images`.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.reshape(ops.arange(4.0), (2, 2, 1))
        >>> ops.convert_to_numpy(ops.image.resize(x, (2, 4), "nearest"))[..., 0].tolist()
        [[0.0, 0.0, 1.0, 1.0], [2.0, 2.0, 3.0, 3.0]]
    """
    if interpolation != "nearest" and interpolation not in METHODS:
        known = ("nearest", *METHODS)
        hint = closest(interpolation, known)
        raise ArgumentError(f"`interpolation` must be one of {known}, not {interpolation!r}.{hint}")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError("Only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True.")
    if fill_mode != "constant":
        raise ArgumentError(f"`fill_mode` must be 'constant', not {fill_mode!r}.")
    data_format = standardize_data_format(data_format)
    new_size = shapes.tuple_of(size, 2, "size")
    images = images if hasattr(images, "shape") else s.convert_to_tensor(images)
    rank = len(images.shape)
    if rank not in (3, 4):
        raise ShapeError(f"`images` must have 3 or 4 dimensions, and have the shape {tuple(images.shape)}.")
    first = _spatial_axis(rank, data_format)
    if crop_to_aspect_ratio or pad_to_aspect_ratio:
        images = _to_aspect_ratio(images, first, new_size, crop_to_aspect_ratio, fill_value)
    return _resize(images, new_size, interpolation, bool(antialias), data_format)


def _to_aspect_ratio(images: Any, first: int, size: Any, crop: bool, fill: float) -> Any:
    """The images with borders cut off, or added, so that height and width have the ratio of `size`."""
    height, width = s.shape(images)[first : first + 2]
    if not isinstance(height, int) or not isinstance(width, int):
        raise ShapeError(f"The height and width must be known to keep the aspect ratio, not {tuple(images.shape)}.")
    fitted = (int(width * size[0] / size[1]), int(height * size[1] / size[0]))
    key: list[Any] = [slice(None)] * len(images.shape)
    pads = [(0, 0)] * len(images.shape)
    for i, (old, new) in enumerate(zip((height, width), fitted, strict=True)):
        if crop:
            new = max(min(old, new), 1)
            start = (old - new) // 2
            key[first + i] = slice(start, start + new)
        else:
            new = max(old, new)
            start = (new - old) // 2
            pads[first + i] = (start, new - old - start)
    return s.get_item(images, tuple(key)) if crop else s.pad(images, tuple(pads), constant_values=fill)
