"""Axes by their names. The notation is that of einops: https://openreview.net/forum?id=oapKSVM2bcj"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import op, same
from keras_fn.core.reading import remembered
from keras_fn.core.spec import Spec

__all__ = ["rearrange"]

_TOKEN = re.compile(r"\s*(\.\.\.|[A-Za-z_][A-Za-z0-9_]*|[()]|1(?![0-9A-Za-z_]))")
Side = tuple[tuple[str, ...], ...]


def _side(text: str, pattern: str) -> Side:
    """One side of a pattern: the axes, each as the names that it is made of."""
    axes: list[tuple[str, ...]] = []
    group: list[str] | None = None
    place = 0
    text = text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ArgumentError(f"The pattern {pattern!r} cannot be read from {text[place:]!r} on.")
        token, place = match.group(1), match.end()
        if token == "(" and group is None:
            group = []
        elif token == ")" and group is not None:
            axes.append(tuple(group))
            group = None
        elif token in "()":
            raise ArgumentError(f"The brackets of the pattern {pattern!r} do not match, or lie in each other.")
        elif token == "1":
            if group is None:
                axes.append(())
        elif group is not None:
            group.append(token)
        else:
            axes.append((token,))
    if group is not None:
        raise ArgumentError(f"A bracket of the pattern {pattern!r} is not closed.")
    names = [n for axis in axes for n in axis]
    if len(set(names)) != len(names):
        raise ArgumentError(f"A name stands twice on one side of the pattern {pattern!r}.")
    return tuple(axes)


@remembered(maxsize=256)
def _parsed(pattern: str) -> tuple[Side, Side]:
    """Both sides of a pattern."""
    left, arrow, right = pattern.partition("->")
    if not arrow:
        raise ArgumentError(f"A pattern has two sides, 'a b -> b a', and {pattern!r} came.")
    sides = _side(left, pattern), _side(right, pattern)
    names = [{n for axis in side for n in axis} for side in sides]
    if names[0] != names[1]:
        lonely = ", ".join(sorted(names[0] ^ names[1]))
        raise ArgumentError(f"Every name must stand on both sides of the pattern {pattern!r}, and not so {lonely}.")
    if any("..." in axis and len(axis) > 1 for axis in sides[0]):
        raise ArgumentError(f"On the left of the pattern {pattern!r}, '...' cannot be in brackets.")
    return sides


def _spelt(side: Side, hidden: list[str]) -> Side:
    """A side with the axes that '...' stands for."""
    out: list[tuple[str, ...]] = []
    for axis in side:
        if axis == ("...",):
            out.extend((name,) for name in hidden)
        else:
            out.append(tuple(n for name in axis for n in (hidden if name == "..." else [name])))
    return tuple(out)


def _lengths(axes: Side, dims: Any, given: Mapping[str, int], pattern: str) -> dict[str, Any]:
    """The length of every name: given, or what is left of its axis; None where it is not known."""
    found: dict[str, Any] = {}
    for axis, whole in zip(axes, dims, strict=True):
        known = 1
        for name in axis:
            known *= given.get(name, 1)
        open_names = [name for name in axis if name not in given]
        if len(open_names) > 1:
            raise ArgumentError(
                f"The lengths of {', '.join(open_names)} in the pattern {pattern!r} are not known: pass all but one."
            )
        if isinstance(whole, int) and (whole % known or (not open_names and whole != known)):
            raise ShapeError(
                f"The axis ({' '.join(axis)}) of the pattern {pattern!r} has the length {whole}, which does not fit "
                f"{({n: given[n] for n in axis if n in given})}."
            )
        found.update({name: given[name] for name in axis if name in given})
        if open_names:
            found[open_names[0]] = None if whole is None else whole // known
    return found


def _product(values: list[Any]) -> Any:
    total: Any = 1
    for v in values:
        if v is None:
            return None
        total = total * v
    return total


@op(dtype=same("tensor"))
def _rearranged(tensor, pattern, axes_lengths):
    """`rearrange` with the lengths as a dict."""
    left, right = _parsed(pattern)
    dims = s.shape(tensor)
    rank = len(dims)
    hidden = [f"...{i}" for i in range(rank - len(left) + 1)] if ("...",) in left else []
    left, right = _spelt(left, hidden), _spelt(right, hidden)
    if len(left) != rank:
        raise ShapeError(f"The pattern {pattern!r} is for {len(left)} axes, and the shape is {tuple(tensor.shape)}.")
    names = [name for axis in left for name in axis]
    unknown = set(axes_lengths) - set(names)
    if unknown:
        raise ArgumentError(f"The pattern {pattern!r} has no axis {', '.join(sorted(unknown))}.")
    sizes = _lengths(left, dims, axes_lengths, pattern)
    target = [name for axis in right for name in axis]
    shape = tuple(_product([sizes[n] for n in axis]) for axis in right)
    if isinstance(tensor, Spec):
        return Spec(shape, tensor.dtype)
    x = tensor
    if any(len(axis) != 1 for axis in left):
        x = s.reshape(x, tuple(sizes[n] for n in names))
    if target != names:
        x = s.transpose(x, tuple(names.index(n) for n in target))
    return s.reshape(x, shape) if any(len(axis) != 1 for axis in right) else x


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Axes split, reordered and joined, as a pattern of their names says.

    Args:
        tensor: tensor.
        pattern: `"names of the axes -> names in the result"`. `(a b)` is one axis made of two, the first of which
            changes slower; `...` stands for any number of axes, `1` for an axis of length 1.
        axes_lengths: lengths of names that do not follow from the shape.

    Returns:
        Tensor with the same elements.

    Raises:
        ArgumentError: where the pattern makes no sense.
        ShapeError: where the tensor does not have such axes.

    Example:
        >>> from keras_fn import ops
        >>> x = ops.reshape(ops.arange(6), (1, 6))
        >>> ops.convert_to_numpy(ops.rearrange(x, "b (h w) -> b w h", w=3)).tolist()
        [[[0, 3], [1, 4], [2, 5]]]
    """
    for name, length in axes_lengths.items():
        if not isinstance(length, int) or length < 1:
            raise ArgumentError(f"The length of {name!r} must be a positive int, not {length!r}.")
    if not isinstance(pattern, str):
        raise ArgumentError(f"`pattern` must be a string such as 'a b -> b a', not {pattern!r}.")
    return _rearranged(tensor, pattern, axes_lengths)
