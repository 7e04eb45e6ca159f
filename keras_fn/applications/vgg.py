"""What VGG16 and VGG19 share: blocks of 3 x 3 convolutions, each followed by a pooling.

Source: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
https://arxiv.org/abs/1409.1556
"""

from __future__ import annotations

from typing import Any

from keras_fn import layers
from keras_fn.applications.published import load_weights_into
from keras_fn.core.errors import ArgumentError
from keras_fn.core.settings import image_data_format
from keras_fn.graph.symbol import is_keras_tensor
from keras_fn.models import Functional, Model

FILTERS = (64, 128, 256, 512, 512)


def build_vgg(
    name: str,
    depths: tuple[int, ...],
    published: dict[str, tuple[str, str]],
    include_top: bool,
    weights: Any,
    input_tensor: Any,
    input_shape: Any,
    pooling: str | None,
    classes: int,
    classifier_activation: Any,
) -> Model:
    """A VGG with `depths[i]` convolutions in block i."""
    shape = _input_shape(input_shape, include_top, weights)
    if weights == "imagenet" and include_top and classes != 1000:
        raise ArgumentError(f"The published weights classify 1000 classes, so `classes` cannot be {classes}.")
    if pooling not in (None, "avg", "max"):
        raise ArgumentError(f"`pooling` must be None, 'avg' or 'max', not {pooling!r}.")
    inputs = _inputs(input_tensor, shape)
    x = inputs
    for block, (depth, filters) in enumerate(zip(depths, FILTERS, strict=True), start=1):
        for i in range(1, depth + 1):
            conv = layers.Conv2D(filters, 3, activation="relu", padding="same", name=f"block{block}_conv{i}")
            x = conv(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4096, activation="relu", name="fc1")(x)
        x = layers.Dense(4096, activation="relu", name="fc2")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    elif pooling is not None:
        x = (layers.GlobalAveragePooling2D() if pooling == "avg" else layers.GlobalMaxPooling2D())(x)
    model = Functional(inputs, x, name=name)
    if weights is not None:
        load_weights_into(model, weights, published["top" if include_top else "notop"])
    return model


def _input_shape(shape: Any, include_top: bool, weights: Any) -> tuple[Any, ...]:
    first = image_data_format() == "channels_first"
    usual = (3, 224, 224) if first else (224, 224, 3)
    if shape is None:
        return usual if include_top else ((3, None, None) if first else (None, None, 3))
    shape = tuple(shape)
    if len(shape) != 3:
        raise ArgumentError(f"`input_shape` must hold three lengths, without the batch axis, not {shape}.")
    if include_top and weights == "imagenet" and shape != usual:
        raise ArgumentError(
            f"With `include_top=True` the published weights need the input shape {usual}, not {shape}. Take "
            "`include_top=False` for images of another size."
        )
    lengths = shape[1:] if first else shape[:2]
    if any(n is not None and n < 32 for n in lengths):
        raise ArgumentError(f"Images must be 32 pixels high and wide at least, and `input_shape` is {shape}.")
    if include_top and None in lengths:
        raise ArgumentError(f"With `include_top=True` height and width must be known, and `input_shape` is {shape}.")
    return shape


def _inputs(tensor: Any, shape: tuple[Any, ...]) -> Any:
    if tensor is None:
        return layers.Input(shape=shape)
    if not is_keras_tensor(tensor):
        raise ArgumentError(f"`input_tensor` must be a KerasTensor, not {type(tensor).__name__}.")
    return tensor
