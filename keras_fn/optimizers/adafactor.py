"""Adafactor."""

from __future__ import annotations

from typing import Any

from keras_fn.core.arguments import Finite, NonNegative, Positive, Share
from keras_fn.optimizers import rules
from keras_fn.optimizers.base import Optimizer, common


class Adafactor(Optimizer):
    """RMSprop that keeps of the squared gradients only the means of rows and columns: little memory.

    See `rules.adafactor`.

    Source: https://arxiv.org/abs/1804.04235

    Args:
        learning_rate: float, schedule, or function without arguments.
        beta_2_decay: power of the step number in the decay of the running means.
        epsilon_1: added to the squared gradients.
        epsilon_2: smallest size of a parameter that steps are in proportion to.
        clip_threshold: largest root mean square of a step before it is scaled.
        relative_step: let the rate fall like `1 / sqrt(step)`.
        weight_decay, clipnorm, … name: see `Optimizer`.

    Example:
        >>> import keras_fn
        >>> w = keras_fn.Variable([1.0, -2.0])
        >>> keras_fn.optimizers.Adafactor(learning_rate=0.1).apply([[0.5, 0.5]], [w])
        >>> w.numpy().astype("float64").round(3).tolist()
        [0.842, -2.158]
    """

    hyper = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")
    rule = staticmethod(rules.adafactor)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: Finite = -0.8,
        epsilon_1: NonNegative = 1e-30,
        epsilon_2: NonNegative = 1e-3,
        clip_threshold: Positive = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step
        super().__init__(**common(locals()))

    def slots(self) -> list[tuple[str, ...]]:
        return [("r", "c", "velocity")]

    def build_slots(self) -> None:
        for slot in ("r", "c", "velocity"):
            self._slots[slot] = []
        for v in self._trainable:
            name = v.path.replace("/", "_")
            for slot, left_out in (("r", -1), ("c", -2)):
                # vectors have no rows and columns: a placeholder keeps the order of the variables in saved files
                shape = [n for i, n in enumerate(v.shape) if i != left_out % v.ndim] if v.ndim >= 2 else ()
                dtype = v._dtype if v.ndim >= 2 else "int32"
                self._slots[slot].append(self.add_variable(shape, dtype=dtype, name=f"{name}_{slot}"))
            self._slots["velocity"].append(self.add_variable_from_reference(v, "velocity"))
