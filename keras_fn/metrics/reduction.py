"""Metrics that add up, or average, what each batch gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentTypeError
from keras_fn.core.masks import get_mask
from keras_fn.losses.weighting import aligned, as_dtype
from keras_fn.metrics.metric import Metric


def per_sample(values: Any, weight: Any, mask: Any, dtype: str, reduce: Callable[..., Any]) -> tuple[Any, Any]:
    """Weighted values, and weights, reduced to one a sample.

    Args:
        values: tensor; the first axis is that of samples.
        weight: weights, or None.
        mask: true where a value counts, or None.
        dtype: dtype to compute in.
        reduce: `ops.mean` or `ops.sum`, over all axes but the first.

    Returns:
        The values, and the weights, or None where there are neither weights nor a mask.
    """
    values = as_dtype(values, dtype)
    if mask is not None:
        mask = as_dtype(mask, dtype)
        values, mask = aligned(values, mask, "mask")
    if weight is not None:
        values, weight = aligned(values, as_dtype(weight, dtype))
        if mask is not None:
            weight = ops.multiply(weight, mask)
    else:
        weight = mask
    if weight is not None:
        weight = ops.multiply(ops.ones_like(values), weight)
        values = ops.multiply(values, weight)
    axes = tuple(range(1, len(values.shape)))
    if axes:
        values = reduce(values, axis=axes)
        weight = None if weight is None else reduce(weight, axis=axes)
    return values, weight


class Mean(Metric):
    """The weighted mean of the values given: `sum(weight * value) / sum(weight)`.

    Args:
        name: name.
        dtype: dtype of the state; None for the default float.

    Example:
        >>> from keras_fn import metrics
        >>> m = metrics.Mean()
        >>> m.update_state([1.0, 3.0])
        >>> m.update_state([8.0])
        >>> float(m.result())
        4.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes values into account.

        Args:
            values: tensor.
            sample_weight: weights: one for each sample, or a shape that starts like that of the values.
        """
        self._add(values, sample_weight, get_mask(values))

    def _add(self, values: Any, sample_weight: Any, mask: Any) -> None:
        if mask is None and isinstance(sample_weight, (int, float)) and getattr(values, "shape", None) == ():
            weight = as_dtype(sample_weight, self._dtype)  # a constant of plans and programs: numbers would take longer
            self.total.assign_add(ops.multiply(as_dtype(values, self._dtype), weight))
            self.count.assign_add(weight)
            return
        values, weight = per_sample(values, sample_weight, mask, self._dtype, ops.mean)
        self.total.assign_add(ops.sum(values))
        if weight is not None:
            count = ops.sum(weight)
        else:
            count = ops.shape(values)[0] if len(values.shape) else 1
        self.count.assign_add(as_dtype(count, self._dtype))

    def result(self) -> Any:
        """The mean so far; 0 before any value."""
        return ops.divide_no_nan(self.total, self.count)


class Sum(Metric):
    """The weighted sum of the values given.

    Args:
        name: name.
        dtype: dtype of the state; None for the default float.
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds values. Arguments as in `Mean.update_state`."""
        values, _ = per_sample(values, sample_weight, get_mask(values), self._dtype, ops.sum)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        """The sum so far."""
        return ops.convert_to_tensor(self.total)


class MeanMetricWrapper(Mean):
    """The weighted mean of a function of targets and predictions.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` that gives a value for each sample.
        name: name; made from the class's where None.
        dtype: dtype of the state; None for the default float.
        kwargs: further arguments of the function; they are part of the config.

    Example:
        >>> from keras_fn import metrics
        >>> m = metrics.MeanMetricWrapper(metrics.mean_absolute_error, name="distance")
        >>> float(m([[0.0]], [[2.0]]))
        2.0
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        if not callable(fn):
            raise ArgumentTypeError(f"`fn` must be a function (y_true, y_pred) -> values, not {fn!r}.")
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account.

        Args:
            y_true: targets.
            y_pred: predictions. Where they carry a mask, only what it lets through counts.
            sample_weight: weights: one for each sample, or a shape that starts like that of the values.
        """
        mask = get_mask(y_pred)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        own = self._own_mask(y_true, y_pred, values)
        if own is not None:
            mask = own if mask is None else ops.logical_and(*aligned(mask, own, "mask"))
        self._add(values, sample_weight, mask)

    def _own_mask(self, y_true: Any, y_pred: Any, values: Any) -> Any:
        """Which values count, where the metric itself decides that, or None."""
        return get_mask(values)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), **self._fn_kwargs}
        if type(self) is MeanMetricWrapper:
            from keras_fn.saving.config import function_config, serialize_keras_object

            written = serialize_keras_object(self._fn)
            # Keras takes a bare name for a string here
            config["fn"] = function_config(written) if isinstance(written, str) else written
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        if isinstance(config.get("fn"), (dict, str)):
            from keras_fn import metrics

            config = {**config, "fn": metrics.function(config["fn"])}
        return cls(**config)
