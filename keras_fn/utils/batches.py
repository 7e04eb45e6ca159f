"""A batch as `(x, y, sample_weight)` and back: for `train_step` and the like."""

from __future__ import annotations

from typing import Any

from keras_fn.core.errors import ArgumentError


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """The inputs, targets and weights of a batch, None for what is not there.

    Args:
        data: x, or a tuple `(x,)`, `(x, y)` or `(x, y, sample_weight)`. Several inputs belong into one structure:
            `((x1, x2), y)`.

    Raises:
        ArgumentError: for a tuple of another length.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ArgumentError(
            f"A batch must be x, (x,), (x, y) or (x, y, sample_weight), and a tuple of {len(data)} came. Several "
            "inputs "
            "belong into one structure: ((x1, x2), y)."
        )
    return (*data, *(None,) * (3 - len(data)))  # pyright: ignore[reportReturnType]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A batch of what is there: `x` (or `(x,)` for a tuple), `(x, y)` or `(x, y, sample_weight)`.

    Example:
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, tuple) else x
