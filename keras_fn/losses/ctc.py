"""A loss of sequences whose labels are known, but not when each of them is said."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.losses.crossentropy import check_ids
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
    _check_shapes(y_true.shape, y_pred.shape)
    labels = ops.sum(ops.cast(ops.not_equal(y_true, _BLANK), "int32"), axis=1)
    times = ops.add(ops.zeros_like(labels), ops.shape(y_pred)[1])
    return ops.ctc_loss(y_true, y_pred, labels, times, _BLANK)


def _check_shapes(y_true: Any, y_pred: Any) -> None:
    if len(y_pred) != 3 or len(y_true) != 2:
        raise ShapeError(
            "ctc takes labels `(batch, labels)` and logits `(batch, times, classes)`, and their shapes are "
            f"{tuple(y_true)} and {tuple(y_pred)}."
        )


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

    def check_targets(self, y_true: Any, y_pred_shape: tuple[Any, ...]) -> None:
        """Raises where a label is no class, a target is too long for the times, or labels follow behind its end.

        A label takes a time, and one more lies between two that are equal: where there are fewer, the loss is infinite.
        See `Loss.check_targets`.
        """
        labels = np.asarray(y_true)
        _check_shapes(labels.shape, y_pred_shape)
        times, classes = y_pred_shape[1:]
        if classes is not None:
            check_ids(labels, classes, None, self.name)
        counts = labels != _BLANK
        lengths = counts.sum(axis=1)
        gaps = (counts != (np.arange(labels.shape[1]) < lengths[:, None])).any(axis=1)
        if gaps.any():
            row = int(gaps.argmax())
            raise ArgumentError(
                f"{self.name}: in row {row}, {labels[row].tolist()}, a blank ({_BLANK}) lies before a label. Zeros "
                "only fill up the ends of targets; number the labels from 1."
            )
        repeats = ((labels[:, 1:] == labels[:, :-1]) & counts[:, 1:]).sum(axis=1)
        if times is not None and labels.size and (lengths + repeats).max() > times:
            row = int((lengths + repeats).argmax())
            raise ArgumentError(
                f"{self.name}: row {row} has {lengths[row]} labels and needs {lengths[row] + repeats[row]} times "
                f"(equal neighbours need a blank between them), and the predictions have {times}. Give the "
                f"model more times, "
                "or drop the sample."
            )
