"""Adamax."""

from __future__ import annotations

from typing import Any

from keras_fn.core.arguments import NonNegative, Positive, Share, ShareBelowOne
from keras_fn.optimizers import rules
from keras_fn.optimizers.base import Optimizer, common


class Adamax(Optimizer):
    """Adam with the largest gradient in the place of the mean square.

    `m` is a running mean of g, `u = max(beta_2 * u, |g|)`; `p -= lr * m_hat / (u + epsilon)`.

    Source: https://arxiv.org/abs/1412.6980, section 7

    Args:
        learning_rate: float, schedule, or function without arguments.
        beta_1: share of the old mean of gradients that is kept a step.
        beta_2: the same for the largest gradient.
        epsilon: added to the divisor, against division by 0.
        weight_decay, clipnorm, … name: see `Optimizer`.

    Example:
        >>> import keras_fn
        >>> w = keras_fn.Variable([1.0, -2.0])
        >>> keras_fn.optimizers.Adamax(learning_rate=0.1).apply([[0.5, 0.5]], [w])
        >>> w.numpy().astype("float64").round(3).tolist()
        [0.9, -2.1]
    """

    hyper = ("beta_1", "beta_2", "epsilon")
    rule = staticmethod(rules.adamax)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: ShareBelowOne = 0.9,
        beta_2: ShareBelowOne = 0.999,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        super().__init__(**common(locals()))

    def slots(self) -> list[tuple[str, ...]]:
        return [("momentum", "norm")]
