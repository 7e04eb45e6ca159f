"""`Function`: the part of a graph between some inputs and some outputs, ready to run on tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import naming, trees
from keras_fn.core.errors import GraphError, StructureError
from keras_fn.core.spec import Spec
from keras_fn.graph.node import Node
from keras_fn.graph.order import sort_nodes
from keras_fn.graph.symbol import KerasTensor


class Slot:
    """A place in the list of values of a running function."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class Step:
    """One call of a running function: which operation, on which slots, into which slots."""

    __slots__ = ("args", "kwargs", "node", "operation", "outputs", "release", "single")

    def __init__(self, node: Node, args: Any, kwargs: Any, outputs: list[tuple[int, int]]) -> None:
        self.node = node
        self.operation = node.operation
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        self.release: list[int] = []
        # the common case: one tensor in, one out
        self.single = (
            args[0].number
            if len(args) == 1 and isinstance(args[0], Slot) and not kwargs and node.structure == 0 and outputs
            else None
        )


class Function:
    """A graph of calls as a function of tensors.

    Args:
        inputs: symbols, alone or in lists, tuples and dicts.
        outputs: symbols that depend on the inputs, likewise.
        name: name.

    Raises:
        GraphError: where the outputs need an input that is not given, or an input is not a symbol.

    Example:
        >>> import keras_fn
        >>> x = keras_fn.Input((2,))
        >>> double = keras_fn.Function(x, x * 2)
        >>> float(double(keras_fn.ops.ones((1, 2)))[0, 0])
        2.0
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        self.name = name or naming.unique("function")
        self._set_graph(inputs, outputs)

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._inputs = trees.flatten(inputs)
        self._outputs = trees.flatten(outputs)
        for what, found in (("inputs", self._inputs), ("outputs", self._outputs)):
            for x in found:
                if not isinstance(x, KerasTensor):
                    raise GraphError(
                        f"The {what} of a graph must be KerasTensors (from `Input`, or from a layer called on one), "
                        f"and {type(x).__name__} came: {x!r}."
                    )
        if not self._outputs:
            raise GraphError("A graph needs at least one output.")
        keys = [(id(x._node), x._index) for x in self._inputs]
        if len(set(keys)) != len(keys):
            raise GraphError("The same tensor is given twice among the inputs.")
        self.nodes, self.operations, self._runs = sort_nodes(self._inputs, trees.flatten_sorted(outputs))
        self._plan()

    def _plan(self) -> None:
        """The steps, with slots for tensors, and the slots that are needed no more after each step."""
        slots: dict[tuple[int, int], int] = {}
        for x in self._inputs:
            slots[id(x._node), x._index] = len(slots)
        self.steps: list[Step] = []

        def slot(x: Any) -> Any:
            return Slot(slots[id(x._node), x._index]) if isinstance(x, KerasTensor) else x

        given = set(slots)
        for node in self.nodes:
            if id(node) not in self._runs:
                continue
            places = [(i, (id(node), i)) for i, s in enumerate(node.specs) if isinstance(s, Spec)]
            args, kwargs = trees.map(slot, node.args), trees.map(slot, node.kwargs) if node.kwargs else {}
            outputs = []
            for i, key in places:
                if key not in given:
                    slots[key] = len(slots)
                    outputs.append((i, slots[key]))
            self.steps.append(Step(node, args, kwargs, outputs))
        self._size = len(slots)
        self._results = [slots[id(x._node), x._index] for x in self._outputs]
        last: dict[int, Step] = {}
        for step in self.steps:
            leaves = trees.flatten(step.args) + (trees.flatten(step.kwargs) if step.kwargs else [])
            for x in leaves:
                if isinstance(x, Slot):
                    last[x.number] = step
        for number, step in last.items():
            if number not in self._results:
                step.release.append(number)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input symbols, flat."""
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output symbols, flat."""
        return self._outputs

    def run(self, values: list[Any], call: Callable[..., Any] | None = None) -> Any:
        """Runs the steps on tensors for the inputs, flat.

        Args:
            values: a tensor for each input.
            call: what to do with an operation and its arguments, instead of calling it.
        """
        slots: list[Any] = [None] * self._size
        slots[: len(values)] = values

        def fill(x: Any) -> Any:
            return slots[x.number] if isinstance(x, Slot) else x

        for step in self.steps:
            if step.single is not None and call is None:
                slots[step.outputs[0][1]] = step.operation(slots[step.single])
            else:
                args, kwargs = trees.map(fill, step.args), trees.map(fill, step.kwargs)
                out = step.operation(*args, **kwargs) if call is None else call(step.operation, args, kwargs)
                flat = trees.flatten(out)
                if len(flat) != len(step.node.specs):
                    raise StructureError(
                        f"{step.operation.name!r} returned {len(flat)} tensors, and {len(step.node.specs)} when the "
                        f"graph was described (at {step.node.line})."
                    )
                for i, number in step.outputs:
                    slots[number] = flat[i]
            for number in step.release:
                slots[number] = None
        return trees.unflatten(self._outputs_struct, [slots[i] for i in self._results])

    def __call__(self, inputs: Any) -> Any:
        """The outputs for tensors in the structure of the inputs (or for other symbols)."""
        flat = trees.flatten(inputs)
        if len(flat) != len(self._inputs):
            raise StructureError(
                f"{self.name!r} takes {len(self._inputs)} inputs ({', '.join(x.name for x in self._inputs)}), and "
                f"{len(flat)} came."
            )
        return self.run(flat)

    def compute_output_spec(self, inputs: Any) -> Any:
        """The specs of the outputs for specs of the inputs."""
        return self(trees.map(lambda x: x.spec() if isinstance(x, KerasTensor) else x, inputs))

    def __repr__(self) -> str:
        return f"<Function {self.name}: {len(self._inputs)} inputs, {len(self.steps)} calls>"
