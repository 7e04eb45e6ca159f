"""`VGG19`: 19 layers with weights."""

from __future__ import annotations

from typing import Any

from keras_fn.applications.imagenet import decode_predictions as decode_predictions
from keras_fn.applications.imagenet import preprocess_caffe
from keras_fn.applications.vgg import build_vgg
from keras_fn.models import Model

# file -> MD5, as published with Keras
_PUBLISHED = {
    "top": ("vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5", "cbe5617147190e668d6c5d5026f83318"),
    "notop": ("vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", "253f8cb515780f3b799900260a226db6"),
}


def VGG19(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg19",
) -> Model:
    """The VGG19 architecture. Source: https://arxiv.org/abs/1409.1556

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
        >>> model = keras_fn.applications.VGG19(include_top=False, weights=None, input_shape=(32, 32, 3))
        >>> model.output_shape
        (None, 1, 1, 512)
    """
    return build_vgg(
        name, (2, 2, 4, 4, 4), _PUBLISHED, include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation,
    )  # fmt: skip


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Images with values from 0 to 255 as VGG19 was trained on them: blue, green, red, less the mean of each."""
    return preprocess_caffe(x, data_format)
