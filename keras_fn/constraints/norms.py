"""Constraints on the sign and on norms."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.constraints.base import EPSILON, Constraint, norm
from keras_fn.core.arguments import Axes, NonNegative, Share


class NonNeg(Constraint):
    """Negative entries become 0.

    Example:
        >>> import keras_fn
        >>> keras_fn.ops.convert_to_numpy(NonNeg()([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        return ops.maximum(w, 0)


class MaxNorm(Constraint):
    """Vectors along an axis that are longer than `max_value` are shortened to it.

    Source: https://jmlr.org/papers/v15/srivastava14a.html

    Args:
        max_value: largest norm.
        axis: axis (or axes) that a unit's incoming weights lie along: 0 for Dense, (0, 1, 2) for Conv2D.

    Example:
        >>> import keras_fn
        >>> keras_fn.ops.convert_to_numpy(MaxNorm(1.0)([[3.0, 0.3], [4.0, 0.4]])).astype("float64").round(3).tolist()
        [[0.6, 0.3], [0.8, 0.4]]
    """

    def __init__(self, max_value: NonNegative = 2, axis: Axes = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        length = norm(w, self.axis)
        return ops.multiply(w, ops.true_divide(ops.clip(length, 0, self.max_value), ops.add(length, EPSILON)))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class UnitNorm(Constraint):
    """Vectors along an axis are scaled to norm 1.

    Args:
        axis: axis (or axes) that a unit's incoming weights lie along: 0 for Dense, (0, 1, 2) for Conv2D.

    Example:
        >>> import keras_fn
        >>> keras_fn.ops.convert_to_numpy(UnitNorm()([[3.0], [4.0]])).astype("float64").round(3).tolist()
        [[0.6], [0.8]]
    """

    def __init__(self, axis: Axes = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return ops.true_divide(w, ops.add(norm(w, self.axis), EPSILON))

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Vectors along an axis are scaled towards norms between two bounds.

    Args:
        min_value: smallest norm.
        max_value: largest norm.
        rate: share of the way to the bounds that is gone a step: 1.0 holds the norms strictly.
        axis: axis (or axes) that a unit's incoming weights lie along: 0 for Dense, (0, 1, 2) for Conv2D.

    Example:
        >>> import keras_fn
        >>> keras_fn.ops.convert_to_numpy(MinMaxNorm(1.0, 2.0)([[0.3], [0.4]])).astype("float64").round(3).tolist()
        [[0.6], [0.8]]
    """

    def __init__(
        self, min_value: NonNegative = 0.0, max_value: NonNegative = 1.0, rate: Share = 1.0, axis: Axes = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        length = norm(w, self.axis)
        wanted = ops.multiply(ops.clip(length, self.min_value, self.max_value), self.rate)
        wanted = ops.add(wanted, ops.multiply(length, 1 - self.rate))
        return ops.multiply(w, ops.true_divide(wanted, ops.add(length, EPSILON)))

    def get_config(self) -> dict[str, Any]:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}
