"""Regularizers: penalties on weights or outputs that are added to the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_fn.core.lookup import Lookup
from keras_fn.regularizers.base import Regularizer
from keras_fn.regularizers.norms import L1, L1L2, L2
from keras_fn.regularizers.orthogonal import OrthogonalRegularizer

l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

LOOKUP = Lookup("regularizer", [L1, L2, L1L2, OrthogonalRegularizer], aliases={"l1_l2": L1L2})


def get(identifier: Any) -> Any:
    """The regularizer that `identifier` means: a name, config, class, regularizer, function, or None.

    Example:
        >>> get("l2")
        L2(l2=0.01)
    """
    return LOOKUP.get(identifier)


def serialize(regularizer: Any) -> Any:
    """The regularizer as JSON-able config."""
    return LOOKUP.serialize(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A regularizer from what `serialize` gave."""
    return LOOKUP.deserialize(config, custom_objects)


__all__ = [
    "L1", "L1L2", "L2", "LOOKUP", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2",
    "orthogonal_regularizer", "serialize",
]  # fmt: skip
