"""Pictures to arrays and back. Pillow does the decoding and is imported when one of these is first called."""

from __future__ import annotations

import io
import os
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.atomic import new_file
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, BackendError, ShapeError, closest
from keras_fn.core.settings import standardize_data_format

if TYPE_CHECKING:
    from PIL import Image

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Image.Image:
    """An array as a Pillow image.

    Args:
        x: array or tensor of shape `(height, width, channels)`, or `(channels, height, width)` with
            `data_format="channels_first"`; 1 channel is gray, 3 are RGB, 4 are RGBA.
        data_format: where the channels are. None: `keras_fn.config.image_data_format()`.
        scale: stretch the values to 0…255: the smallest becomes 0, the largest 255.
        dtype: float type to compute in. None: the default float.

    Returns:
        The image. One channel of unscaled values above 255 gives 32-bit gray, which no value is lost in.

    Raises:
        ShapeError: where the shape is none of these.

    Example:
        >>> import numpy as np
        >>> array_to_img(np.zeros((2, 3, 1)), data_format="channels_last").size
        (3, 2)
    """
    image = _pillow()
    pixels = _pixels(x, standardize_data_format(data_format), dtype)
    if scale:
        pixels = pixels - pixels.min()
        largest = pixels.max()
        pixels = pixels / (largest or 1) * 255  # in this order the largest becomes 255 exactly
    channels = pixels.shape[-1]
    if channels == 1:
        plane = pixels[:, :, 0]
        return image.fromarray(plane.astype("int32" if plane.max(initial=0) > 255 else "uint8"))
    return image.fromarray(pixels.astype("uint8"))


def _pixels(x: Any, data_format: str, dtype: Any) -> np.ndarray:
    pixels = _numpy(x).astype(_numpy_float(dtype))
    if pixels.ndim != 3:
        raise ShapeError(f"An image is an array of 3 dimensions, and one of the shape {pixels.shape} came.")
    if data_format == "channels_first":
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.shape[-1] not in (1, 3, 4):
        raise ShapeError(
            f"An image has 1, 3 or 4 channels, and the shape {np.shape(x)} has {pixels.shape[-1]} with "
            f"data_format={data_format!r}."
        )
    return pixels


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """A Pillow image (or an array of 2 or 3 dimensions) as an array with a channel dimension.

    Args:
        img: the image.
        data_format: where to put the channels. None: `keras_fn.config.image_data_format()`.
        dtype: dtype of the array. None: the default float.

    Returns:
        Array of shape `(height, width, channels)`, or `(channels, height, width)`; values as in the image.

    Raises:
        ShapeError: where it has another number of dimensions.

    Example:
        >>> import numpy as np
        >>> img_to_array(np.zeros((2, 3)), data_format="channels_first").shape
        (1, 2, 3)
    """
    data_format = standardize_data_format(data_format)
    array = np.array(img, dtype=dtypes.standardize(dtype) if dtype is not None else _numpy_float(None))
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
        return array if data_format == "channels_last" else np.moveaxis(array, -1, 0)
    if array.ndim != 3:
        raise ShapeError(f"An image has 2 or 3 dimensions, and the shape {array.shape} came.")
    return np.moveaxis(array, -1, 0) if data_format == "channels_first" else array


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image.Image:
    """A picture file as a Pillow image.

    Args:
        path: path, or a `BytesIO` with the file's bytes.
        color_mode: "rgb", "rgba" or "grayscale" (which keeps 16 and 32 bits).
        target_size: `(height, width)` to resize to. None: as it is.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: cut the middle out first, so that nothing is distorted.

    Returns:
        The image, decoded.

    Raises:
        ArgumentError: for an unknown `color_mode` or `interpolation`, or a `path` of another type.
    """
    image = _pillow()
    if color_mode not in _MODES:
        raise ArgumentError(f"`color_mode` must be one of {', '.join(_MODES)}, not {color_mode!r}.")
    if interpolation not in _INTERPOLATIONS:
        raise ArgumentError(
            f"`interpolation` must be one of {', '.join(_INTERPOLATIONS)}, not {interpolation!r}."
            f"{closest(interpolation, _INTERPOLATIONS)}"
        )
    if not isinstance(path, (str, os.PathLike, io.BytesIO)):
        raise ArgumentError(f"`path` must be a path or a BytesIO, not {type(path).__name__}.")
    source = path if isinstance(path, io.BytesIO) else io.BytesIO(pathlib.Path(path).read_bytes())
    img = image.open(source)
    deep_gray = color_mode == "grayscale" and img.mode in ("I;16", "I", "F")
    if not deep_gray:
        img = img.convert(_MODES[color_mode])
    img.load()
    if target_size is None:
        return img
    height, width = target_size
    method = image.Resampling[interpolation.upper()]
    box = _middle(img.size, (width, height)) if keep_aspect_ratio else None
    return img.resize((width, height), method, box=box) if box or img.size != (width, height) else img


def _middle(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[int, int, int, int]:
    """The largest box of the wanted proportions in the middle of an image: (left, top, right, bottom)."""
    width, height = size
    cut_width = min(width, height * wanted[0] // wanted[1])
    cut_height = min(height, width * wanted[1] // wanted[0])
    left, top = (width - cut_width) // 2, (height - cut_height) // 2
    return left, top, left + cut_width, top + cut_height


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Writes an array as a picture file.

    Args:
        path: path, or a file object (which needs `file_format`).
        x: see `array_to_img`.
        data_format: see `array_to_img`.
        file_format: like "png". None: told by the ending of `path`.
        scale: see `array_to_img`.
        kwargs: what Pillow's `Image.save` takes.

    Raises:
        ArgumentError: where `x` has an alpha channel and the format (JPEG) has none.
    """
    img = array_to_img(x, data_format=data_format, scale=scale)
    ending = pathlib.Path(path).suffix if isinstance(path, (str, os.PathLike)) else ""
    kind = (file_format or ending).lower().lstrip(".")
    if img.mode == "RGBA" and kind in ("jpg", "jpeg"):
        raise ArgumentError("JPEG has no alpha channel: save 3 channels (x[..., :3]), or take PNG.")
    if not isinstance(path, (str, os.PathLike)):
        img.save(path, format="jpeg" if kind == "jpg" else file_format, **kwargs)
        return
    known = _pillow().registered_extensions()
    if f".{kind}" not in known and kind.upper() not in known.values():
        raise ArgumentError(f"Pillow writes no pictures of the format {kind!r}. Take an ending like .png or .jpg.")
    with new_file(path) as file:
        img.save(file, format=known.get(f".{kind}", kind), **kwargs)


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as e:
        raise BackendError(
            "Pictures need Pillow. Install it: pip install 'keras-fn[plot]' or pip install pillow"
        ) from e
    return Image


def _numpy(x: Any) -> np.ndarray:
    return x if isinstance(x, np.ndarray) else active.backend.to_numpy(active.backend.convert(x, None))


def _numpy_float(dtype: Any) -> str:
    name = dtypes.standardize(dtype)
    return "float32" if name == "bfloat16" else name
