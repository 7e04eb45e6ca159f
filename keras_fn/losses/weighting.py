"""Targets against predictions, weights against values, and the reductions: the shape rules of losses and metrics."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core import dtypes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.spec import Spec
from keras_fn.core.variable import Variable

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)
# the reductions that are the mean where nothing is weighted
MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")
EPSILON = 1e-7


def dtype_name(x: Any) -> str:
    """The dtype name of a tensor, spec or variable."""
    return x.dtype if isinstance(x, (Spec, Variable)) else dtypes.standardize(x.dtype)


def as_dtype(x: Any, dtype: str) -> Any:
    """A tensor of that dtype, untouched where it has it already."""
    x = ops.convert_to_tensor(x)
    return x if dtype_name(x) == dtype else ops.cast(x, dtype)


def as_float(x: Any) -> Any:
    """A tensor of a float dtype: its own, or the default float."""
    x = ops.convert_to_tensor(x)
    name = dtype_name(x)
    return x if dtypes.is_float(name) else ops.cast(x, dtypes.floatx())


def same_rank(x1: Any, x2: Any) -> tuple[Any, Any]:
    """The two with a trailing dimension of 1 added or dropped, so that `(n,)` and `(n, 1)` meet.

    A vector is brought to `(n, 1)`; a tensor of more dimensions loses its trailing 1.
    """
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == rank2 + 1 and x1.shape[-1] == 1:
        return (x1, ops.expand_dims(x2, -1)) if rank2 == 1 else (ops.squeeze(x1, -1), x2)
    if rank2 == rank1 + 1 and x2.shape[-1] == 1:
        return (ops.expand_dims(x1, -1), x2) if rank1 == 1 else (x1, ops.squeeze(x2, -1))
    return x1, x2


def fits(shape1: Any, shape2: Any) -> bool:
    """Whether two shapes can be equal, as far as they are known."""
    return len(shape1) == len(shape2) and all(
        a == b or not isinstance(a, int) or not isinstance(b, int) for a, b in zip(shape1, shape2, strict=True)
    )


def paired(y_true: Any, y_pred: Any, name: str) -> tuple[Any, Any]:
    """Targets and predictions as float tensors of one dtype and one shape.

    Args:
        y_true: targets; `(n,)` meets `(n, 1)`, and a scalar stands for every element.
        y_pred: predictions; their dtype is taken, or the default float where they are integers.
        name: name of the function, for the message.

    Raises:
        ShapeError: where the shapes differ. They are never broadcast: it would pair every target with every prediction.
    """
    y_pred = as_float(y_pred)
    y_true = as_dtype(y_true, dtype_name(y_pred))
    before = y_true.shape, y_pred.shape
    y_true, y_pred = same_rank(y_true, y_pred)
    if len(y_true.shape) and not fits(y_true.shape, y_pred.shape):
        raise unequal(name, *before)
    return y_true, y_pred


def unequal(name: str, y_true: Any, y_pred: Any) -> ShapeError:
    """The error for targets and predictions of different shapes."""
    y_true, y_pred = tuple(y_true), tuple(y_pred)
    hint = "Give targets in the shape of the predictions."
    if len(y_true) == len(y_pred) and y_true[:-1] == y_pred[:-1]:
        hint = (
            f"The last dimension is {y_true[-1]} in the targets and {y_pred[-1]} in the predictions: let the last "
            f"layer have {y_true[-1]} units, or give targets with {y_pred[-1]} columns."
        )
        if y_true[-1] == 1:
            hint += " For targets that are class ids, take a sparse loss or metric, or `one_hot` them."
    elif len(y_true) == len(y_pred) - 1:
        hint += " For targets that are class ids, take a sparse loss or metric, or `one_hot` them."
    return ShapeError(
        f"{name}: y_true has the shape {y_true} and y_pred the shape {y_pred}; they must be equal. {hint}"
    )


def aligned(values: Any, weight: Any, what: str = "sample_weight") -> tuple[Any, Any]:
    """Values and weights (or a mask) of one rank. Weights of fewer dimensions belong to the leading ones.

    Raises:
        ShapeError: where a dimension of the weights is neither that of the values nor 1.
    """
    given = tuple(weight.shape)
    if not given:
        return values, weight
    values, weight = same_rank(values, weight)
    rank = len(values.shape)
    if len(weight.shape) < rank:
        weight = ops.expand_dims(weight, tuple(range(len(weight.shape), rank)))
    if len(weight.shape) > rank or not all(
        w == 1 or w == v or not isinstance(w, int) or not isinstance(v, int)
        for w, v in zip(weight.shape, values.shape, strict=True)
    ):
        raise ShapeError(
            f"{what} of the shape {given} does not fit values of the shape {tuple(values.shape)}. Give one number for "
            f"each sample, or a shape that starts like that of the values."
        )
    return values, weight


def check_reduction(reduction: Any) -> None:
    """Raises ArgumentError where `reduction` is none of the known ones."""
    if reduction not in REDUCTIONS:
        raise ArgumentError(f"`reduction` must be one of {', '.join(map(repr, REDUCTIONS))}, not {reduction!r}.")


def reduce_weighted(values: Any, sample_weight: Any, mask: Any, reduction: str | None, dtype: str) -> Any:
    """Values, weighted and masked, taken together as `reduction` says.

    Args:
        values: tensor, one value for each sample (and step, pixel, …).
        sample_weight: weights, or None.
        mask: true where a value counts, or None. A mean is over the values that count.
        reduction: one of `REDUCTIONS`.
        dtype: dtype to compute in.
    """
    values = as_dtype(values, dtype)
    weight = None
    if sample_weight is not None:
        values, weight = aligned(values, as_dtype(sample_weight, dtype))
        values = ops.multiply(values, weight)
    if mask is not None:
        values, mask = aligned(values, as_dtype(mask, dtype), "mask")
        values = ops.multiply(values, mask)
    if reduction in (None, "none") or not len(values.shape):
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and weight is not None:
        counted = weight if mask is None else ops.multiply(weight, mask)
        return ops.divide_no_nan(ops.sum(values), ops.sum(ops.multiply(ops.ones_like(values), counted)))
    if is_empty(values):
        return ops.zeros((), dtype)
    mean = ops.mean(values)
    return mean if mask is None else ops.divide_no_nan(mean, ops.mean(mask))


def is_empty(values: Any) -> bool:
    """Whether a tensor is known to have no elements."""
    return any(isinstance(d, int) and d == 0 for d in values.shape)
