"""`ELU`: a rectifier with an exponential negative side."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.layers.arguments import number
from keras_fn.layers.base import Layer


class ELU(Layer):
    """`x` where it is positive, else `alpha * (exp(x) - 1)`: any shape in, the same shape out.

    Args:
        alpha: minus the limit for very negative inputs.

    Example:
        >>> import keras_fn
        >>> keras_fn.ops.convert_to_numpy(keras_fn.layers.ELU()(keras_fn.ops.convert_to_tensor([-100.0, 2.0]))).tolist()
        [-1.0, 2.0]

    Source: https://arxiv.org/abs/1511.07289
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = number(self, "alpha", alpha)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The activated inputs."""
        return ops.elu(inputs, self.alpha)
