"""Cross-entropies that weigh samples by how hard, or how noisy, they seem."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.arguments import NonNegative, NonNegatives, Share
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.losses.crossentropy import check_ids, classes_of, matched_ids, smoothed
from keras_fn.losses.loss import LossFunctionWrapper
from keras_fn.losses.weighting import EPSILON, dtype_name, fits, paired


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary cross-entropy times `(1 - p_t)**gamma`, p_t being the probability given to the right label.

    Args:
        y_true: labels 0 to 1.
        y_pred: probabilities of label 1, or their logits, in the same shape.
        apply_class_balancing: whether label 1 is weighed with `alpha` and label 0 with `1 - alpha`.
        alpha: weight of label 1.
        gamma: how much easy samples fade; 0 gives the plain cross-entropy.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: how far labels are moved towards 0.5; 0 to 1.
        axis: the axis averaged over.

    Source: Lin et al., Focal Loss for Dense Object Detection, https://arxiv.org/abs/1708.02002
    """
    y_true, y_pred = paired(y_true, y_pred, "binary_focal_crossentropy")
    y_true = smoothed(y_true, label_smoothing, 2)
    entropy = ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    other = ops.subtract(1.0, y_true)
    right = ops.add(ops.multiply(y_true, p), ops.multiply(other, ops.subtract(1.0, p)))
    values = ops.multiply(ops.power(ops.subtract(1.0, right), gamma), entropy)
    if apply_class_balancing:
        values = ops.multiply(values, ops.add(ops.multiply(y_true, alpha), ops.multiply(other, 1.0 - alpha)))
    return ops.mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float | list[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`-sum(alpha * (1 - p)**gamma * y_true * log(p))` over the axis of classes.

    Args:
        y_true: class probabilities, often one-hot.
        y_pred: p, scaled to sum 1, or its logits; in the same shape.
        alpha: weight, one for all classes or one for each.
        gamma: how much easy samples fade.
        from_logits: whether `y_pred` holds logits, p being their softmax.
        label_smoothing: how far labels are moved towards equal probabilities; 0 to 1.
        axis: axis of the classes.

    Source: Lin et al., Focal Loss for Dense Object Detection, https://arxiv.org/abs/1708.02002
    """
    y_true, y_pred = paired(y_true, y_pred, "categorical_focal_crossentropy")
    y_true = smoothed(y_true, label_smoothing, classes_of(y_pred, axis))
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    p = ops.true_divide(y_pred, ops.sum(y_pred, axis=axis, keepdims=True))
    p = ops.clip(p, EPSILON, 1.0 - EPSILON)
    entropy = ops.negative(ops.multiply(y_true, ops.log(p)))
    factor = ops.multiply(ops.power(ops.subtract(1.0, p), gamma), alpha)
    return ops.sum(ops.multiply(factor, entropy), axis=axis)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """`(1 - p[y_true]**q) / q`: between the mean absolute error (q = 1) and the cross-entropy (q near 0).

    Args:
        y_true: class ids, `(n, …)` or `(n, …, 1)`.
        y_pred: class probabilities, `(n, …, classes)`.
        q: robustness against wrong labels, above 0 and below 1.

    Source: Zhang and Sabuncu, https://arxiv.org/abs/1805.07836
    """
    y_true, y_pred = matched_ids(y_true, y_pred)
    if not fits(y_true.shape, y_pred.shape[:-1]):
        raise ShapeError(
            f"categorical_generalized_cross_entropy: y_true holds class ids, so its shape must be that of y_pred "
            f"({tuple(y_pred.shape)}) without the last axis, and it is {tuple(y_true.shape)}."
        )
    classes = ops.shape(y_pred)[-1]
    if classes is None:
        raise ShapeError("categorical_generalized_cross_entropy needs a known number of classes (last axis of y_pred).")
    hot = ops.one_hot(ops.cast(y_true, "int32"), classes, dtype=dtype_name(y_pred))
    p = ops.sum(ops.multiply(hot, y_pred), axis=-1)
    return ops.true_divide(ops.subtract(1.0, ops.power(p, q)), q)


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary cross-entropy in which easy samples fade. See `binary_focal_crossentropy`.

    Args:
        apply_class_balancing: whether label 1 is weighed with `alpha` and label 0 with `1 - alpha`.
        alpha: weight of label 1.
        gamma: how much easy samples fade.
        from_logits: whether predictions are logits.
        label_smoothing: how far labels are moved towards 0.5; 0 to 1.
        axis: the axis averaged over.
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.
    """

    same_shapes = True

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: Share = 0.25,
        gamma: NonNegative = 2.0,
        from_logits: bool = False,
        label_smoothing: Share = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        kwargs = {
            "apply_class_balancing": apply_class_balancing,
            "alpha": alpha,
            "gamma": gamma,
            "from_logits": from_logits,
            "label_smoothing": label_smoothing,
            "axis": axis,
        }
        super().__init__(binary_focal_crossentropy, reduction, name, dtype, **kwargs)


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Categorical cross-entropy in which easy samples fade. See `categorical_focal_crossentropy`.

    Args:
        alpha: weight, one for all classes or one for each.
        gamma: how much easy samples fade.
        from_logits: whether predictions are logits.
        label_smoothing: how far labels are moved towards equal probabilities; 0 to 1.
        axis: axis of the classes.
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.
    """

    same_shapes = True

    def __init__(
        self,
        alpha: NonNegatives = 0.25,
        gamma: NonNegative = 2.0,
        from_logits: bool = False,
        label_smoothing: Share = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        kwargs = {
            "alpha": alpha,
            "gamma": gamma,
            "from_logits": from_logits,
            "label_smoothing": label_smoothing,
            "axis": axis,
        }
        super().__init__(categorical_focal_crossentropy, reduction, name, dtype, **kwargs)


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """A cross-entropy that bears wrong labels. See `categorical_generalized_cross_entropy`.

    Args:
        q: robustness against wrong labels, above 0 and below 1.
        reduction: how the values of a batch become one, see `Loss`.
        name: name.
        dtype: dtype to compute in; None for the default float.
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ArgumentError(f"`q` must be above 0 and below 1, not {q}.")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def _convert_target(self, x: Any) -> Any:
        return ops.convert_to_tensor(x)

    def check_targets(self, y_true: Any, y_pred_shape: tuple[Any, ...]) -> None:
        """Raises ArgumentError where an id is no class. See `Loss.check_targets`."""
        if y_pred_shape and y_pred_shape[-1] is not None:
            check_ids(y_true, y_pred_shape[-1], None, self.name)
