"""Arithmetic on shapes: tuples of ints, with None for a dimension that is not known."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any

from keras_fn.core.errors import ArgumentError, ShapeError

Dim = int | None
Shape = tuple[Dim, ...]


def standardize(shape: Any) -> Shape:
    """A shape as a tuple of ints and Nones, from an int, list, tuple, or a framework's shape object.

    Raises:
        ShapeError: for negative or fractional dimensions, or things that are no shape.
    """
    if type(shape) is tuple:  # most are in standard form
        for d in shape:
            if d is not None and (type(d) is not int or d < 0):
                break
        else:
            return shape
    if shape is None:
        raise ShapeError("A shape is needed and None came. Use () for a scalar, or (None,) for one unknown dimension.")
    if isinstance(shape, int):
        return (shape,)
    if not isinstance(shape, (tuple, list)):
        if hasattr(shape, "as_list"):
            shape = shape.as_list()
        elif not isinstance(shape, Iterable):
            raise ShapeError(f"A shape must be a tuple of ints, not {shape!r}.")
    out = []
    for d in shape:
        if d is not None and type(d) is not int:
            if getattr(d, "shape", None) == () and not hasattr(d, "__index__"):
                out.append(d)  # a framework's symbolic integer
                continue
            try:
                d = operator.index(d)
            except TypeError:
                if not isinstance(d, (str, float, list, tuple, dict)) and hasattr(d, "dtype"):
                    out.append(d)
                    continue
                raise ShapeError(f"A shape must hold ints or None, and {d!r} came, in {tuple(shape)!r}.") from None
        if type(d) is int and d < 0:
            raise ShapeError(f"A dimension cannot be negative: {tuple(shape)!r}. Write None where it is not known.")
        out.append(d)
    return tuple(out)


def canonical_axis(axis: int, rank: int) -> int:
    """An axis counted from the front. Raises ShapeError where it is out of range."""
    if not -rank <= axis < rank:
        if not rank:
            raise ShapeError(f"A scalar has no axes, and axis {axis} was asked for. `ops.reshape(x, (1,))` has one.")
        raise ShapeError(f"Axis {axis} is out of range for a tensor of {rank} dimensions ({-rank} to {rank - 1}).")
    return axis % rank


def canonical_axes(axis: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """Axes counted from the front; None means all of them."""
    if axis is None:
        return tuple(range(rank))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    found = tuple(canonical_axis(operator.index(a), rank) for a in axes)
    if len(set(found)) != len(found):
        raise ShapeError(f"An axis is named twice: {axis!r}.")
    return found


def broadcast(*shapes: Shape) -> Shape:
    """The shape that all of the shapes broadcast to (NumPy's rule; unknown meets n>1 gives n)."""
    if len(shapes) == 2 and shapes[0] == shapes[1]:
        return shapes[0]
    rank = max(map(len, shapes), default=0)
    out: list[Dim] = []
    for i in range(-rank, 0):
        dims = [s[i] for s in shapes if len(s) >= -i]
        known = {d for d in dims if d is not None and d != 1}
        if len(known) > 1:
            raise ShapeError(
                f"The shapes {' and '.join(map(str, shapes))} do not broadcast: dimension {i} is "
                f"{' and '.join(str(d) for d in sorted(known))}. Dimensions must be equal, or one of them 1."
            )
        out.append(known.pop() if known else (None if None in dims else 1))
    return tuple(out)


def reduce(shape: Shape, axis: Any, keepdims: bool) -> Shape:
    """The shape after a reduction over `axis`."""
    axes = canonical_axes(axis, len(shape))
    if keepdims:
        return tuple(1 if i in axes else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def size(shape: Shape) -> Dim:
    """The number of elements, None where a dimension is unknown."""
    return None if None in shape else math.prod(shape)  # type: ignore[arg-type]


def resolve_reshape(shape: Shape, target: Sequence[Dim]) -> Shape:
    """The result of reshaping `shape` to `target`, where -1 stands for what is left."""
    target = tuple(target)
    if target.count(-1) > 1:
        raise ArgumentError(f"Only one dimension can be -1 in a reshape, and {target} has more.")
    total, fixed = size(shape), size(tuple(d for d in target if d != -1))
    if -1 not in target:
        if total is not None and fixed is not None and total != fixed:
            raise ShapeError(f"Cannot reshape {shape} ({total} elements) to {target} ({fixed} elements).")
        return target
    if total is None or fixed is None:
        left = _cancel(shape, [d for d in target if d != -1])
    elif fixed == 0 or total % fixed:
        raise ShapeError(f"Cannot reshape {shape} ({total} elements) to {target}: {total} is no multiple of {fixed}.")
    else:
        left = total // fixed
    return tuple(left if d == -1 else d for d in target)


def _cancel(shape: Shape, fixed: list[Dim]) -> Dim:
    """What is left of an unknown size once one unknown dimension on each side cancels."""
    unknown_in, unknown_out = shape.count(None), fixed.count(None)
    if unknown_in == 1 and unknown_out == 1:
        rest = math.prod(d for d in shape if d is not None)
        known = math.prod(d for d in fixed if d is not None)
        if known and rest % known == 0:
            return rest // known
    return None


def matmul(a: Shape, b: Shape) -> Shape:
    """The shape of a matrix product, with NumPy's treatment of vectors and batches."""
    if not a or not b:
        raise ShapeError(f"matmul needs tensors of one dimension or more, and got the shapes {a} and {b}.")
    left = (1, *a) if len(a) == 1 else a
    right = (*b, 1) if len(b) == 1 else b
    if None not in (left[-1], right[-2]) and left[-1] != right[-2]:
        raise ShapeError(
            f"The shapes {a} and {b} do not multiply: the last dimension of the first ({left[-1]}) must equal "
            f"the {'only' if len(b) == 1 else 'next to last'} dimension of the second ({right[-2]})."
        )
    out = broadcast(left[:-2], right[:-2])
    if len(a) > 1:
        out += (left[-2],)
    if len(b) > 1:
        out += (right[-1],)
    return out


def tuple_of(value: Any, rank: int, name: str, *, zero: bool = False) -> tuple[int, ...]:
    """An argument such as `kernel_size` or `strides` as a tuple of `rank` ints.

    Raises:
        ArgumentError: where it is neither one int nor `rank` of them, or an entry is too small.
    """
    values = (value,) * rank if isinstance(value, int) else value
    try:
        values = tuple(operator.index(v) for v in values)
    except TypeError:
        raise ArgumentError(f"`{name}` must be an int or a tuple of {rank} ints, not {value!r}.") from None
    least = 0 if zero else 1
    if len(values) != rank or any(v < least for v in values):
        raise ArgumentError(f"`{name}` must be an int or a tuple of {rank} ints, each at least {least}, not {value!r}.")
    return values
