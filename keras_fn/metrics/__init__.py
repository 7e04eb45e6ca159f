"""Metrics: classes, the functions behind them, and `get`, `serialize` and `deserialize`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from keras_fn.core.lookup import Lookup
from keras_fn.losses import (
    Loss,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from keras_fn.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    resolve_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from keras_fn.metrics.auc import AUC
from keras_fn.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from keras_fn.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    R2Score,
    concordance_correlation,
    pearson_correlation,
)
from keras_fn.metrics.fscore import F1Score, FBetaScore
from keras_fn.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from keras_fn.metrics.metric import Metric
from keras_fn.metrics.reduction import Mean, MeanMetricWrapper, Sum
from keras_fn.metrics.regression import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    cosine_similarity,
)

_CLASSES: list[type] = [
    AUC, Accuracy, BinaryAccuracy, BinaryCrossentropy, BinaryIoU, CategoricalAccuracy, CategoricalCrossentropy,
    CategoricalHinge, ConcordanceCorrelation, CosineSimilarity, F1Score, FBetaScore, FalseNegatives, FalsePositives,
    Hinge, IoU, KLDivergence, LogCoshError, Mean, MeanAbsoluteError, MeanAbsolutePercentageError, MeanIoU,
    MeanMetricWrapper, MeanSquaredError, MeanSquaredLogarithmicError, Metric, OneHotIoU, OneHotMeanIoU,
    PearsonCorrelation, Poisson, Precision, PrecisionAtRecall, R2Score, Recall, RecallAtPrecision,
    RootMeanSquaredError, SensitivityAtSpecificity, SparseCategoricalAccuracy, SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy, SpecificityAtSensitivity, SquaredHinge, Sum, TopKCategoricalAccuracy, TrueNegatives,
    TruePositives,
]  # fmt: skip
_SHORT: dict[str, type] = {
    "mse": MeanSquaredError, "mae": MeanAbsoluteError, "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError, "bce": BinaryCrossentropy, "kld": KLDivergence, "rmse": RootMeanSquaredError,
}  # fmt: skip
_NAMES = {
    **_SHORT, **{name.upper(): cls for name, cls in _SHORT.items()},
    "logcosh": LogCoshError, "log_cosh": LogCoshError, "f1_score": F1Score, "fbeta_score": FBetaScore,
    "r2_score": R2Score, "mean_iou": MeanIoU,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
}  # fmt: skip
LOOKUP = Lookup("metric", _CLASSES, aliases=_NAMES, others=(Loss,))
_FUNCTIONS = {
    f.__name__: f
    for f in (
        accuracy, binary_accuracy, binary_crossentropy, binary_focal_crossentropy, categorical_accuracy,
        categorical_crossentropy, categorical_focal_crossentropy, categorical_hinge, concordance_correlation,
        cosine_similarity, hinge, huber, kl_divergence, log_cosh, mean_absolute_error,
        mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error, pearson_correlation,
        poisson, sparse_categorical_accuracy, sparse_categorical_crossentropy, sparse_top_k_categorical_accuracy,
        squared_hinge, top_k_categorical_accuracy,
    )
}  # fmt: skip


def get(identifier: Any) -> Any:
    """The metric that `identifier` means.

    Args:
        identifier: name ("mse", "mean_squared_error", "MeanSquaredError"), config, class, function, metric, or None.

    Returns:
        A new metric, or the function `(y_true, y_pred) -> values` or metric given; None for None.

    Example:
        >>> from keras_fn import metrics
        >>> metrics.get("mse")
        <MeanSquaredError name=mean_squared_error>
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    return LOOKUP.get(identifier, check=lambda x: isinstance(x, Metric) or callable(x))


def serialize(metric: Any) -> Any:
    """The metric as JSON-able config."""
    return LOOKUP.serialize(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A metric from what `serialize` gave, or from a name.

    Args:
        config: config, or name of a metric.
        custom_objects: name -> class or function, for metrics of one's own.
    """
    if isinstance(config, dict) and config.get("class_name") == "function" and config.get("config") in _FUNCTIONS:
        return _FUNCTIONS[config["config"]]
    if isinstance(config, str) and config in (custom_objects or {}):
        found = custom_objects[config]  # type: ignore[index]
        return found() if inspect.isclass(found) else found
    return LOOKUP.deserialize(config, custom_objects)


def function(identifier: Any) -> Any:
    """The function that a name or a config means: what a `MeanMetricWrapper` was saved with."""
    name = identifier.get("config") if isinstance(identifier, dict) else identifier
    found = _FUNCTIONS.get(name) if isinstance(name, str) else None
    return deserialize(identifier) if found is None else found


__all__ = [
    "AUC", "LOOKUP", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "CategoricalAccuracy",
    "CategoricalCrossentropy", "CategoricalHinge", "ConcordanceCorrelation", "CosineSimilarity", "F1Score",
    "FBetaScore", "FalseNegatives", "FalsePositives", "Hinge", "IoU", "KLDivergence", "LogCoshError", "Mean",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanIoU", "MeanMetricWrapper", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Metric", "OneHotIoU", "OneHotMeanIoU", "PearsonCorrelation", "Poisson",
    "Precision", "PrecisionAtRecall", "R2Score", "Recall", "RecallAtPrecision", "RootMeanSquaredError",
    "SensitivityAtSpecificity", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy", "SpecificityAtSensitivity", "SquaredHinge", "Sum", "TopKCategoricalAccuracy",
    "TrueNegatives", "TruePositives", "accuracy", "binary_accuracy", "binary_crossentropy",
    "binary_focal_crossentropy", "categorical_accuracy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_hinge", "concordance_correlation", "cosine_similarity", "deserialize", "function", "get", "hinge",
    "huber", "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_error", "mean_squared_logarithmic_error", "pearson_correlation", "poisson", "resolve_accuracy",
    "serialize", "sparse_categorical_accuracy", "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy", "squared_hinge", "top_k_categorical_accuracy",
]  # fmt: skip
