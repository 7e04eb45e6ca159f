"""Intersection over union of classes, from a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_fn import ops
from keras_fn.core.arguments import Count
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.masks import get_mask
from keras_fn.losses.weighting import fits, same_rank
from keras_fn.metrics.confusion import weights_like
from keras_fn.metrics.metric import Metric


class IoU(Metric):
    """The mean over `target_class_ids` of `tp / (tp + fp + fn)`; classes that do not occur are left out.

    Labels and predictions that are no class count nowhere.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes that the mean is over.
        name: name.
        dtype: dtype of the confusion matrix; None for int32. Take a float for weights that are no whole numbers.
        ignore_class: an id that does not count where it is the label.
        sparse_y_true: whether targets are class ids; else their largest entry along `axis` is the class.
        sparse_y_pred: whether predictions are class ids; else their largest entry along `axis` is the class.
        axis: axis of the classes where they are not sparse.

    Example:
        >>> from keras_fn import metrics
        >>> round(float(metrics.IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: Count,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        self.num_classes = num_classes
        # first, as a number of classes that is too large shows here, before all of them are listed
        self.total_cm = self.add_variable((num_classes, num_classes), "zeros", name="total_confusion_matrix")
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        wrong = [i for i in self.target_class_ids if not 0 <= i < num_classes]
        if wrong:
            raise ArgumentError(f"`target_class_ids` must be from 0 to {num_classes - 1}, and {wrong[0]} came.")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets, see `sparse_y_true`.
            y_pred: predictions, see `sparse_y_pred`.
            sample_weight: weights: one for each sample, or a shape that starts like that of the labels.
        """
        mask = get_mask(y_pred)
        y_true, y_pred = self._ids(y_true, self.sparse_y_true), self._ids(y_pred, self.sparse_y_pred)
        shapes = tuple(y_true.shape), tuple(y_pred.shape)
        y_true, y_pred = same_rank(y_true, y_pred)
        if not fits(y_true.shape, y_pred.shape):
            raise ShapeError(f"{self.name}: the labels {shapes[0]} and predictions {shapes[1]} must have one shape.")
        y_true, y_pred = ops.cast(y_true, "int32"), ops.cast(y_pred, "int32")
        weight = weights_like(ops.cast(y_pred, "float32"), sample_weight, mask, "float32")
        valid = ops.logical_and(self._is_class(y_true), self._is_class(y_pred))
        if self.ignore_class is not None:
            valid = ops.logical_and(valid, ops.not_equal(y_true, self.ignore_class))
        place = ops.where(valid, ops.add(ops.multiply(y_true, self.num_classes), y_pred), 0)
        amount = ops.cast(valid, self._dtype if weight is None else "float32")
        if weight is not None:
            amount = ops.multiply(amount, weight)
        sums = ops.segment_sum(ops.reshape(amount, (-1,)), ops.reshape(place, (-1,)), self.num_classes**2)
        self.total_cm.assign_add(ops.reshape(sums, (self.num_classes, self.num_classes)))

    def _ids(self, x: Any, sparse: bool) -> Any:
        return ops.convert_to_tensor(x) if sparse else ops.argmax(x, axis=self.axis)

    def _is_class(self, ids: Any) -> Any:
        return ops.logical_and(ops.greater_equal(ids, 0), ops.less(ids, self.num_classes))

    def result(self) -> Any:
        """The mean so far."""
        matrix = ops.cast(self.total_cm, "float32")
        hits = ops.sum(ops.multiply(matrix, ops.eye(self.num_classes)), axis=0)
        union = ops.subtract(ops.add(ops.sum(matrix, axis=0), ops.sum(matrix, axis=1)), hits)
        hits, union = ops.take(hits, self.target_class_ids, axis=0), ops.take(union, self.target_class_ids, axis=0)
        occurring = ops.sum(ops.cast(ops.greater(union, 0.0), "float32"))
        return ops.divide_no_nan(ops.sum(ops.divide_no_nan(hits, union)), occurring)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }


class BinaryIoU(IoU):
    """`IoU` of the classes 0 and 1, a prediction being 1 from `threshold` on.

    Args:
        target_class_ids: the classes that the mean is over.
        threshold: predictions from it on mean class 1.
        name: name.
        dtype: dtype of the confusion matrix; None for int32.
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account: labels 0 and 1, and predictions in the same shape."""
        said = ops.cast(ops.greater_equal(y_pred, self.threshold), "int32")
        super().update_state(y_true, said, sample_weight)

    def get_config(self) -> dict[str, Any]:
        own = {"target_class_ids": self.target_class_ids, "threshold": self.threshold}
        return {**Metric.get_config(self), **own}


class MeanIoU(IoU):
    """`IoU` over all classes. Arguments as in `IoU`."""

    def __init__(
        self,
        num_classes: Count,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        every = range(num_classes)
        super().__init__(num_classes, every, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "target_class_ids")


class OneHotIoU(IoU):
    """`IoU` of one-hot labels. Arguments as in `IoU`."""

    def __init__(
        self,
        num_classes: Count,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """`IoU` of one-hot labels over all classes. Arguments as in `IoU`."""

    def __init__(
        self,
        num_classes: Count,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "sparse_y_true")


def _without(config: dict[str, Any], name: str) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k != name}
