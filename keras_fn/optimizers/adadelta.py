"""Adadelta."""

from __future__ import annotations

from typing import Any

from keras_fn.core.arguments import NonNegative, Positive, Share, ShareBelowOne
from keras_fn.optimizers import rules
from keras_fn.optimizers.base import Optimizer, common


class Adadelta(Optimizer):
    """Steps in the units of the parameter, from running means of squared gradients and steps.

    `d = g * sqrt(mean(d**2) + epsilon) / sqrt(mean(g**2) + epsilon)`; `p -= lr * d`.

    Source: https://arxiv.org/abs/1212.5701

    Args:
        learning_rate: float, schedule, or function without arguments.
        rho: share of the old means that is kept a step.
        epsilon: added to the divisor, against division by 0.
        weight_decay, clipnorm, … name: see `Optimizer`.

    Example:
        >>> import keras_fn
        >>> w = keras_fn.Variable([1.0, -2.0])
        >>> keras_fn.optimizers.Adadelta(learning_rate=0.1).apply([[0.5, 0.5]], [w])
        >>> w.numpy().astype("float64").round(3).tolist()
        [1.0, -2.0]
    """

    hyper = ("rho", "epsilon")
    rule = staticmethod(rules.adadelta)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: ShareBelowOne = 0.95,
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
        self.rho = rho
        self.epsilon = epsilon
        super().__init__(**common(locals()))

    def slots(self) -> list[tuple[str, ...]]:
        return [("accumulated_grad", "accumulated_delta_var")]
