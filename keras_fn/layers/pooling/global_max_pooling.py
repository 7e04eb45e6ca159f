"""`GlobalMaxPooling1D`, `GlobalMaxPooling2D`, `GlobalMaxPooling3D`: largest value of each channel."""

from __future__ import annotations

from keras_fn import ops
from keras_fn.layers.pooling.base import GlobalPooling


class GlobalMaxPooling1D(GlobalPooling):
    """The largest value of each channel over sequences: `(batch, steps, channels)` becomes `(batch, channels)`.

    Args:
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, steps)`; None for the
            default set in `keras_fn.config`.
        keepdims: whether the reduced axes stay, with length 1.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.GlobalMaxPooling1D()(keras_fn.ops.ones((1, 6, 3))).shape)
        (1, 3)
    """

    rank = 1
    reduce = staticmethod(ops.max)


class GlobalMaxPooling2D(GlobalPooling):
    """The largest value of each channel over images: `(batch, height, width, channels)` becomes `(batch, channels)`.

    Args:
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, height, width)`; None for the
            default set in `keras_fn.config`.
        keepdims: whether the reduced axes stay, with length 1.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.GlobalMaxPooling2D()(keras_fn.ops.ones((1, 6, 6, 3))).shape)
        (1, 3)
    """

    rank = 2
    reduce = staticmethod(ops.max)


class GlobalMaxPooling3D(GlobalPooling):
    """The largest value of each channel over volumes: `(batch, x, y, z, channels)` becomes `(batch, channels)`.

    Args:
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, x, y, z)`; None for the
            default set in `keras_fn.config`.
        keepdims: whether the reduced axes stay, with length 1.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.GlobalMaxPooling3D()(keras_fn.ops.ones((1, 6, 6, 6, 3))).shape)
        (1, 3)
    """

    rank = 3
    reduce = staticmethod(ops.max)
