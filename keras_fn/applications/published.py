"""Published weights: fetched once, checked by their hash, and read into a model."""

from __future__ import annotations

import os
from typing import Any

from keras_fn.core.errors import ArgumentError
from keras_fn.utils import get_file

BASE = "https://storage.googleapis.com/tensorflow/keras-applications/"


def load_weights_into(model: Any, weights: Any, published: tuple[str, str]) -> None:
    """Reads "imagenet" (downloaded) or a file's weights into a model.

    Args:
        model: the model.
        weights: "imagenet", or the path of a file of weights.
        published: the published file's path under `BASE`, and its MD5.
    """
    if weights == "imagenet":
        path, md5 = published
        weights = get_file(os.path.basename(path), BASE + path, cache_subdir="models", file_hash=md5)
    elif not os.path.exists(os.fspath(weights)):
        raise ArgumentError(
            f"`weights` must be None (drawn anew), 'imagenet', or the path of a file, and there is no file {weights!r}."
        )
    model.load_weights(weights)
