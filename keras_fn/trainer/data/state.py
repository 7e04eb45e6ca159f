"""The state of the user's data, as `state_dict()` gives it, as plain data that a backup can hold; and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentTypeError

_PLAIN = (bool, int, float, str, type(None))


def own_generators(data: Any) -> list[Any]:
    """The generators that data draws its order from by itself, as DataLoaders and their samplers do."""
    owners = (data, getattr(data, "sampler", None), getattr(data, "batch_sampler", None))
    found = (getattr(owner, "generator", None) for owner in owners)
    return list({id(g): g for g in found if hasattr(g, "initial_seed") and hasattr(g, "get_state")}.values())


def generators_of(data: Any) -> list[Any]:
    """Where these generators are."""
    return [g.get_state().numpy().copy() for g in own_generators(data)]


def set_generators_of(data: Any, states: list[Any]) -> None:
    """Puts them to where they were."""
    for generator, state in zip(own_generators(data), states, strict=False):
        held = generator.get_state()
        if tuple(held.shape) == state.shape:
            held.numpy()[:] = state  # into the tensor's own memory, of whatever framework it is
            generator.set_state(held)


def packed(state: Any, where: str = "state_dict()") -> Any:
    """Dicts with plain keys, lists, tuples, numbers, text, bytes, arrays and tensors, as dicts with names and lists.

    Raises:
        ArgumentTypeError: where something else is in it.
    """
    if isinstance(state, _PLAIN) or (isinstance(state, np.ndarray) and state.dtype.kind in "biufc"):
        return state
    if isinstance(state, np.generic):
        return state.item()
    if isinstance(state, dict):
        return {"dict": [[packed(k, where), packed(v, f"{where}[{k!r}]")] for k, v in state.items()]}
    if isinstance(state, (list, tuple)):
        kind = "tuple" if isinstance(state, tuple) else "list"
        return {kind: [packed(v, f"{where}[{i}]") for i, v in enumerate(state)]}
    if isinstance(state, (bytes, bytearray)):
        return {"bytes": np.frombuffer(state, "uint8")}
    if active.backend.is_tensor(state):
        return {"tensor": active.backend.to_numpy(state)}
    raise ArgumentTypeError(f"{where} is a {type(state).__name__}.")


def unpacked(state: Any) -> Any:
    """What `packed` was given."""
    if not isinstance(state, dict):
        return state
    (kind, value), *_ = state.items()
    if kind == "dict":
        return {unpacked(k): unpacked(v) for k, v in value}
    if kind == "bytes":
        return value.tobytes()
    if kind == "tensor":
        return active.backend.convert(value, str(value.dtype))
    return (tuple if kind == "tuple" else list)(unpacked(v) for v in value)
