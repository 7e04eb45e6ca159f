"""SGD."""

from __future__ import annotations

from typing import Any

from keras_fn.core.arguments import NonNegative, Positive, Share
from keras_fn.optimizers import rules
from keras_fn.optimizers.base import Optimizer, common


class SGD(Optimizer):
    """Gradient descent, with momentum where it is wanted.

    `p -= lr * g`; with momentum: `m = momentum * m - lr * g` and `p += m`.

    Source: https://proceedings.mlr.press/v28/sutskever13.html

    Args:
        learning_rate: float, schedule, or function without arguments.
        momentum: share of the last move that is made again, from 0 to 1.
        nesterov: whether the gradient counts as taken after the coming move.
        weight_decay, clipnorm, … name: see `Optimizer`.

    Example:
        >>> import keras_fn
        >>> w = keras_fn.Variable([1.0, -2.0])
        >>> keras_fn.optimizers.SGD(learning_rate=0.1).apply([[0.5, 0.5]], [w])
        >>> w.numpy().astype("float64").round(3).tolist()
        [0.95, -2.05]
    """

    hyper = ("momentum", "nesterov")
    rule = staticmethod(rules.sgd)

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: Share = 0.0,
        nesterov: bool = False,
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
        self.momentum = momentum
        self.nesterov = nesterov
        super().__init__(**common(locals()))

    def slots(self) -> list[tuple[str, ...]]:
        return [("momentum",)] if self.momentum else []
