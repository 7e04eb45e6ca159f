"""Which source serves which data; validation splits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.config.limits import max_steps_per_epoch
from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError
from keras_fn.core.variable import Variable
from keras_fn.trainer.data.arrays import ArraySource, check_lengths
from keras_fn.trainer.data.iterables import IterableSource
from keras_fn.trainer.data.sparse import SparseSource, is_sparse_data, to_rows


def make_source(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: bool = False,
    seed: int = 0,
    repeats: bool = False,
) -> Any:
    """The source of batches for what was passed as x, y and sample_weight."""
    if is_arrays(x):
        data = (x, y, sample_weight) if sample_weight is not None else (x,) if y is None else (x, y)
        if any(is_sparse_data(leaf) for leaf in trees.flatten(data)):
            return _limited(SparseSource(data, batch_size, shuffle, steps, seed, repeats))
        return _limited(ArraySource(data, batch_size, shuffle, steps, seed, repeats))
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ArgumentError(
                f"`{name}` is given beside a {type(x).__name__}. A data set or generator must yield it itself: "
                "(x, y) or (x, y, sample_weight)."
            )
    if not hasattr(x, "__iter__") and not (hasattr(x, "__getitem__") and hasattr(x, "__len__")):
        raise ArgumentTypeError(
            f"Data must be arrays, a structure of arrays, or an iterable of batches, and {type(x).__name__} came."
        )
    if steps is None and hasattr(x, "__next__") and not hasattr(x, "__len__"):
        pass  # a generator that ends is one epoch
    return _limited(IterableSource(x, steps))


def _limited(source: Any) -> Any:
    """The source with no more steps an epoch than `keras_fn.config.set_max_steps_per_epoch` allows."""
    most = max_steps_per_epoch()
    if most is not None and (source.steps is None or source.steps > most):
        source.steps = most
    return source


def is_arrays(x: Any) -> bool:
    """Whether x is an array, a number list, or a structure of arrays."""
    leaves = trees.flatten(x)
    return bool(leaves) and all(_is_array(leaf) for leaf in leaves)


def _is_array(x: Any) -> bool:
    if x is None or isinstance(x, (np.ndarray, np.generic, int, float, Variable)) or active.backend.is_tensor(x):
        return True
    if is_sparse_data(x):
        return True
    return (hasattr(x, "__array__") and hasattr(x, "shape") and hasattr(x, "dtype")) or hasattr(x, "to_numpy")


def numbers_to_arrays(x: Any) -> Any:
    """Lists of numbers as arrays; structures of arrays stay structures."""
    if isinstance(x, (list, tuple)) and x and all(_all_numbers(v) for v in x):
        return np.asarray(x)
    if isinstance(x, dict):
        return {k: numbers_to_arrays(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)) and type(x) in (list, tuple):
        return type(x)(numbers_to_arrays(v) for v in x)
    return x


def _all_numbers(x: Any) -> bool:
    if isinstance(x, (int, float, bool, np.generic)):
        return True
    return isinstance(x, (list, tuple)) and bool(x) and all(_all_numbers(v) for v in x)


def split_validation(data: tuple[Any, ...], fraction: float) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The first rows to train on, and the last `fraction` of them to validate with.

    Raises:
        ArgumentError: where the fraction is not between 0 and 1, or leaves no rows on a side.
    """
    if not 0 < fraction < 1:
        raise ArgumentError(f"`validation_split` must lie between 0 and 1, not {fraction!r}.")
    if not all(is_arrays(part) for part in data):
        raise ArgumentError(
            "`validation_split` needs arrays. Of a data set or generator, make two and pass the second one as "
            "`validation_data`."
        )
    arrays = tuple(trees.map(to_rows, part) for part in data)
    rows = check_lengths(arrays)
    cut = math.floor(rows * (1.0 - fraction))
    if cut == 0 or cut == rows:
        raise ArgumentError(
            f"`validation_split={fraction}` of {rows} samples leaves {cut} to train on and {rows - cut} to validate."
        )

    def part(start: int | None, stop: int | None) -> tuple[Any, ...]:
        return tuple(trees.map(lambda a: None if a is None else a[start:stop], p) for p in arrays)

    return part(None, cut), part(cut, None)
