"""Penalties on the size of entries: L1, L2, both."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.regularizers.base import Regularizer, single, strength


class L1(Regularizer):
    """`l1 * sum(|x|)`: drives entries to 0.

    Args:
        l1: factor, 0 or more.

    Example:
        >>> round(float(L1(0.1)([1.0, -2.0])), 3)
        0.3
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = single(strength("l1", l1))

    def __call__(self, x: Any) -> Any:
        return ops.multiply(ops.sum(ops.absolute(x)), self.l1)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """`l2 * sum(x**2)`: keeps entries small.

    Args:
        l2: factor, 0 or more.

    Example:
        >>> round(float(L2(0.1)([1.0, -2.0])), 3)
        0.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = strength("l2", l2)

    def __call__(self, x: Any) -> Any:
        return ops.multiply(ops.sum(ops.square(x)), self.l2)

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x**2)`.

    Args:
        l1: factor of the first term, 0 or more.
        l2: factor of the second term, 0 or more.

    Example:
        >>> round(float(L1L2(0.1, 0.1)([1.0, -2.0])), 3)
        0.8
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = strength("l1", l1, 0.0)
        self.l2 = strength("l2", l2, 0.0)

    def __call__(self, x: Any) -> Any:
        total: Any = ops.multiply(ops.sum(ops.absolute(x)), self.l1)
        return ops.add(total, ops.multiply(ops.sum(ops.square(x)), self.l2)) if self.l2 else total

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}
