"""Lion."""

from __future__ import annotations

from typing import Any

from keras_fn.core.arguments import NonNegative, Positive, Share, ShareBelowOne
from keras_fn.core.errors import ArgumentError
from keras_fn.optimizers import rules
from keras_fn.optimizers.base import Optimizer, common


class Lion(Optimizer):
    """Steps of one size, in the direction of the sign of the momentum.

    `p -= lr * sign(beta_1 * m + (1 - beta_1) * g)`; `m = beta_2 * m + (1 - beta_2) * g`.

    Source: https://arxiv.org/abs/2302.06675

    Args:
        learning_rate: float, schedule, or function without arguments.
        beta_1: share of the momentum in the direction.
        beta_2: share of the old momentum that is kept a step.
        weight_decay, clipnorm, … name: see `Optimizer`.

    Example:
        >>> import keras_fn
        >>> w = keras_fn.Variable([1.0, -2.0])
        >>> keras_fn.optimizers.Lion(learning_rate=0.1).apply([[0.5, 0.5]], [w])
        >>> w.numpy().astype("float64").round(3).tolist()
        [0.9, -2.1]
    """

    hyper = ("beta_1", "beta_2")
    rule = staticmethod(rules.lion)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Share = 0.9,
        beta_2: ShareBelowOne = 0.99,
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
        if beta_1 == 0:
            raise ArgumentError(f"`beta_1` must be above 0 and at most 1, not {beta_1!r}: Lion steps by a sign.")
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        super().__init__(**common(locals()))

    def slots(self) -> list[tuple[str, ...]]:
        return [("momentum",)]
