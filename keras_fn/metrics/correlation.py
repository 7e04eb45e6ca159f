"""How targets and predictions vary together: R2, and the correlations of Pearson and Lin."""

from __future__ import annotations

from typing import Any

from keras_fn import losses, ops
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.masks import get_mask
from keras_fn.losses.weighting import as_dtype, paired
from keras_fn.metrics.confusion import weights_like
from keras_fn.metrics.metric import Metric
from keras_fn.metrics.reduction import MeanMetricWrapper

_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")
_SUMS = ("squared_sum", "sum", "residual", "count")


class R2Score(Metric):
    """`1 - sum((y_true - y_pred)**2) / sum((y_true - mean(y_true))**2)`: 1 is perfect, 0 as good as the mean.

    Args:
        class_aggregation: None for a score for each output, "uniform_average" for their mean, or
            "variance_weighted_average" for the mean weighted by the variance of each output's targets.
        num_regressors: number p of regressors; where not 0, the result is `1 - (1 - R2) * (n - 1) / (n - p - 1)` for
            n samples (adjusted R2), as long as n is large enough. Samples are rows: with several outputs Keras takes
            the number of all elements for n, which adjusts less.
        name: name.
        dtype: dtype of the state; None for the default float.

    Example:
        >>> from keras_fn import metrics
        >>> round(float(metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
        0.5714
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in _AGGREGATIONS:
            known = ", ".join(map(repr, _AGGREGATIONS))
            raise ArgumentError(f"`class_aggregation` must be one of {known}, not {class_aggregation!r}.")
        if not isinstance(num_regressors, int) or num_regressors < 0:
            raise ArgumentError(f"`num_regressors` must be an int of at least 0, not {num_regressors!r}.")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        """Makes the state for predictions of that shape, where it is not there yet."""
        if self._built:
            return
        if len(y_pred_shape) != 2 or not isinstance(y_pred_shape[-1], int):
            raise ShapeError(f"{self.name} needs targets and predictions (n, outputs), and got {tuple(y_pred_shape)}.")
        for name in _SUMS:
            setattr(self, name, self.add_variable((y_pred_shape[-1],), "zeros", name=name))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets `(n, outputs)`.
            y_pred: predictions, in the same shape.
            sample_weight: one weight for each sample.
        """
        mask = get_mask(y_pred)
        y_true, y_pred = paired(y_true, as_dtype(y_pred, self._dtype), self.name)
        self.build(y_true.shape, y_pred.shape)
        weight = weights_like(y_pred, sample_weight, mask, self._dtype)
        weight = ops.ones_like(y_pred) if weight is None else weight
        weighted = ops.multiply(y_true, weight)
        residual = ops.multiply(ops.square(ops.subtract(y_true, y_pred)), weight)
        amounts = (ops.multiply(y_true, weighted), weighted, residual, weight)
        for name, amount in zip(_SUMS, amounts, strict=True):
            getattr(self, name).assign_add(ops.sum(amount, axis=0))
        self.num_samples.assign_add(as_dtype(ops.shape(y_pred)[0], self._dtype))

    def result(self) -> Any:
        """The score so far."""
        if not self._built:
            return ops.zeros((), self._dtype)
        squares, total, residual, count = (ops.convert_to_tensor(getattr(self, name)) for name in _SUMS)
        spread = ops.subtract(squares, ops.multiply(total, ops.divide_no_nan(total, count)))
        flat = ops.less_equal(spread, 0.0)
        # targets that never vary leave nothing to explain: 1 where they are met, else 0
        met = as_dtype(ops.equal(residual, 0.0), self._dtype)
        raw = ops.subtract(1.0, ops.true_divide(residual, ops.where(flat, 1.0, spread)))
        score = ops.where(flat, met, raw)
        if self.class_aggregation == "uniform_average":
            score = ops.mean(score)
        elif self.class_aggregation is not None:
            score = ops.divide_no_nan(ops.sum(ops.multiply(score, spread)), ops.sum(spread))
        return self._adjusted(score) if self.num_regressors else score

    def _adjusted(self, score: Any) -> Any:
        free = ops.subtract(self.num_samples, self.num_regressors + 1.0)
        enough = ops.greater(free, 0.0)
        factor = ops.true_divide(ops.subtract(self.num_samples, 1.0), ops.where(enough, free, 1.0))
        return ops.where(enough, ops.subtract(1.0, ops.multiply(ops.subtract(1.0, score), factor)), score)

    def get_config(self) -> dict[str, Any]:
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The covariance of targets and predictions over the product of their standard deviations; 0 for constants.

    Args:
        y_true: targets.
        y_pred: predictions, in the same shape.
        axis: the axis along which they vary.
    """
    y_true, y_pred = paired(y_true, y_pred, "pearson_correlation")
    centred = [ops.subtract(y, ops.mean(y, axis=axis, keepdims=True)) for y in (y_true, y_pred)]
    return ops.negative(losses.cosine_similarity(*centred, axis=axis))


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """`2 * covariance / (variance + variance + (mean - mean)**2)`: 1 only where predictions equal targets.

    Args:
        y_true: targets.
        y_pred: predictions, in the same shape.
        axis: the axis along which they vary.

    Source: Lin, A Concordance Correlation Coefficient to Evaluate Reproducibility, 1989.
    """
    y_true, y_pred = paired(y_true, y_pred, "concordance_correlation")
    mean1, mean2 = (ops.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred))
    off1, off2 = ops.subtract(y_true, mean1), ops.subtract(y_pred, mean2)
    covariance = ops.mean(ops.multiply(off1, off2), axis=axis)
    spread = ops.mean(ops.add(ops.square(off1), ops.square(off2)), axis=axis)
    apart = ops.squeeze(ops.square(ops.subtract(mean1, mean2)), axis)
    return ops.divide_no_nan(ops.multiply(covariance, 2.0), ops.add(spread, apart))


class PearsonCorrelation(MeanMetricWrapper):
    """Pearson's correlation of targets and predictions, averaged over samples. See `pearson_correlation`.

    Args:
        name: name.
        dtype: dtype of the state; None for the default float.
        axis: the axis along which they vary.
    """

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """Lin's concordance of targets and predictions, averaged over samples. See `concordance_correlation`.

    Args:
        name: name.
        dtype: dtype of the state; None for the default float.
        axis: the axis along which they vary.
    """

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
