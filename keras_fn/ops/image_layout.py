"""Where the axes of images are, and borders added and cut off."""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.settings import standardize_data_format

__all__ = ["crop_images", "pad_images"]


def tensor(x: Any) -> Any:
    """A tensor, or what stands for one."""
    return x if hasattr(x, "shape") else s.convert_to_tensor(x)


def images_of(images: Any, data_format: str | None, name: str = "images") -> tuple[Any, str]:
    """One image or a batch of them, as a tensor, and the data format."""
    images = tensor(images)
    if len(images.shape) not in (3, 4):
        raise ShapeError(f"`{name}` must have 3 or 4 dimensions, and have the shape {tuple(images.shape)}.")
    return images, standardize_data_format(data_format)


def first_spatial(images: Any, data_format: str) -> int:
    """The axis of the height; that of the width is the next."""
    return len(images.shape) - (2 if data_format == "channels_first" else 3)


def channel_axis(data_format: str) -> int:
    """The axis of the channels, counted from the end."""
    return -3 if data_format == "channels_first" else -1


def channels_last(images: Any, data_format: str) -> Any:
    """The images with their channels on the last axis."""
    return images if data_format == "channels_last" else s.moveaxis(images, -3, -1)


def back(images: Any, data_format: str) -> Any:
    """Images that have their channels on the last axis, in the given format."""
    return images if data_format == "channels_last" else s.moveaxis(images, -1, -3)


# --- borders
def _border(name: str, length: Any, before: Any, after: Any, target: Any, sign: int) -> tuple[int, int]:
    """How much is added (sign 1) or cut off (sign -1) before and after an axis; two of the three numbers say it."""
    names = {"height": ("top", "bottom"), "width": ("left", "right")}[name]
    kind = "padding" if sign > 0 else "cropping"
    given = {f"{names[0]}_{kind}": before, f"{names[1]}_{kind}": after, f"target_{name}": target}
    if sum(v is not None for v in given.values()) != 2:
        raise ArgumentError(f"Exactly two of {', '.join(given)} must be given, and they are {given}.")
    if target is not None:
        if not isinstance(length, int):
            raise ShapeError(f"The {name} of the images must be known where `target_{name}` is given.")
        whole = sign * (target - length)
        before, after = (whole - after if before is None else before), (whole - before if after is None else after)
    if min(before, after) < 0:
        raise ArgumentError(
            f"Images of the {name} {length} cannot be brought to what was asked for by {kind}: {given} makes "
            f"({before}, {after})."
        )
    return before, after


def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images with borders of zeros.

    Args:
        images: tensor `(batch, height, width, channels)` or `(height, width, channels)`; for 'channels_first',
            `(batch, channels, height, width)` or `(channels, height, width)`.
        top_padding, bottom_padding, target_height: rows added above and below, and the height with them: two of these.
        left_padding, right_padding, target_width: columns, and the width with them: two of these.
        data_format: 'channels_last' or 'channels_first'; None for the default set in `keras_fn.config`.

    Raises:
        ArgumentError: where not two of three are given, or a border is less than 0.

    Example:
        >>> from keras_fn import ops
        >>> ops.image.pad_images(ops.ones((2, 3, 1)), 1, 2, target_height=4, target_width=6).shape[:2] == (4, 6)
        True
    """
    images, data_format = images_of(images, data_format)
    first = first_spatial(images, data_format)
    height, width = s.shape(images)[first : first + 2]
    pads = [(0, 0)] * len(images.shape)
    pads[first] = _border("height", height, top_padding, bottom_padding, target_height, 1)
    pads[first + 1] = _border("width", width, left_padding, right_padding, target_width, 1)
    return s.pad(images, tuple(pads))


def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images without some of their borders.

    Args:
        images: as for `pad_images`.
        top_cropping, bottom_cropping, target_height: rows cut off above and below, and the height that is left: two
            of these.
        left_cropping, right_cropping, target_width: columns, and the width that is left: two of these.
        data_format: as for `pad_images`.

    Raises:
        ArgumentError: where not two of three are given, or more would be left than there is.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.reshape(ops.arange(6), (2, 3, 1))
        >>> cropped = ops.image.crop_images(x, 1, 1, target_height=1, target_width=2)
        >>> ops.convert_to_numpy(cropped)[..., 0].tolist()
        [[4, 5]]
    """
    images, data_format = images_of(images, data_format)
    first = first_spatial(images, data_format)
    dims = s.shape(images)
    cuts = (
        _border("height", dims[first], top_cropping, bottom_cropping, target_height, -1),
        _border("width", dims[first + 1], left_cropping, right_cropping, target_width, -1),
    )
    key: list[Any] = [slice(None)] * len(dims)
    for i, (before, after) in enumerate(cuts):
        length = dims[first + i]
        if isinstance(length, int) and before + after >= length:
            raise ArgumentError(f"Nothing would be left of axis {first + i} of the shape {tuple(images.shape)}.")
        key[first + i] = slice(before, -after if after else None)
    return s.get_item(images, tuple(key))
