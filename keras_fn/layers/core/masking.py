"""`Masking`: steps to be skipped are marked by a value."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.layers.arguments import number
from keras_fn.layers.base import Layer


class Masking(Layer):
    """Masks the steps whose features are all `mask_value`, and sets them to 0; later layers skip them.

    `(batch, steps, …)` in, the same shape out; the mask has the shape without the last axis.

    Args:
        mask_value: the value.

    Example:
        >>> import keras_fn
        >>> x = keras_fn.ops.convert_to_tensor([[[1.0, 2.0], [0.0, 0.0]]])
        >>> keras_fn.ops.convert_to_numpy(keras_fn.layers.Masking().compute_mask(x)).tolist()
        [[True, False]]
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = number(self, "mask_value", mask_value)
        self.supports_masking = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """True for the steps that count."""
        return ops.any(ops.not_equal(inputs, self.mask_value), -1)

    def call(self, inputs: Any) -> Any:
        """The inputs, 0 where they are masked."""
        counts = ops.any(ops.not_equal(inputs, self.mask_value), -1, keepdims=True)
        return ops.multiply(inputs, ops.cast(counts, inputs.dtype))
