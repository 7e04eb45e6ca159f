"""`AdaptiveMaxPooling1D`, `AdaptiveMaxPooling2D`, `AdaptiveMaxPooling3D`: largest value of each window."""

from __future__ import annotations

from keras_fn import ops
from keras_fn.layers.pooling.base import AdaptivePooling


class AdaptiveMaxPooling1D(AdaptivePooling):
    """The largest value of each of so many windows that cover sequences evenly, whatever the size of these is.

    Window i of m along an axis of n elements goes from `floor(i * n / m)` up to, without, `ceil((i + 1) * n / m)`.

    Args:
        output_size: number of windows along each axis: an int, or a tuple of it.
        data_format: 'channels_last' for `(batch, steps, channels)`, or 'channels_first' for
            `(batch, channels, steps)`; None for the default set in `keras_fn.config`.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.AdaptiveMaxPooling1D(2)(keras_fn.ops.ones((1, 6, 3))).shape)
        (1, 2, 3)
    """

    rank = 1
    pool = staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling2D(AdaptivePooling):
    """The largest value of each of so many windows that cover images evenly, whatever the size of these is.

    The windows are those of `AdaptiveMaxPooling1D`, along each axis.

    Args:
        output_size: number of windows along each axis: an int for both axes, or `(height, width)`.
        data_format: 'channels_last' for `(batch, height, width, channels)`, or 'channels_first' for
            `(batch, channels, height, width)`; None for the default set in `keras_fn.config`.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.AdaptiveMaxPooling2D(2)(keras_fn.ops.ones((1, 6, 5, 3))).shape)
        (1, 2, 2, 3)
    """

    rank = 2
    pool = staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling3D(AdaptivePooling):
    """The largest value of each of so many windows that cover volumes evenly, whatever the size of these is.

    The windows are those of `AdaptiveMaxPooling1D`, along each axis.

    Args:
        output_size: number of windows along each axis: an int for all axes, or `(x, y, z)`.
        data_format: 'channels_last' for `(batch, x, y, z, channels)`, or 'channels_first' for
            `(batch, channels, x, y, z)`; None for the default set in `keras_fn.config`.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.AdaptiveMaxPooling3D(2)(keras_fn.ops.ones((1, 6, 5, 4, 3))).shape)
        (1, 2, 2, 2, 3)
    """

    rank = 3
    pool = staticmethod(ops.adaptive_max_pool)
