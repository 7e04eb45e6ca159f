"""Class ids to vectors, and vectors to unit length. NumPy in, NumPy out; tensors in, tensors out."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class ids as rows with a 1 at the class and 0 elsewhere.

    A last dimension of size 1 (a column of ids) is dropped first. An array or list gives an array, a tensor of the
    backend gives a tensor.

    Args:
        x: integers from 0 to `num_classes - 1`; array, nested list or tensor of shape `(...)`, or `(..., 1)`.
        num_classes: length of a row. None: the largest id plus one; tensors need it given, because a shape may not
            depend on their values.

    Returns:
        Values of shape `(..., num_classes)` in the default float type.

    Raises:
        ArgumentError: where an id is negative or too large, or `num_classes` is missing.

    Example:
        >>> to_categorical([0, 2, 1], num_classes=3).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    if not isinstance(x, np.ndarray) and active.backend.is_tensor(x):
        return _tensor_to_categorical(x, num_classes)
    ids = np.asarray(x)
    given = ids.shape
    ids = ids.astype("int64", copy=False)
    if len(given) > 1 and given[-1] == 1:
        ids = ids[..., 0]
    if num_classes is None:
        if not ids.size:
            raise ArgumentError("to_categorical of no ids needs `num_classes`: it cannot be read off the data.")
        num_classes = int(ids.max()) + 1
    outside = (ids < 0) | (ids >= num_classes)
    if outside.any():
        raise ArgumentError(
            f"to_categorical takes ids from 0 to {num_classes - 1} (num_classes is {num_classes}), and "
            f"{int(ids[outside].flat[0])} came. Raise `num_classes`, or number the classes from 0."
        )
    rows = np.zeros((ids.size, num_classes), dtype=_float())
    rows[np.arange(ids.size), ids.reshape(-1)] = 1
    return rows.reshape(*ids.shape, num_classes)


def _tensor_to_categorical(x: Any, num_classes: int | None) -> Any:
    from keras_fn import ops

    if num_classes is None:
        raise ArgumentError("to_categorical of a tensor needs `num_classes`: a shape cannot depend on its values.")
    if len(x.shape) > 1 and x.shape[-1] == 1:
        x = ops.squeeze(x, -1)
    return ops.one_hot(ops.cast(x, "int32"), num_classes)


def normalize(x: Any, axis: int = -1, order: float = 2) -> Any:
    """x divided by its norm along an axis: `x / (sum |x|^order)^(1/order)`. A vector of zeros stays as it is.

    Args:
        x: array, nested list or tensor.
        axis: the dimension that holds the vectors.
        order: order of the norm: 1, 2, any positive number, or infinity.

    Returns:
        Values of the shape of `x`, of a float type; an array for an array or list, a tensor for a tensor.

    Raises:
        ArgumentError: where `axis` is out of range.

    Example:
        >>> normalize([[3.0, 4.0], [0.0, 0.0]]).tolist()
        [[0.6, 0.8], [0.0, 0.0]]
    """
    if not isinstance(x, np.ndarray) and active.backend.is_tensor(x):
        from keras_fn import ops

        return ops.normalize(x, axis=axis, order=order)
    values = np.atleast_1d(np.asarray(x))
    if not -values.ndim <= axis < values.ndim:
        raise ArgumentError(f"normalize: axis {axis} is out of range for values of the shape {values.shape}.")
    if values.dtype.kind not in "fc":
        values = values.astype(_float())
    norm = np.linalg.norm(values, ord=order, axis=axis, keepdims=True)
    norm[norm == 0] = 1
    return values / norm


def _float() -> str:
    """The default float type, as far as NumPy has it."""
    name = dtypes.floatx()
    return "float32" if name == "bfloat16" else name
