"""dtype policies: the dtype that a layer computes in, and the one that it keeps its weights in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.errors import ArgumentTypeError
from keras_fn.dtype_policies.policy import MIXED, DTypePolicy, FloatDTypePolicy
from keras_fn.dtype_policies.policy_map import DTypePolicyMap
from keras_fn.dtype_policies.quantized import (
    AWQDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
    is_quantized,
    refusal,
)

_default: list[DTypePolicy | None] = [None]
_cache: dict[str, DTypePolicy] = {}


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given no dtype."""
    return _default[0] or _named(dtypes.floatx())


def default() -> DTypePolicy:
    """The policy of layers that are given no dtype, and that no map names."""
    policy = _default[0]
    if isinstance(policy, DTypePolicyMap):
        policy = policy._given
    return policy or _named(dtypes.floatx())


def set_dtype_policy(policy: Any) -> None:
    """Sets the policy of layers that are given no dtype, by name or object; None goes back to the default float."""
    _default[0] = None if policy is None else get(policy)


def _named(name: str) -> DTypePolicy:
    if name not in _cache:
        _cache[name] = DTypePolicy(name)
    return _cache[name]


def get(identifier: Any) -> DTypePolicy:
    """A policy from a name, dtype, config or policy; None gives the default one.

    Example:
        >>> import keras_fn
        >>> keras_fn.dtype_policies.get("mixed_float16").compute_dtype
        'float16'
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        if identifier.startswith("mixed"):
            return _named(identifier) if identifier in MIXED else DTypePolicy(identifier)
        if is_quantized(identifier):
            raise refusal(identifier)
    return _named(dtypes.standardize(identifier))


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """The policy as JSON-able config.

    Example:
        >>> import keras_fn
        >>> serialize(keras_fn.DTypePolicy("mixed_float16"))["config"]
        {'name': 'mixed_float16'}
    """
    from keras_fn.saving.config import serialize_keras_object

    return serialize_keras_object(dtype_policy)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> DTypePolicy:
    """A policy from what `serialize` gave.

    Raises:
        ArgumentTypeError: where the config is one of something else.
        DtypeError: where it is the policy of a quantized layer.
    """
    if isinstance(config, dict) and "class_name" not in config:
        return DTypePolicy(**config)
    from keras_fn.saving.config import deserialize_keras_object

    found = deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(found, DTypePolicy):
        raise ArgumentTypeError(f"The config {config!r} is not one of a dtype policy.")
    return found


__all__ = [
    "AWQDTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]
