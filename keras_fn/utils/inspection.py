"""What summaries and plots ask a model: its layers, their shapes, and who feeds whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from keras_fn.core.errors import KerasFnError
from keras_fn.core.spec import Spec

UNKNOWN = "?"


class View:
    """A model's graph, with the calls of each operation at hand.

    Attributes:
        function: the graph.
    """

    def __init__(self, function: Any) -> None:
        self.function = function
        self._calls: dict[int, list[Any]] = {}
        for node in function.nodes:
            self._calls.setdefault(id(node.operation), []).append(node)

    def calls(self, operation: Any) -> list[Any]:
        """The calls of a layer or op in this graph."""
        return self._calls.get(id(operation), [])

    def sources(self, operation: Any) -> Iterator[Any]:
        """The symbols that a layer or op is called on in this graph, call by call."""
        for node in self.calls(operation):
            yield from node.inputs


def graph_of(model: Any) -> View | None:
    """The graph of a functional or built Sequential model; None for one that is Python code or not built."""
    function = getattr(getattr(model, "_kf_functional", None) or model, "_function", None)
    return None if function is None else View(function)


def is_model(layer: Any) -> bool:
    """Whether this is a model: a layer that lists the layers inside it."""
    return hasattr(layer, "summary") and hasattr(layer, "layers")


def is_code(model: Any) -> bool:
    """Whether the model is a subclass whose `call` is Python code, so that its layers' connections are not known."""
    return not hasattr(model, "_kf_functional") and not hasattr(model, "_function")


def members(model: Any) -> list[Any]:
    """The layers of a model, and the ops where it is a graph."""
    return list(getattr(model, "operations", None) or model.layers)


def is_chain(model: Any) -> bool:
    """Whether each call takes what the one before it gives, so that a list tells everything."""
    function = getattr(model, "_function", None)
    if function is None:
        return True
    nodes, before = function.nodes, None
    if len(nodes) != len(function.operations):
        return False
    for node in nodes:
        if [id(parent) for parent in node.parents] != ([] if before is None else [id(before)]):
            return False
        before = node
    return True


def class_name(operation: Any) -> str:
    """The class of a layer, or the name of an op as a class: "Add"."""
    op = getattr(operation, "op", None)
    if op is None or hasattr(operation, "get_config"):
        return type(operation).__name__
    return "".join(part[:1].upper() + part[1:] for part in op.name.strip("_").split("_"))


def call_index(node: Any) -> int:
    """The place of a call among all the calls of its operation, as in `layer.calls[i]`."""
    calls = [ref() for ref in getattr(node.operation, "_calls", ())] or getattr(node.operation, "calls", [])
    return next((i for i, other in enumerate(calls) if other is node), 0)


def connections(operation: Any, view: View | None) -> list[str]:
    """What feeds a layer or op: "name[call][output]" each."""
    if view is None:
        return []
    return [f"{x._node.operation.name}[{call_index(x._node)}][{x._index}]" for x in view.sources(operation)]


def activation_name(operation: Any) -> str | None:
    """The name of a layer's activation function; None where it has none."""
    function = getattr(operation, "activation", None)
    if function is None:
        return None
    return getattr(function, "name", None) or getattr(function, "__name__", None) or type(function).__name__


# --- shapes
def output_specs(operation: Any, view: View | None) -> list[Any]:
    """The specs of what a layer or op returns, flat; empty where they are not known.

    Taken from its last call in the graph, from a call elsewhere, or inferred from the shapes it was built for.
    """
    calls = view.calls(operation) if view is not None else []
    calls = calls or list(getattr(operation, "calls", ()))[:1]
    if calls:
        return [s for s in calls[-1].specs if isinstance(s, Spec)]
    if is_model(operation) and (inner := graph_of(operation)) is not None:
        return list(inner.function.outputs)
    return _inferred(operation)


def input_specs(operation: Any, view: View | None) -> list[Any]:
    """The specs of what a layer or op is called on, flat; empty where they are not known, or for an input."""
    calls = view.calls(operation) if view is not None else []
    return list(calls[-1].inputs) if calls else []


def _inferred(layer: Any) -> list[Any]:
    shapes = getattr(layer, "_kf_build_shapes", None)
    if not shapes:
        return []
    try:
        given = (next(iter(shapes.values())),) if len(shapes) == 1 else ()
        found = layer.compute_output_shape(*given, **({} if given else shapes))
    except (KerasFnError, RuntimeError, TypeError, ValueError):
        return []  # code that only runs on values; its shapes are shown as not known
    return [Spec(shape, layer.compute_dtype) for shape in _shapes(found)]


def _shapes(found: Any) -> list[Any]:
    if isinstance(found, dict):
        return [s for v in found.values() for s in _shapes(v)]
    if isinstance(found, (list, tuple)) and any(isinstance(x, (list, tuple, dict)) for x in found):
        return [s for v in found for s in _shapes(v)]
    return [found]


def output_text(operation: Any, view: View | None) -> str:
    """The shapes of what a layer or op returns, for people: "(None, 3)", "[(None, 3), (None, 2)]" or "?"."""
    return shapes_text(output_specs(operation, view))


def shapes_text(specs: list[Any]) -> str:
    """Shapes for people; "?" for none."""
    return _listed([shape_text(s.shape) for s in specs])


def dtypes_text(specs: list[Any]) -> str:
    """dtypes for people; "?" for none. Where all are equal, one stands for all."""
    return _listed(list(dict.fromkeys(s.dtype for s in specs)))


def shape_text(shape: Any) -> str:
    """A shape for people: "(None, 3)"."""
    return f"({', '.join(map(str, shape))})"


def _listed(texts: list[str]) -> str:
    if not texts:
        return UNKNOWN
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


# --- sizes
def dtype_bits(dtype: str) -> int:
    """The bits of one number of a dtype; 8 for bool."""
    digits = re.search(r"\d+", dtype)
    return int(digits[0]) if digits else 8


def size_text(size: float) -> str:
    """A number of bytes for people, in units of 1024: "215.04 KB"."""
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} PB"
