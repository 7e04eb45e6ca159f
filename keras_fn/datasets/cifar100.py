"""Small colour photographs: 50000 + 10000 images of 32 x 32 pixels, 100 kinds in 20 groups."""

from __future__ import annotations

import pathlib

from keras_fn.core.errors import ArgumentError
from keras_fn.datasets._cifar import in_format, read_batch
from keras_fn.datasets._files import TORONTO
from keras_fn.datasets._split import Pair
from keras_fn.utils.download import get_file

_SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine") -> tuple[Pair, Pair]:
    """The data, downloaded at the first call (169 MB).

    Args:
        label_mode: "fine" for the 100 kinds, "coarse" for the 20 groups.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images 0…255 of shape `(n, 32, 32, 3)` (or `(n, 3, 32, 32)`
        where `keras_fn.config.image_data_format()` is "channels_first"), uint8 classes of shape `(n, 1)`.

    Raises:
        ArgumentError: for another `label_mode`.
    """
    if label_mode not in ("fine", "coarse"):
        raise ArgumentError(f"`label_mode` must be 'fine' or 'coarse', not {label_mode!r}.")
    folder = get_file(
        "cifar-100-python-target", origin=TORONTO + "cifar-100-python.tar.gz", file_hash=_SHA256, extract=True
    )
    batches = pathlib.Path(folder) / "cifar-100-python"
    (x_train, y_train), (x_test, y_test) = (read_batch(batches / n, f"{label_mode}_labels") for n in ("train", "test"))
    return (in_format(x_train), y_train), (in_format(x_test), y_test)
