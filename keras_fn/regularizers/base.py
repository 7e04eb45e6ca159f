"""`Regularizer`: a penalty."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.core.arguments import Checked
from keras_fn.core.errors import ArgumentError


class Regularizer(Checked):
    """Base of the regularizers. Subclass it and write `__call__(x)`, which gives a scalar, and `get_config`.

    Example:
        >>> import keras_fn
        >>> class Mean(keras_fn.regularizers.Regularizer):
        ...     def __call__(self, x):
        ...         return keras_fn.ops.mean(x)
        >>> float(Mean()([1.0, 3.0]))
        2.0
    """

    def __call__(self, x: Any) -> Any:
        """The penalty of a tensor, a scalar."""
        raise NotImplementedError(f"{type(self).__name__} must have a method `__call__(self, x)`.")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """A regularizer from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def strength(name: str, value: Any, default: float = 0.01) -> float:
    """A factor of a penalty, as a float.

    Raises:
        ArgumentError: where it is no number, not finite, or below 0.
    """
    if value is None:
        return default
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise ArgumentError(f"`{name}` must be a finite number, 0 or more, not {value!r}.")
    return float(value)


def single(value: float) -> float:
    """The number rounded to float32, as Keras writes it into configs."""
    return float(np.float32(value))
