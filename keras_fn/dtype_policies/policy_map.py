"""`DTypePolicyMap`: policies by the path of the layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.dtype_policies.policy import DTypePolicy


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies for the layers of a model, by their paths.

    Pass it as `dtype=` of layers, or to `keras_fn.config.set_dtype_policy`: a layer takes the policy of its path, then
    that of the pattern that its whole path matches, then the default one.

    Args:
        default_policy: policy of layers that the map does not name: a name or a policy; None for the default of
            the moment of use.
        policy_map: path or regular expression -> policy or its name.

    Raises:
        ArgumentError: on reading, where several patterns match a path; on writing, where the key is there already.

    Example:
        >>> import keras_fn
        >>> policies = keras_fn.dtype_policies.DTypePolicyMap("mixed_bfloat16", {"head.*": "float32"})
        >>> policies["head/dense"].name, policies["body/dense"].name
        ('float32', 'mixed_bfloat16')
    """

    def __init__(self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ArgumentTypeError("`default_policy` cannot be a DTypePolicyMap itself. Give a name or a DTypePolicy.")
        if policy_map is not None and not isinstance(policy_map, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ArgumentTypeError(f"`policy_map` must be a mapping of paths to policies, not {policy_map!r}.")
        self._given = None if default_policy is None else _one(default_policy)
        self._map: dict[str, DTypePolicy] = {}
        for path, policy in (policy_map or {}).items():
            self[path] = policy

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that the map does not name."""
        if self._given is not None:
            return self._given
        from keras_fn.dtype_policies import default

        return default()

    # of the default: what a map says where nobody asks for a path
    @property
    def name(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Name of the default policy, after `map_`."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What layers that are not named compute in."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What layers that are not named keep their weights in."""
        return self.default_policy.variable_dtype

    def __getitem__(self, path: str) -> DTypePolicy:
        if path in self._map:
            return self._map[path]
        matches = [pattern for pattern in self._map if re.fullmatch(pattern, path)]
        if len(matches) > 1:
            raise ArgumentError(
                f"The path {path!r} matches several patterns of the DTypePolicyMap: {', '.join(map(repr, matches))}. "
                "Make them exclude each other, or name the path itself."
            )
        return self._map[matches[0]] if matches else self.default_policy

    def __setitem__(self, path: str, policy: Any) -> None:
        if path in self._map:
            raise ArgumentError(
                f"{path!r} is in the DTypePolicyMap already, with {self._map[path]!r}. Take it out with `del` first."
            )
        try:
            re.compile(path)
        except re.error as e:
            raise ArgumentError(f"The path {path!r} is no valid regular expression: {e}.") from e
        self._map[path] = _one(policy)

    def __delitem__(self, path: str) -> None:
        del self._map[path]

    def __contains__(self, path: object) -> bool:
        return path in self._map

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __len__(self) -> int:
        return len(self._map)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        from keras_fn.dtype_policies import serialize

        default = None if self._given is None else self._given.name
        return {"default_policy": default, "policy_map": {path: serialize(p) for path, p in self._map.items()}}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> DTypePolicyMap:
        """The map of a config."""
        from keras_fn.dtype_policies import deserialize

        found = {path: deserialize(p, custom_objects) for path, p in (config.get("policy_map") or {}).items()}
        return cls(config.get("default_policy"), found)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DTypePolicyMap) and (self._given, self._map) == (other._given, other._map)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        policies = {path: policy.name for path, policy in self._map.items()}
        return f"<DTypePolicyMap default_policy={self.default_policy.name!r}, policy_map={policies}>"


def _one(policy: Any) -> DTypePolicy:
    from keras_fn.dtype_policies import get

    if isinstance(policy, DTypePolicyMap):
        raise ArgumentTypeError("A DTypePolicyMap cannot hold another one.")
    return get(policy)
