"""The state of the user's data, as `state_dict()` gives it, as plain data that a backup can hold; and back."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentTypeError

_PLAIN = (bool, int, float, str, type(None))


def own_generators(data: Any) -> list[Any]:
    """The generators that data draws from by itself: those among its attributes, and its sampler's and data set's."""
    owners = (data, *(getattr(data, name, None) for name in ("sampler", "batch_sampler", "dataset")))
    found = [value for owner in owners for value in getattr(owner, "__dict__", {}).values() if _is_generator(value)]
    return list({id(g): g for g in found}.values())


def _is_generator(value: Any) -> bool:
    if isinstance(value, (np.random.Generator, np.random.RandomState)) or type(value) is random.Random:
        return True
    return hasattr(value, "initial_seed") and hasattr(value, "get_state") and hasattr(value, "set_state")


def generators_of(data: Any) -> list[Any]:
    """Where these generators are, as plain data."""
    return [_state_of(g) for g in own_generators(data)]


def _state_of(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return packed(generator.bit_generator.state)
    if isinstance(generator, np.random.RandomState):
        return packed(generator.get_state(legacy=False))
    if isinstance(generator, random.Random):
        return packed(generator.getstate())
    return generator.get_state().numpy().copy()


def set_generators_of(data: Any, states: list[Any]) -> None:
    """Puts them to where they were."""
    for generator, state in zip(own_generators(data), states, strict=False):
        if isinstance(generator, np.random.Generator):
            generator.bit_generator.state = unpacked(state)
        elif isinstance(generator, np.random.RandomState):
            generator.set_state(unpacked(state))
        elif isinstance(generator, random.Random):
            generator.setstate(unpacked(state))
        else:
            held = generator.get_state()
            if tuple(held.shape) == state.shape:
                held.numpy()[:] = state  # into the tensor's own memory, of whatever framework it is
                generator.set_state(held)


def same(a: Any, b: Any) -> bool:
    """Whether two states are equal."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b


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
