"""The mask that travels with a tensor."""

from __future__ import annotations

from typing import Any

from keras_fn.core.backend import active
from keras_fn.core.context import context
from keras_fn.core.spec import Spec


def get_mask(x: Any) -> Any:
    """The mask of a tensor, or None."""
    mask = getattr(x, "_keras_mask", None)
    if mask is None and context.masks:
        entry = context.masks.get(id(x))
        return None if entry is None else entry[1]
    return mask


def set_mask(x: Any, mask: Any) -> Any:
    """The tensor with a mask. A tensor that can carry no attribute is noted in the running call."""
    if x is None:
        return x
    if isinstance(x, Spec):
        x._keras_mask = mask
        return x
    return _set(x, mask) if context.tape is None else context.tape.watched(_set, effect=True)(x, mask)


def _set(x: Any, mask: Any) -> Any:
    try:
        return active.backend.set_mask(x, mask)
    except AttributeError:
        if context.masks is not None:
            context.masks[id(x)] = (x, mask)  # the tensor is kept, so that its id stays its own
        return x
