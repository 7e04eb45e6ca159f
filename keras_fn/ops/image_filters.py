"""Edges, blur, and how alike images are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.op import floats, op, same
from keras_fn.core.reading import remembered
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.conv import depthwise_conv
from keras_fn.ops.image_layout import back, channels_last, images_of, tensor
from keras_fn.ops.noise_ratio import one_shape

__all__ = ["gaussian_blur", "sobel_edges", "ssim"]


# --- filters
def _along(images: Any, weights: Any, axis: int, padding: str) -> Any:
    """Images `(batch, height, width, channels)` filtered along the height (axis 0) or the width (axis 1)."""
    channels, name = s.shape(images)[-1], s._dtype(images)
    if isinstance(weights, Bell) and isinstance(channels, int):
        kernel = s.convert_to_tensor(_bell_kernel(*weights, axis, channels), name)
    else:
        if isinstance(weights, Bell):
            weights = s.convert_to_tensor(_bell_kernel(*weights, axis, 1), name)
        kernel = s.reshape(weights, (-1, 1, 1, 1) if axis == 0 else (1, -1, 1, 1))
        kernel = s.broadcast_to(e.cast(kernel, name), (*s.shape(kernel)[:2], channels, 1))
    return depthwise_conv(images, kernel, padding=padding, data_format="channels_last")


def _batched(images: Any) -> Any:
    return s.expand_dims(images, 0) if len(images.shape) == 3 else images


@op(dtype=floats("images"))
def _sobel(images, data_format):
    """`sobel_edges` with the data format given."""
    if isinstance(images, Spec):
        return Spec((*images.shape, 2), images.dtype)
    x = _batched(channels_last(images, data_format))
    smooth, slope = s.convert_to_tensor([1.0, 2.0, 1.0]), s.convert_to_tensor([-1.0, 0.0, 1.0])
    down = _along(_along(x, slope, 0, "same"), smooth, 1, "same")
    right = _along(_along(x, smooth, 0, "same"), slope, 1, "same")
    edges = s.stack([back(down, data_format), back(right, data_format)], -1)
    return s.squeeze(edges, 0) if len(images.shape) == 3 else edges


def sobel_edges(images: Any, data_format: str | None = None) -> Any:
    """How steep images are downwards and to the right, by Sobel's filters; zeros lie around the images.

    The filters are `[[-1, -2, -1], [0, 0, 0], [1, 2, 1]]` and its transpose.

    Args:
        images: tensor `(batch, height, width, channels)` or `(height, width, channels)`, or with the channels before
            the height for 'channels_first'.
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.

    Returns:
        Tensor in the shape of `images` with a last axis of 2: downwards, to the right.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.image.sobel_edges(ops.ones((1, 3, 3, 1)))[0, 1, 1, 0]).tolist()
        [0.0, 0.0]
    """
    return _sobel(*images_of(images, data_format))


def gaussian_weights(size: int, sigma: Any, dtype: str) -> Any:
    """A bell curve around the middle of `size` places, of sum 1; made when it is used where sigma is a number."""
    if isinstance(sigma, (int, float)):
        return Bell(size, float(sigma))
    offsets = e.subtract(s.arange(size, dtype=dtype), (size - 1) / 2)
    weights = e.exp(e.multiply(e.square(e.true_divide(offsets, e.cast(sigma, dtype))), -0.5))
    return e.true_divide(weights, r.sum(weights))


class Bell(NamedTuple):
    """A bell curve around the middle of `size` places, of sum 1."""

    size: int
    sigma: float


@remembered(maxsize=64)
def bell(size: int, sigma: float) -> np.ndarray:
    """The numbers of a bell curve."""
    weights = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return weights / weights.sum()


@remembered(maxsize=64)
def _bell_kernel(size: int, sigma: float, axis: int, channels: int) -> np.ndarray:
    """The depthwise kernel of a bell curve along the height (axis 0) or the width (axis 1)."""
    return np.repeat(bell(size, sigma).reshape((-1, 1, 1, 1) if axis == 0 else (1, -1, 1, 1)), channels, 2)


@op(dtype=same("images"))
def _blur(images, kernel_size, sigma, data_format):
    """`gaussian_blur` with all arguments given."""
    name = s._dtype(images)
    if isinstance(images, Spec):
        return Spec(images.shape, name)
    inner = name if dtypes.is_float(name) else "float32"
    x = e.cast(_batched(channels_last(images, data_format)), inner)
    for axis in (0, 1):
        share = s.get_item(sigma, axis) if hasattr(sigma, "shape") else sigma[axis]
        x = _along(x, gaussian_weights(kernel_size[axis], share, inner), axis, "same")
    x = back(x, data_format)
    x = s.squeeze(x, 0) if len(images.shape) == 3 else x
    return x if inner == name else e.cast(e.round(x), name)


def gaussian_blur(
    images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Any:
    """Images in which every pixel is a weighted mean of those around it; zeros lie around the images.

    The weights are a bell curve, `exp(-d ** 2 / (2 * sigma ** 2))` at the distance d from the middle of the window,
    scaled to sum 1.

    Args:
        images: tensor `(batch, height, width, channels)` or `(height, width, channels)`, or with the channels before
            the height for 'channels_first'.
        kernel_size: height and width of the window.
        sigma: standard deviations of the bell curve along the height and the width, in pixels.
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.

    Returns:
        Tensor in the shape and dtype of `images`.

    Example:
        >>> from keras_fn import ops
        >>> blurred = ops.image.gaussian_blur(ops.ones((1, 3, 3, 1)))
        >>> round(float(blurred[0, 1, 1, 0]), 4)
        1.0
    """
    images, data_format = images_of(images, data_format)
    if isinstance(sigma, (int, float)):
        sigma = (sigma, sigma)
    return _blur(images, shapes.tuple_of(kernel_size, 2, "kernel_size"), sigma, data_format)


# --- likeness
@op(dtype=floats("image1", "image2"))
def _ssim(image1, image2, max_val, size, sigma, k1, k2, data_format):
    """`ssim` with all arguments given."""
    single = len(image1.shape) == 3
    if isinstance(image1, Spec) or isinstance(image2, Spec):
        return Spec(() if single else image1.shape[:1], image1.dtype)
    a, b = (_batched(channels_last(x, data_format)) for x in (image1, image2))
    weights = gaussian_weights(size, sigma, s._dtype(a))

    # one pass of the filters over all that is filtered
    parts = s.concatenate([a, b, e.multiply(a, b), e.add(e.square(a), e.square(b))], 0)
    local = _along(_along(parts, weights, 0, "valid"), weights, 1, "valid")
    mean_a, mean_b, products, powers = s.split(local, 4, 0)
    product = e.multiply(mean_a, mean_b)
    squares = e.add(e.square(mean_a), e.square(mean_b))
    covariance, variances = e.subtract(products, product), e.subtract(powers, squares)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    brightness = e.true_divide(e.add(e.multiply(product, 2.0), c1), e.add(squares, c1))
    structure = e.true_divide(e.add(e.multiply(covariance, 2.0), c2), e.add(variances, c2))
    out = r.mean(e.multiply(brightness, structure), (1, 2, 3))
    return s.squeeze(out, 0) if single else out


def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Any:
    """Structural similarity: how alike the means, spreads and patterns of two images are, window by window.

    Source: https://doi.org/10.1109/TIP.2003.819861

    Args:
        image1, image2: tensors of one shape: `(batch, height, width, channels)` or `(height, width, channels)`, or
            with the channels before the height for 'channels_first'.
        max_val: the largest value that a pixel can have (255 for bytes).
        filter_size: height and width of the windows.
        filter_sigma: standard deviation, in pixels, of the bell curve that weighs a window's pixels.
        k1, k2: small factors that keep divisors away from 0.
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.

    Returns:
        Tensor `(batch,)`, or a scalar for one image: 1 for equal images.

    Raises:
        ShapeError: where the shapes differ, or an image is smaller than a window.

    Example:
        >>> from keras_fn import ops
        >>> round(float(ops.image.ssim(ops.ones((1, 12, 12, 1)), ops.ones((1, 12, 12, 1)))[0]), 4)
        1.0
    """
    image1, data_format = images_of(image1, data_format, "image1")
    image2 = tensor(image2)
    one_shape(image1, image2)
    return _ssim(image1, image2, max_val, filter_size, filter_sigma, k1, k2, data_format)
