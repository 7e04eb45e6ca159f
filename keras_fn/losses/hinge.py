"""Losses with a margin."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.losses.loss import LossFunctionWrapper
from keras_fn.losses.weighting import paired


def _signs(labels: Any) -> Any:
    """Labels that are all 0 or 1 become -1 and 1; others stay."""
    binary = ops.all(ops.logical_or(ops.equal(labels, 0), ops.equal(labels, 1)))
    return ops.where(binary, ops.subtract(ops.multiply(labels, 2.0), 1.0), labels)


def _gaps(y_true: Any, y_pred: Any, name: str) -> Any:
    y_true, y_pred = paired(y_true, y_pred, name)
    return ops.maximum(ops.subtract(1.0, ops.multiply(_signs(y_true), y_pred)), 0.0)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(1 - y_true * y_pred, 0))` over the last axis.

    Args:
        y_true: labels -1 and 1, or 0 and 1 (0 then stands for -1).
        y_pred: scores, in the same shape.
    """
    return ops.mean(_gaps(y_true, y_pred, "hinge"), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(1 - y_true * y_pred, 0)**2)` over the last axis. Arguments as in `hinge`."""
    return ops.mean(ops.square(_gaps(y_true, y_pred, "squared_hinge")), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`max(1 + best wrong score - score of the right class, 0)` over the last axis.

    Args:
        y_true: one-hot labels.
        y_pred: scores, in the same shape.
    """
    y_true, y_pred = paired(y_true, y_pred, "categorical_hinge")
    right = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    wrong = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(ops.add(ops.subtract(wrong, right), 1.0), 0.0)


class Hinge(LossFunctionWrapper):
    """`mean(max(1 - y_true * y_pred, 0))`. See `hinge`.

    Args:
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.
    """

    same_shapes = True

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """`mean(max(1 - y_true * y_pred, 0)**2)`. Arguments as in `Hinge`."""

    same_shapes = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "squared_hinge", dtype: Any = None
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """`max(1 + best wrong score - score of the right class, 0)`. Arguments as in `Hinge`."""

    same_shapes = True

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
