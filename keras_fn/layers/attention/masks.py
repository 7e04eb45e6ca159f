"""Which keys a query may look at."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.spec import Spec


def places(n: Any) -> Any:
    """0, 1, … n - 1; of unknown number while a model is built."""
    return Spec((None,), "int32") if n is None else ops.arange(n, dtype="int32")


def all_of(*masks: Any) -> Any:
    """True where all masks are that are not None; None where there is none."""
    found = [m for m in masks if m is not None]
    if not found:
        return None
    out = found[0]
    for m in found[1:]:
        out = ops.logical_and(out, m)
    return out


def attention_mask(
    query: Any,
    keys: Any,
    value_mask: Any = None,
    key_mask: Any = None,
    given: Any = None,
    causal: bool = False,
    window: int | None = None,
) -> Any:
    """The mask of an attention over sequences, True where a query may look at a key.

    Args:
        query: tensor `(batch, queries, …)`.
        keys: tensor `(batch, keys, …)`.
        value_mask, key_mask: bool tensors `(batch, keys)`, or None.
        given: bool tensor `(batch, queries, keys)`, or with more axes, or None.
        causal: whether a query sees only keys up to its own place.
        window: how near a key must be: less than so many places away; None for any distance.

    Returns:
        bool tensor that broadcasts to `(batch, queries, keys)`; None where every query sees all.
    """
    columns = [None if m is None else ops.expand_dims(ops.cast(m, "bool"), -2) for m in (value_mask, key_mask)]
    band = None
    if causal or window is not None:
        to = ops.expand_dims(places(ops.shape(query)[1]), 1)
        by = ops.expand_dims(places(ops.shape(keys)[1]), 0)
        near = None if window is None else ops.less(ops.absolute(ops.subtract(to, by)), window)
        band = ops.expand_dims(all_of(ops.greater_equal(to, by) if causal else None, near), 0)
    return all_of(*columns, None if given is None else ops.cast(given, "bool"), band)
