"""Ops in files: Keras writes an op of a graph as a class with its settings; here it is a name and arguments."""

from __future__ import annotations

from typing import Any

from keras_fn.core import trees
from keras_fn.core.errors import ArgumentError, closest
from keras_fn.core.naming import snake_case
from keras_fn.core.spec import REGISTRY
from keras_fn.graph.node import OpCall
from keras_fn.graph.symbol import KerasTensor

# our op -> (Keras's class, its module), where the name does not follow from ours
_CLASSES = {
    "amax": "Max",
    "amin": "Min",
    "_prod": "Prod",
    "_select": "Where",
    "abs": "Absolute",
}
_MODULES = {
    "nn": (
        "relu relu6 sigmoid softplus softsign silu log_sigmoid leaky_relu hard_sigmoid hard_silu elu selu gelu "
        "softmax log_softmax celu glu mish one_hot"
    ).split(),
    "core": ["cast", "stop_gradient", "scatter_update", "slice", "slice_update"],
    "math": ["logsumexp", "top_k", "in_top_k", "segment_sum", "erf", "rsqrt"],
    "linalg": ["norm"],
}
_OURS = {"max": "amax", "min": "amin", "where": "where", "get_item": "_get_item"}


def op_config(operation: OpCall, nodes: list[Any], write: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The data of an op and of its calls: settings go into the config, tensors into the calls."""
    op = operation.op
    plain = op.name.strip("_")
    config: dict[str, Any] = {"name": operation.name}
    called = _called(op, plain, nodes)
    for i, name in enumerate(op.params):
        if i not in called:
            config[name] = write(nodes[0].args[i])
    calls = []
    for node in nodes:
        args = [write(v) for i, v in enumerate(node.args) if i in called]
        calls.append({"args": args, "kwargs": {}})
    class_name = _CLASSES.get(op.name) or "".join(p.capitalize() for p in plain.split("_"))
    module = next((m for m, names in _MODULES.items() if plain in names), "numpy")
    data = {
        "module": f"keras.src.ops.{module}",
        "class_name": class_name,
        "config": config,
        "registered_name": class_name,
    }
    return data, calls


def _called(op: Any, name: str, nodes: list[Any]) -> set[int]:
    """Places of the arguments that go into the calls: tensors, and what Keras takes there besides."""
    called = {i for i, _ in op._tensors}
    called |= {i for i, p in enumerate(op.params) if p in _IN_CALL.get(name, ())}
    return called | {
        i for node in nodes for i, v in enumerate(node.args) if any(isinstance(x, KerasTensor) for x in trees.flatten(v))
    }


_IN_CALL = {"get_item": ("key",), "where": ("condition",)}


def op_from_config(data: dict[str, Any]) -> tuple[OpCall, dict[str, Any]]:
    """The op of a graph from its data, and the settings for its calls."""
    from keras_fn.saving.config import deserialize_keras_object

    name = snake_case(data["class_name"])
    op = REGISTRY.get(_OURS.get(name, name)) or REGISTRY.get(f"_{name}")
    if op is None:
        raise ArgumentError(f"The data names the op {data['class_name']!r}, which is unknown.{closest(name, REGISTRY)}")
    config = dict(data.get("config") or {})
    label = config.pop("name", None)
    settings = {k: _tuples(deserialize_keras_object(v)) for k, v in config.items() if k in op.params}
    return OpCall(op, label), settings


def op_values(op: Any, settings: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> list[Any]:
    """All arguments of a call of an op: those of the call in order, with the settings added to them."""
    tensors = [op.params[i] for i, _ in op._tensors]
    names = [p for p in op.params if p not in settings]
    given = {k: v if k in tensors else _tuples(v) for k, v in zip(names, args, strict=False)}
    return op._bind((), {**given, **kwargs, **settings})


def _tuples(value: Any) -> Any:
    """JSON has no tuples: axes, shapes and keys come back as lists."""
    return tuple(_tuples(v) for v in value) if isinstance(value, (list, tuple)) else value
