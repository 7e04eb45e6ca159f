"""`clone_model`: the same model with new weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_fn.core import trees
from keras_fn.core.errors import ArgumentTypeError
from keras_fn.graph.node import OpCall, record_op
from keras_fn.graph.symbol import KerasTensor
from keras_fn.layers.base import Layer
from keras_fn.layers.input_layer import InputLayer
from keras_fn.models.functional import Functional
from keras_fn.models.model import Model
from keras_fn.models.sequential import Sequential


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """The same model with new layers and newly drawn weights; layers that are shared inside stay shared.

    Args:
        model: a functional, Sequential or subclassed model.
        input_tensors: symbols to build on, instead of new inputs.
        clone_function: makes the new layer for each old one; by default from its config.
        call_function: makes the call of a new layer, `call_function(layer, *args, **kwargs)`.
        recursive: whether `clone_function` also reaches into models inside.

    Example:
        >>> import keras_fn
        >>> model = keras_fn.Sequential([keras_fn.Input((2,)), keras_fn.layers.Dense(1)])
        >>> twin = keras_fn.models.clone_model(model)
        >>> twin.layers[0] is model.layers[0]
        False
    """
    if not isinstance(model, Model):
        raise ArgumentTypeError(f"`clone_model` takes a model, and {type(model).__name__} came.")
    clone = clone_function or _from_config

    def cloned(layer: Layer) -> Layer:
        if recursive and isinstance(layer, (Functional, Sequential)):
            return clone_model(layer, None, clone_function, call_function, recursive)
        return clone(layer)

    if isinstance(model, Sequential):
        return _clone_sequential(model, cloned)
    if isinstance(model, Functional):
        return _clone_functional(model, input_tensors, cloned, call_function)
    return model.from_config(model.get_config())


def _from_config(layer: Layer) -> Layer:
    return type(layer).from_config(layer.get_config())


def _clone_sequential(model: Sequential, clone: Callable[[Layer], Layer]) -> Sequential:
    chain = [_same_input(x) if isinstance(x, InputLayer) else clone(x) for x in model._kf_chain]
    new = type(model)(layers=chain, name=model.name, trainable=model.trainable)
    if model.built and not new.built and model._kf_functional is not None:
        new.build(model._kf_functional.inputs[0].shape)
    return new


def _same_input(layer: InputLayer) -> Any:
    return InputLayer(**layer.get_config())


def _clone_functional(model: Functional, input_tensors: Any, clone: Any, call_function: Any) -> Functional:
    function = model._function
    if input_tensors is None:
        fresh = [_same_input(x._node.operation).symbol() for x in function.inputs]
    else:
        fresh = trees.flatten(input_tensors)
    symbols: dict[tuple[int, int], Any] = {
        (id(x._node), x._index): new for x, new in zip(function.inputs, fresh, strict=True)
    }
    layers: dict[int, Any] = {}

    def moved(x: Any) -> Any:
        return symbols[id(x._node), x._index] if isinstance(x, KerasTensor) else x

    for step in function.steps:
        node, operation = step.node, step.operation
        if id(operation) not in layers:
            layers[id(operation)] = (
                OpCall(operation.op, operation.name) if isinstance(operation, OpCall) else clone(operation)
            )
        twin = layers[id(operation)]
        args, kwargs = trees.map(moved, node.args), trees.map(moved, node.kwargs)
        if isinstance(twin, OpCall):
            outputs = record_op(twin.op, list(args), twin)
        else:
            outputs = call_function(twin, *args, **kwargs) if call_function else twin(*args, **kwargs)
        for i, x in enumerate(trees.flatten(outputs)):
            symbols[id(node), i] = x
    outputs = trees.map(moved, function._outputs_struct)
    cls = getattr(type(model), "_plain_class", type(model))
    target = cls if cls is not Functional and issubclass(cls, Functional) else Functional
    return target(trees.unflatten(function._inputs_struct, fresh), outputs, name=model.name, trainable=model.trainable)
