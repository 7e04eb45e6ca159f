"""`AlphaDropout`: dropout for networks of SELUs."""

from __future__ import annotations

from typing import Any

from keras_fn import ops, random
from keras_fn.core.arguments import Dims
from keras_fn.core.errors import ShapeError
from keras_fn.layers.arguments import share
from keras_fn.layers.base import Layer

# the constants of SELU; dropped inputs take the value that SELU has at minus infinity
_ALPHA, _SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
_LIMIT = -_ALPHA * _SCALE


class AlphaDropout(Layer):
    """In training, sets a share of the inputs to SELU's limit, then scales so that mean 0 and variance 1 stay.

    `a * where(kept, x, limit) + b`, with `a = ((1 - rate) * (1 + rate * limit**2)) ** -0.5`, `b = -a * limit * rate`.
    Any shape in, the same shape out.

    Args:
        rate: the share to drop, from 0 to below 1.
        noise_shape: shape of the random mask, which broadcasts to the inputs; None for a length as in the inputs.
        seed: int for the same draws in every run.

    Example:
        >>> import keras_fn
        >>> layer = keras_fn.layers.AlphaDropout(0.1)
        >>> float(layer(keras_fn.ops.ones(()), training=False))
        1.0

    Source: https://arxiv.org/abs/1706.02515
    """

    def __init__(self, rate: float, noise_shape: Dims | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = share(self, "rate", rate, with_one=False)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs, in training with a share of them dropped."""
        if not training or self.rate == 0:
            return inputs
        a = ((1.0 - self.rate) * (1.0 + self.rate * _LIMIT**2)) ** -0.5
        b = -a * _LIMIT * self.rate
        draws = random.uniform(self._draw_shape(inputs), seed=self.seed_generator)
        kept = ops.where(ops.greater_equal(draws, self.rate), inputs, ops.cast(_LIMIT, inputs.dtype))
        return ops.add(ops.multiply(kept, a), b)

    def _draw_shape(self, inputs: Any) -> tuple[Any, ...]:
        dims = tuple(ops.shape(inputs))
        if self.noise_shape is None:
            return dims
        if len(self.noise_shape) != len(dims):
            raise ShapeError(f"`noise_shape` {self.noise_shape} must have as many dimensions as the inputs, {dims}.")
        return tuple(d if n is None else n for n, d in zip(self.noise_shape, dims, strict=True))
