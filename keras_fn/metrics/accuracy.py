"""How often predictions are right."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.arguments import Count
from keras_fn.core.errors import ShapeError
from keras_fn.losses.crossentropy import matched_ids
from keras_fn.losses.weighting import as_dtype, as_float, dtype_name, fits, paired, same_rank, unequal
from keras_fn.metrics.reduction import MeanMetricWrapper
from keras_fn.ops.nn import _is_likeliest


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where target and prediction are equal, 0 elsewhere.

    Args:
        y_true: targets.
        y_pred: predictions, in the same shape.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = as_dtype(y_true, dtype_name(y_pred))
    shapes = y_true.shape, y_pred.shape
    y_true, y_pred = same_rank(y_true, y_pred)
    if not fits(y_true.shape, y_pred.shape):
        raise unequal("accuracy", *shapes)
    return ops.cast(ops.equal(y_true, y_pred), "float32")


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where `y_pred > threshold` says what the label says, 0 elsewhere.

    Args:
        y_true: labels 0 and 1.
        y_pred: probabilities, in the same shape.
        threshold: above it, a prediction means label 1.
    """
    y_true, y_pred = paired(y_true, y_pred, "binary_accuracy")
    said = ops.cast(ops.greater(y_pred, threshold), dtype_name(y_true))
    return ops.cast(ops.equal(y_true, said), "float32")


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the likeliest class is that of the one-hot label, 0 elsewhere.

    Args:
        y_true: one-hot labels `(n, …, classes)`.
        y_pred: scores of the classes, in the same shape.

    Returns:
        Tensor of shape `(n, …)`.
    """
    y_true, y_pred = paired(y_true, y_pred, "categorical_accuracy")
    return ops.cast(_is_likeliest(ops.argmax(y_true, axis=-1), y_pred), "float32")


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the likeliest class is the label, 0 elsewhere.

    Args:
        y_true: class ids `(n, …)` or `(n, …, 1)`.
        y_pred: scores of the classes `(n, …, classes)`.

    Returns:
        Tensor of shape `(n, …)`.
    """
    y_true, y_pred = _ids(y_true, y_pred, "sparse_categorical_accuracy")
    return ops.cast(_is_likeliest(y_true, y_pred), "float32")


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the class of the one-hot label is among the k likeliest, 0 elsewhere.

    Args:
        y_true: one-hot labels `(n, …, classes)`.
        y_pred: scores of the classes, in the same shape.
        k: how many guesses there are.
    """
    y_true, y_pred = paired(y_true, y_pred, "top_k_categorical_accuracy")
    return ops.cast(ops.in_top_k(ops.argmax(y_true, axis=-1), y_pred, k), "float32")


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1 where the label is among the k likeliest classes, 0 elsewhere.

    Args:
        y_true: class ids `(n, …)` or `(n, …, 1)`.
        y_pred: scores of the classes `(n, …, classes)`; or ids of classes, the likeliest first.
        k: how many guesses there are.
        from_sorted_ids: whether `y_pred` holds ids.
    """
    if from_sorted_ids:
        y_pred = ops.convert_to_tensor(y_pred)
        y_true, _ = _ids(y_true, y_pred, "sparse_top_k_categorical_accuracy")
        guesses = ops.get_item(ops.cast(y_pred, "int32"), (Ellipsis, slice(k)))
        hits = ops.equal(ops.expand_dims(y_true, -1), guesses)
        return ops.cast(ops.any(hits, axis=-1), "float32")
    y_true, y_pred = _ids(y_true, y_pred, "sparse_top_k_categorical_accuracy")
    return ops.cast(ops.in_top_k(y_true, y_pred, k), "float32")


def _ids(y_true: Any, y_pred: Any, name: str) -> tuple[Any, Any]:
    y_true, y_pred = matched_ids(y_true, as_float(y_pred))
    if not fits(y_true.shape, y_pred.shape[:-1]):
        raise ShapeError(
            f"{name}: y_true holds class ids, so its shape must be that of y_pred ({tuple(y_pred.shape)}) without the "
            f"last axis, and it is {tuple(y_true.shape)}. For one-hot labels take `categorical`, not `sparse`."
        )
    return as_dtype(y_true, "int32"), y_pred


class Accuracy(MeanMetricWrapper):
    """How often predictions equal targets.

    Args:
        name: name.
        dtype: dtype of the state; None for the default float.

    Example:
        >>> from keras_fn import metrics
        >>> float(metrics.Accuracy()([1, 2, 3, 4], [1, 2, 0, 0]))
        0.5
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often `y_pred > threshold` says what the labels 0 and 1 say.

    Args:
        name: name.
        dtype: dtype of the state; None for the default float.
        threshold: above it, a prediction means label 1.
    """

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        self.threshold = threshold
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the likeliest class is that of the one-hot label. Arguments as in `Accuracy`."""

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the likeliest class is the label, a class id. Arguments as in `Accuracy`."""

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the one-hot label is among the k likeliest.

    Args:
        k: how many guesses there are.
        name: name.
        dtype: dtype of the state; None for the default float.
    """

    def __init__(self, k: Count = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        self.k = k
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the label, a class id, is among the k likeliest classes.

    Args:
        k: how many guesses there are.
        name: name.
        dtype: dtype of the state; None for the default float.
        from_sorted_ids: whether predictions are ids of classes, the likeliest first.
    """

    def __init__(
        self,
        k: Count = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        self.k = k
        self.from_sorted_ids = from_sorted_ids
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)


def resolve_accuracy(y_true_shape: Any, y_pred_shape: Any) -> type[MeanMetricWrapper]:
    """The accuracy that the name "accuracy" means for targets and predictions of these shapes.

    Args:
        y_true_shape: shape of the targets.
        y_pred_shape: shape of the predictions.

    Returns:
        `BinaryAccuracy` for one output, `SparseCategoricalAccuracy` for class ids, else `CategoricalAccuracy`.
    """
    if len(y_pred_shape) == 0 or y_pred_shape[-1] == 1:
        return BinaryAccuracy
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return SparseCategoricalAccuracy
    return CategoricalAccuracy
