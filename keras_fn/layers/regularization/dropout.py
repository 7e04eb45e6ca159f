"""`Dropout`: a share of the inputs is set to 0 in training."""

from __future__ import annotations

from typing import Any

from keras_fn import random
from keras_fn.core.arguments import Dims
from keras_fn.layers.arguments import share
from keras_fn.layers.base import Layer


class Dropout(Layer):
    """In training, sets each input to 0 with the probability `rate` and divides the others by `1 - rate`.

    Any shape in, the same shape out. Outside of training it does nothing.

    Args:
        rate: the share to drop, from 0 to 1.
        noise_shape: shape of the random mask, which broadcasts to the inputs: along an axis of length 1, all are kept
            or dropped together; None for a length as in the inputs.
        seed: int for the same draws in every run.

    Example:
        >>> import keras_fn
        >>> y = keras_fn.layers.Dropout(0.5, seed=1)(keras_fn.ops.ones((100,)), training=True)
        >>> sorted(set(keras_fn.ops.convert_to_numpy(y).tolist()))
        [0.0, 2.0]

    Source: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
    """

    def __init__(self, rate: float, noise_shape: Dims | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = share(self, "rate", rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs, in training with a share of them dropped."""
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, self.noise_shape, self.seed_generator)
