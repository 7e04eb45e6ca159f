"""`AUC`: the area under a curve over thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.masks import get_mask
from keras_fn.losses.weighting import EPSILON, as_dtype, paired
from keras_fn.metrics.confusion import COUNTS, checked_thresholds, counts, weights_like
from keras_fn.metrics.metric import Metric

_CURVES = ("ROC", "PR", "PRGAIN")
_SUMS = ("interpolation", "minoring", "majoring")


class AUC(Metric):
    """The area under the ROC curve, or under the precision-recall curve, by counts at many thresholds.

    Args:
        num_thresholds: number of thresholds; more of them come nearer to the true area.
        curve: "ROC" (recall over the rate of false positives), "PR" (precision over recall) or "PRGAIN" (precision
            gain over recall gain).
        summation_method: "interpolation" (trapezoids; along the true curve between two points for "PR"), "minoring"
            (the lower end of each interval) or "majoring" (the upper end).
        name: name.
        dtype: dtype of the state; None for the default float.
        thresholds: the thresholds between 0 and 1, in the place of evenly divided ones.
        multi_label: whether the area is taken for each label, then averaged.
        num_labels: number of labels, for `multi_label`; else it is learnt from the first batch.
        label_weights: weight of each label: in the average for `multi_label`, else of each prediction.
        from_logits: whether predictions are logits.

    Example:
        >>> from keras_fn import metrics
        >>> round(float(metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])), 4)
        0.75

    Source: Davis and Goadrich, The Relationship Between Precision-Recall and ROC Curves, 2006; Flach and Kull,
    Precision-Recall-Gain Curves, 2015.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.curve = _one_of("curve", str(curve).upper(), _CURVES)
        self.summation_method = _one_of("summation_method", summation_method, _SUMS)
        if num_labels is not None and not multi_label:
            raise ArgumentError("`num_labels` is for `multi_label=True` only.")
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else [float(w) for w in np.ravel(label_weights)]
        self.from_logits = from_logits
        self._given = None if thresholds is None else sorted(checked_thresholds(thresholds, 0.5))
        if self._given is None:
            if not isinstance(num_thresholds, int) or num_thresholds < 2:
                raise ArgumentError(f"`num_thresholds` must be an int of at least 2, not {num_thresholds!r}.")
            inner = np.linspace(0.0, 1.0, num_thresholds)[1:-1].tolist()
        else:
            inner = self._given
        # the ends lie outside, so that every prediction is above the first one and none above the last
        self.thresholds = [-EPSILON, *inner, 1.0 + EPSILON]
        self.num_thresholds = len(self.thresholds)
        self._built = False
        if not multi_label or num_labels:
            self._make(num_labels)

    def _make(self, labels: int | None) -> None:
        if self.multi_label and self.label_weights is not None and len(self.label_weights) != labels:
            raise ShapeError(f"{self.name}: {len(self.label_weights)} label_weights came for {labels} labels.")
        shape = (self.num_thresholds, labels) if self.multi_label else (self.num_thresholds,)
        for count in COUNTS:
            setattr(self, count, self.add_variable(shape, "zeros", name=count))
        self._built = True

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        """Makes the state for predictions of that shape, where it is not there yet."""
        if not self._built:
            if len(y_pred_shape) < 2 or not isinstance(y_pred_shape[-1], int):
                raise ShapeError(f"{self.name}: multi_label=True needs predictions (n, labels), not {y_pred_shape}.")
            self.num_labels = y_pred_shape[-1]
            self._make(y_pred_shape[-1])

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: labels 0 and 1.
            y_pred: predictions from 0 to 1 (or logits), in the same shape.
            sample_weight: weights: one for each sample, or a shape that starts like that of the predictions.
        """
        mask = get_mask(y_pred)
        y_true, y_pred = paired(y_true, as_dtype(y_pred, self._dtype), self.name)
        self.build(y_true.shape, y_pred.shape)
        weight = weights_like(y_pred, sample_weight, mask, self._dtype)
        if self.label_weights is not None and not self.multi_label:
            label_weights = as_dtype(np.asarray(self.label_weights, "float32"), self._dtype)
            weight = ops.multiply(ops.ones_like(y_pred) if weight is None else weight, label_weights)
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        flat = (-1, self.num_labels) if self.multi_label else (-1,)
        true, pred, given = (None if x is None else ops.reshape(x, flat) for x in (y_true, y_pred, weight))
        found = counts(true, pred, given, self.thresholds, "open" if self._given is None else None)
        for count in COUNTS:
            getattr(self, count).assign_add(found[count])

    def result(self) -> Any:
        """The area so far."""
        if not self._built:
            return ops.zeros((), self._dtype)
        tp, fp, tn, fn = (ops.convert_to_tensor(getattr(self, c)) for c in COUNTS)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated_pr(tp, fp, fn)
        else:
            areas = self._areas(*_CURVE[self.curve](tp, fp, tn, fn))
        if not self.multi_label:
            return ops.sum(areas)
        by_label = ops.sum(areas, axis=0)
        if self.label_weights is None:
            return ops.mean(by_label)
        weights = as_dtype(np.asarray(self.label_weights, "float32"), self._dtype)
        return ops.divide_no_nan(ops.sum(ops.multiply(by_label, weights)), ops.sum(weights))

    def _areas(self, x: Any, y: Any) -> Any:
        (before, after), (left, right) = _neighbours(x), _neighbours(y)
        if self.summation_method == "interpolation":
            heights = ops.multiply(ops.add(left, right), 0.5)
        elif self.summation_method == "minoring":
            heights = ops.minimum(left, right)
        else:
            heights = ops.maximum(left, right)
        return ops.multiply(ops.subtract(before, after), heights)

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        if self._given is not None:
            config["thresholds"] = self._given
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        if isinstance(config.get("label_weights"), dict):  # Keras writes a tensor
            from keras_fn.saving.config import deserialize_keras_object

            weights = ops.convert_to_numpy(deserialize_keras_object(config["label_weights"]))
            config = {**config, "label_weights": weights}
        return cls(**config)


def _one_of(what: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ArgumentError(f"`{what}` must be one of {', '.join(map(repr, known))}, not {value!r}.")
    return value


def _roc(tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
    return ops.divide_no_nan(fp, ops.add(fp, tn)), ops.divide_no_nan(tp, ops.add(tp, fn))


def _pr(tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
    return ops.divide_no_nan(tp, ops.add(tp, fn)), ops.divide_no_nan(tp, ops.add(tp, fp))


def _prgain(tp: Any, fp: Any, tn: Any, fn: Any) -> tuple[Any, Any]:
    """Recall gain and precision gain: `1 - odds * fn / tp` and `1 - odds * fp / tp`, odds = positives / negatives."""
    odds = ops.divide_no_nan(ops.add(tp, fn), ops.add(fp, tn))
    recall = ops.subtract(1.0, ops.multiply(odds, ops.divide_no_nan(fn, tp)))
    precision = ops.subtract(1.0, ops.multiply(odds, ops.divide_no_nan(fp, tp)))
    return recall, precision


_CURVE = {"ROC": _roc, "PR": _pr, "PRGAIN": _prgain}


def _interpolated_pr(tp: Any, fp: Any, fn: Any) -> Any:
    """Areas under the precision-recall curve between neighbouring thresholds.

    Between two points, true positives grow in a straight line with the number p of predicted positives,
    `tp = intercept + slope * p`; the integral of the precision `tp / p` over it is
    `slope * (change of tp + intercept * log(p1 / p0))`, divided by all positives for recall.
    """
    predicted = ops.add(tp, fp)
    (more, fewer), (tp_more, tp_fewer) = _neighbours(predicted), _neighbours(tp)
    gained = ops.subtract(tp_more, tp_fewer)
    slope = ops.divide_no_nan(gained, ops.maximum(ops.subtract(more, fewer), 0.0))
    intercept = ops.subtract(tp_fewer, ops.multiply(slope, fewer))
    both = ops.logical_and(ops.greater(more, 0.0), ops.greater(fewer, 0.0))
    ratio = ops.where(both, ops.divide_no_nan(more, fewer), 1.0)
    area = ops.multiply(slope, ops.add(gained, ops.multiply(intercept, ops.log(ratio))))
    return ops.divide_no_nan(area, ops.maximum(ops.add(tp_fewer, _neighbours(fn)[1]), 0.0))


def _neighbours(x: Any) -> tuple[Any, Any]:
    """Each element but the last one, and the one after it."""
    return ops.get_item(x, slice(-1)), ops.get_item(x, slice(1, None))
