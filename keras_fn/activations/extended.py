"""Activation functions that differ from the op of their name, or have none."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentError


def linear(x: Any) -> Any:
    """The input itself."""
    return x


def exponential(x: Any) -> Any:
    """`exp(x)`.

    Example:
        >>> float(exponential(0.0))
        1.0
    """
    return ops.exp(x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the probability that a standard normal number is below x. Source: https://arxiv.org/abs/1606.08415

    Args:
        x: tensor.
        approximate: take the tanh approximation of the paper. (`ops.gelu` does so by default.)

    Example:
        >>> round(float(gelu(1.0)), 4)
        0.8413
    """
    return ops.gelu(x, approximate)


def softmax(x: Any, axis: Any = -1) -> Any:
    """`exp(x) / sum(exp(x))` along an axis (or several): positive numbers that sum to 1.

    Example:
        >>> ops.convert_to_numpy(softmax([[1.0, 1.0]])).tolist()
        [[0.5, 0.5]]
    """
    return ops.softmax(x, axis)


def sparse_sigmoid(x: Any) -> Any:
    """0 below -1, 1 above 1, and the straight line `(x + 1) / 2` between them.

    Example:
        >>> float(sparse_sigmoid(0.5))
        0.75
    """
    return ops.clip(ops.multiply(ops.add(x, 1.0), 0.5), 0.0, 1.0)


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """`max(x, 0)`, with a slope below the threshold and a ceiling where they are wanted.

    `max_value` where `x >= max_value`; x where `threshold <= x < max_value`; else `negative_slope * (x - threshold)`.

    Args:
        x: tensor.
        negative_slope: slope below the threshold, 0 or more.
        max_value: ceiling, 0 or more; None for none.
        threshold: value below which the input is damped, 0 or more.

    Example:
        >>> ops.convert_to_numpy(relu([-10.0, 2.0, 9.0], 0.1, max_value=6.0)).tolist()
        [-1.0, 2.0, 6.0]
    """
    if negative_slope == 0.0 and threshold == 0.0:
        if max_value is None:
            return ops.relu(x)
        return ops.relu6(x) if max_value == 6 else ops.minimum(ops.relu(x), _ceiling(max_value))
    high = ops.where(ops.greater_equal(x, threshold), x, ops.multiply(ops.subtract(x, threshold), negative_slope))
    return high if max_value is None else ops.minimum(high, _ceiling(max_value))


def _ceiling(max_value: float) -> float:
    if max_value < 0:
        raise ArgumentError(f"`max_value` must be 0 or more, not {max_value}.")
    return max_value
