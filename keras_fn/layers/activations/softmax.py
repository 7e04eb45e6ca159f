"""`Softmax`: positive numbers that sum to 1."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core import dtypes
from keras_fn.layers.arguments import axes
from keras_fn.layers.base import Layer

# stands for minus infinity, in what the dtype can hold: a row that is masked throughout gives no NaN, but zeros
_LOWEST = {"float16": -3e4}


class Softmax(Layer):
    """`exp(x) / sum(exp(x))` along an axis (or several together): any shape in, the same shape out.

    Args:
        axis: axis, or list of axes.

    Call arguments:
        inputs: tensor.
        mask: bool tensor that broadcasts to the inputs: where it is False, the result is 0.

    Example:
        >>> import keras_fn
        >>> y = keras_fn.layers.Softmax()(keras_fn.ops.convert_to_tensor([[1.0, 1.0]]))
        >>> keras_fn.ops.convert_to_numpy(y).tolist()
        [[0.5, 0.5]]
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axes(self, "axis", axis)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The softmax, with 0 where the mask is False."""
        if mask is None:
            return ops.softmax(inputs, self.axis)
        while len(mask.shape) < len(inputs.shape):  # a mask of whole steps
            mask = ops.expand_dims(mask, -1)
        mask = ops.cast(mask, "bool")
        lowest = _LOWEST.get(dtypes.standardize(inputs.dtype), -3e38)
        outputs = ops.softmax(ops.where(mask, inputs, lowest), self.axis)
        return ops.where(mask, outputs, 0.0)
