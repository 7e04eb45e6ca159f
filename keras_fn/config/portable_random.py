"""Portable random mode: `keras_fn.random.*` gives the same numbers on every backend."""

from __future__ import annotations

from keras_fn.core.switches import switches
from keras_fn.core.version import structure


def enable_portable_random() -> None:
    """Lets `keras_fn.random.*`, and dropout and noise layers with it, give the same numbers on every backend.

    Without it they come from the backend's own generator. With it they come from one counter-based generator,
    eager and compiled alike (Philox4x32-10, Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405):

    - uniform numbers, integers, orders and dropout masks are equal to the last bit;
    - normal numbers are equal up to the rounding of the backend's logarithm, some 1e-6;
    - gamma, beta and binomial numbers too, but for the rare draw that lies on the border of a rejection;
    - class ids of `categorical` for equal logits, but for the rare tie.

    The switch is read when a function runs or is traced: set it before the first step. Models compile their steps anew;
    functions that you compiled yourself keep what they were traced with. Initial weights and the order of shuffled
    data are equal on every backend in any case.

    Example:
        >>> import keras_fn
        >>> keras_fn.config.enable_portable_random()
        >>> keras_fn.ops.convert_to_numpy(keras_fn.random.randint((5,), 0, 100, seed=1)).tolist()
        [30, 48, 27, 90, 59]
        >>> keras_fn.config.disable_portable_random()
    """
    _switch(True)


def disable_portable_random() -> None:
    """Lets `keras_fn.random.*` use the backend's own generator again, as it does by default."""
    _switch(False)


def is_portable_random_enabled() -> bool:
    """Whether random numbers are the same on every backend.

    Example:
        >>> import keras_fn
        >>> keras_fn.config.is_portable_random_enabled()
        False
    """
    return switches.portable_random


def _switch(on: bool) -> None:
    if switches.portable_random is not on:
        switches.portable_random = on
        structure.bump()  # compiled steps hold the generator that they were traced with
