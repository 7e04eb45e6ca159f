"""Images in other colour spaces."""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import dtypes
from keras_fn.core.errors import DtypeError, ShapeError
from keras_fn.core.op import op, same
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops.image_layout import channel_axis, images_of

__all__ = ["hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv"]

# shares of red, green and blue in brightness. Source: ITU-R BT.601
BRIGHTNESS = (0.2989, 0.5870, 0.1140)


def _three_channels(images: Any, data_format: str | None) -> tuple[Any, int]:
    images, data_format = images_of(images, data_format)
    axis = channel_axis(data_format)
    if images.shape[axis] not in (3, None):
        raise ShapeError(
            f"`images` must have 3 channels ({data_format}), and their shape is {tuple(images.shape)}."
        )
    return images, axis


def _floats_only(images: Any) -> None:
    name = s._dtype(images)
    if not dtypes.is_float(name):
        raise DtypeError(f"`images` must be floats from 0 to 1, and are {name}. Divide them by 255.0.")


def _channels(images: Any, axis: int) -> list[Any]:
    """The three channels, each with an axis of length 1."""
    key: list[Any] = [slice(None)] * len(images.shape)
    found = []
    for i in range(3):
        key[axis] = slice(i, i + 1)
        found.append(s.get_item(images, tuple(key)))
    return found


@op(dtype=same("images"))
def _rgb_to_grayscale(images, axis):
    """`rgb_to_grayscale` with the axis of the channels."""
    if isinstance(images, Spec):
        dims = list(images.shape)
        dims[axis] = 1
        return Spec(dims, images.dtype)
    name = s._dtype(images)
    x = images if dtypes.is_float(name) else e.cast(images, "float32")
    parts = [e.multiply(c, share) for c, share in zip(_channels(x, axis), BRIGHTNESS, strict=True)]
    gray = e.add(e.add(parts[0], parts[1]), parts[2])
    return gray if dtypes.is_float(name) else e.cast(e.floor(gray), name)


def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """The brightness of images, `0.2989 * red + 0.587 * green + 0.114 * blue`. Source: ITU-R BT.601

    Args:
        images: tensor with 3 channels, one image or a batch; of integers, the result is rounded down.
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.

    Returns:
        Tensor with one channel, in the dtype of `images`.

    Example:
        >>> from keras_fn import ops
        >>> round(float(ops.image.rgb_to_grayscale([[[1.0, 0.0, 0.0]]])[0, 0, 0]), 4)
        0.2989
    """
    return _rgb_to_grayscale(*_three_channels(images, data_format))


@op(dtype=same("images"))
def _rgb_to_hsv(images, axis):
    """`rgb_to_hsv` with the axis of the channels."""
    if isinstance(images, Spec):
        return Spec(images.shape, images.dtype)
    red, green, blue = _channels(images, axis)
    high = e.maximum(e.maximum(red, green), blue)
    span = e.subtract(high, e.minimum(e.minimum(red, green), blue))
    divisor = e.where(e.greater(span, 0), span, 1.0)
    # sixths of the circle, counted from red
    sixths = e.where(
        e.equal(high, red),
        e.true_divide(e.subtract(green, blue), divisor),
        e.where(
            e.equal(high, green),
            e.add(e.true_divide(e.subtract(blue, red), divisor), 2.0),
            e.add(e.true_divide(e.subtract(red, green), divisor), 4.0),
        ),
    )
    hue = e.true_divide(e.where(e.less(sixths, 0), e.add(sixths, 6.0), sixths), 6.0)
    hue = e.where(e.greater(span, 0), hue, 0.0)
    saturation = e.where(e.greater(high, 0), e.true_divide(span, e.where(e.greater(high, 0), high, 1.0)), 0.0)
    return s.concatenate([hue, saturation, high], axis)


def rgb_to_hsv(images: Any, data_format: str | None = None) -> Any:
    """Hue, saturation and value of images, all from 0 to 1. Source: https://doi.org/10.1145/800248.807361

    Args:
        images: float tensor with 3 channels (red, green, blue) from 0 to 1, one image or a batch.
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.

    Returns:
        Tensor in the shape of `images`.

    Raises:
        DtypeError: where the images are no floats.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.image.rgb_to_hsv([[[1.0, 0.0, 0.0]]])).tolist()
        [[[0.0, 1.0, 1.0]]]
    """
    images, axis = _three_channels(images, data_format)
    _floats_only(images)
    return _rgb_to_hsv(images, axis)


@op(dtype=same("images"))
def _hsv_to_rgb(images, axis):
    """`hsv_to_rgb` with the axis of the channels."""
    if isinstance(images, Spec):
        return Spec(images.shape, images.dtype)
    hue, saturation, value = _channels(images, axis)
    depth = e.multiply(value, saturation)
    sixths = e.multiply(e.subtract(hue, e.floor(hue)), 6.0)
    # how far each channel lies below the value: red is farthest from half the circle away, green and blue nearest to
    # a third and two thirds of it
    red = e.subtract(2.0, e.absolute(e.subtract(sixths, 3.0)))
    green, blue = (e.subtract(e.absolute(e.subtract(sixths, centre)), 1.0) for centre in (2.0, 4.0))
    channels = [e.subtract(value, e.multiply(depth, e.clip(share, 0.0, 1.0))) for share in (red, green, blue)]
    return s.concatenate(channels, axis)


def hsv_to_rgb(images: Any, data_format: str | None = None) -> Any:
    """The inverse of `rgb_to_hsv`.

    Args:
        images: float tensor with 3 channels (hue, saturation, value) from 0 to 1, one image or a batch.
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.

    Returns:
        Tensor in the shape of `images`.

    Raises:
        DtypeError: where the images are no floats.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.image.hsv_to_rgb([[[0.5, 1.0, 1.0]]])).tolist()
        [[[0.0, 1.0, 1.0]]]
    """
    images, axis = _three_channels(images, data_format)
    _floats_only(images)
    return _hsv_to_rgb(images, axis)
