"""What is done to gradients before an update: clipping, and the test for numbers that are not finite."""

from __future__ import annotations

from typing import Any

from keras_fn import ops


def clipped(
    grads: list[Any],
    clipnorm: float | None = None,
    clipvalue: float | None = None,
    global_clipnorm: float | None = None,
) -> list[Any]:
    """The gradients, made smaller where they are too large.

    Args:
        grads: gradients.
        clipnorm: largest Euclidean norm of each one: `g * clipnorm / max(norm(g), clipnorm)`.
        clipvalue: largest absolute value of an entry.
        global_clipnorm: largest norm of all of them as one long vector.
    """
    if clipnorm is not None:
        return [_to_norm(g, ops.sqrt(ops.sum(ops.square(g))), clipnorm) for g in grads]
    if clipvalue is not None:
        return [ops.clip(g, -clipvalue, clipvalue) for g in grads]
    if global_clipnorm is not None:
        norm = global_norm(grads)
        return [_to_norm(g, ops.cast(norm, g.dtype), global_clipnorm) for g in grads]
    return grads


def global_norm(grads: list[Any]) -> Any:
    """The Euclidean norm of all gradients as one long vector, a scalar of float32 (or wider)."""
    squares = [ops.sum(ops.square(ops.cast(g, _wide(g)))) for g in grads]
    total = squares[0]
    for one in squares[1:]:
        total = ops.add(total, one)
    return ops.sqrt(total)


def all_finite(grads: list[Any]) -> Any:
    """Whether no gradient has an entry that is infinite or NaN: a boolean scalar."""
    finite = ops.all(ops.isfinite(grads[0]))
    for g in grads[1:]:
        finite = ops.logical_and(finite, ops.all(ops.isfinite(g)))
    return finite


def _to_norm(grad: Any, norm: Any, limit: float) -> Any:
    return ops.multiply(grad, ops.true_divide(limit, ops.maximum(norm, limit)))


def _wide(grad: Any) -> str:
    from keras_fn.core import dtypes

    return dtypes.result_type(dtypes.standardize(grad.dtype), "float32")
