"""Ftrl."""

from __future__ import annotations

from typing import Any

from keras_fn.core.arguments import Finite, NonNegative, Positive, Share
from keras_fn.core.errors import ArgumentError
from keras_fn.initializers import Constant
from keras_fn.optimizers import rules
from keras_fn.optimizers.base import Optimizer, common


class Ftrl(Optimizer):
    """Follow the regularized leader: for sparse models with L1 and L2 penalties.

    See `rules.ftrl`.

    Source: https://research.google.com/pubs/archive/41159.pdf

    Args:
        learning_rate: float, schedule, or function without arguments.
        learning_rate_power: power of the decay of the rate with the sum of squares, 0 or less.
        initial_accumulator_value: what the sums of squares start with, 0 or more.
        l1_regularization_strength: L1 penalty, 0 or more.
        l2_regularization_strength: L2 penalty, 0 or more.
        l2_shrinkage_regularization_strength: L2 penalty that acts on the gradient, 0 or more.
        beta: makes the first rates smaller.
        weight_decay, clipnorm, … name: see `Optimizer`.

    Example:
        >>> import keras_fn
        >>> w = keras_fn.Variable([1.0, -2.0])
        >>> keras_fn.optimizers.Ftrl(learning_rate=0.1).apply([[0.5, 0.5]], [w])
        >>> w.numpy().astype("float64").round(3).tolist()
        [0.381, -1.015]
    """

    hyper = (
        "learning_rate_power",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "l2_shrinkage_regularization_strength",
        "beta",
    )
    rule = staticmethod(rules.ftrl)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: Finite = -0.5,
        initial_accumulator_value: NonNegative = 0.1,
        l1_regularization_strength: NonNegative = 0.0,
        l2_regularization_strength: NonNegative = 0.0,
        l2_shrinkage_regularization_strength: NonNegative = 0.0,
        beta: NonNegative = 0.0,
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
        if learning_rate_power > 0:
            raise ArgumentError(f"`learning_rate_power` must be 0 or less, not {learning_rate_power!r}.")
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        super().__init__(**common(locals()))

    def slots(self) -> list[tuple[str, ...]]:
        return [("accumulator", "linear")]

    def slot_initializer(self, slot: str) -> Any:
        return Constant(self.initial_accumulator_value) if slot == "accumulator" else "zeros"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial_accumulator_value": self.initial_accumulator_value}
