"""The order of the calls between the inputs and the outputs of a graph. No recursion: a model may be deep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keras_fn.core import trees
from keras_fn.core.errors import GraphError
from keras_fn.graph.node import Node
from keras_fn.graph.symbol import KerasTensor


def sort_nodes(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> tuple[list[Node], list[Any], set[int]]:
    """The calls that lead from `inputs` to `outputs`, and the operations that they call.

    Both are ordered by depth (the longest way to an output, deepest first), and within a depth by when a walk from
    the outputs met the operation first. This is the order in which Keras lists and stores the layers of a model.

    Returns:
        The calls, the operations, and the ids of the calls that must run (the others made an input, and no more).

    Raises:
        GraphError: where an output depends on an `Input` that is not among `inputs`.
    """
    given = {(id(x._node), x._index) for x in inputs}
    nodes, met, runs = _walk(outputs, given)
    depth = _depths(nodes, given, runs)
    known = {id(n) for n in nodes}
    for x in inputs:
        node = x._node
        if id(node) not in known:
            known.add(id(node))
            nodes.append(node)
            depth[id(node)] = 0
            met.setdefault(id(node.operation), len(met))
    ordered = sorted(nodes, key=lambda n: (-depth[id(n)], met[id(n.operation)]))
    operations = list({id(n.operation): n.operation for n in ordered}.values())
    return ordered, operations, runs


def _walk(
    outputs: Iterable[KerasTensor], given: set[tuple[int, int]]
) -> tuple[list[Node], dict[int, int], set[int]]:
    """All calls above the outputs, parents first; the number under which each operation was met; which calls must run.

    A call of several results, one of which is given, runs if another one is needed.
    """
    ends: dict[int, Node] = {}
    done: dict[int, Node] = {}
    open_: set[int] = set()
    met: dict[int, int] = {}
    for output in outputs:
        stack: list[tuple[KerasTensor, bool]] = [(output, False)]
        while stack:
            symbol, leaving = stack.pop()
            node = symbol._node
            if node is None:
                raise GraphError(f"{symbol!r} comes from no layer. Make the inputs of a model with `keras_fn.Input`.")
            if leaving:
                open_.discard(id(node))
                done.setdefault(id(node), node)
                continue
            if id(node) in done or id(node) in open_:
                continue
            met.setdefault(id(node.operation), len(met))
            if (id(node), symbol._index) in given:
                ends.setdefault(id(node), node)
                continue
            if node.is_input:
                raise GraphError(
                    f"The outputs depend on the input {node.operation.name!r} (made at {node.line}), which is not "
                    "among the inputs of the model. Add it to `inputs`."
                )
            open_.add(id(node))
            stack.append((symbol, True))
            stack.extend((x, False) for x in reversed(_inputs(node)))
    nodes = [node for node in ends.values() if id(node) not in done] + list(done.values())
    return nodes, met, set(done)


def _inputs(node: Node) -> list[KerasTensor]:
    """The symbols among the arguments of a call; in dicts, and so among keywords, by sorted key, as Keras does."""
    if not node.kwargs and not any(isinstance(a, (dict, list, tuple)) for a in node.args):
        return node.inputs
    return [x for x in trees.flatten_sorted((node.args, node.kwargs)) if isinstance(x, KerasTensor)]


def _depths(nodes: list[Node], given: set[tuple[int, int]], runs: set[int]) -> dict[int, int]:
    """The longest way from each call to an output; calls of one operation lie at the depth of its deepest."""
    depth = {id(n): 0 for n in nodes}
    of_operation: dict[int, int] = {}
    for node in reversed(nodes):
        d = max(depth[id(node)], of_operation.get(id(node.operation), 0))
        depth[id(node)] = of_operation[id(node.operation)] = d
        if id(node) not in runs:
            continue
        for x in node.inputs:
            parent = id(x._node)
            if parent in depth and not (parent in runs and (parent, x._index) in given):
                depth[parent] = max(depth[parent], d + 1)
    return depth
