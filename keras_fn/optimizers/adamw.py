"""AdamW."""

from __future__ import annotations

from typing import Any

from keras_fn.core.arguments import NonNegative, Positive, Share, ShareBelowOne
from keras_fn.core.errors import ArgumentError
from keras_fn.optimizers.adam import Adam
from keras_fn.optimizers.base import common


class AdamW(Adam):
    """`Adam` with weight decay beside the gradient instead of in it.

    `p -= lr * weight_decay * p` and then Adam's step.

    Source: https://arxiv.org/abs/1711.05101

    Args:
        learning_rate: float, schedule, or function without arguments.
        weight_decay: share of a weight that is taken away a step, times the learning rate.
        beta_1, beta_2, epsilon, amsgrad: see `Adam`.
        clipnorm, … name: see `Optimizer`.

    Example:
        >>> import keras_fn
        >>> w = keras_fn.Variable([1.0, -2.0])
        >>> keras_fn.optimizers.AdamW(learning_rate=0.1, weight_decay=0.1).apply([[0.5, 0.5]], [w])
        >>> w.numpy().astype("float64").round(3).tolist()
        [0.89, -2.08]
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: NonNegative | None = 0.004,
        beta_1: ShareBelowOne = 0.9,
        beta_2: ShareBelowOne = 0.999,
        epsilon: NonNegative = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ArgumentError("AdamW needs a `weight_decay`. Without one, take Adam.")
        hyper = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon, "amsgrad": amsgrad}
        super().__init__(**hyper, **common(locals()))
