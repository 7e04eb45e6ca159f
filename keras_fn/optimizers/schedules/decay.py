"""Schedules that fall by a formula: exponential, inverse time, polynomial, piecewise constant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_fn import ops
from keras_fn.core.arguments import Finite, NonNegative, Positive, is_number
from keras_fn.core.errors import ArgumentError, printable
from keras_fn.optimizers.schedules.base import LearningRateSchedule, as_float


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: steps in which the rate is multiplied by `decay_rate` once, above 0.
        decay_rate: factor.
        staircase: whether `step / decay_steps` is cut to a whole number.
        name: name.

    Example:
        >>> round(float(ExponentialDecay(0.1, 10, 0.5)(20)), 4)
        0.025
    """

    fields = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self,
        initial_learning_rate: NonNegative,
        decay_steps: Positive,
        decay_rate: NonNegative,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def _progress(self, step: Any) -> Any:
        done = ops.true_divide(as_float(step), self.decay_steps)
        return ops.floor(done) if self.staircase else done

    def __call__(self, step: Any) -> Any:
        return ops.multiply(ops.power(self.decay_rate, self._progress(step)), self.initial_learning_rate)


class InverseTimeDecay(ExponentialDecay):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: unit of the steps, above 0.
        decay_rate: how fast the rate falls.
        staircase: whether `step / decay_steps` is cut to a whole number.
        name: name.

    Example:
        >>> round(float(InverseTimeDecay(0.1, 10, 0.5)(20)), 4)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: NonNegative,
        decay_steps: Positive,
        decay_rate: NonNegative,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: Any) -> Any:
        divisor = ops.add(ops.multiply(self._progress(step), self.decay_rate), 1.0)
        return ops.true_divide(self.initial_learning_rate, divisor)


class PolynomialDecay(LearningRateSchedule):
    """From one rate to another: `(initial - end) * (1 - step / decay_steps) ** power + end`, and `end` ever after.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: number of steps of the way, above 0.
        end_learning_rate: rate in the end.
        power: power; 1 for a straight line.
        cycle: lengthen the way to the next multiple of `decay_steps` whenever it is over.
        name: name.

    Example:
        >>> round(float(PolynomialDecay(0.1, 10, end_learning_rate=0.0)(5)), 4)
        0.05
    """

    fields = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(
        self,
        initial_learning_rate: NonNegative,
        decay_steps: Positive,
        end_learning_rate: NonNegative = 0.0001,
        power: Finite = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = as_float(step)
        steps: Any = float(self.decay_steps)
        if self.cycle:
            ways = ops.maximum(ops.ceil(ops.true_divide(step, steps)), 1.0)
            steps = ops.multiply(ways, steps)
        else:
            step = ops.minimum(step, steps)
        left = ops.power(ops.subtract(1.0, ops.true_divide(step, steps)), self.power)
        return ops.add(ops.multiply(left, self.initial_learning_rate - self.end_learning_rate), self.end_learning_rate)


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and with step `boundaries[0]`, then `values[1]` up to and with `boundaries[1]`, and so on.

    Args:
        boundaries: steps, rising.
        values: rates, one more than boundaries.
        name: name.

    Example:
        >>> [round(float(PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.1])(i)), 2) for i in (2, 3, 5)]
        [1.0, 0.5, 0.1]
    """

    fields = ("boundaries", "values", "name")

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        for label, given in (("boundaries", boundaries), ("values", values)):
            if isinstance(given, (str, bytes)) or not hasattr(given, "__len__") or not all(map(is_number, given)):
                raise ArgumentError(f"`{label}` must be a list of numbers, not {printable(repr(given), 200)}.")
        if len(boundaries) != len(values) - 1:
            raise ArgumentError(
                f"`values` must be one longer than `boundaries`: they have {len(values)} and {len(boundaries)} entries."
            )
        if any(a >= b for a, b in zip(boundaries, list(boundaries)[1:], strict=False)):
            raise ArgumentError(f"`boundaries` must rise, and {list(boundaries)} came.")
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = as_float(step)
        rate: Any = ops.convert_to_tensor(float(self.values[0]), dtype="float32")
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = ops.where(ops.greater(step, float(boundary)), float(value), rate)
        return rate
