"""The graph of a functional model as plain data, in Keras 3's format, and back."""

from __future__ import annotations

from typing import Any

from keras_fn.core import trees
from keras_fn.core.errors import GraphError
from keras_fn.graph.node import Node, OpCall
from keras_fn.graph.symbol import KerasTensor
from keras_fn.layers.input_layer import InputLayer
from keras_fn.models.op_names import SavedOp, op_config
from keras_fn.saving.config import deserialize_keras_object, layer_of, outermost, serialize_keras_object
from keras_fn.saving.places import at
from keras_fn.saving.structure import check_graph, layer_name


# --- writing
def graph_config(model: Any) -> dict[str, Any]:
    """`{"name", "trainable", "layers", "input_layers", "output_layers"}`."""
    function = model._function
    numbers = _call_numbers(function.nodes)
    by_operation: dict[int, list[Node]] = {}
    for node in sorted(function.nodes, key=lambda n: numbers[id(n)]):
        by_operation.setdefault(id(node.operation), []).append(node)

    def place(x: KerasTensor) -> list[Any]:
        return [x._node.operation.name, numbers[id(x._node)], x._index]

    layers = []
    for operation in function.operations:
        nodes = [n for n in by_operation[id(operation)] if not n.is_input]
        if isinstance(operation, OpCall):
            data, nodes_data = op_config(operation, nodes, lambda v: _write(v, place))
        else:
            data = serialize_keras_object(operation)
            nodes_data = [_write_call(n, place) for n in nodes]
        data["name"] = operation.name
        data["inbound_nodes"] = nodes_data
        layers.append(data)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": trees.map(place, function._inputs_struct),
        "output_layers": trees.map(place, function._outputs_struct),
    }


# Keras writes the defaults of a call as if they had been passed. What was passed is listed here, which Keras ignores.
_PASSED = "keras_fn_passed"


def _write_call(node: Node, place: Any) -> dict[str, Any]:
    data = {"args": _write(list(node.args), place), "kwargs": _write(node.kwargs, place)}
    if node.kwargs.get("training") is not None:
        data[_PASSED] = ["training"]
    return data


def _call_numbers(nodes: list[Node]) -> dict[int, int]:
    """Each call's number among the calls of its operation in this graph, in the order they were made."""
    rank: dict[int, int] = {}
    for node in nodes:
        calls = [ref() for ref in node.operation._calls] if isinstance(node.operation, OpCall) else node.operation.calls
        rank[id(node)] = next((i for i, c in enumerate(calls) if c is node), len(calls))
    numbers: dict[int, int] = {}
    per_operation: dict[int, list[Node]] = {}
    for node in nodes:
        per_operation.setdefault(id(node.operation), []).append(node)
    for group in per_operation.values():
        for i, node in enumerate(sorted(group, key=lambda n: rank[id(n)])):
            numbers[id(node)] = i
    return numbers


def _write(value: Any, place: Any) -> Any:
    """Arguments of a call as plain data, with symbols by their place in the graph."""
    if isinstance(value, KerasTensor):
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": place(value)}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, (list, tuple)):
        return [_write(v, place) for v in value]
    if isinstance(value, dict):
        return {k: _write(v, place) for k, v in value.items()}
    return serialize_keras_object(value)


# --- reading
def graph_from_config(cls: type, config: dict[str, Any]) -> Any:
    """A functional model from the data of its graph. Calls are made again, each as soon as its arguments exist."""
    with outermost(config):
        return _read_graph(cls, config)


def _read_graph(cls: type, config: dict[str, Any]) -> Any:
    made: dict[str, Any] = {}
    symbols: dict[tuple[str, int, int], KerasTensor] = {}
    calls = check_graph(config)
    keep: list[Any] = []
    for number, data in enumerate(config["layers"]):
        name = layer_name(data, f"layers[{number}]")
        with at("layers", number):
            if _is_op(data):
                operation = SavedOp(data)
            else:
                operation = layer_of(data)
        made[name] = operation
        if isinstance(operation, InputLayer):
            symbols[name, 0, 0] = operation.symbol()
    places = {name: i for i, name in enumerate(made)}
    for name, i, call in calls:
        with at("layers", places[name], "inbound_nodes", i):
            passed = call.get(_PASSED) or ()
            outputs = _call(made[name], _fill(call["args"], symbols), _fill(call.get("kwargs", {}), symbols), passed)
        keep.append(outputs)
        for k, x in enumerate(trees.flatten(outputs)):
            symbols[name, i, k] = x

    inputs, outputs = (_look_up(config[key], symbols) for key in ("input_layers", "output_layers"))
    return cls(inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True))


def _look_up(places: Any, symbols: dict[tuple[str, int, int], KerasTensor]) -> Any:
    """The symbols at some places. Not a closure: one that calls itself is a cycle, and would keep the layers alive."""
    if isinstance(places, dict):
        return {k: _look_up(v, symbols) for k, v in places.items()}
    if len(places) == 3 and isinstance(places[0], str) and isinstance(places[1], int):
        key = (places[0], places[1], places[2])
        if key not in symbols:
            raise GraphError(f"The data names the tensor {places}, which nothing in it makes.")
        return symbols[key]
    return [_look_up(p, symbols) for p in places]


def _is_op(data: dict[str, Any]) -> bool:
    return ".ops." in (data.get("module") or "")


def _is_symbol(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _fill(value: Any, symbols: dict[tuple[str, int, int], KerasTensor]) -> Any:
    if _is_symbol(value):
        return _look_up(value["config"]["keras_history"], symbols)
    if isinstance(value, dict) and "class_name" in value and "config" in value:
        return deserialize_keras_object(value)
    if isinstance(value, dict):
        return {k: _fill(v, symbols) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_fill(v, symbols) for v in value]
    return value


def _call(operation: Any, args: Any, kwargs: Any, passed: Any = ()) -> Any:
    if isinstance(operation, SavedOp):
        return operation.call(args, kwargs)
    frozen = kwargs.get("training") is False and "training" in passed
    if kwargs.get("training") is False and not frozen and operation._kf_facts.training_default is False:
        # Keras writes the default that it filled in as if it had been passed; kept, the layer could never be trained
        kwargs = {k: v for k, v in kwargs.items() if k != "training"}
    return operation(*args, **kwargs)
