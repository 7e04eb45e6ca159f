"""`LeakyReLU`: a rectifier that lets a share of negative values through."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.deprecation import warn_old
from keras_fn.layers.arguments import number
from keras_fn.layers.base import Layer


class LeakyReLU(Layer):
    """`x` where it is positive, else `negative_slope * x`: any shape in, the same shape out.

    Args:
        negative_slope: slope of the negative side, 0 or more.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.LeakyReLU(negative_slope=0.5)
        >>> keras_fn.ops.convert_to_numpy(layer(keras_fn.ops.convert_to_tensor([-2.0, 2.0]))).tolist()
        [-1.0, 2.0]

    Source: Maas et al. 2013, https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warn_old("`alpha=` of LeakyReLU", "`negative_slope=`")
        super().__init__(**kwargs)
        self.negative_slope = number(self, "negative_slope", negative_slope, 0)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The inputs with damped negative values."""
        return ops.leaky_relu(inputs, self.negative_slope)
