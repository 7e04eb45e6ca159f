"""Losses for numbers: squared and absolute errors and their kin."""

from __future__ import annotations

import math
from typing import Any

from keras_fn import ops
from keras_fn.core.arguments import Positive
from keras_fn.losses.loss import LossFunctionWrapper
from keras_fn.losses.weighting import EPSILON, paired


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((y_true - y_pred)**2)` over the last axis.

    Args:
        y_true: targets, `(n, …, d)`.
        y_pred: predictions, in the same shape.

    Returns:
        Tensor of shape `(n, …)`.

    Raises:
        ShapeError: where the shapes differ (`(n,)` and `(n, 1)` meet).

    Example:
        >>> from keras_fn import losses, ops
        >>> ops.convert_to_numpy(losses.mean_squared_error([[0.0, 0.0]], [[1.0, 3.0]])).tolist()
        [5.0]
    """
    y_true, y_pred = paired(y_true, y_pred, "mean_squared_error")
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """`mean(|y_true - y_pred|)` over the last axis. Arguments as in `mean_squared_error`."""
    y_true, y_pred = paired(y_true, y_pred, "mean_absolute_error")
    return ops.mean(ops.absolute(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """`100 * mean(|y_true - y_pred| / max(|y_true|, 1e-7))` over the last axis, in percent."""
    y_true, y_pred = paired(y_true, y_pred, "mean_absolute_percentage_error")
    size = ops.maximum(ops.absolute(y_true), EPSILON)
    return ops.multiply(ops.mean(ops.absolute(ops.true_divide(ops.subtract(y_true, y_pred), size)), axis=-1), 100.0)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((log(1 + y_true) - log(1 + y_pred))**2)` over the last axis; numbers below 1e-7 count as 1e-7."""
    y_true, y_pred = paired(y_true, y_pred, "mean_squared_logarithmic_error")
    logs = [ops.log1p(ops.maximum(y, EPSILON)) for y in (y_true, y_pred)]
    return ops.mean(ops.square(ops.subtract(*logs)), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """The mean over the last axis of `e**2 / 2` where the error |e| is at most delta, `delta*|e| - delta**2/2` beyond.

    Args:
        y_true: targets.
        y_pred: predictions, in the same shape.
        delta: where the parabola turns into a straight line; positive.

    Source: Huber, Robust Estimation of a Location Parameter, 1964.
    """
    y_true, y_pred = paired(y_true, y_pred, "huber")
    error = ops.absolute(ops.subtract(y_true, y_pred))
    near = ops.multiply(ops.square(error), 0.5)
    far = ops.subtract(ops.multiply(error, delta), 0.5 * delta * delta)
    return ops.mean(ops.where(ops.less_equal(error, delta), near, far), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """`mean(log(cosh(y_pred - y_true)))` over the last axis, without overflow."""
    y_true, y_pred = paired(y_true, y_pred, "log_cosh")
    size = ops.absolute(ops.subtract(y_pred, y_true))
    values = ops.subtract(ops.add(size, ops.log1p(ops.exp(ops.multiply(size, -2.0)))), math.log(2.0))
    return ops.mean(values, axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between targets and predictions: -1 for the same direction, 1 for the opposite.

    A vector of zeros has no direction; it gives 0.

    Args:
        y_true: targets.
        y_pred: predictions, in the same shape.
        axis: the axis that the vectors lie along.
    """
    y_true, y_pred = paired(y_true, y_pred, "cosine_similarity")
    product = ops.multiply(ops.normalize(y_true, axis=axis), ops.normalize(y_pred, axis=axis))
    return ops.negative(ops.sum(product, axis=axis))


class MeanSquaredError(LossFunctionWrapper):
    """`mean((y_true - y_pred)**2)`.

    Args:
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.

    Example:
        >>> from keras_fn import losses
        >>> float(losses.MeanSquaredError()([[0.0, 0.0]], [[1.0, 3.0]]))
        5.0
    """

    same_shapes = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """`mean(|y_true - y_pred|)`. Arguments as in `MeanSquaredError`."""

    same_shapes = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """The mean distance in percent of the target. Arguments as in `MeanSquaredError`."""

    same_shapes = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """`mean((log(1 + y_true) - log(1 + y_pred))**2)`. Arguments as in `MeanSquaredError`."""

    same_shapes = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(LossFunctionWrapper):
    """Squared errors up to `delta`, absolute ones beyond: few outliers do not rule. See `huber`.

    Args:
        delta: where the parabola turns into a straight line; positive.
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.
    """

    same_shapes = True

    def __init__(
        self,
        delta: Positive = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """`mean(log(cosh(y_pred - y_true)))`: squared for small errors, absolute for large ones."""

    same_shapes = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between targets and predictions. See `cosine_similarity`.

    Args:
        axis: the axis that the vectors lie along.
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.
    """

    same_shapes = True

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)
