"""What has no result is an error, the same on every backend.

Shape rules ask here, and kernels where their framework lets it pass or answers with something of its own. The rules are
the table of docs/numerics.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import ArgumentError, OutOfRangeError, ShapeError


def check_some(shape: Sequence[Any], axis: Any) -> None:
    """Raises ShapeError where an extreme over axes is one of no elements at all."""
    empty = [a for a in shapes.canonical_axes(axis, len(shape)) if shape[a] == 0]
    if empty:
        raise ShapeError(
            f"Of no elements none is the largest or the smallest: axis {empty[0]} of the shape {tuple(shape)} has the "
            "length 0. Look at the shape before, or pass `initial` to `ops.max` and `ops.min`."
        )


def check_top(k: int, shape: Sequence[Any]) -> None:
    """Raises where there are no k elements along the last axis."""
    if not shape:
        raise ShapeError("ops.top_k needs one dimension or more. Use `ops.reshape(x, (1,))` for a scalar.")
    if k < 0 or (isinstance(shape[-1], int) and k > shape[-1]):
        raise ArgumentError(f"ops.top_k: {k} elements were asked for along the last axis of the shape {tuple(shape)}.")


def out_of_range(index: Any, length: int, axis: int | None = None, shape: Sequence[Any] | None = None) -> Exception:
    """The error of an index that names no element."""
    where = "" if shape is None else f" (axis {axis} of the shape {tuple(shape)})"
    valid = f"{-length} to {length - 1}, counted from the end where below 0" if length else "none, as there is nothing"
    return OutOfRangeError(f"The index {index} is out of range for {length} elements{where}: valid are {valid}.")


def corner(start: Sequence[Any], shape: Sequence[int], block: Sequence[int]) -> tuple[int, ...]:
    """Where a block of a tensor begins, counted from the front. It must lie inside.

    Args:
        start: an index for each axis, of values that can be read.
        shape: shape of the tensor.
        block: shape of the block.

    Raises:
        ShapeError: where the ranks differ, or the block is longer than the tensor.
        OutOfRangeError: where the block would begin or end outside.

    Example:
        >>> from keras_fn.core import limits
        >>> limits.corner((1, -2), (3, 4), (2, 2))
        (1, 2)
    """
    if not len(start) == len(shape) == len(block):
        check_block(shape, block)
        raise ShapeError(f"The shape {tuple(shape)} needs {len(shape)} start indices, and {len(start)} came.")
    found = []
    for at, length, count in zip(start, shape, block, strict=True):
        at = int(at)
        first = at + length if at < 0 else at
        if not 0 <= first <= length - count:
            check_block(shape, block)
            raise OutOfRangeError(
                f"A block of the shape {tuple(block)} that begins at {tuple(int(i) for i in start)} does not lie "
                f"inside of the shape {tuple(shape)}: along axis {len(found)} it can begin at 0 to {length - count}."
            )
        found.append(first)
    return tuple(found)


def check_block(shape: Sequence[Any], block: Sequence[Any]) -> None:
    """Raises ShapeError where a block is larger than the tensor that it is a part of."""
    fits = len(shape) == len(block)
    for length, count in zip(shape, block, strict=False):
        if isinstance(length, int) and isinstance(count, int) and not 0 <= count <= length:
            fits = False
    if not fits:
        raise ShapeError(f"A tensor of the shape {tuple(shape)} has no block of the shape {tuple(block)}.")


def keyed_axes(key: Any, rank: int) -> Iterator[tuple[Any, int]]:
    """The keys of `x[key]` that are indices, ints or arrays, and the axes that they index. Masks are none."""
    keys = key if isinstance(key, tuple) else (key,)
    used = sum(_width(k) for k in keys)
    axis = 0
    for k in keys:
        if k is Ellipsis:
            axis += rank - used
        elif isinstance(k, int) or (k is not None and not isinstance(k, slice) and not _is_mask(k)):
            yield k, axis
            axis += 1
        else:
            axis += _width(k)


def _width(k: Any) -> int:
    """How many axes a key is about."""
    if k is None or k is Ellipsis:
        return 0
    return len(getattr(k, "shape", (0,))) if _is_mask(k) else 1


def _is_mask(k: Any) -> bool:
    if isinstance(k, list):
        return bool(k) and isinstance(k[0], bool)
    return hasattr(k, "dtype") and dtypes.standardize(k.dtype) == "bool"


def check_ints(key: Any, shape: Sequence[Any]) -> None:
    """Raises OutOfRangeError where an int of `x[key]` names no element."""
    for k, axis in keyed_axes(key, len(shape)):
        if isinstance(k, int) and axis < len(shape):
            length = shape[axis]
            if isinstance(length, int) and not -length <= k < length:
                raise out_of_range(k, length, axis, shape)
