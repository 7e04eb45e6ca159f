"""OrthogonalRegularizer."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.regularizers.base import Regularizer, single, strength


class OrthogonalRegularizer(Regularizer):
    """`factor * mean(|cos(a, b)|)` over all pairs of different rows (or columns) a, b of a matrix.

    Args:
        factor: factor, 0 or more.
        mode: "rows" or "columns": which of them shall be orthogonal.

    Example:
        >>> float(OrthogonalRegularizer(1.0)([[1.0, 0.0], [0.0, 3.0]]))
        0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ArgumentError(f"`mode` must be 'rows' or 'columns', not {mode!r}.")
        self.factor = single(strength("factor", factor))
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        x = ops.convert_to_tensor(x)
        if len(x.shape) != 2:
            raise ShapeError(f"OrthogonalRegularizer needs a matrix, and the shape {tuple(x.shape)} came.")
        if self.mode == "columns":
            x = ops.transpose(x)
        count = x.shape[0]
        unit = ops.normalize(x, axis=1)
        others = ops.subtract(1.0, ops.eye(count, dtype=unit.dtype))
        cosines = ops.multiply(ops.matmul(unit, ops.transpose(unit)), others)
        pairs = max(count * (count - 1) / 2, 1.0)
        return ops.multiply(ops.sum(ops.absolute(cosines)), self.factor * 0.5 / pairs)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}
