"""Tensors joined and cut along the first three axes, and turned over."""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import op, promotes, same

__all__ = [
    "append", "array_split", "dsplit", "dstack", "fliplr", "flipud", "hsplit", "hstack", "rot90", "vsplit", "vstack",
]  # fmt: skip


def _with_rank(x: Any, rank: int) -> Any:
    """The tensor with at least so many dimensions (1 to 3), the new ones where NumPy's `atleast_…` put them."""
    missing = rank - s.ndim(x)
    places = {(1, 1): (0,), (2, 1): (0,), (2, 2): (0, 1), (3, 1): (2,), (3, 2): (0, 2), (3, 3): (0, 1, 2)}
    return x if missing <= 0 else s.expand_dims(x, places[rank, missing])


def _needs(x: Any, rank: int, name: str) -> None:
    if s.ndim(x) < rank:
        raise ShapeError(f"ops.{name} needs {rank} dimensions or more, and the shape is {tuple(x.shape)}.")


# --- joining
@op(dtype=promotes("x1", "x2"), oracle="numpy.append")
def append(x1, x2, axis=None):
    """`x1` with `x2` behind it.

    Args:
        x1: tensor.
        x2: tensor of the same shape, except along the axis.
        axis: the axis to join along; None for both in a row.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.append([[1, 2]], [[3, 4]])).tolist()
        [1, 2, 3, 4]
    """
    if axis is None:
        return s.concatenate([s.ravel(x1), s.ravel(x2)], 0)
    return s.concatenate([x1, x2], axis)


@op(dtype=promotes("*xs"), oracle="numpy.hstack")
def hstack(xs):
    """Tensors side by side: joined along the second axis; the first where they have one axis only.

    Args:
        xs: list of tensors.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.hstack([[[1], [2]], [[3], [4]]])).tolist()
        [[1, 3], [2, 4]]
    """
    xs = [_with_rank(x, 1) for x in xs]
    return s.concatenate(xs, 0 if not xs or s.ndim(xs[0]) == 1 else 1)


@op(dtype=promotes("*xs"), oracle="numpy.vstack")
def vstack(xs):
    """Tensors one below the other: joined along the first axis; vectors become rows.

    Args:
        xs: list of tensors.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.vstack([[1, 2], [3, 4]])).tolist()
        [[1, 2], [3, 4]]
    """
    return s.concatenate([_with_rank(x, 2) for x in xs], 0)


@op(dtype=promotes("*xs"), oracle="numpy.dstack")
def dstack(xs):
    """Tensors one behind the other: joined along the third axis, which matrices and vectors get.

    Args:
        xs: list of tensors.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.dstack([[1, 2], [3, 4]])).tolist()
        [[[1, 3], [2, 4]]]
    """
    return s.concatenate([_with_rank(x, 3) for x in xs], 2)


# --- cutting
@op(dtype=same("x"), oracle="numpy.array_split")
def array_split(x, indices_or_sections, axis=0):
    """The parts of a tensor along an axis; where they cannot be equal, the first ones are longer by 1.

    Args:
        x: tensor.
        indices_or_sections: the number of parts, or the indices to cut at.
        axis: the axis to cut.

    Returns:
        A list of tensors.

    Example:
        >>> from keras_fn import ops
        >>> [part.shape[0] for part in ops.array_split(ops.arange(7), 3)]
        [3, 2, 2]
    """
    if not isinstance(indices_or_sections, int):
        return s.split(x, indices_or_sections, axis)
    parts = indices_or_sections
    if parts < 1:
        raise ArgumentError(f"ops.array_split: `indices_or_sections` must be 1 part or more, not {parts}.")
    length = s.shape(x)[shapes.canonical_axis(axis, s.ndim(x))]
    if length is None:
        return s.split(x, [None] * (parts - 1), axis)
    # the first `length % parts` parts have one element more: the i-th cut is at i * (length // parts) + min(i, rest)
    each, rest = length // parts, length % parts
    if isinstance(length, int):
        return s.split(x, [i * each + min(i, rest) for i in range(1, parts)], axis)
    from keras_fn.ops.elementwise import minimum

    return s.split(x, [i * each + minimum(i, rest) for i in range(1, parts)], axis)


@op(dtype=same("x"), oracle="numpy.hsplit")
def hsplit(x, indices_or_sections):
    """The parts of a tensor along the second axis (the first of a vector): side by side.

    Args:
        x: tensor of one dimension or more.
        indices_or_sections: the number of equal parts, or the indices to cut at.

    Returns:
        A list of tensors.

    Example:
        >>> from keras_fn import ops
        >>> [p.tolist() for p in map(ops.convert_to_numpy, ops.hsplit([[1, 2], [3, 4]], 2))]
        [[[1], [3]], [[2], [4]]]
    """
    _needs(x, 1, "hsplit")
    return s.split(x, indices_or_sections, 0 if s.ndim(x) == 1 else 1)


@op(dtype=same("x"), oracle="numpy.vsplit")
def vsplit(x, indices_or_sections):
    """The parts of a tensor along the first axis: one below the other.

    Args:
        x: tensor of two dimensions or more.
        indices_or_sections: the number of equal parts, or the indices to cut at.

    Returns:
        A list of tensors.

    Example:
        >>> from keras_fn import ops
        >>> [p.tolist() for p in map(ops.convert_to_numpy, ops.vsplit([[1, 2], [3, 4]], 2))]
        [[[1, 2]], [[3, 4]]]
    """
    _needs(x, 2, "vsplit")
    return s.split(x, indices_or_sections, 0)


@op(dtype=same("x"), oracle="numpy.dsplit")
def dsplit(x, indices_or_sections):
    """The parts of a tensor along the third axis: one behind the other.

    Args:
        x: tensor of three dimensions or more.
        indices_or_sections: the number of equal parts, or the indices to cut at.

    Returns:
        A list of tensors.

    Example:
        >>> from keras_fn import ops
        >>> [p.shape[2] for p in ops.dsplit(ops.zeros((1, 2, 4)), [1])]
        [1, 3]
    """
    _needs(x, 3, "dsplit")
    return s.split(x, indices_or_sections, 2)


# --- turning over
@op(dtype=same("x"), oracle="numpy.fliplr")
def fliplr(x):
    """The columns in reverse order: left becomes right.

    Args:
        x: tensor of two dimensions or more.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.fliplr([[1, 2], [3, 4]])).tolist()
        [[2, 1], [4, 3]]
    """
    _needs(x, 2, "fliplr")
    return s.flip(x, 1)


@op(dtype=same("x"), oracle="numpy.flipud")
def flipud(x):
    """The rows in reverse order: up becomes down.

    Args:
        x: tensor of one dimension or more.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.flipud([[1, 2], [3, 4]])).tolist()
        [[3, 4], [1, 2]]
    """
    _needs(x, 1, "flipud")
    return s.flip(x, 0)


@op(dtype=same("array"), oracle="numpy.rot90")
def rot90(array, k=1, axes=(0, 1)):
    """The tensor turned by quarter turns, from the first axis towards the second.

    Args:
        array: tensor of two dimensions or more.
        k: number of quarter turns; negative for the other direction.
        axes: the two axes of the plane.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.rot90([[1, 2], [3, 4]])).tolist()
        [[2, 4], [1, 3]]
    """
    _needs(array, 2, "rot90")
    if len(axes) != 2:
        raise ArgumentError(f"ops.rot90: `axes` must name two axes, not {axes!r}.")
    first, second = shapes.canonical_axes(tuple(axes), s.ndim(array))
    turns = k % 4
    if turns == 0:
        return array
    if turns == 2:
        return s.flip(array, (first, second))
    if turns == 1:
        return s.swapaxes(s.flip(array, second), first, second)
    return s.flip(s.swapaxes(array, first, second), second)
