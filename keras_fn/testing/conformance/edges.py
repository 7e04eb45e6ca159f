"""Group `edge`: what frameworks answer differently, at once and in a compiled step. The rows are data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core import dtypes
from keras_fn.core.backend import active
from keras_fn.testing.conformance.calls import GRID, Mismatch, compare, leaves, wide
from keras_fn.testing.samples.edges import EDGES, Edge
from keras_fn.testing.samples.sample import OPEN

# what a call that is refused raises: an error that was worded here, or the framework's own
REFUSED = (ValueError, IndexError, RuntimeError)


def edges(have: Sequence[str]) -> Iterator[Edge]:
    """The edges that the backend has the dtypes for."""
    for edge in EDGES:
        named = [dtypes.standardize(x.dtype) for x in _arrays(edge.args)]
        named += [a for a in edge.args if isinstance(a, str) and a in GRID]
        if all(d in have for d in named):
            yield edge


def _arrays(args: Any) -> Iterator[np.ndarray]:
    for a in args:
        if isinstance(a, np.ndarray):
            yield a
        elif isinstance(a, (list, tuple)):
            yield from _arrays(a)


def _filled(x: Any, left: Iterator[Any]) -> Any:
    """The arguments with other values in the place of their arrays."""
    if isinstance(x, (list, tuple)):
        return type(x)(_filled(e, left) for e in x)
    return next(left) if isinstance(x, np.ndarray) else x


def _call(edge: Edge, values: Sequence[Any]) -> list[Any]:
    return leaves(getattr(ops, edge.op)(*_filled(edge.args, iter(values)), **edge.kwargs))


def _tensors(edge: Edge) -> list[Any]:
    return [active.backend.convert(x, dtypes.standardize(x.dtype)) for x in _arrays(edge.args)]


def check_edge(edge: Edge) -> None:
    """At once, the result is the documented one, or an error."""
    with np.errstate(all="ignore"):
        if not edge.refused:
            _compare(edge, _call(edge, _tensors(edge)))
            return
        values = _tensors(edge)
        try:
            out = _call(edge, values)
        except REFUSED:
            return
    raise Mismatch(f"It should have been refused, and {[np.asarray(active.backend.to_numpy(x)) for x in out]} came.")


def check_compiled_edge(edge: Edge) -> None:
    """In a compiled step too; where it sees less, the documented value may come in the place of an error."""
    step = active.backend.compile_step(lambda *values: _call(edge, values), list, "auto")
    with np.errstate(all="ignore"):
        try:
            out = leaves(step(*_tensors(edge)))
        except REFUSED:
            if not edge.refused:
                raise
            return
    if edge.gives is OPEN:
        raise Mismatch("It should have been refused, and a result came.")
    _compare(edge, out)


def _compare(edge: Edge, out: list[Any]) -> None:
    gives = edge.gives if isinstance(edge.gives, tuple) else (edge.gives,)
    compare(out, [_shaped(g, x) for g, x in zip(gives, out, strict=True)], zeros=edge.zeros)


def _shaped(gives: Any, x: Any) -> np.ndarray:
    wanted = wide(np.asarray(gives))
    return wanted.reshape(tuple(x.shape)) if not wanted.size and 0 in tuple(x.shape) else wanted
