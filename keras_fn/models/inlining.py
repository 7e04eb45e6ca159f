"""Tensors inside a model that was called as a layer, as outputs of a graph around it.

`Model(outer.input, inner.get_layer("h").output)`: the symbol belongs to the inner model's own graph, which begins at
the inner model's inputs. Where the inner model was called once on what the outer graph computes, the calls between its
inputs and the wanted tensor are repeated on the arguments of that call.
"""

from __future__ import annotations

import weakref
from typing import Any

from keras_fn.core import trees
from keras_fn.core.errors import GraphError
from keras_fn.graph.node import Node
from keras_fn.graph.symbol import KerasTensor


def note_owner(model: Any, graph: Any) -> None:
    """Lets the inputs of a graph know the model that they are the inputs of."""
    for symbol in graph.inputs:
        owners = symbol._node.operation.__dict__.setdefault("_kf_owners", [])
        owners[:] = [ref for ref in owners if ref() is not None] + [weakref.ref(model)]


def _owners(node: Node) -> list[Any]:
    return [m for ref in node.operation.__dict__.get("_kf_owners", ()) if (m := ref()) is not None]


def reach_inside(inputs: Any, outputs: Any) -> Any:
    """The outputs, with every tensor inside a nested model led back to the call of that model.

    Args:
        inputs: input symbols of the graph, in a structure.
        outputs: output symbols, in a structure.

    Raises:
        GraphError: where an inner model was called several times, so that it is not clear which call is meant.
    """
    given = {(id(x._node), x._index) for x in trees.flatten(inputs)}
    seen: set[int] = set()
    while True:
        replaced = {}
        for node in _open_inputs(trees.flatten(outputs), given):
            if id(node) not in seen and (argument := _argument_for(node, given)) is not None:
                seen.add(id(node))
                replaced[id(node), 0] = argument
        if not replaced:
            return outputs
        outputs = _rewritten(outputs, replaced)


def _ancestors(symbols: list[KerasTensor], given: set[tuple[int, int]]) -> list[Node]:
    """The calls above some symbols, parents first, without going beyond the given ones."""
    done: dict[int, Node] = {}
    stack: list[tuple[KerasTensor, bool]] = [(x, False) for x in reversed(symbols)]
    while stack:
        symbol, leaving = stack.pop()
        node = symbol._node
        if node is None or (id(node), symbol._index) in given:
            continue
        if leaving:
            done.setdefault(id(node), node)
        elif id(node) not in done:
            stack.append((symbol, True))
            stack.extend((x, False) for x in reversed(node.inputs))
    return list(done.values())


def _open_inputs(symbols: list[KerasTensor], given: set[tuple[int, int]]) -> list[Node]:
    return [n for n in _ancestors(symbols, given) if n.is_input]


def _argument_for(node: Node, given: set[tuple[int, int]]) -> Any:
    """What the model, whose input this is, was called on in the graph that begins at the given symbols."""
    found = _calls_for(node, given)
    if len(found) > 1:
        lines = "\n".join(f"  {m.name!r}.calls[{m.calls.index(c)}] at {c.line}" for m, c, _ in found)
        raise GraphError(
            f"A tensor inside the model {found[0][0].name!r} is asked for, which was called {len(found)} times in this "
            f"graph, so it is not clear which call is meant:\n{lines}"
        )
    return found[0][1].inputs[found[0][2]] if found else None


def _calls_for(node: Node, given: set[tuple[int, int]]) -> list[tuple[Any, Node, int]]:
    """The calls, in the graph that begins at the given symbols, of models whose input this is; and which input."""
    found = []
    for owner in _owners(node):
        place = next((i for i, x in enumerate(owner.inputs) if x._node is node), None)
        if place is not None:
            found += [(owner, c, place) for c in owner.calls if place < len(c.inputs) and _begins_at(c, given)]
    return found


def _begins_at(call: Node, given: set[tuple[int, int]]) -> bool:
    """Whether a call's arguments come from the given symbols, also by way of further nested models."""
    return all(_calls_for(n, given) for n in _open_inputs(call.inputs, given))


def _rewritten(outputs: Any, replaced: dict[tuple[int, int], Any]) -> Any:
    """The outputs with some symbols replaced by others, wherever they come from them."""
    copies: dict[int, Node] = {}

    def moved(x: Any) -> Any:
        if not isinstance(x, KerasTensor) or x._node is None:
            return x
        if (id(x._node), x._index) in replaced:
            return replaced[id(x._node), x._index]
        copy = copies.get(id(x._node))
        return x if copy is None else copy.symbol(x._index)

    for node in _ancestors(trees.flatten(outputs), set()):
        moves = any((id(x._node), x._index) in replaced or id(x._node) in copies for x in node.inputs)
        if moves:
            copies[id(node)] = copy_node(node, moved)
    return trees.map(moved, outputs)


def copy_node(node: Node, moved: Any) -> Node:
    """The same call on other symbols; what was called does not count it among its calls."""
    copy = object.__new__(Node)
    copy.operation, copy.specs, copy.structure, copy.line = node.operation, node.specs, node.structure, node.line
    copy.args, copy.kwargs = trees.map(moved, node.args), trees.map(moved, node.kwargs)
    copy.inputs = [x for x in trees.flatten((copy.args, copy.kwargs)) if isinstance(x, KerasTensor)]
    copy._symbols = [None] * len(node.specs)
    return copy
