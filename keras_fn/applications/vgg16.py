"""`VGG16`: 16 layers with weights."""

from __future__ import annotations

from typing import Any

from keras_fn.applications.imagenet import decode_predictions as decode_predictions
from keras_fn.applications.imagenet import preprocess_caffe
from keras_fn.applications.vgg import build_vgg
from keras_fn.models import Model

# file -> MD5, as published with Keras
_PUBLISHED = {
    "top": ("vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5", "64373286793e3c8b2b4e3219cbf3544b"),
    "notop": ("vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "6d6bbae143d832006294945121d1f1fc"),
}


def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Model:
    """The VGG16 architecture. Source: https://arxiv.org/abs/1409.1556

    Args:
        include_top: whether the classifier at the end is part of it.
        weights: "imagenet" (downloaded at first use), the path of a file, or None to draw them.
        input_tensor: a symbol to build on.
        input_shape: shape of an image; `(224, 224, 3)` with the classifier.
        pooling: without the classifier: None, "avg" or "max" over height and width.
        classes: number of classes.
        classifier_activation: activation of the last layer; None for logits.
        name: name of the model.

    Example:
        >>> import keras_fn
        >>> model = keras_fn.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
        >>> model.output_shape
        (None, 1, 1, 512)
    """
    return build_vgg(
        name, (2, 2, 3, 3, 3), _PUBLISHED, include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation,
    )  # fmt: skip


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Images with values from 0 to 255 as VGG16 was trained on them: blue, green, red, less the mean of each."""
    return preprocess_caffe(x, data_format)
