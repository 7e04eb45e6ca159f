"""`ZeroPadding1D`, `ZeroPadding2D`, `ZeroPadding3D`: a border of zeros."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.settings import standardize_data_format
from keras_fn.layers.arguments import pairs
from keras_fn.layers.base import Layer
from keras_fn.layers.input_spec import InputSpec


class _ZeroPadding(Layer):
    """What the three have in common; `rank` is the number of spatial axes."""

    rank: int

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        found = pairs(self, "padding", padding, self.rank)
        self.padding = found[0] if self.rank == 1 else found
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """The inputs with their border."""
        border = (self.padding,) if self.rank == 1 else self.padding
        none = (0, 0)
        if self.data_format == "channels_first":
            return ops.pad(inputs, (none, none, *border))
        return ops.pad(inputs, (none, *border, none))


class ZeroPadding1D(_ZeroPadding):
    """Adds steps of zeros: `(batch, steps, channels)` becomes `(batch, left + steps + right, channels)`.

    Args:
        padding: int, or pair `(left, right)`.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, steps)`; None for the default set in
            `keras_fn.config`.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.ZeroPadding1D((1, 2))(keras_fn.ops.ones((1, 3, 4))).shape)
        (1, 6, 4)
    """

    rank = 1


class ZeroPadding2D(_ZeroPadding):
    """Adds a border of zeros to images `(batch, height, width, channels)`.

    Args:
        padding: int; pair `(rows, columns)`; or pairs `((top, bottom), (left, right))`.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, height, width)`; None for the default
            set in `keras_fn.config`.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.ZeroPadding2D(((1, 0), (2, 2)))(keras_fn.ops.ones((1, 4, 4, 3))).shape)
        (1, 5, 8, 3)
    """

    rank = 2


class ZeroPadding3D(_ZeroPadding):
    """Adds a border of zeros to volumes `(batch, x, y, z, channels)`.

    Args:
        padding: int; one int an axis; or a pair `(before, after)` an axis.
        data_format: 'channels_last', or 'channels_first' for `(batch, channels, x, y, z)`; None for the default set in
            `keras_fn.config`.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.ZeroPadding3D((0, 1, 2))(keras_fn.ops.ones((1, 4, 4, 4, 3))).shape)
        (1, 4, 6, 8, 3)
    """

    rank = 3
