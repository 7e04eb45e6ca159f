"""Metrics for numbers, and the means of losses."""

from __future__ import annotations

from typing import Any

from keras_fn import losses, ops
from keras_fn.core.arguments import Share
from keras_fn.core.masks import get_mask
from keras_fn.losses.crossentropy import not_ignored
from keras_fn.losses.weighting import paired
from keras_fn.metrics.reduction import Mean, MeanMetricWrapper


class MeanSquaredError(MeanMetricWrapper):
    """`mean((y_true - y_pred)**2)`.

    Args:
        name: name.
        dtype: dtype of the state; None for the default float.
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """`mean(|y_true - y_pred|)`. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean distance in percent of the target. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """`mean((log(1 + y_true) - log(1 + y_pred))**2)`. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean of `(y_true - y_pred)**2` over everything. Arguments as in `MeanSquaredError`.

    Example:
        >>> from keras_fn import metrics
        >>> float(metrics.RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [3.0]]))
        3.0
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account. Arguments as in `MeanMetricWrapper.update_state`."""
        mask = get_mask(y_pred)
        y_true, y_pred = paired(y_true, y_pred, self.name)
        self._add(ops.square(ops.subtract(y_true, y_pred)), sample_weight, mask)

    def result(self) -> Any:
        """The root of the mean so far."""
        return ops.sqrt(super().result())


class LogCoshError(MeanMetricWrapper):
    """`mean(log(cosh(y_pred - y_true)))`. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between targets and predictions: 1 for the same direction."""
    return ops.negative(losses.cosine_similarity(y_true, y_pred, axis=axis))


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions: 1 for the same direction.

    Args:
        name: name.
        dtype: dtype of the state; None for the default float.
        axis: the axis that the vectors lie along.
    """

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)


class KLDivergence(MeanMetricWrapper):
    """`sum(y_true * log(y_true / y_pred))`, averaged. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """`mean(y_pred - y_true * log(y_pred))`. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class Hinge(MeanMetricWrapper):
    """`mean(max(1 - y_true * y_pred, 0))`. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """`mean(max(1 - y_true * y_pred, 0)**2)`. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """`max(1 + best wrong score - score of the right class, 0)`, averaged. Arguments as in `MeanSquaredError`."""

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """The cross-entropy of labels 0 and 1.

    Args:
        name: name.
        dtype: dtype of the state; None for the default float.
        from_logits: whether predictions are logits.
        label_smoothing: how far labels are moved towards 0.5; 0 to 1.
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: Share = 0,
    ) -> None:
        kwargs = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(losses.binary_crossentropy, name, dtype, **kwargs)


class CategoricalCrossentropy(MeanMetricWrapper):
    """The cross-entropy of one-hot labels.

    Args:
        name: name.
        dtype: dtype of the state; None for the default float.
        from_logits: whether predictions are logits.
        label_smoothing: how far labels are moved towards equal probabilities; 0 to 1.
        axis: axis of the classes.
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: Share = 0,
        axis: int = -1,
    ) -> None:
        kwargs = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name, dtype, **kwargs)


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The cross-entropy of class ids. The mean is over the samples whose label is not `ignore_class`.

    Args:
        name: name.
        dtype: dtype of the state; None for the default float.
        from_logits: whether predictions are logits.
        ignore_class: an id whose samples do not count.
        axis: axis of the classes.
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        self._ignored = ignore_class
        kwargs = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, **kwargs)

    def _own_mask(self, y_true: Any, y_pred: Any, values: Any) -> Any:
        return None if self._ignored is None else not_ignored(y_true, ops.convert_to_tensor(y_pred), self._ignored)
