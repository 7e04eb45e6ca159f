"""Activation functions by name. The functions are those of `keras_fn.ops`; a few take more arguments here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_fn import ops
from keras_fn.activations.extended import (
    exponential,
    gelu,
    linear,
    relu,
    softmax,
    sparse_sigmoid,
)
from keras_fn.core.arguments import Checked
from keras_fn.core.errors import ArgumentError, closest, printable
from keras_fn.ops import (
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    sparse_plus,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)

hard_swish = hard_silu
swish = silu

# names in files -> functions
FUNCTIONS: dict[str, Callable[..., Any]] = {
    fn.__name__: fn
    for fn in (
        celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear,
        log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign,
        sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink, threshold,
    )
}  # fmt: skip
_ALIASES = {"swish": silu, "hard_swish": hard_silu}


def get(identifier: Any) -> Callable[..., Any]:
    """The function that `identifier` means.

    Args:
        identifier: name, config, function (or layer), or None for `linear`.

    Raises:
        ArgumentError: where it means none.

    Example:
        >>> get("relu").__name__
        'relu'
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        return _named(identifier)
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if _fits(identifier):
        return identifier
    raise ArgumentError(
        f"Could not interpret the activation function {identifier!r} (a {type(identifier).__name__}). "
        "Give a name, like 'relu', a function or a layer."
    )


def _fits(thing: Any) -> bool:
    """Whether a thing can be an activation: a function or a layer, and no loss, initializer or the like."""
    other = isinstance(thing, Checked) and not hasattr(thing, "compute_output_spec")
    return callable(thing) and not isinstance(thing, type) and not other


def _named(name: str) -> Callable[..., Any]:
    found = FUNCTIONS.get(name) or _ALIASES.get(name)
    if found is None:
        from keras_fn.saving.registry import get_registered_object

        found = get_registered_object(name)
    if found is None:
        raise ArgumentError(
            f"Could not interpret the activation function {name!r}.{closest(name, FUNCTIONS)} "
            f"Known are: {', '.join(FUNCTIONS)}."
        )
    return found


def serialize(activation: Callable[..., Any]) -> Any:
    """The name of an activation function; the config of a layer or of a function of the user's.

    Example:
        >>> serialize(swish)
        'silu'
    """
    name = getattr(activation, "__name__", None)
    known = FUNCTIONS.get(name) if isinstance(name, str) else None
    if known is not None and (known is activation or getattr(ops, str(name), None) is activation):
        return name
    from keras_fn.saving.config import serialize_keras_object

    return serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """The function from what `serialize` gave."""
    if isinstance(config, str) and config not in (custom_objects or {}):
        return _named(config)
    if isinstance(config, dict) and config.get("class_name") == "function":
        name = config.get("config")
        if isinstance(name, str) and name in FUNCTIONS and name not in (custom_objects or {}):
            return FUNCTIONS[name]
    from keras_fn.saving.config import deserialize_keras_object

    found = deserialize_keras_object(config, custom_objects=custom_objects)
    if not _fits(found):
        raise ArgumentError(
            f"The config describes no activation function, but {printable(repr(found), 200)} "
            f"(a {type(found).__name__})."
        )
    return found


__all__ = [
    "FUNCTIONS", "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid",
    "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu",
    "relu6", "selu", "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip
