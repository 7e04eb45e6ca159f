"""`FBetaScore` and `F1Score`."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.masks import get_mask
from keras_fn.losses.weighting import as_dtype, paired
from keras_fn.metrics.confusion import weights_like
from keras_fn.metrics.metric import Metric

_STATE = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


class FBetaScore(Metric):
    """`(1 + b**2) * tp / ((1 + b**2) * tp + b**2 * fn + fp)`: precision and recall in one, recall b times as important.

    Args:
        average: None for a score for each class, "micro" (counts of all classes together), "macro" (the mean of the
            scores) or "weighted" (the mean weighted by how often each class occurs).
        beta: b, positive.
        threshold: predictions above it are positive; where None, the largest of each sample is.
        name: name.
        dtype: dtype of the state; None for the default float.

    Example:
        >>> from keras_fn import metrics
        >>> m = metrics.FBetaScore(average="micro", threshold=0.5)
        >>> round(float(m([[1, 1], [1, 0]], [[0.9, 0.1], [0.8, 0.6]])), 4)
        0.6667
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ArgumentError(f"`average` must be None, 'micro', 'macro' or 'weighted', not {average!r}.")
        if not isinstance(beta, float) or beta <= 0:
            raise ArgumentError(f"`beta` must be a positive float, not {beta!r}.")
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ArgumentError(f"`threshold` must be None or a float above 0 and at most 1, not {threshold!r}.")
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        """Makes the state for predictions of that shape, where it is not there yet."""
        if self._built:
            return
        if len(y_pred_shape) != 2 or not isinstance(y_pred_shape[-1], int):
            raise ShapeError(f"{self.name} needs targets and predictions (n, classes), and got {tuple(y_pred_shape)}.")
        shape = () if self.average == "micro" else (y_pred_shape[-1],)
        for name in _STATE:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: one-hot or multi-hot labels `(n, classes)`.
            y_pred: predictions, in the same shape.
            sample_weight: one weight for each sample.
        """
        mask = get_mask(y_pred)
        y_true, y_pred = paired(y_true, as_dtype(y_pred, self._dtype), self.name)
        self.build(y_true.shape, y_pred.shape)
        weight = weights_like(y_pred, sample_weight, mask, self._dtype)
        weight = ops.ones_like(y_pred) if weight is None else weight
        if self.threshold is None:
            largest = ops.greater_equal(y_pred, ops.max(y_pred, axis=-1, keepdims=True))
            said = ops.logical_and(largest, ops.greater(ops.absolute(y_pred), 1e-9))
        else:
            said = ops.greater(y_pred, self.threshold)
        said = as_dtype(said, self._dtype)
        axis = None if self.average == "micro" else 0
        hit, claimed, there = ops.multiply(said, y_true), said, y_true
        tp, claimed, there = (ops.sum(ops.multiply(x, weight), axis=axis) for x in (hit, claimed, there))
        for name, amount in zip(_STATE, (tp, ops.subtract(claimed, tp), ops.subtract(there, tp), there), strict=True):
            getattr(self, name).assign_add(amount)

    def result(self) -> Any:
        """The score so far."""
        if not self._built:
            return ops.zeros((), self._dtype)
        tp, fp, fn, there = (ops.convert_to_tensor(getattr(self, name)) for name in _STATE)
        square = self.beta**2
        hits = ops.multiply(tp, 1.0 + square)
        score = ops.divide_no_nan(hits, ops.add(hits, ops.add(ops.multiply(fn, square), fp)))
        if self.average == "weighted":
            return ops.divide_no_nan(ops.sum(ops.multiply(score, there)), ops.sum(there))
        return ops.mean(score) if self.average == "macro" else score

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall: `FBetaScore` with `beta=1`.

    Args:
        average: None, "micro", "macro" or "weighted", see `FBetaScore`.
        threshold: predictions above it are positive; where None, the largest of each sample is.
        name: name.
        dtype: dtype of the state; None for the default float.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["beta"]
        return config
