"""Files of later versions of Keras than this library knows: what their configs add is named in a warning."""

from __future__ import annotations

import re
import warnings
from typing import Any

from keras_fn.core.context import CallContext
from keras_fn.layers.facts import constructor_params

# the version of Keras whose format is written and wholly known
KNOWN = "3.15.1"


class _Version(CallContext):
    def __init__(self) -> None:
        super().__init__()
        self.newer: str | None = None


_version = _Version()


class of_version:
    """For the length of a with block, configs are read that this version of Keras wrote."""

    __slots__ = ("_before", "_version")

    def __init__(self, version: Any) -> None:
        self._version = version if isinstance(version, str) and _numbers(version) > _numbers(KNOWN) else None

    def __enter__(self) -> None:
        self._before, _version.newer = _version.newer, self._version

    def __exit__(self, *exc: Any) -> None:
        _version.newer = self._before


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d{1,6}(\.\d{1,6}){0,2}", version)
    return tuple(int(n) for n in found[0].split(".")) if found else ()


def without_unknown(cls: type, config: dict[str, Any], also: frozenset[str]) -> dict[str, Any]:
    """A config without the arguments that the class does not take, if a newer version wrote it."""
    if _version.newer is None or "layers" in config:
        return config
    taken = set(also).union(*(constructor_params(c) for c in cls.__mro__ if c is not object))
    unknown = [key for key in config if key not in taken]
    if not unknown:
        return config
    warnings.warn(
        f"The file was written by Keras {_version.newer}, and up to {KNOWN} is known here. These arguments of "
        f"{cls.__name__} are unknown and left out: {', '.join(f'{key}={config[key]!r}'[:100] for key in unknown[:8])}. "
        "What the model computes may differ: compare its predictions.",
        stacklevel=2,
    )
    return {key: value for key, value in config.items() if key in taken}
