"""Handwritten digits: 60000 + 10000 images of 28 x 28 gray pixels.

Source: Y. LeCun, C. Cortes, C. J. C. Burges, http://yann.lecun.com/exdb/mnist (CC BY-SA 3.0).
"""

from __future__ import annotations

from keras_fn.datasets._files import GOOGLE, read_npz
from keras_fn.datasets._split import Pair
from keras_fn.utils.download import get_file

_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str = "mnist.npz") -> tuple[Pair, Pair]:
    """The data, downloaded at the first call (11 MB).

    Args:
        path: name of the file in the cache.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images 0…255 of shape `(n, 28, 28)`, uint8 digits of shape
        `(n,)`.
    """
    file = get_file(fname=path, origin=GOOGLE + "mnist.npz", file_hash=_SHA256)
    x_train, y_train, x_test, y_test = read_npz(file, "x_train", "y_train", "x_test", "y_test")
    return (x_train, y_train), (x_test, y_test)
