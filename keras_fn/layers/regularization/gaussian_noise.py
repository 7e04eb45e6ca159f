"""`GaussianNoise`: noise is added in training."""

from __future__ import annotations

from typing import Any

from keras_fn import ops, random
from keras_fn.layers.arguments import number
from keras_fn.layers.base import Layer


class GaussianNoise(Layer):
    """In training, adds normally distributed numbers with mean 0. Any shape in, the same shape out.

    Args:
        stddev: standard deviation of the noise, 0 or more.
        seed: int for the same draws in every run.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.GaussianNoise(0.1)
        >>> float(layer(keras_fn.ops.ones(()), training=False))
        1.0
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = number(self, "stddev", stddev, 0)
        self.seed = seed
        if stddev > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs, in training with noise."""
        if not training or self.stddev == 0:
            return inputs
        noise = random.normal(ops.shape(inputs), 0.0, self.stddev, self.compute_dtype, self.seed_generator)
        return ops.add(inputs, noise)
