"""Schedules that fall along a cosine. Source: https://arxiv.org/abs/1608.03983"""

from __future__ import annotations

import math
from typing import Any

from keras_fn import ops
from keras_fn.core.arguments import NonNegative, Positive
from keras_fn.optimizers.schedules.base import LearningRateSchedule, as_float


def cosine(done: Any, alpha: float) -> Any:
    """1 where nothing is done, `alpha` where all (1.0) is done, and half a cosine's wave between."""
    wave = ops.multiply(ops.add(ops.cos(ops.multiply(done, math.pi)), 1.0), 0.5)
    return ops.add(ops.multiply(wave, 1.0 - alpha), alpha)


class CosineDecay(LearningRateSchedule):
    """Down half a wave of a cosine, after a straight way up where a warm-up is wanted.

    `rate * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)`, steps counted from the end of the warm-up.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: number of steps of the way down, above 0.
        alpha: the rate in the end, as a share of the highest.
        name: name.
        warmup_target: the highest rate, which the warm-up reaches; None for no warm-up.
        warmup_steps: number of steps of the warm-up.

    Example:
        >>> [round(float(CosineDecay(0.1, 10)(i)), 3) for i in (0, 5, 10)]
        [0.1, 0.05, 0.0]
    """

    fields = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(
        self,
        initial_learning_rate: NonNegative,
        decay_steps: Positive,
        alpha: NonNegative = 0.0,
        name: str = "CosineDecay",
        warmup_target: NonNegative | None = None,
        warmup_steps: NonNegative = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        step = as_float(step)
        if self.warmup_target is None:
            return self._down(step, self.initial_learning_rate)
        down = self._down(ops.subtract(step, float(self.warmup_steps)), self.warmup_target)
        if not self.warmup_steps:
            return down
        rise = (self.warmup_target - self.initial_learning_rate) / self.warmup_steps
        up = ops.add(ops.multiply(step, rise), self.initial_learning_rate)
        return ops.where(ops.less(step, float(self.warmup_steps)), up, down)

    def _down(self, step: Any, highest: float) -> Any:
        done = ops.true_divide(ops.minimum(step, float(self.decay_steps)), self.decay_steps)
        return ops.multiply(cosine(done, self.alpha), highest)


class CosineDecayRestarts(LearningRateSchedule):
    """Down half a wave of a cosine, again and again; each wave `t_mul` times as long and `m_mul` times as high.

    Args:
        initial_learning_rate: rate at step 0.
        first_decay_steps: number of steps of the first wave, above 0.
        t_mul: factor of the length, wave after wave.
        m_mul: factor of the height, wave after wave.
        alpha: the lowest rate, as a share of the height.
        name: name.

    Example:
        >>> [round(float(CosineDecayRestarts(0.1, 10)(i)), 3) for i in (0, 5, 10, 20)]
        [0.1, 0.05, 0.1, 0.05]
    """

    fields = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(
        self,
        initial_learning_rate: NonNegative,
        first_decay_steps: Positive,
        t_mul: Positive = 2.0,
        m_mul: NonNegative = 1.0,
        alpha: NonNegative = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        waves = ops.true_divide(as_float(step), self.first_decay_steps)
        if self.t_mul == 1.0:
            restarts = ops.floor(waves)
            done = ops.subtract(waves, restarts)
        else:
            # waves 0 .. i-1 take (t_mul**i - 1) / (t_mul - 1) first lengths together; solved for i
            rest = ops.add(ops.multiply(waves, self.t_mul - 1.0), 1.0)
            restarts = ops.floor(ops.true_divide(ops.log(rest), math.log(self.t_mul)))
            length = ops.power(self.t_mul, restarts)
            before = ops.true_divide(ops.subtract(length, 1.0), self.t_mul - 1.0)
            done = ops.true_divide(ops.subtract(waves, before), length)
        height = ops.multiply(ops.power(self.m_mul, restarts), self.initial_learning_rate)
        return ops.multiply(cosine(done, self.alpha), height)
