"""One call that makes a run repeatable."""

from __future__ import annotations

import numpy as np

from keras_fn.core.errors import ArgumentTypeError


def set_random_seed(seed: int) -> None:
    """Starts every default random stream anew: Python's, NumPy's, the framework's, and the one of keras_fn.

    Initial weights, shuffles, dropout and `keras_fn.random` without a seed all draw their seeds from that last
    stream, so one call makes a whole program repeatable. The framework's own global generator (of torch and
    TensorFlow) is what data loaders and raw framework code draw from.

    Args:
        seed: an integer from 0 to 2**32 - 1.

    Raises:
        ArgumentTypeError: where `seed` is no such integer.

    Example:
        >>> import numpy as np
        >>> set_random_seed(7)
        >>> first = np.random.rand()
        >>> set_random_seed(7)
        >>> bool(np.random.rand() == first)
        True
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= int(seed) < 2**32:
        raise ArgumentTypeError(f"The seed must be an integer from 0 to 2**32 - 1, and {seed!r} came.")
    from keras_fn.random import host

    host.set_random_seed(int(seed))
