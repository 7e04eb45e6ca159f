"""`GaussianDropout`: dropout by noise that multiplies."""

from __future__ import annotations

import math
from typing import Any

from keras_fn import ops, random
from keras_fn.layers.arguments import share
from keras_fn.layers.base import Layer


class GaussianDropout(Layer):
    """In training, multiplies by normal numbers of mean 1 and standard deviation `sqrt(rate / (1 - rate))`.

    Any shape in, the same shape out. The variance is that of `Dropout` with the same rate.

    Args:
        rate: the share that `Dropout` would drop, from 0 to below 1.
        seed: int for the same draws in every run.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.GaussianDropout(0.1)
        >>> float(layer(keras_fn.ops.ones(()), training=False))
        1.0

    Source: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = share(self, "rate", rate, with_one=False)
        self.seed = seed
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs, in training times noise."""
        if not training or self.rate == 0:
            return inputs
        spread = math.sqrt(self.rate / (1.0 - self.rate))
        noise = random.normal(ops.shape(inputs), 1.0, spread, self.compute_dtype, self.seed_generator)
        return ops.multiply(inputs, noise)
