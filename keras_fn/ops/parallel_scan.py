"""Running totals of any associative operation, in as many rounds as the length has binary digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optree

import keras_fn.ops.shape as s
from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, ShapeError, StructureError
from keras_fn.core.spec import Spec

__all__ = ["associative_scan"]

Leaves = list[Any]


def _cut(leaves: Leaves, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Leaves:
    """Every leaf between two places along the axis."""
    key = (*[slice(None)] * axis, slice(start, stop, step))
    return [s.get_item(x, key) for x in leaves]


def _interleaved(even: Any, odd: Any, axis: int) -> Any:
    """Elements of two tensors in turn; the first may have one more."""
    n, m = even.shape[axis], odd.shape[axis]
    key = (*[slice(None)] * axis, slice(0, m))
    pairs = s.stack([s.get_item(even, key), odd], axis + 1)
    dims = s.shape(odd)
    out = s.reshape(pairs, (*dims[:axis], 2 * m, *dims[axis + 1 :]))
    if n == m:
        return out
    return s.concatenate([out, s.get_item(even, (*[slice(None)] * axis, slice(m, n)))], axis)


def _scanned(join: Callable[[Leaves, Leaves], Leaves], leaves: Leaves, length: int, axis: int) -> Leaves:
    """Neighbours are joined to pairs, the pairs are scanned, and the places between them are filled."""
    if length < 2:
        return leaves
    pairs = join(_cut(leaves, axis, 0, length - 1, 2), _cut(leaves, axis, 1, None, 2))
    odd = _scanned(join, pairs, length // 2, axis)
    head, rest = _cut(leaves, axis, 0, 1), _cut(leaves, axis, 2, None, 2)
    if length > 2:
        before = odd if length % 2 else _cut(odd, axis, 0, length // 2 - 1)
        filled = join(before, rest)
        even = [s.concatenate([h, f], axis) for h, f in zip(head, filled, strict=True)]
    else:
        even = head
    return [_interleaved(a, b, axis) for a, b in zip(even, odd, strict=True)]


def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """`x0, f(x0, x1), f(f(x0, x1), x2), …` along an axis, for an `f` with `f(a, f(b, c)) = f(f(a, b), c)`.

    Source: https://www.cs.cmu.edu/~guyb/papers/Ble93.pdf

    Args:
        f: function of two trees like `elems`, which may be shorter along the axis; works element by element there.
        elems: tree of tensors of one length along the axis.
        reverse: from the last element to the first.
        axis: the axis; its length must be known.

    Returns:
        A tree like `elems`.

    Raises:
        ShapeError: where the lengths differ.
        StructureError: where `f` does not return a tree like `elems`.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.associative_scan(ops.add, ops.arange(1, 6))).tolist()
        [1, 3, 6, 10, 15]
    """
    if not callable(f):
        raise ArgumentTypeError(f"`f` of ops.associative_scan must be a function, and {f!r} came.")
    found, tree = optree.tree_flatten(elems)  # pyright: ignore[reportArgumentType]
    leaves = [x if hasattr(x, "shape") else s.convert_to_tensor(x) for x in found]
    if not leaves:
        raise ArgumentError("ops.associative_scan needs tensors to go along, and `elems` holds none.")
    axis = shapes.canonical_axis(axis, len(leaves[0].shape))
    lengths = {x.shape[axis] for x in leaves}
    if len(lengths) != 1:
        raise ShapeError(f"ops.associative_scan needs one length along axis {axis}, and found {lengths}.")
    length = lengths.pop()
    if not isinstance(length, int):
        if all(type(x) is Spec for x in leaves):
            return optree.tree_unflatten(tree, [Spec(x.shape, x.dtype) for x in leaves])
        raise ShapeError(f"ops.associative_scan needs a known length along axis {axis}.")

    def join(a: Leaves, b: Leaves) -> Leaves:
        out, found = optree.tree_flatten(f(optree.tree_unflatten(tree, a), optree.tree_unflatten(tree, b)))
        if found != tree:
            raise StructureError(f"`f` of ops.associative_scan must return the structure {tree}, and returned {found}.")
        return out

    if reverse:
        leaves = [s.flip(x, axis) for x in leaves]
    out = _scanned(join, leaves, length, axis)
    return optree.tree_unflatten(tree, [s.flip(x, axis) for x in out] if reverse else out)
