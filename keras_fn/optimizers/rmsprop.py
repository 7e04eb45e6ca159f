"""RMSprop."""

from __future__ import annotations

from typing import Any

from keras_fn.core.arguments import NonNegative, Positive, Share, ShareBelowOne
from keras_fn.optimizers import rules
from keras_fn.optimizers.base import Optimizer, common


class RMSprop(Optimizer):
    """Gradients divided by the root of their running mean square.

    `v = rho * v + (1 - rho) * g**2`; `p -= lr * g / sqrt(v + epsilon)`.

    Source: Hinton, Neural networks for machine learning, lecture 6e, 2012

    Args:
        learning_rate: float, schedule, or function without arguments.
        rho: share of the old mean square that is kept a step.
        momentum: share of the last move that is made again.
        epsilon: added to the divisor, against division by 0.
        centered: divide by the running standard deviation instead.
        weight_decay, clipnorm, … name: see `Optimizer`.

    Example:
        >>> import keras_fn
        >>> w = keras_fn.Variable([1.0, -2.0])
        >>> keras_fn.optimizers.RMSprop(learning_rate=0.1).apply([[0.5, 0.5]], [w])
        >>> w.numpy().astype("float64").round(3).tolist()
        [0.684, -2.316]
    """

    hyper = ("rho", "momentum", "epsilon", "centered")
    rule = staticmethod(rules.rmsprop)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: ShareBelowOne = 0.9,
        momentum: Share = 0.0,
        epsilon: NonNegative = 1e-7,
        centered: bool = False,
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
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        super().__init__(**common(locals()))

    def slots(self) -> list[tuple[str, ...]]:
        groups: list[tuple[str, ...]] = [("velocity",)]
        if self.momentum > 0:
            groups.append(("momentum",))
        if self.centered:
            groups.append(("average_gradient",))
        return groups
