"""`MaxPooling1D`, `MaxPooling2D`, `MaxPooling3D`: largest element of windows that slide along."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.layers.pooling.base import Pooling


class MaxPooling1D(Pooling):
    """The largest element of each window that slides over sequences `(batch, steps, channels)`, channel by channel.

    Args:
        pool_size: size of the window: int.
        strides: step of the window, likewise; None for `pool_size`.
        padding: 'valid' (windows lie inside), or 'same' (a length n becomes `ceil(n / stride)`; what is added never
            counts).
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, steps)`; None for the
            default set in `keras_fn.config`.
        name: name.

    Raises:
        ShapeError: where an axis is shorter than the window and padding is 'valid'.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.MaxPooling1D(2)(keras_fn.ops.ones((1, 6, 3))).shape)
        (1, 3, 3)
    """

    rank = 1
    pool = staticmethod(ops.max_pool)

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling2D(Pooling):
    """The largest element of each window that slides over images `(batch, height, width, channels)`.

    Args:
        pool_size: size of the window: int, or 2 ints.
        strides: step of the window, likewise; None for `pool_size`.
        padding: 'valid' (windows lie inside), or 'same' (a length n becomes `ceil(n / stride)`; what is added never
            counts).
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, height, width)`; None for the
            default set in `keras_fn.config`.
        name: name.

    Raises:
        ShapeError: where an axis is shorter than the window and padding is 'valid'.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.MaxPooling2D(2)(keras_fn.ops.ones((1, 6, 6, 3))).shape)
        (1, 3, 3, 3)
    """

    rank = 2
    pool = staticmethod(ops.max_pool)

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling3D(Pooling):
    """The largest element of each window that slides over volumes `(batch, x, y, z, channels)`, channel by channel.

    Args:
        pool_size: size of the window: int, or 3 ints.
        strides: step of the window, likewise; None for `pool_size`.
        padding: 'valid' (windows lie inside), or 'same' (a length n becomes `ceil(n / stride)`; what is added never
            counts).
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, x, y, z)`; None for the
            default set in `keras_fn.config`.
        name: name.

    Raises:
        ShapeError: where an axis is shorter than the window and padding is 'valid'.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.MaxPooling3D(2)(keras_fn.ops.ones((1, 6, 6, 6, 3))).shape)
        (1, 3, 3, 3, 3)
    """

    rank = 3
    pool = staticmethod(ops.max_pool)

    def __init__(
        self,
        pool_size: Any = (2, 2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)
