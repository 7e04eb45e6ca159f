"""Losses: classes, the functions behind them, and `get`, `serialize` and `deserialize`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_fn.core.lookup import Lookup
from keras_fn.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from keras_fn.losses.ctc import CTC, ctc
from keras_fn.losses.divergence import Dice, KLDivergence, Poisson, Tversky, dice, kl_divergence, poisson, tversky
from keras_fn.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
)
from keras_fn.losses.hinge import CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge
from keras_fn.losses.loss import Loss, LossFunctionWrapper
from keras_fn.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from keras_fn.losses.sequence import Circle, circle

_CLASSES: list[type] = [
    CTC, BinaryCrossentropy, BinaryFocalCrossentropy, CategoricalCrossentropy, CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle, CosineSimilarity, Dice, Hinge, Huber, KLDivergence,
    LogCosh, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson,
    SparseCategoricalCrossentropy, SquaredHinge, Tversky, Loss, LossFunctionWrapper,
]  # fmt: skip
_FUNCTIONS: list[Callable[..., Any]] = [
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
    categorical_generalized_cross_entropy, categorical_hinge, circle, cosine_similarity, ctc, dice, hinge, huber,
    kl_divergence, log_cosh, mean_absolute_error, mean_absolute_percentage_error, mean_squared_error,
    mean_squared_logarithmic_error, poisson, sparse_categorical_crossentropy, squared_hinge, tversky,
]  # fmt: skip
_SHORT = {
    "mse": mean_squared_error, "mae": mean_absolute_error, "mape": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error, "bce": binary_crossentropy, "kld": kl_divergence, "logcosh": log_cosh,
}  # fmt: skip
# a name in snake case, or a short one, means the function; that of a class, a new object
_NAMES = {f.__name__: f for f in _FUNCTIONS} | _SHORT | {name.upper(): f for name, f in _SHORT.items()}
LOOKUP = Lookup("loss", _CLASSES, aliases=_NAMES)  # type: ignore[arg-type]


def get(identifier: Any) -> Any:
    """The loss that `identifier` means.

    Args:
        identifier: name of a function ("mse", "mean_squared_error") or class ("MeanSquaredError"), config, class,
            function, loss, or None.

    Returns:
        A loss object, or a function `(y_true, y_pred) -> values`; None for None.

    Example:
        >>> from keras_fn import losses
        >>> losses.get("mse").__name__, type(losses.get("Huber")).__name__
        ('mean_squared_error', 'Huber')
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    return LOOKUP.get(identifier)


def serialize(loss: Any) -> Any:
    """The loss as JSON-able config."""
    return LOOKUP.serialize(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A loss from what `serialize` gave, or from a name.

    Args:
        name: config, or name of a loss.
        custom_objects: name -> class or function, for losses of one's own.
    """
    if isinstance(name, dict) and name.get("class_name") == "function" and name.get("config") in _NAMES:
        name = name["config"]
    if isinstance(name, str) and name in (custom_objects or {}):
        return custom_objects[name]  # type: ignore[index]
    return LOOKUP.deserialize(name, custom_objects)


__all__ = [
    "CTC", "LOOKUP", "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy", "CategoricalHinge", "Circle",
    "CosineSimilarity", "Dice", "Hinge", "Huber", "KLDivergence", "LogCosh", "Loss", "LossFunctionWrapper",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
    "SparseCategoricalCrossentropy", "SquaredHinge", "Tversky", "binary_crossentropy", "binary_focal_crossentropy",
    "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_generalized_cross_entropy",
    "categorical_hinge", "circle", "cosine_similarity", "ctc", "deserialize", "dice", "get", "hinge", "huber",
    "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "serialize", "sparse_categorical_crossentropy", "squared_hinge",
    "tversky",
]  # fmt: skip
