"""Nested structures of lists, tuples and dicts, through optree; a dict keeps the order in which it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import optree

from keras_fn.core.errors import StructureError
from keras_fn.core.reading import read_as

NAMESPACE = "keras_fn"

# for good, and for this namespace alone: entered and left at each call, it would cost more than the call itself, and
# one thread would leave it while another is inside
_ordered = optree.dict_insertion_ordered(True, namespace=NAMESPACE)
_ordered.__enter__()


# --- the same in plain Python, for a compiler that reads code and cannot read optree
def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in _leaves(part)]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in _leaves(part)]
    return [tree]


def _mapped(fn: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _mapped(fn, part, *[r[k] for r in rest]) for k, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [_mapped(fn, part, *others) for part, *others in zip(tree, *rest, strict=True)]
        if isinstance(tree, list):
            return parts
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    return fn(tree, *rest)


def _refilled(tree: Any, leaves: list[Any]) -> Any:
    left = list(leaves)
    return _mapped(lambda _: left.pop(0), tree)


# --- with optree, where there is nesting: most structures have none
def _is_flat(parts: Iterable[Any]) -> bool:
    for x in parts:  # noqa: SIM110  # half the time of `any`
        if isinstance(x, (list, tuple, dict)):
            return False
    return True


@read_as(_leaves)
def flatten(tree: Any) -> list[Any]:
    """The leaves, in order. None is a leaf."""
    if type(tree) is list or type(tree) is tuple:
        if _is_flat(tree):
            return list(tree)
    elif type(tree) is dict:
        if _is_flat(tree.values()):
            return list(tree.values())
    elif not isinstance(tree, (list, tuple, dict)):
        return [tree]
    return optree.tree_leaves(tree, none_is_leaf=True, namespace=NAMESPACE)  # pyright: ignore[reportArgumentType]


def flatten_sorted(tree: Any) -> list[Any]:
    """The leaves, with those of a dict in the order of its sorted keys: the order in which Keras meets them."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree, key=str) for leaf in flatten_sorted(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in flatten_sorted(part)]
    return [tree]


@read_as(_refilled)
def unflatten(tree: Any, leaves: list[Any]) -> Any:
    """A structure like `tree` with other leaves."""
    if not isinstance(tree, (list, tuple, dict)):
        return leaves[0]
    return structure(tree).unflatten(leaves)


def structure(tree: Any) -> Any:
    """The nesting without the leaves; it can be compared, and be the key of a dict."""
    return optree.tree_structure(tree, none_is_leaf=True, namespace=NAMESPACE)  # pyright: ignore[reportArgumentType]


@read_as(_mapped)
def map(fn: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """`fn` of each leaf, in the same structure."""
    if not isinstance(tree, (list, tuple, dict)):
        return fn(tree, *rest)
    if not rest:
        if type(tree) is dict:
            if _is_flat(tree.values()):
                return {k: fn(x) for k, x in tree.items()}
        elif (type(tree) is list or type(tree) is tuple) and _is_flat(tree):
            return type(tree)([fn(x) for x in tree])
    try:
        return optree.tree_map(fn, tree, *rest, none_is_leaf=True, namespace=NAMESPACE)  # pyright: ignore[reportArgumentType]
    except ValueError as e:
        if rest:
            raise StructureError(f"Structures differ: {e}") from e
        raise


def parts(tree: Any) -> Iterator[Any]:
    """What lies along the first axis of the leaves, one after the other, in the same structure."""
    count = len(next(x for x in flatten(tree) if x is not None))
    for i in range(count):
        yield map(lambda x: None if x is None else x[i], tree)


def paths(tree: Any) -> list[tuple[Any, ...]]:
    """The path of keys and indices that leads to each leaf."""
    return list(optree.tree_paths(tree, none_is_leaf=True, namespace=NAMESPACE))
