"""`Node`: one call of a layer or op on symbols. Nodes are frozen and point backwards only."""

from __future__ import annotations

import os
import sys
import weakref
from typing import Any

from keras_fn.core import naming, trees
from keras_fn.core.backend import active
from keras_fn.core.op import Recording
from keras_fn.core.spec import Spec
from keras_fn.graph.symbol import KerasTensor, symbol_for

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Node:
    """One call in a graph.

    Attributes:
        operation: what was called: a Layer, or an OpCall.
        args, kwargs: the arguments, with symbols among them.
        inputs: the symbols among the arguments, in order.
        specs: the specs of the results, flat.
        structure: the structure of the results, with numbers for leaves.
        line: file and line of the user's call.
    """

    __slots__ = ("__weakref__", "_symbols", "args", "inputs", "kwargs", "line", "operation", "specs", "structure")

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.operation = operation
        # copies, as lists and dicts of the caller may change later: `parts.append(layer(parts))`
        self.args = tuple([_copied(a) for a in args])
        self.kwargs = {k: _copied(v) for k, v in kwargs.items()}
        leaves = trees.flatten(args) + (trees.flatten(kwargs) if kwargs else [])
        self.inputs = [x for x in leaves if isinstance(x, KerasTensor)]
        flat = trees.flatten(outputs)
        self.specs = flat
        self.structure = trees.unflatten(outputs, list(range(len(flat))))
        self._symbols: list[Any] = [None] * len(flat)
        self.line = user_line()

    def __reduce__(self) -> Any:
        state = (self.operation, self.args, self.kwargs, self.inputs, self.specs, self.structure, self.line)
        return _restored, state

    @property
    def is_input(self) -> bool:
        """Whether this stands for data that comes from outside."""
        return not self.inputs

    @property
    def parents(self) -> list[Node]:
        """The calls that the arguments come from."""
        return [x._node for x in self.inputs if x._node is not None]

    def symbol(self, index: int) -> Any:
        """The symbol of a result; the same object as long as somebody holds it."""
        spec = self.specs[index]
        if not isinstance(spec, Spec):
            return spec
        live = self._symbols[index]
        symbol = None if live is None else live()
        if symbol is None:
            symbol = symbol_for(spec, self, index)
            self._symbols[index] = weakref.ref(symbol)
        return symbol

    @property
    def output(self) -> Any:
        """The results as symbols, in the structure that the call returned."""
        return trees.map(self.symbol, self.structure)

    @property
    def input(self) -> Any:
        """The argument that holds symbols: one symbol or the structure that was passed."""
        if len(self.args) == 1 and not any(isinstance(x, KerasTensor) for x in trees.flatten(self.kwargs)):
            return self.args[0]
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def outputs(self) -> list[Any]:
        """The results as symbols, flat."""
        return [self.symbol(i) for i in range(len(self.specs))]

    def __repr__(self) -> str:
        return f"<call of {self.operation.name!r} at {self.line}: {[s.shape for s in self.inputs]} -> " + (
            f"{[getattr(s, 'shape', s) for s in self.specs]}>"
        )


class OpCall:
    """An op in a graph, under a name of its own."""

    __slots__ = ("_calls", "built", "name", "op", "path")

    def __init__(self, op: Any, name: str | None = None) -> None:
        self.op = op
        self.name = name or naming.unique(op.name.strip("_"))
        self.path = self.name
        self.built = True
        self._calls: list[Any] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.op(*args, **kwargs)

    def __reduce__(self) -> Any:
        return OpCall, (self.op, self.name)

    def __repr__(self) -> str:
        return f"<OpCall {self.name} of ops.{self.op.name}>"


def _restored(operation: Any, args: Any, kwargs: Any, inputs: Any, specs: Any, structure: Any, line: str) -> Node:
    """A copy of a node, known to the copy of what it called."""
    node = object.__new__(Node)
    node.operation, node.args, node.kwargs, node.inputs = operation, args, kwargs, inputs
    node.specs, node.structure, node.line = specs, structure, line
    node._symbols = [None] * len(specs)
    calls = operation._calls if isinstance(operation, OpCall) else operation._kf_calls
    calls.append(weakref.ref(node))
    return node


def record_op(op: Any, values: list[Any], operation: OpCall | None = None) -> Any:
    """Records the call of an op on symbols, and gives the symbols of its results."""
    plain = [_specs_of(v) for v in values]
    outputs = op.infer(active.backend, plain, op._operands(plain))
    node = Node(operation or OpCall(op), tuple(values), {}, outputs)
    node.operation._calls.append(weakref.ref(node))
    return node.output


def _specs_of(value: Any) -> Any:
    if isinstance(value, KerasTensor):
        return value.spec()
    if isinstance(value, (list, tuple, dict)):
        return trees.map(lambda x: x.spec() if isinstance(x, KerasTensor) else x, value)
    return value


def _copied(x: Any) -> Any:
    return trees.map(_same, x) if isinstance(x, (list, tuple, dict)) else x


def _same(x: Any) -> Any:
    return x


def user_line() -> str:
    """File and line of the nearest caller outside of keras_fn."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back  # type: ignore[assignment]
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "?"


Recording.symbol = KerasTensor
Recording.record = staticmethod(record_op)
