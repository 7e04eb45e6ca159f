"""Constraints: what weights are held to after each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_fn.constraints.base import Constraint
from keras_fn.constraints.norms import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from keras_fn.core.lookup import Lookup

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

LOOKUP = Lookup("constraint", [MaxNorm, NonNeg, UnitNorm, MinMaxNorm])


def get(identifier: Any) -> Any:
    """The constraint that `identifier` means: a name, config, class, constraint, function, or None.

    Example:
        >>> get("max_norm")
        MaxNorm(max_value=2, axis=0)
    """
    return LOOKUP.get(identifier)


def serialize(constraint: Any) -> Any:
    """The constraint as JSON-able config."""
    return LOOKUP.serialize(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A constraint from what `serialize` gave."""
    return LOOKUP.deserialize(config, custom_objects)


__all__ = [
    "LOOKUP", "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm",
    "min_max_norm", "non_neg", "serialize", "unit_norm",
]  # fmt: skip
