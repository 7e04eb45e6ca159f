"""Cross-entropies of binary labels, one-hot labels and class ids."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core.arguments import Share
from keras_fn.core.errors import ArgumentError
from keras_fn.core.ids import all_below
from keras_fn.losses.loss import LossFunctionWrapper
from keras_fn.losses.weighting import as_float, dtype_name, is_empty, paired, same_rank
from keras_fn.ops.nn import mean_class_loss


def smoothed(labels: Any, amount: float, classes: Any) -> Any:
    """Labels moved towards the uniform distribution over `classes`. Source: https://arxiv.org/abs/1512.00567"""
    if not amount:
        return labels
    share = ops.true_divide(amount, classes) if not isinstance(classes, int) else amount / classes
    return ops.add(ops.multiply(labels, 1.0 - amount), share)


def classes_of(labels: Any, axis: int) -> Any:
    """The number of classes along an axis; a scalar tensor or 1 where only running will tell."""
    count = ops.shape(labels)[axis]
    if count is None:
        return 1  # while a model is built: only shapes matter
    return count if isinstance(count, int) else ops.cast(count, dtype_name(labels))


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """`mean(-y_true * log(p) - (1 - y_true) * log(1 - p))` over an axis.

    Args:
        y_true: labels 0 to 1.
        y_pred: p, or its logits, in the same shape.
        from_logits: whether `y_pred` holds logits, p being their sigmoid.
        label_smoothing: how far labels are moved towards 0.5; 0 to 1.
        axis: the axis averaged over.

    Example:
        >>> from keras_fn import losses
        >>> round(float(losses.binary_crossentropy([[1.0]], [[0.5]])[0]), 4)
        0.6931
    """
    y_true, y_pred = paired(y_true, y_pred, "binary_crossentropy")
    y_true = smoothed(_filled(y_true, y_pred), label_smoothing, 2)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


def _filled(y_true: Any, y_pred: Any) -> Any:
    """A scalar target, as a tensor in the shape of the predictions."""
    return y_true if len(y_true.shape) or not len(y_pred.shape) else ops.multiply(ops.ones_like(y_pred), y_true)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """`-sum(y_true * log(p))` over the axis of classes.

    Args:
        y_true: class probabilities, often one-hot.
        y_pred: p, scaled to sum 1, or its logits; in the same shape.
        from_logits: whether `y_pred` holds logits, p being their softmax.
        label_smoothing: how far labels are moved towards equal probabilities; 0 to 1.
        axis: axis of the classes.

    Example:
        >>> from keras_fn import losses
        >>> round(float(losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    y_true, y_pred = paired(y_true, y_pred, "categorical_crossentropy")
    y_true = smoothed(y_true, label_smoothing, classes_of(y_pred, axis))
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """`-log(p[y_true])`, p being taken along the axis of classes.

    Args:
        y_true: class ids, in the shape of `y_pred` without its axis of classes (or with a last axis of length 1).
        y_pred: p, scaled to sum 1, or its logits.
        from_logits: whether `y_pred` holds logits, p being their softmax.
        ignore_class: an id, often -1 or 255, that gives a loss of 0.
        axis: axis of the classes.

    Example:
        >>> from keras_fn import losses
        >>> round(float(losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), as_float(y_pred)
    values = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    counts = not_ignored(y_true, y_pred, ignore_class)
    return values if counts is None else ops.where(counts, values, 0.0)


def not_ignored(y_true: Any, y_pred: Any, ignore_class: int | None) -> Any:
    """Where the class id is not the ignored one, in the shape of the loss values; None where none is ignored."""
    if ignore_class is None:
        return None
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape):
        y_true = ops.squeeze(y_true, -1)
    return ops.not_equal(y_true, ignore_class)


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross-entropy of labels 0 and 1, each output on its own. See `binary_crossentropy`.

    Args:
        from_logits: whether predictions are logits; more exact than probabilities.
        label_smoothing: how far labels are moved towards 0.5; 0 to 1.
        axis: the axis averaged over.
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.

    Example:
        >>> from keras_fn import losses
        >>> round(float(losses.BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])), 4)
        0.6931
    """

    same_shapes = True

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: Share = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        kwargs = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(binary_crossentropy, reduction, name, dtype, **kwargs)


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of one-hot labels. See `categorical_crossentropy`.

    Args:
        from_logits: whether predictions are logits; more exact than probabilities.
        label_smoothing: how far labels are moved towards equal probabilities; 0 to 1.
        axis: axis of the classes.
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.

    Example:
        >>> from keras_fn import losses
        >>> round(float(losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    same_shapes = True

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: Share = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        kwargs = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(categorical_crossentropy, reduction, name, dtype, **kwargs)


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of class ids. See `sparse_categorical_crossentropy`.

    Args:
        from_logits: whether predictions are logits; more exact than probabilities.
        ignore_class: an id, often -1 or 255, whose samples count neither in the loss nor in its mean.
        reduction: how the values of a batch become one, see `Loss`.
        axis: axis of the classes.
        name: name.
        dtype: dtype to compute in; None for the default float.

    Example:
        >>> from keras_fn import losses
        >>> round(float(losses.SparseCategoricalCrossentropy(ignore_class=-1)([1, -1], [[0.5, 0.5], [0.9, 0.1]])), 4)
        0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        self.ignore_class = ignore_class
        self._axis = axis
        kwargs = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(sparse_categorical_crossentropy, reduction, name, dtype, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if len(y_pred.shape) > 1:
            return self.fn(y_true, y_pred, **self._fn_kwargs)
        return super().call(y_true, y_pred)

    def _mean(self, y_true: Any, y_pred: Any) -> Any:
        own = type(self).call is SparseCategoricalCrossentropy.call
        if not own or self.ignore_class is not None or len(y_pred.shape) < 2 or is_empty(y_pred):
            return None
        return mean_class_loss(y_true, y_pred, self._fn_kwargs["from_logits"], self._axis)

    def _convert_target(self, x: Any) -> Any:
        return ops.convert_to_tensor(x)  # ids stay integers: bfloat16 cannot tell 256 from 257

    def _own_mask(self, y_true: Any, y_pred: Any, values: Any) -> Any:
        return not_ignored(y_true, y_pred, self.ignore_class)

    def check_targets(self, y_true: Any, y_pred_shape: tuple[Any, ...]) -> None:
        """Raises ArgumentError where an id is no class, with its value and position. See `Loss.check_targets`."""
        classes = y_pred_shape[self._axis] if y_pred_shape else None
        if classes is not None:
            check_ids(y_true, classes, self.ignore_class, self.name)


def check_ids(y_true: Any, classes: int, ignored: int | None, name: str) -> None:
    """Raises ArgumentError where a class id is out of `[0, classes)` or no whole number.

    Args:
        y_true: NumPy array of class ids.
        classes: number of classes.
        ignored: an id that is let through, or None.
        name: who asks, for the message.
    """
    ids = np.asarray(y_true)
    if not ids.size or ids.dtype.kind not in "iuf":
        return
    if all_below(ids, classes):
        return
    wrong = ~((ids >= 0) & (ids < classes))
    if ids.dtype.kind == "f":
        wrong |= ids != np.floor(ids)
    if ignored is not None:
        wrong &= ids != ignored
    if not wrong.any():
        return
    first: Any = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = first if len(first) > 1 else first[0]
    rest = int(wrong.sum()) - 1
    others = f" ({rest} more are wrong)" if rest else ""
    ignoring = f", and {ignored} is ignored" if ignored is not None else ""
    raise ArgumentError(
        f"{name}: the label {ids[first].item()!r} at position {place} is no class{others}: "
        f"the predictions have {classes} classes, so labels are whole numbers from 0 to {classes - 1}{ignoring}. "
        f"Renumber the labels, give the last layer more units, or name a label to leave out with `ignore_class`."
    )


def matched_ids(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Class ids and predictions, a trailing 1 on the ids dropped."""
    y_true, y_pred = ops.convert_to_tensor(y_true), as_float(y_pred)
    if len(y_true.shape) == len(y_pred.shape) > 0 and y_true.shape[-1] == 1:
        return ops.squeeze(y_true, -1), y_pred
    return (y_true, y_pred) if len(y_true.shape) != len(y_pred.shape) else same_rank(y_true, y_pred)
