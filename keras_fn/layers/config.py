"""Configs of layers: the arguments of their constructors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any

from keras_fn import dtype_policies
from keras_fn.core.errors import ArgumentError
from keras_fn.layers.facts import constructor_params

_BASE = ("name", "trainable", "dtype")


def base_config(layer: Any) -> dict[str, Any]:
    """The arguments that every layer takes."""
    from keras_fn.saving.config import serialize_keras_object

    policy = layer.dtype_policy
    dtype = serialize_keras_object(policy) if isinstance(policy, dtype_policies.DTypePolicy) else policy
    config = {"name": layer.name, "trainable": layer.trainable, "dtype": dtype}
    if layer.activity_regularizer is not None:
        config["activity_regularizer"] = serialize_keras_object(layer.activity_regularizer)
    return config


def constructor_config(layer: Any) -> dict[str, Any]:
    """The base arguments and those that the class's own constructor names.

    A class of this library keeps each argument in the attribute of its name, so that a change made later is in the
    config. Of any other class the arguments are taken as they were passed.
    """
    from keras_fn.saving.config import serialize_keras_object

    cls = getattr(type(layer), "_plain_class", type(layer))
    ours = cls.__module__.split(".")[0] == "keras_fn"
    params = constructor_params(cls)
    config = base_config(layer)
    given = _passed(layer, params)
    takes_base = _takes_kwargs(cls)
    if not takes_base:
        config = {k: v for k, v in config.items() if k in params}
    for name in params:
        if name in config or name in _BASE:
            continue
        value = layer.__dict__[name] if ours and name in layer.__dict__ else given.get(name, params[name])
        config[name] = serialize_keras_object(value)
    return config


def _passed(layer: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    args, kwargs = layer._kf_args
    return dict(zip(params, args, strict=False)) | kwargs


@functools.cache
def _takes_kwargs(cls: type) -> bool:
    parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
    return any(p.kind is p.VAR_KEYWORD for p in parameters)


def build_from_config(layer: Any, config: dict[str, Any]) -> None:
    """Builds a layer for the shapes that it was built for."""
    facts = layer._kf_facts
    if "shapes_dict" in config:
        given = record = {k: _tuples(v) for k, v in config["shapes_dict"].items()}
    elif "input_shape" in config:
        wanted = facts.build_params
        shape = _tuples(config["input_shape"])
        given = {wanted[0]: shape} if wanted and facts.builds else {}
        record = {"input_shape": shape}
    else:
        return
    if layer.built:
        return
    if facts.builds:
        with layer._kf_named_scope():
            layer.build(**given)
    else:
        _build_by_calling(layer, config)
    layer._kf_build_shapes = record
    layer.built = True


def _build_by_calling(layer: Any, config: dict[str, Any]) -> None:
    """A layer without `build` makes its inner weights when it is called; calling it on specs is enough."""
    shape = config.get("input_shape")
    if shape is None:
        return
    from keras_fn.core.errors import KerasFnError

    try:
        layer.compute_output_shape(_tuples(shape))
    except KerasFnError as e:
        raise ArgumentError(f"Layer {layer.name!r} could not be built for the input shape {shape}: {e}") from e


def _tuples(shape: Any) -> Any:
    """Shapes read from JSON, with lists for tuples, as tuples again."""
    if isinstance(shape, dict):
        return {k: _tuples(v) for k, v in shape.items()}
    if isinstance(shape, (list, tuple)):
        if all(d is None or isinstance(d, int) for d in shape):
            return tuple(shape)
        return [_tuples(s) for s in shape]
    return shape

