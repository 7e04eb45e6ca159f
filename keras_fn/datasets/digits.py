"""Handwritten digits that need no network: 1797 images of 8 x 8 pixels, which ship with scikit-learn.

Source: E. Alpaydin, C. Kaynak, https://archive.ics.uci.edu/dataset/80 (CC BY 4.0).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core.errors import BackendError
from keras_fn.datasets._split import Pair, cut, shuffled


def load_data(test_split: float = 0.2, seed: int = 113) -> tuple[Pair, Pair]:
    """The data, shuffled and split.

    Args:
        test_split: fraction of the images for the test.
        seed: seed of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of shape `(n, 8, 8)` with values from 0 to 16, uint8
        digits of shape `(n,)`.

    Raises:
        BackendError: where scikit-learn is not installed.

    Example:
        >>> from keras_fn.datasets import digits
        >>> (x_train, y_train), (x_test, y_test) = digits.load_data()
        >>> x_train.shape, x_test.shape
        ((1437, 8, 8), (360, 8, 8))
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as e:
        raise BackendError(
            "datasets.digits comes with scikit-learn, which is not installed: pip install scikit-learn "
            "(or 'keras-fn[examples]')"
        ) from e
    loaded: Any = load_digits()
    x, y = loaded.images.astype("uint8"), loaded.target.astype("uint8")
    return cut(*shuffled(x, y, np.random.RandomState(seed)), test_split)
