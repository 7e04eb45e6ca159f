"""`GlobalAveragePooling1D`, `GlobalAveragePooling2D`, `GlobalAveragePooling3D`: mean of each channel."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.layers.pooling.base import GlobalPooling


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of each channel over sequences: `(batch, steps, channels)` becomes `(batch, channels)`.

    Args:
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, steps)`; None for the
            default set in `keras_fn.config`.
        keepdims: whether the reduced axes stay, with length 1.

    Call arguments:
        inputs: tensor.
        mask: bool tensor `(batch, steps)`: only steps where it is True count. A sequence without any gives NaN.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.GlobalAveragePooling1D()(keras_fn.ops.ones((1, 6, 3))).shape)
        (1, 3)
    """

    rank = 1
    reduce = staticmethod(ops.mean)

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The means, over the steps that count."""
        if mask is None:
            return super().call(inputs)
        steps = self.spatial_axes[0]
        mask = ops.expand_dims(ops.cast(mask, inputs.dtype), 3 - steps)
        total = ops.sum(ops.multiply(inputs, mask), steps, self.keepdims)
        return ops.true_divide(total, ops.sum(mask, steps, self.keepdims))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """No mask: there are no steps any more."""
        return None


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each channel over images: `(batch, height, width, channels)` becomes `(batch, channels)`.

    Args:
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, height, width)`; None for the
            default set in `keras_fn.config`.
        keepdims: whether the reduced axes stay, with length 1.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.GlobalAveragePooling2D()(keras_fn.ops.ones((1, 6, 6, 3))).shape)
        (1, 3)
    """

    rank = 2
    reduce = staticmethod(ops.mean)


class GlobalAveragePooling3D(GlobalPooling):
    """The mean of each channel over volumes: `(batch, x, y, z, channels)` becomes `(batch, channels)`.

    Args:
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, x, y, z)`; None for the
            default set in `keras_fn.config`.
        keepdims: whether the reduced axes stay, with length 1.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.GlobalAveragePooling3D()(keras_fn.ops.ones((1, 6, 6, 6, 3))).shape)
        (1, 3)
    """

    rank = 3
    reduce = staticmethod(ops.mean)
