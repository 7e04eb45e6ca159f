"""Counts of true and false positives and negatives over thresholds, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core.arguments import Count, Index
from keras_fn.core.errors import ArgumentError
from keras_fn.core.masks import get_mask
from keras_fn.losses.weighting import aligned, as_dtype, dtype_name, paired
from keras_fn.metrics.metric import Metric

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
# a prediction that no threshold lets through, and the threshold that lets every other through
_OUT = -1e10


def weights_like(y_pred: Any, sample_weight: Any, mask: Any, dtype: str) -> Any:
    """Weights and mask as one tensor in the shape of the predictions; None where there are neither."""
    weight = None
    for given, what in ((sample_weight, "sample_weight"), (mask, "mask")):
        if given is not None:
            _, given = aligned(y_pred, as_dtype(given, dtype), what)
            missing = len(y_pred.shape) - len(given.shape)
            if len(given.shape) and missing > 0:  # a trailing 1 of the predictions was dropped to meet it
                given = ops.expand_dims(given, -1)
            weight = given if weight is None else ops.multiply(weight, given)
    return None if weight is None else ops.multiply(ops.ones_like(y_pred), weight)


def only_top(y_pred: Any, k: int) -> Any:
    """Predictions in which all but the k largest along the last axis are put out of reach."""
    _, best = ops.top_k(y_pred, k, sorted=False)
    classes = ops.shape(y_pred)[-1]
    inside = ops.any(ops.cast(ops.one_hot(best, classes), "bool"), axis=-2)
    return ops.where(inside, y_pred, _OUT)


def counts(y_true: Any, y_pred: Any, weight: Any, thresholds: Sequence[float], even: str | None) -> dict[str, Any]:
    """The four counts at each threshold; a prediction is positive where it is above the threshold.

    Args:
        y_true: labels `(n,)`, or `(n, labels)` to count each label on its own.
        y_pred: predictions, in the same shape.
        weight: weights, in the same shape, or None.
        thresholds: the thresholds.
        even: how the thresholds divide [0, 1] evenly: "open" (first and last lie outside), "closed", or None. Then
            each prediction is put into its interval once, in the place of a comparison with every threshold.

    Returns:
        Name -> tensor of shape `(thresholds,)` or `(thresholds, labels)`.
    """
    weight = ops.ones_like(y_pred) if weight is None else weight
    label = as_dtype(ops.cast(y_true, "bool"), dtype_name(y_pred))
    positive, negative = ops.multiply(weight, label), ops.multiply(weight, ops.subtract(1.0, label))
    count: Any = _count_by_interval if even else _count_by_comparison
    hits, false_alarms = count(y_pred, (positive, negative), thresholds, even)
    return {
        "true_positives": hits,
        "false_positives": false_alarms,
        "true_negatives": ops.subtract(ops.sum(negative, axis=0), false_alarms),
        "false_negatives": ops.subtract(ops.sum(positive, axis=0), hits),
    }


def _count_by_comparison(y_pred: Any, amounts: Any, thresholds: Sequence[float], even: Any) -> list[Any]:
    levels = np.asarray(thresholds, "float32").reshape((-1,) + (1,) * len(y_pred.shape))
    above = as_dtype(ops.greater(ops.expand_dims(y_pred, 0), as_dtype(levels, dtype_name(y_pred))), dtype_name(y_pred))
    return [ops.sum(ops.multiply(above, a), axis=1) for a in amounts]


def _count_by_interval(y_pred: Any, amounts: Any, thresholds: Sequence[float], even: str) -> list[Any]:
    """Sums by interval, then from the top down: what lies above a threshold is what lies in the intervals above it."""
    n = len(thresholds)
    place = ops.ceil(ops.multiply(ops.clip(y_pred, 0.0, 1.0), float(n - 1)))  # how many thresholds lie below
    if even == "open":
        place = ops.clip(place, 1.0, float(n - 1))
    place = ops.cast(place, "int32")
    columns = 1
    if len(y_pred.shape) == 2:
        columns = ops.shape(y_pred)[1]
        place = ops.add(ops.multiply(place, columns), ops.arange(columns))
    place = ops.reshape(place, (-1,))
    found = []
    for amount in amounts:
        sums = ops.segment_sum(ops.reshape(amount, (-1,)), place, (n + 1) * columns)
        sums = ops.reshape(sums, (n + 1, columns) if len(y_pred.shape) == 2 else (n + 1,))
        found.append(ops.get_item(ops.flip(ops.cumsum(ops.flip(sums, axis=0), axis=0), axis=0), slice(1, None)))
    return found


class _Thresholded(Metric):
    """A metric made of some of the four counts, at one threshold or several."""

    counted: tuple[str, ...] = COUNTS

    def __init__(
        self,
        thresholds: Any = None,
        top_k: Count | None = None,
        class_id: Index | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        default = 0.5 if top_k is None else _OUT
        self.thresholds = checked_thresholds(thresholds, default)
        for count in self.counted:
            variable = self.add_variable((len(self.thresholds),), "zeros", name=self._variable_name(count))
            setattr(self, self._variable_name(count), variable)

    def _variable_name(self, count: str) -> str:
        return count

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: labels 0 and 1.
            y_pred: predictions from 0 to 1, in the same shape.
            sample_weight: weights: one for each sample, or a shape that starts like that of the predictions.
        """
        found = counts(*self._flat(y_true, y_pred, sample_weight), self.thresholds, None)
        for count in self.counted:
            getattr(self, self._variable_name(count)).assign_add(found[count])

    def _flat(self, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        mask = get_mask(y_pred)
        y_true, y_pred = paired(y_true, as_dtype(y_pred, self._dtype), self.name)
        weight = weights_like(y_pred, sample_weight, mask, self._dtype)
        if self.top_k is not None:
            y_pred = only_top(y_pred, self.top_k)
        if self.class_id is not None:
            classes = y_pred.shape[-1] if len(y_pred.shape) else None
            if not isinstance(classes, int) or not 0 <= self.class_id < classes:
                raise ArgumentError(f"{self.name}: class_id={self.class_id}, and there are {classes} classes.")
            of_class = (Ellipsis, self.class_id)
            y_true, y_pred = ops.get_item(y_true, of_class), ops.get_item(y_pred, of_class)
            weight = None if weight is None else ops.get_item(weight, of_class)
        flat = [None if x is None else ops.reshape(x, (-1,)) for x in (y_true, y_pred, weight)]
        return flat[0], flat[1], flat[2]

    def _scalar(self, values: Any) -> Any:
        return ops.get_item(values, 0) if len(self.thresholds) == 1 else ops.convert_to_tensor(values)


def checked_thresholds(thresholds: Any, default: float) -> list[float]:
    """Thresholds as a list of floats. Raises ArgumentError where one is not between 0 and 1."""
    if thresholds is None:
        return [default]
    values = [float(t) for t in (thresholds if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds])]
    wrong = [t for t in values if not 0 <= t <= 1]
    if wrong or not values:
        raise ArgumentError(f"Thresholds must be numbers between 0 and 1, and {thresholds!r} came.")
    return values


class _Count(_Thresholded):
    """One of the four counts."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, name=name, dtype=dtype)

    def _variable_name(self, count: str) -> str:
        return "accumulator"

    def result(self) -> Any:
        """The count so far: a scalar for one threshold, else one for each."""
        return self._scalar(self.accumulator)  # type: ignore[attr-defined]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """How many samples of label 1 are predicted as such.

    Args:
        thresholds: a number, or a list of them, between 0 and 1; predictions above it are positive. None for 0.5.
        name: name.
        dtype: dtype of the state; None for the default float.

    Example:
        >>> from keras_fn import metrics
        >>> float(metrics.TruePositives()([0, 1, 1], [0.9, 0.8, 0.1]))
        1.0
    """

    counted = ("true_positives",)


class FalsePositives(_Count):
    """How many samples of label 0 are predicted as 1. Arguments as in `TruePositives`."""

    counted = ("false_positives",)


class TrueNegatives(_Count):
    """How many samples of label 0 are predicted as such. Arguments as in `TruePositives`."""

    counted = ("true_negatives",)


class FalseNegatives(_Count):
    """How many samples of label 1 are predicted as 0. Arguments as in `TruePositives`."""

    counted = ("false_negatives",)


class Precision(_Thresholded):
    """`true positives / (true positives + false positives)`: how many of those predicted as 1 are.

    Args:
        thresholds: a number, or a list of them, between 0 and 1; predictions above it are positive. None for 0.5.
        top_k: only the k largest predictions of a sample are positive.
        class_id: only this class is looked at.
        name: name.
        dtype: dtype of the state; None for the default float.

    Example:
        >>> from keras_fn import metrics
        >>> float(metrics.Precision()([0, 1, 1], [0.9, 0.8, 0.1]))
        0.5
    """

    counted = ("true_positives", "false_positives")

    def result(self) -> Any:
        """The measure so far: a scalar for one threshold, else one for each; 0 where there is nothing to count."""
        hits, others = (getattr(self, c) for c in self.counted)
        return self._scalar(ops.divide_no_nan(hits, ops.add(hits, others)))

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Recall(Precision):
    """`true positives / (true positives + false negatives)`: how many of label 1 are found.

    Args:
        thresholds: a number, or a list of them, between 0 and 1; predictions above it are positive. None for 0.5.
        top_k: only the k largest predictions of a sample are positive.
        class_id: only this class is looked at.
        name: name.
        dtype: dtype of the state; None for the default float.
    """

    counted = ("true_positives", "false_negatives")


class _At(_Thresholded):
    """The best of one measure over the thresholds at which another one is high enough."""

    limit: str

    def __init__(
        self, value: float, num_thresholds: int, class_id: Index | None, name: str | None, dtype: Any
    ) -> None:
        if not 0 <= value <= 1:
            raise ArgumentError(f"`{self.limit}` must be between 0 and 1, not {value!r}.")
        if not isinstance(num_thresholds, int) or num_thresholds < 1:
            raise ArgumentError(f"`num_thresholds` must be an int of at least 1, not {num_thresholds!r}.")
        self.value = value
        self.num_thresholds = num_thresholds
        levels = np.linspace(0.0, 1.0, num_thresholds).tolist() if num_thresholds > 1 else [0.5]
        super().__init__(levels, class_id=class_id, name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account. Arguments as in `Precision.update_state`."""
        even = "closed" if self.num_thresholds > 1 else None
        found = counts(*self._flat(y_true, y_pred, sample_weight), self.thresholds, even)
        for count in COUNTS:
            getattr(self, count).assign_add(found[count])

    def _sensitivity(self) -> Any:
        return _share(self.true_positives, self.false_negatives)  # type: ignore[attr-defined]

    def _specificity(self) -> Any:
        return _share(self.true_negatives, self.false_positives)  # type: ignore[attr-defined]

    def _precision(self) -> Any:
        return _share(self.true_positives, self.false_positives)  # type: ignore[attr-defined]

    def _best(self, measure: Any, limited: Any) -> Any:
        return ops.max(ops.where(ops.greater_equal(limited, self.value), measure, 0.0))

    def get_config(self) -> dict[str, Any]:
        own = {"num_thresholds": self.num_thresholds, "class_id": self.class_id, self.limit: self.value}
        return {**super().get_config(), **own}


def _share(part: Any, rest: Any) -> Any:
    return ops.divide_no_nan(part, ops.add(part, rest))


class SensitivityAtSpecificity(_At):
    """The best sensitivity (recall) at thresholds with the specificity `tn / (tn + fp)` of at least `specificity`.

    Args:
        specificity: the lowest specificity accepted, 0 to 1.
        num_thresholds: number of thresholds, evenly from 0 to 1.
        class_id: only this class is looked at.
        name: name.
        dtype: dtype of the state; None for the default float.
    """

    limit = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: Index | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """The best sensitivity so far; 0 where no threshold qualifies."""
        return self._best(self._sensitivity(), self._specificity())


class SpecificityAtSensitivity(_At):
    """The best specificity `tn / (tn + fp)` at thresholds with a sensitivity (recall) of at least `sensitivity`.

    Args:
        sensitivity: the lowest sensitivity accepted, 0 to 1.
        num_thresholds: number of thresholds, evenly from 0 to 1.
        class_id: only this class is looked at.
        name: name.
        dtype: dtype of the state; None for the default float.
    """

    limit = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: Index | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """The best specificity so far; 0 where no threshold qualifies."""
        return self._best(self._specificity(), self._sensitivity())


class PrecisionAtRecall(_At):
    """The best precision at thresholds with a recall of at least `recall`.

    Args:
        recall: the lowest recall accepted, 0 to 1.
        num_thresholds: number of thresholds, evenly from 0 to 1.
        class_id: only this class is looked at.
        name: name.
        dtype: dtype of the state; None for the default float.
    """

    limit = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: Index | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """The best precision so far; 0 where no threshold qualifies."""
        return self._best(self._precision(), self._sensitivity())


class RecallAtPrecision(_At):
    """The best recall at thresholds with a precision of at least `precision`.

    Args:
        precision: the lowest precision accepted, 0 to 1.
        num_thresholds: number of thresholds, evenly from 0 to 1.
        class_id: only this class is looked at.
        name: name.
        dtype: dtype of the state; None for the default float.
    """

    limit = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: Index | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        """The best recall so far; 0 where no threshold qualifies."""
        return self._best(self._sensitivity(), self._precision())
