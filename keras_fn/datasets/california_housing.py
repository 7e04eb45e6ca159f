"""House prices of California in 1990: 20640 blocks, 8 numbers each (place, age, rooms, people, income).

Source: R. Pace, R. Barry, "Sparse spatial autoregressions" (1997), https://doi.org/10.1016/S0167-7152(96)00140-X.
"""

from __future__ import annotations

import numpy as np

from keras_fn.core.errors import ArgumentError
from keras_fn.datasets._files import GOOGLE, read_npz
from keras_fn.datasets._split import Pair, cut, shuffled
from keras_fn.utils.download import get_file

_SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
_SMALL = 600  # rows of the small version


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Pair, Pair]:
    """The data, downloaded at the first call.

    Args:
        version: "large" for all rows, "small" for the first 600.
        path: name of the file in the cache.
        test_split: fraction of the rows for the test.
        seed: seed of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: rows of shape `(n, 8)`, median prices in dollars.

    Raises:
        ArgumentError: for another `version`.
    """
    if version not in ("large", "small"):
        raise ArgumentError(f"`version` must be 'large' or 'small', not {version!r}.")
    x, y = read_npz(get_file(fname=path, origin=GOOGLE + "california_housing.npz", file_hash=_SHA256), "x", "y")
    if version == "small":
        x, y = x[:_SMALL], y[:_SMALL]
    return cut(*shuffled(x, y, np.random.RandomState(seed)), test_split)
