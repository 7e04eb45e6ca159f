"""`UpSampling1D`, `UpSampling2D`, `UpSampling3D`: more steps, pixels or voxels."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.settings import standardize_data_format
from keras_fn.core.shapes import tuple_of
from keras_fn.layers.arguments import choice, positive_int
from keras_fn.layers.base import Layer
from keras_fn.layers.input_spec import InputSpec

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def _repeated(x: Any, size: tuple[int, ...], data_format: str) -> Any:
    first = 2 if data_format == "channels_first" else 1
    for i, n in enumerate(size):
        if n > 1:
            x = ops.repeat(x, n, first + i)
    return x


class UpSampling1D(Layer):
    """Repeats each step: `(batch, steps, channels)` becomes `(batch, steps * size, channels)`.

    Args:
        size: how often, a positive int.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.UpSampling1D(2)(keras_fn.ops.ones((1, 3, 4))).shape)
        (1, 6, 4)
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = positive_int(self, "size", size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        """The repeated steps."""
        return _repeated(inputs, (self.size,), "channels_last")


class UpSampling2D(Layer):
    """Enlarges images: `(batch, height, width, channels)` becomes `(batch, height * a, width * b, channels)`.

    Args:
        size: int or pair `(a, b)`: how many times as high and wide.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, height, width)`; None for the default
            set in `keras_fn.config`.
        interpolation: 'nearest' (each pixel repeated), 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.UpSampling2D((2, 3))(keras_fn.ops.ones((1, 4, 4, 3))).shape)
        (1, 8, 12, 3)
    """

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = tuple_of(size, 2, "size")
        self.data_format = standardize_data_format(data_format)
        self.interpolation = choice(self, "interpolation", interpolation, _INTERPOLATIONS)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        """The enlarged images."""
        if self.interpolation == "nearest":
            return _repeated(inputs, self.size, self.data_format)
        first = 2 if self.data_format == "channels_first" else 1
        size = tuple(d * n for d, n in zip(ops.shape(inputs)[first : first + 2], self.size, strict=True))
        return ops.image.resize(inputs, size, self.interpolation, data_format=self.data_format)


class UpSampling3D(Layer):
    """Repeats each voxel: `(batch, x, y, z, channels)` becomes `(batch, x * a, y * b, z * c, channels)`.

    Args:
        size: int or triple `(a, b, c)`: how often along each axis.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, x, y, z)`; None for the default set in
            `keras_fn.config`.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.UpSampling3D(2)(keras_fn.ops.ones((1, 2, 3, 4, 5))).shape)
        (1, 4, 6, 8, 5)
    """

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = tuple_of(size, 3, "size")
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        """The repeated voxels."""
        return _repeated(inputs, self.size, self.data_format)
