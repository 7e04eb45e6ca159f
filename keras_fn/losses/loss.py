"""`Loss`: how far predictions are from targets, as one number to minimise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import dtypes, naming, trees
from keras_fn.core.arguments import Checked
from keras_fn.core.errors import ArgumentTypeError
from keras_fn.core.masks import get_mask
from keras_fn.losses.weighting import MEANS, as_dtype, check_reduction, fits, reduce_weighted, same_rank, unequal


class Loss(Checked):
    """Base of the losses. Subclass it and write `call(y_true, y_pred)`, which gives a value for each sample.

    Args:
        name: name; made from the class's where None.
        reduction: how the values of a batch become one: `"sum_over_batch_size"` or `"mean"` (their mean), `"sum"`,
            `"mean_with_sample_weight"` (sum over the sum of the weights), `"none"` or None (as they are).
        dtype: dtype to compute in; None for the default float.

    Example:
        >>> import keras_fn
        >>> from keras_fn import ops
        >>> class Cubic(keras_fn.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean(ops.power(ops.abs(y_true - y_pred), 3), axis=-1)
        >>> float(Cubic()([[0.0], [0.0]], [[1.0], [2.0]]))
        4.5
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        check_reduction(reduction)
        self.name = name or naming.unique(naming.snake_case(type(self).__name__))
        self.reduction = reduction
        self._given_dtype = dtype
        self._dtype = dtypes.standardize(getattr(dtype, "compute_dtype", dtype))

    @property
    def dtype(self) -> str:
        """The dtype name that the loss computes in."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss of a batch.

        Args:
            y_true: targets.
            y_pred: predictions. Where they carry a mask, only what it lets through counts.
            sample_weight: one weight for each sample, or a shape that starts like that of the values.

        Returns:
            A scalar tensor, or a tensor of values where the reduction is "none".
        """
        mask = None if isinstance(y_pred, (list, tuple, dict)) else get_mask(y_pred)
        y_true = trees.map(self._convert_target, y_true) if _is_tree(y_true) else self._convert_target(y_true)
        y_pred = trees.map(self._convert, y_pred) if _is_tree(y_pred) else self._convert(y_pred)
        if mask is None and sample_weight is None and self.reduction in MEANS:
            mean = self._mean(y_true, y_pred)
            if mean is not None:
                return mean
        values = self.call(y_true, y_pred)
        own = self._own_mask(y_true, y_pred, values)
        if own is not None:
            mask = own if mask is None else _both(mask, own)
        return reduce_weighted(values, sample_weight, mask, self.reduction, self._dtype)

    def _convert(self, x: Any) -> Any:
        return as_dtype(x, self._dtype)

    _convert_target = _convert

    def _own_mask(self, y_true: Any, y_pred: Any, values: Any) -> Any:
        """Which values count, where the loss itself decides that, or None."""
        return get_mask(values)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The values, one for each sample. To be written by subclasses."""
        raise NotImplementedError(f"The loss {type(self).__name__} must have a method `call(self, y_true, y_pred)`.")

    def _mean(self, y_true: Any, y_pred: Any) -> Any:
        """The mean of the values, where it can be had without them; else None."""
        return None

    def check_targets(self, y_true: Any, y_pred_shape: tuple[Any, ...]) -> None:
        """Looks at targets on the host, before training, where a wrong one can still be named.

        Args:
            y_true: NumPy array of targets.
            y_pred_shape: shape of the predictions for them, None for what is not known.

        Raises:
            ArgumentError: where a target is out of range.
            ShapeError: where the shapes do not fit.
        """

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config: dict[str, Any] = {"name": self.name, "reduction": self.reduction}
        if self._given_dtype is not None:
            config["dtype"] = self._dtype
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """A new loss from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name} reduction={self.reduction}>"


class LossFunctionWrapper(Loss):
    """A loss made of a function `fn(y_true, y_pred, **kwargs)` that gives a value for each sample.

    Args:
        fn: the function.
        reduction: how the values of a batch become one, see `Loss`.
        name: name; that of the function where None.
        dtype: dtype to compute in; None for the default float.
        kwargs: further arguments of the function; they are part of the config.
    """

    # whether targets must have the shape of the predictions
    same_shapes = False

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if not callable(fn):
            raise ArgumentTypeError(f"`fn` must be a function (y_true, y_pred) -> values, not {fn!r}.")
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if not _is_tree(y_true) and not _is_tree(y_pred):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def check_targets(self, y_true: Any, y_pred_shape: tuple[Any, ...]) -> None:
        if not self.same_shapes:
            return
        shape, wanted = tuple(y_true.shape), tuple(y_pred_shape)
        if shape + (1,) == wanted or wanted + (1,) == shape:
            return
        if len(wanted) == len(shape) + 1 and wanted[-1] == 1 and fits(shape, wanted[:-1]):
            return
        if len(shape) == len(wanted) + 1 and shape[-1] == 1 and fits(shape[:-1], wanted):
            return
        if not fits(shape, wanted):
            raise unequal(self.name, shape, wanted)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), **self._fn_kwargs}
        if type(self) is LossFunctionWrapper:
            from keras_fn.saving.config import serialize_keras_object

            config["fn"] = serialize_keras_object(self.fn)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        if isinstance(config.get("fn"), (dict, str)):
            from keras_fn import losses

            config = {**config, "fn": losses.deserialize(config["fn"])}
        return cls(**config)


def _is_tree(x: Any) -> bool:
    """Whether x is a structure of tensors: a dict, or a list that holds no plain numbers."""
    if isinstance(x, dict):
        return True
    return isinstance(x, (list, tuple)) and any(hasattr(leaf, "shape") for leaf in x)


def _both(mask1: Any, mask2: Any) -> Any:
    from keras_fn import ops

    return ops.logical_and(*same_rank(mask1, mask2))
