"""`SeedGenerator`: random state that a model keeps, saves and carries through compiled steps."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from keras_fn.core.backend import Backend, active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.core.variable import Variable
from keras_fn.ops.random import next_seed
from keras_fn.random import host


class SeedGenerator:
    """A source of seeds for `keras_fn.random.*`: a fresh one at every call.

    Its state is a Variable, so that compiled steps carry it, checkpoints hold it, and a run that is taken up again
    draws what it would have drawn.

    Args:
        seed: int from 0 to 2**32 - 1; None for one that is drawn from the global stream.
        name: name.

    Attributes:
        state: Variable of shape `(2,)` and dtype uint32: the seed, and how many seeds were drawn.

    Example:
        >>> import keras_fn
        >>> a, b = keras_fn.random.SeedGenerator(seed=1), keras_fn.random.SeedGenerator(seed=1)
        >>> x, y = keras_fn.random.normal((2,), seed=a), keras_fn.random.normal((2,), seed=b)
        >>> bool(keras_fn.ops.all(x == y))
        True
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise ArgumentError(f"SeedGenerator got unknown arguments: {', '.join(kwargs)}.")
        self.name = name or "seed_generator"
        self._given = seed
        self.seed = host.draw_seed() if seed is None else host.checked_seed(seed, 32)
        self.state = Variable(
            lambda shape, dtype: _first_state(self.seed),
            shape=(2,),
            dtype="uint32",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name=f"{self.name}_state",
        )
        self.state._cell = self.state.backend.seed_cell(self.state._cell)

    def next(self, ordered: bool = True) -> Any:
        """The next seed, a tensor of shape `(2,)` and dtype uint32; the state moves on by one."""
        seed, state = next_seed(self.state)
        self.state.assign(state)
        return seed

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal generator."""
        return {"seed": self._given, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """A generator from the result of `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<SeedGenerator name={self.name}, seed={self.seed}>"


def _first_state(seed: int) -> np.ndarray:
    return np.array([seed, 0], "uint32")


_globals: weakref.WeakKeyDictionary[Backend, SeedGenerator] = weakref.WeakKeyDictionary()


def _restart() -> None:
    """Writes the new global seed into the generators that exist: compiled functions hold on to their states."""
    for generator in _globals.values():
        generator.seed = host.device_seed()
        generator.state.assign(_first_state(generator.seed))


host.on_reseed.append(_restart)


def global_seed_generator() -> SeedGenerator:
    """The generator behind `seed=None`, one for each backend. `set_random_seed` starts it anew.

    Whoever compiles a step that may draw from it names its `state` among the variables of the step.
    """
    backend = active.backend
    found = _globals.get(backend)
    if found is None:
        found = _globals[backend] = SeedGenerator(host.device_seed(), name="global_seed_generator")
    return found


def draw(seed: Any) -> Any:
    """The seed tensor for one use of the `seed` argument of a random function.

    Args:
        seed: None: from the global generator. An int: the same at every call. A SeedGenerator: its next one.
    """
    if seed is None:
        return global_seed_generator().next()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, Variable) or active.backend.is_tensor(seed):
        if tuple(seed.shape) != (2,):
            raise ArgumentError(f"A seed tensor has the shape (2,), not {tuple(seed.shape)}.")
        return seed
    if isinstance(seed, int) or hasattr(seed, "__index__"):
        return active.backend.convert(_first_state(host.checked_seed(seed, 32)), "uint32")
    raise ArgumentTypeError(f"`seed` must be an int, a keras_fn.random.SeedGenerator or None, and {seed!r} came.")
