"""What the two CIFAR sets share.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images" (2009),
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

import pathlib

import numpy as np

from keras_fn.core.settings import image_data_format
from keras_fn.datasets._files import DataFileError, read_pickle
from keras_fn.datasets._split import Pair


def read_batch(path: pathlib.Path, key: str) -> Pair:
    """One file: images `(n, 3, 32, 32)` as uint8, and the labels under `key`, `(n, 1)`."""
    with path.open("rb") as f:
        batch = read_pickle(f)
    if not isinstance(batch, dict) or not {b"data", key.encode()} <= batch.keys():
        raise DataFileError(f"{path} holds no 'data' and {key!r}.")
    pixels = np.asarray(batch[b"data"], dtype="uint8")
    labels = np.asarray(batch[key.encode()], dtype="uint8")
    return pixels.reshape(-1, 3, 32, 32), labels.reshape(-1, 1)


def in_format(images: np.ndarray) -> np.ndarray:
    """The images with their channels where `keras_fn.config.image_data_format()` wants them."""
    return images if image_data_format() == "channels_first" else np.ascontiguousarray(images.transpose(0, 2, 3, 1))
