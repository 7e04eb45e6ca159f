"""A loss of sequences whose labels are known, but not when each of them is said."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ShapeError
from keras_fn.losses.loss import LossFunctionWrapper
from keras_fn.losses.weighting import as_dtype, as_float

_BLANK = 0


def ctc(y_true: Any, y_pred: Any) -> Any:
    """The negative logarithm of the probability of labels, summed over all ways to lay them out in time.

    Class 0 is the blank, so labels are numbered from 1, and zeros fill up shorter targets. All times of `y_pred` count;
    `ops.ctc_loss` takes lengths besides.

    Args:
        y_true: labels `(batch, labels)`.
        y_pred: logits `(batch, times, classes)`.

    Returns:
        Tensor of shape `(batch,)`.

    Raises:
        ShapeError: where the shapes do not fit.

    Source: Graves et al., Connectionist Temporal Classification, https://doi.org/10.1145/1143844.1143891
    """
    y_true, y_pred = as_dtype(y_true, "int32"), as_float(y_pred)
    if len(y_pred.shape) != 3 or len(y_true.shape) != 2:
        raise ShapeError(
            "ctc takes labels `(batch, labels)` and logits `(batch, times, classes)`, and their shapes are "
            f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}."
        )
    labels = ops.sum(ops.cast(ops.not_equal(y_true, _BLANK), "int32"), axis=1)
    times = ops.add(ops.zeros_like(labels), ops.shape(y_pred)[1])
    return ops.ctc_loss(y_true, y_pred, labels, times, _BLANK)


class CTC(LossFunctionWrapper):
    """How unlikely labels are whose times are not known: for speech and handwriting. See `ctc`.

    Args:
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.

    Example:
        >>> import keras_fn
        >>> from keras_fn import ops
        >>> round(float(keras_fn.losses.CTC()([[1]], ops.zeros((1, 2, 2)))), 4)
        0.2877
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "ctc", dtype: Any = None) -> None:
        super().__init__(ctc, reduction, name, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred)

    def _convert_target(self, x: Any) -> Any:
        return ops.convert_to_tensor(x)
