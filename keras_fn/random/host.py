"""Random numbers on the host, from NumPy's counter-based Philox generator: bit-equal whatever backend is active.

Initial weights and the order of shuffled data come from here. Source of the generator: Salmon et al., "Parallel random
numbers: as easy as 1, 2, 3", SC 2011, https://doi.org/10.1145/2063384.2063405
"""

from __future__ import annotations

import operator
import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError

# called when the global seed changes, by modules that keep random state of their own
on_reseed: list[Callable[[], None]] = []


def host_generator(seed: int) -> np.random.Generator:
    """A NumPy generator at the start of the stream of `seed`.

    Args:
        seed: int from 0 to 2**128 - 1.

    Example:
        >>> bool(host_generator(3).random() == host_generator(3).random())
        True
    """
    seed = checked_seed(seed, 128)
    key: Any = _Key(seed)  # NumPy's annotations leave such objects out
    return np.random.Generator(np.random.Philox(key))


class _Key(ISeedSequence):
    """A key as it is: `Philox(key=...)` also asks the system for randomness that it does not use, which takes long.

    Args:
        seed: int below 2**128.
    """

    def __init__(self, seed: int) -> None:
        self.words = np.array((seed & 0xFFFFFFFFFFFFFFFF, seed >> 64), "uint64")

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray:
        """The two words of the key, which is all that Philox asks for."""
        return self.words


def checked_seed(seed: Any, bits: int) -> int:
    """A seed as an int of at most so many bits.

    Raises:
        ArgumentTypeError: where it is no integer.
        ArgumentError: where it is negative or too large.
    """
    if isinstance(seed, bool):
        raise ArgumentTypeError(f"A seed must be an integer, not {seed!r}.")
    try:
        number = operator.index(seed)
    except TypeError:
        raise ArgumentTypeError(f"A seed must be an integer, not {seed!r}.") from None
    if not 0 <= number < 1 << bits:
        raise ArgumentError(f"A seed must lie between 0 and 2**{bits} - 1, and {number} came.")
    return number


class _GlobalStream:
    """The stream that seeds are drawn from where nobody gives one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        # without `set_random_seed` every process starts elsewhere
        entropy: Any = np.random.SeedSequence().entropy
        self.reseed(entropy >> 96)

    def draw(self) -> int:
        with self.lock:
            return int(self.generator.integers(1 << 31))

    def reseed(self, seed: int) -> None:
        with self.lock:
            self.generator = host_generator(seed)
            # of a stream of its own, so that using it or not changes nothing for what is drawn here
            self.device_seed = int(host_generator(seed + (1 << 64)).integers(1 << 31))


_stream = _GlobalStream()


def draw_seed() -> int:
    """The next seed of the global stream: an int from 0 to 2**31 - 1.

    Example:
        >>> set_random_seed(1)
        >>> first = draw_seed()
        >>> set_random_seed(1)
        >>> draw_seed() == first
        True
    """
    return _stream.draw()


def device_seed() -> int:
    """The seed of the generator behind `seed=None` in `keras_fn.random.*`."""
    return _stream.device_seed


def stream_state() -> dict[str, Any]:
    """Where the global stream is, as plain data: for a backup."""
    with _stream.lock:
        state = _stream.generator.bit_generator.state
    plain = {k: v for k, v in state.items() if k != "state"}
    return {
        **{k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in plain.items()},
        "state": {k: v.tolist() for k, v in state["state"].items()},
        "device_seed": _stream.device_seed,
    }


def set_stream_state(state: dict[str, Any]) -> None:
    """Puts the global stream where `stream_state` found it."""
    values = {k: v for k, v in state.items() if k != "device_seed"}
    values["buffer"] = np.array(values["buffer"], "uint64")
    values["state"] = {k: np.array(v, "uint64") for k, v in values["state"].items()}
    with _stream.lock:
        _stream.generator.bit_generator.state = values
        _stream.device_seed = int(state["device_seed"])


def set_random_seed(seed: int) -> None:
    """Makes what follows repeatable: seeds Python's `random`, NumPy, the framework, and every stream of keras_fn.

    Args:
        seed: int from 0 to 2**32 - 1.

    Example:
        >>> set_random_seed(42)
    """
    seed = checked_seed(seed, 32)
    random.seed(seed)
    np.random.seed(seed)
    active.backend.seed_generator(seed)
    _stream.reseed(seed)
    for restart in on_reseed:
        restart()
