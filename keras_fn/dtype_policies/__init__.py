"""dtype policies: the dtype that a layer computes in, and the one that it keeps its weights in."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.errors import DtypeError

_MIXED = {"mixed_float16": ("float16", "float32"), "mixed_bfloat16": ("bfloat16", "float32")}


class DTypePolicy:
    """The dtypes of a layer.

    Args:
        name: a dtype name, or `mixed_float16` / `mixed_bfloat16`: computing in 16 bits, weights in 32.

    Example:
        >>> import keras_fn
        >>> policy = keras_fn.DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    def __init__(self, name: str | None = None) -> None:
        name = dtypes.floatx() if name is None else name
        if not isinstance(name, str):
            name = dtypes.standardize(name)
        if name in _MIXED:
            self.compute_dtype, self.variable_dtype = _MIXED[name]
        elif name.startswith("mixed"):
            raise DtypeError(f"Unknown dtype policy {name!r}. The mixed ones are {', '.join(_MIXED)}.")
        else:
            self.compute_dtype = self.variable_dtype = dtypes.standardize(name)
        self.name = name
        self.quantization_mode = None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """The policy of a config."""
        return cls(**config)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy
_default: list[DTypePolicy | None] = [None]
_cache: dict[str, DTypePolicy] = {}


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given no dtype."""
    return _default[0] or _named(dtypes.floatx())


def set_dtype_policy(policy: Any) -> None:
    """Sets the policy of layers that are given no dtype, by name or object; None goes back to the default float."""
    _default[0] = None if policy is None else get(policy)


def _named(name: str) -> DTypePolicy:
    if name not in _cache:
        _cache[name] = DTypePolicy(name)
    return _cache[name]


def get(identifier: Any) -> DTypePolicy:
    """A policy from a name, dtype, config or policy; None gives the default one."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return DTypePolicy(**identifier.get("config", identifier))
    if isinstance(identifier, str) and identifier in _MIXED:
        return _named(identifier)
    return _named(dtypes.standardize(identifier))
