"""Losses that compare distributions and counts, and regions by their overlap."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.arguments import Axes, NonNegative
from keras_fn.losses.loss import LossFunctionWrapper
from keras_fn.losses.weighting import EPSILON, paired


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """`sum(y_true * log(y_true / y_pred))` over the last axis; both are clipped to `[1e-7, 1]`.

    Args:
        y_true: probabilities.
        y_pred: probabilities, in the same shape.

    Source: Kullback and Leibler, On Information and Sufficiency, 1951.
    """
    y_true, y_pred = paired(y_true, y_pred, "kl_divergence")
    y_true, y_pred = ops.clip(y_true, EPSILON, 1.0), ops.clip(y_pred, EPSILON, 1.0)
    return ops.sum(ops.multiply(y_true, ops.log(ops.true_divide(y_true, y_pred))), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """`mean(y_pred - y_true * log(y_pred + 1e-7))` over the last axis: for targets that are counts.

    Args:
        y_true: counts.
        y_pred: expected counts, positive, in the same shape.
    """
    y_true, y_pred = paired(y_true, y_pred, "poisson")
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, ops.log(ops.add(y_pred, EPSILON)))), axis=-1)


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """`1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`: how little two regions overlap.

    Args:
        y_true: membership, 0 to 1.
        y_pred: membership, 0 to 1, in the same shape.
        axis: axes summed over; None for all of them.
    """
    y_true, y_pred = paired(y_true, y_pred, "dice")
    shared = ops.multiply(ops.sum(ops.multiply(y_true, y_pred), axis=axis), 2.0)
    total = ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis))
    return ops.subtract(1.0, ops.true_divide(shared, ops.add(total, EPSILON)))


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any:
    """`1 - tp / (tp + alpha * fn + beta * fp)`, with soft counts of true and false positives and false negatives.

    Args:
        y_true: membership, 0 to 1.
        y_pred: membership, 0 to 1, in the same shape.
        alpha: weight of false negatives (as in Keras; in the paper it is that of false positives).
        beta: weight of false positives.
        axis: axes summed over; None for all of them.

    Source: Salehi et al., https://arxiv.org/abs/1706.05721
    """
    y_true, y_pred = paired(y_true, y_pred, "tversky")
    hit = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    extra = ops.sum(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=axis)
    missed = ops.sum(ops.multiply(y_true, ops.subtract(1.0, y_pred)), axis=axis)
    total = ops.add(hit, ops.add(ops.multiply(missed, alpha), ops.multiply(extra, beta)))
    return ops.subtract(1.0, ops.true_divide(hit, ops.add(total, EPSILON)))


class KLDivergence(LossFunctionWrapper):
    """`sum(y_true * log(y_true / y_pred))`. See `kl_divergence`.

    Args:
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.
    """

    same_shapes = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """`mean(y_pred - y_true * log(y_pred))`, for counts. Arguments as in `KLDivergence`."""

    same_shapes = True

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, reduction, name, dtype)


class Dice(LossFunctionWrapper):
    """How little two regions overlap. See `dice`.

    Args:
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        axis: axes summed over; None for all of them, the batch too.
        dtype: dtype to compute in; None for the default float.
    """

    same_shapes = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dice",
        axis: Axes | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """How little two regions overlap, false positives and negatives being weighed apart. See `tversky`.

    Args:
        alpha: weight of false negatives (as in Keras; in the paper it is that of false positives).
        beta: weight of false positives.
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        axis: axes summed over; None for all of them, the batch too.
        dtype: dtype to compute in; None for the default float.
    """

    same_shapes = True

    def __init__(
        self,
        alpha: NonNegative = 0.5,
        beta: NonNegative = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tversky",
        axis: Axes | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
