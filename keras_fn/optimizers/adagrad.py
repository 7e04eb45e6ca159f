"""Adagrad."""

from __future__ import annotations

from typing import Any

from keras_fn.core.arguments import NonNegative, Positive, Share
from keras_fn.initializers import Constant
from keras_fn.optimizers import rules
from keras_fn.optimizers.base import Optimizer, common


class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares.

    `a += g**2`; `p -= lr * g / sqrt(a + epsilon)`.

    Source: https://jmlr.org/papers/v12/duchi11a.html

    Args:
        learning_rate: float, schedule, or function without arguments.
        initial_accumulator_value: what the sums of squares start with, 0 or more.
        epsilon: added to the divisor, against division by 0.
        weight_decay, clipnorm, … name: see `Optimizer`.

    Example:
        >>> import keras_fn
        >>> w = keras_fn.Variable([1.0, -2.0])
        >>> keras_fn.optimizers.Adagrad(learning_rate=0.1).apply([[0.5, 0.5]], [w])
        >>> w.numpy().astype("float64").round(3).tolist()
        [0.915, -2.085]
    """

    hyper = ("epsilon",)
    rule = staticmethod(rules.adagrad)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: NonNegative = 0.1,
        epsilon: NonNegative = 1e-7,
        weight_decay: NonNegative | None = None,
        clipnorm: Positive | None = None,
        clipvalue: Positive | None = None,
        global_clipnorm: Positive | None = None,
        use_ema: bool = False,
        ema_momentum: Share = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: Positive | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon
        super().__init__(**common(locals()))

    def slots(self) -> list[tuple[str, ...]]:
        return [("accumulator",)]

    def slot_initializer(self, slot: str) -> Any:
        return Constant(self.initial_accumulator_value)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial_accumulator_value": self.initial_accumulator_value}
