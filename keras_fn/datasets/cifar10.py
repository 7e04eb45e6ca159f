"""Small colour photographs: 50000 + 10000 images of 32 x 32 pixels, 10 kinds of animals and vehicles."""

from __future__ import annotations

import pathlib

import numpy as np

from keras_fn.datasets._cifar import in_format, read_batch
from keras_fn.datasets._files import TORONTO
from keras_fn.datasets._split import Pair
from keras_fn.utils.download import get_file

_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def load_data() -> tuple[Pair, Pair]:
    """The data, downloaded at the first call (170 MB).

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images 0…255 of shape `(n, 32, 32, 3)` (or `(n, 3, 32, 32)`
        where `keras_fn.config.image_data_format()` is "channels_first"), uint8 classes of shape `(n, 1)`:
        airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.
    """
    folder = get_file(
        "cifar-10-batches-py-target", origin=TORONTO + "cifar-10-python.tar.gz", file_hash=_SHA256, extract=True
    )
    batches = pathlib.Path(folder) / "cifar-10-batches-py"
    parts = [read_batch(batches / f"data_batch_{i}", "labels") for i in range(1, 6)]
    x_test, y_test = read_batch(batches / "test_batch", "labels")
    x_train, y_train = (np.concatenate(p) for p in zip(*parts, strict=True))
    return (in_format(x_train), y_train), (in_format(x_test), y_test)
