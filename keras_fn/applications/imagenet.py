"""Images for networks that were trained on ImageNet, and the names of its classes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.settings import standardize_data_format
from keras_fn.utils import get_file

# mean of each channel over ImageNet, in the order blue, green, red
CAFFE_MEAN = (103.939, 116.779, 123.68)
_CLASSES: list[Any] = []


def preprocess_caffe(x: Any, data_format: str | None = None) -> Any:
    """Channels from red, green, blue to blue, green, red, less the mean of each over ImageNet; not scaled.

    Args:
        x: images with values from 0 to 255, `(…, height, width, 3)`, or channels first.
        data_format: where the channels are.
    """
    axis = -1 if standardize_data_format(data_format) == "channels_last" else -3
    mean = np.array(CAFFE_MEAN, "float32").reshape((3,) if axis == -1 else (3, 1, 1))
    if isinstance(x, np.ndarray):
        return np.flip(x, axis).astype("float32") - mean
    return ops.subtract(ops.cast(ops.flip(x, axis), "float32"), mean)


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """The `top` most likely classes of each prediction: `(WordNet id, name, score)`.

    Args:
        preds: array of shape `(batch, 1000)`.
        top: how many classes.
    """
    preds = np.asarray(ops.convert_to_numpy(preds))
    if preds.ndim != 2 or preds.shape[1] != 1000:
        raise ShapeError(f"`preds` must have the shape (batch, 1000), and has {preds.shape}.")
    if not 1 <= top <= 1000:
        raise ArgumentError(f"`top` must be from 1 to 1000, not {top}.")
    if not _CLASSES:
        path = get_file(
            "imagenet_class_index.json",
            "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
            cache_subdir="models",
            file_hash="c2c37ea517e94d9795004a39431a14cb",
        )
        with open(path, encoding="utf-8") as f:
            _CLASSES.append(json.load(f))
    return [
        [(*_CLASSES[0][str(i)], float(row[i])) for i in np.argsort(row)[::-1][:top]]
        for row in preds
    ]
