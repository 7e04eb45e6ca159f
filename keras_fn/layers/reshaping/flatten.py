"""`Flatten`: all numbers of a sample in a row."""

from __future__ import annotations

import math
from typing import Any

from keras_fn import ops
from keras_fn.core.settings import standardize_data_format
from keras_fn.layers.base import Layer
from keras_fn.layers.input_spec import InputSpec


class Flatten(Layer):
    """Puts the numbers of each sample in a row: `(batch, a, b, …)` becomes `(batch, a * b * …)`.

    Args:
        data_format: where the channels are: 'channels_last' or 'channels_first', which moves them to the end first, so
            that the numbers come in the same order. None for the default set in `keras_fn.config`.

    Example:
        >>> import keras_fn
        >>> tuple(keras_fn.layers.Flatten()(keras_fn.ops.ones((2, 3, 4))).shape)
        (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """The rows."""
        if self.data_format == "channels_first" and len(inputs.shape) > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        batch, *rest = ops.shape(inputs)
        length = math.prod(rest) if all(isinstance(d, int) for d in rest) else -1
        return ops.reshape(inputs, (batch, length))
