"""What ops do with ragged tensors, where they do not work element by element.

Imported when the first ragged tensor meets an op; dense tensors never come here. A backend gives the flat values, and a
few functions that know where rows end (`Backend`, the part on ragged tensors).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import shapes
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.core.op import REGISTRY
from keras_fn.core.ragged import refusal
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r

__all__: list[str] = []  # nothing to call: ops look their rule up

# shape rules of ops that work element by element, and more of these ops
ELEMENTWISE = frozenset([e.keeps, e.broadcasts])
FLAT = frozenset("_cast _select _fill_like nan_to_num _imag _real _saturate_cast relu".split())


def _is_ragged(x: Any) -> bool:
    return x.__class__ in active.backend.ragged_classes


def _axis_of(x: Any, axis: int) -> tuple[int, int]:
    """The axis, counted from the front, and how many axes at the front the flat values do not have."""
    return shapes.canonical_axis(axis, len(x.shape)), len(x.shape) - active.backend.flat_rank(x)


def _reduced(name: str) -> Callable[..., Any]:
    """A reduction; along axes that the flat values have, these are reduced."""

    def body(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return active.backend.reduce_ragged(name, x, axis, keepdims)

    return body


def _along(name: str, composed: Callable[[Any, int], Any]) -> Callable[..., Any]:
    """An op along one axis: on the flat values where they have it, else composed of other ops."""

    def body(x: Any, axis: int = -1) -> Any:
        axis, front = _axis_of(x, axis)
        if axis > front:
            return active.backend.map_flat(lambda flat: REGISTRY[name](flat, axis - front), [x])
        return composed(x, axis)

    return body


def _softmax(x: Any, axis: int) -> Any:
    shifted = e.exp(e.subtract(x, e.stop_gradient(r.amax(x, axis, True))))
    return e.true_divide(shifted, r.sum(shifted, axis, True))


def _log_softmax(x: Any, axis: int) -> Any:
    shifted = e.subtract(x, e.stop_gradient(r.amax(x, axis, True)))
    return e.subtract(shifted, e.log(r.sum(e.exp(shifted), axis, True)))


def _take(x: Any, indices: Any, axis: int | None = None) -> Any:
    if axis != 0:
        raise ArgumentError(f"ops.take of or by a ragged tensor goes along axis 0, and not along {axis}.")
    if _is_ragged(x):
        if _is_ragged(indices):
            raise ArgumentTypeError("ops.take takes one ragged tensor, x or the indices, and two came.")
        return active.backend.ragged_rows(x, indices)
    return active.backend.map_flat(lambda ids: REGISTRY["take"](x, ids, 0), [indices])


def _one_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    if axis not in (-1, len(x.shape)):
        raise ArgumentError(f"ops.one_hot of a ragged tensor gives the classes the last axis, and not axis {axis}.")
    return active.backend.map_flat(lambda ids: REGISTRY["_one_hot"](ids, num_classes, -1, dtype), [x])


def _matmul(x1: Any, x2: Any) -> Any:
    if _is_ragged(x2) or len(x2.shape) != 2 or active.backend.flat_rank(x1) < 2:
        raise ArgumentTypeError(
            "ops.matmul of ragged tensors takes one whose last axis is not ragged, and a dense matrix. Others need "
            "dense tensors: `ops.convert_to_tensor(x, ragged=False)`."
        )
    return active.backend.map_flat(lambda flat: REGISTRY["matmul"](flat, x2), [x1])


def _reshape(x: Any, newshape: tuple[Any, ...]) -> Any:
    """All elements in a row; in another shape there is no telling where rows end."""
    if newshape != (-1,):
        raise refusal("reshape", x)
    return active.backend.elements_ragged(x)


def _cumsum(x: Any, axis: int | None = None) -> Any:
    if axis is None:
        return REGISTRY["_cumsum"](active.backend.elements_ragged(x), 0)
    return active.backend.cumsum_ragged(x, shapes.canonical_axis(axis, len(x.shape)))


def _tile(x: Any, repeats: Any) -> Any:
    repeats = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    return active.backend.tile_ragged(x, (1,) * (len(x.shape) - len(repeats)) + repeats)


def _backends(name: str) -> Callable[..., Any]:
    return lambda *args: getattr(active.backend, name)(*args)


RULES: dict[str, Callable[..., Any]] = {
    **{name: _reduced(name) for name in ("sum", "_prod", "mean", "amax", "amin", "any", "all")},
    "_softmax": _along("_softmax", _softmax),
    "_log_softmax": _along("_log_softmax", _log_softmax),
    "take": _take,
    "_one_hot": _one_hot,
    "matmul": _matmul,
    "concatenate": _backends("join_ragged"),
    "stack": _backends("stack_ragged"),
    "expand_dims": _backends("expand_ragged"),
    "squeeze": _backends("squeeze_ragged"),
    "_flip": _backends("flip_ragged"),
    "split": _backends("split_ragged"),
    "tile": _tile,
    "_cumsum": _cumsum,
    "_reshape": _reshape,
}
