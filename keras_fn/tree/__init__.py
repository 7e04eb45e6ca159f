"""Nested structures of lists, tuples and dicts (through optree)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import trees
from keras_fn.core.errors import StructureError


def flatten(structure: Any) -> list[Any]:
    """The leaves of a structure, in order; a dict's in the order in which it was written.

    Example:
        >>> import keras_fn
        >>> keras_fn.tree.flatten({"b": 1, "a": [2, 3]})
        [1, 2, 3]
    """
    return trees.flatten(structure)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Pairs of the path of keys and indices to a leaf, and the leaf."""
    return list(zip(trees.paths(structure), trees.flatten(structure), strict=True))


def is_nested(structure: Any) -> bool:
    """Whether it is a list, tuple or dict."""
    return isinstance(structure, (list, tuple, dict))


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """`func` of each leaf (and the leaves in the same places of further structures), in the same structure.

    Args:
        func: function of a leaf of each structure.
        structures: structures of one form.
        none_is_leaf: whether None is passed to `func`, and not kept as it is.

    Raises:
        StructureError: where the structures differ.
    """
    if not structures:
        raise StructureError("`map_structure` needs at least one structure.")
    fn = func if none_is_leaf else (lambda *xs: None if xs[0] is None else func(*xs))
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    return trees.map(fn, *structures)


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """A structure of the form of `structure` with other leaves.

    Raises:
        StructureError: where their number differs.
    """
    leaves = list(flat_sequence)
    if len(leaves) != len(trees.flatten(structure)):
        raise StructureError(f"The structure has {len(trees.flatten(structure))} leaves, and {len(leaves)} came.")
    return trees.unflatten(structure, leaves)


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raises StructureError where two structures differ in form. `check_types` is there for Keras's signature."""
    if trees.paths(a) != trees.paths(b):
        raise StructureError(f"The structures differ: {trees.paths(a)} and {trees.paths(b)}.")


def assert_same_paths(a: Any, b: Any) -> None:
    """Raises StructureError where the leaves of two structures are not found under the same keys and indices."""
    ours, theirs = set(trees.paths(a)), set(trees.paths(b))
    if ours != theirs:
        raise StructureError(
            f"Only in the first: {sorted(ours - theirs, key=str)}; in the second: {sorted(theirs - ours, key=str)}."
        )


def map_shape_structure(func: Callable[..., Any], structure: Any) -> Any:
    """`func` of each shape in a structure: lists and tuples of ints and None count as leaves.

    Example:
        >>> import keras_fn
        >>> keras_fn.tree.map_shape_structure(lambda s: s[-1], {"a": (None, 3), "b": [(2, 4)]})
        {'a': 3, 'b': [4]}
    """
    if isinstance(structure, (list, tuple)) and all(d is None or isinstance(d, int) for d in structure):
        return func(structure)
    if isinstance(structure, dict):
        return {k: map_shape_structure(func, v) for k, v in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(map_shape_structure(func, v) for v in structure)
    raise StructureError(f"A shape, or a structure of shapes, was expected, and {structure!r} came.")


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """`func` of what the structures hold in the places of the leaves of the shallow one, in its form.

    Example:
        >>> import keras_fn
        >>> keras_fn.tree.map_structure_up_to([0, 0], len, [[1, 2, 3], (4,)])
        [3, 1]
    """
    if isinstance(shallow_structure, dict):
        _same_keys(shallow_structure, structures, dict)
        return {k: map_structure_up_to(v, func, *(s[k] for s in structures)) for k, v in shallow_structure.items()}
    if isinstance(shallow_structure, (list, tuple)):
        _same_keys(shallow_structure, structures, (list, tuple))
        parts = [map_structure_up_to(v, func, *(s[i] for s in structures)) for i, v in enumerate(shallow_structure)]
        return type(shallow_structure)(parts)
    return func(*structures)


def _same_keys(shallow: Any, structures: tuple[Any, ...], kind: Any) -> None:
    for other in structures:
        if not isinstance(other, kind) or len(other) != len(shallow):
            raise StructureError(f"The structure {other!r} does not have the form {shallow!r}.")
        if kind is dict and other.keys() != shallow.keys():
            raise StructureError(f"The keys differ: {list(shallow)} and {list(other)}.")


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples for lists."""
    if isinstance(structure, dict):
        return {k: lists_to_tuples(v) for k, v in structure.items()}
    if isinstance(structure, (list, tuple)):
        return tuple(lists_to_tuples(v) for v in structure)
    return structure


class MAP_TO_NONE:
    """What the function of `traverse` returns to put None in the place of a part."""


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """`func` of each part of a structure, the structure itself included; what it returns takes the part's place.

    Args:
        func: function of a part. Where it returns None, the part is gone into (top down) or kept; where it returns
            `MAP_TO_NONE`, None takes its place.
        structure: the structure.
        top_down: whether a part comes before what is in it.

    Example:
        >>> import keras_fn
        >>> keras_fn.tree.traverse(lambda x: keras_fn.tree.MAP_TO_NONE if x == 1 else None, [1, [2, 1]])
        [None, [2, None]]
    """
    if top_down:
        out = func(structure)
        if out is not None:
            return None if out is MAP_TO_NONE else out
    if isinstance(structure, dict):
        structure = {k: traverse(func, v, top_down) for k, v in structure.items()}
    elif isinstance(structure, (list, tuple)):
        structure = type(structure)(traverse(func, v, top_down) for v in structure)
    if top_down:
        return structure
    out = func(structure)
    return None if out is MAP_TO_NONE else structure if out is None else out


__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]
