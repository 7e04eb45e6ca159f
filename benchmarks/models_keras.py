"""The models in the Keras API. The same code makes them with keras_fn and with real Keras: `k` is one of the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.workloads import (
    BLOCKS,
    BODY_LENGTH,
    DEPARTMENTS,
    FILMS,
    GATED_LAYERS,
    GATED_WIDTH,
    GENRES,
    HEADS,
    HIDDEN,
    LENGTH,
    MODEL_WIDTH,
    RESNET_CLASSES,
    RESNET_SIDE,
    RESNET_STAGES,
    SAVED_LAYERS,
    SAVED_WIDTH,
    SIGNALS,
    TAGS,
    TASTE,
    TIME,
    TITLE_LENGTH,
    TOKENS,
    UNET_CLASSES,
    UNET_FILTERS,
    UNET_SIDE,
    UNITS,
    USERS,
    VGG_CLASSES,
    VGG_SIDE,
    WORDS,
    vgg_channels,
)


# --- models of the guides
def mlp(k: Any) -> Any:
    """W1."""
    inputs = k.Input((784,))
    x = k.layers.Dense(64, activation="relu")(inputs)
    x = k.layers.Dense(64, activation="relu")(x)
    model = k.Model(inputs, k.layers.Dense(10)(x))
    model.compile(
        k.optimizers.RMSprop(), k.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    return model


def autoencoder(k: Any) -> Any:
    """W2."""
    layers = k.layers
    inputs = k.Input((28, 28, 1))
    x = layers.Conv2D(16, 3, activation="relu")(inputs)
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.MaxPooling2D(3)(x)
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.Conv2D(16, 3, activation="relu")(x)
    encoded = layers.GlobalMaxPooling2D()(x)
    x = layers.Reshape((4, 4, 1))(encoded)
    x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
    x = layers.Conv2DTranspose(32, 3, activation="relu")(x)
    x = layers.UpSampling2D(3)(x)
    x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
    decoded = layers.Conv2DTranspose(1, 3, activation="relu")(x)
    model = k.Model(inputs, decoded)
    model.compile(k.optimizers.RMSprop(), k.losses.MeanSquaredError())
    return model


def tickets(k: Any) -> Any:
    """W3."""
    layers = k.layers
    title = k.Input((TITLE_LENGTH,), dtype="int32", name="title")
    body = k.Input((BODY_LENGTH,), dtype="int32", name="body")
    tags = k.Input((TAGS,), name="tags")
    x = layers.Concatenate()(
        [
            layers.LSTM(128)(layers.Embedding(WORDS, 64)(title)),
            layers.LSTM(32)(layers.Embedding(WORDS, 64)(body)),
            tags,
        ]
    )
    outputs = {
        "priority": layers.Dense(1, name="priority")(x),
        "department": layers.Dense(DEPARTMENTS, name="department")(x),
    }
    model = k.Model({"title": title, "body": body, "tags": tags}, outputs)
    model.compile(
        k.optimizers.RMSprop(1e-3),
        {
            "priority": k.losses.BinaryCrossentropy(from_logits=True),
            "department": k.losses.CategoricalCrossentropy(from_logits=True),
        },
        loss_weights={"priority": 1.0, "department": 0.2},
    )
    return model


def resnet(k: Any) -> Any:
    """W4."""
    layers = k.layers
    inputs = k.Input((32, 32, 3))
    x = layers.Conv2D(32, 3, activation="relu")(inputs)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    block = layers.MaxPooling2D(3)(x)
    for _ in range(2):
        x = layers.Conv2D(64, 3, activation="relu", padding="same")(block)
        x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
        block = layers.Add()([x, block])
    x = layers.Conv2D(64, 3, activation="relu")(block)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(256, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    model = k.Model(inputs, layers.Dense(10)(x))
    model.compile(
        k.optimizers.RMSprop(1e-3), k.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    return model


# --- models of the reference page
def _classified(k: Any, inputs: Any, x: Any) -> Any:
    """A model with ten classes at its end, compiled for integer labels."""
    model = k.Model(inputs, k.layers.Dense(10)(x))
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(k.optimizers.RMSprop(1e-3), loss, metrics=["accuracy"])
    return model


def transformer(k: Any) -> Any:
    """W5, normalized before each part; tokens have no positions, which would cost next to nothing."""
    layers = k.layers
    inputs = k.Input((LENGTH,), dtype="int32")
    x = layers.Embedding(TOKENS, MODEL_WIDTH)(inputs)
    for _ in range(BLOCKS):
        h = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(HEADS, MODEL_WIDTH // HEADS)(h, h)])
        h = layers.Dense(HIDDEN, activation="relu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(MODEL_WIDTH)(h)])
    return _classified(k, inputs, layers.GlobalAveragePooling1D()(x))


def gru(k: Any) -> Any:
    """W6g."""
    inputs = k.Input((TIME, SIGNALS))
    return _classified(k, inputs, k.layers.GRU(UNITS)(inputs))


def bilstm(k: Any) -> Any:
    """W6l."""
    inputs = k.Input((TIME, SIGNALS))
    return _classified(k, inputs, k.layers.Bidirectional(k.layers.LSTM(UNITS))(inputs))


def vgg(k: Any) -> Any:
    """W7: the convolutions of VGG19; an average in place of its two large Dense layers, which are 0.5 GB."""
    layers = k.layers
    x = inputs = k.Input((VGG_SIDE, VGG_SIDE, 3))
    for block in vgg_channels():
        for _, filters in block:
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    return k.Model(inputs, layers.Dense(VGG_CLASSES, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def resnet50(k: Any) -> Any:
    """M2: ResNet50, whose convolutions have biases as in Keras."""
    layers = k.layers

    def convolution(x: Any, filters: int, window: int, strides: int = 1, padding: str = "same") -> Any:
        return layers.BatchNormalization()(layers.Conv2D(filters, window, strides, padding)(x))

    inputs = k.Input((RESNET_SIDE, RESNET_SIDE, 3))
    x = layers.ReLU()(convolution(layers.ZeroPadding2D(3)(inputs), 64, 7, 2, "valid"))
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
    for stage, (filters, blocks) in enumerate(RESNET_STAGES):
        for block in range(blocks):
            strides = 2 if stage and not block else 1
            past = x if block else convolution(x, 4 * filters, 1, strides)
            x = layers.ReLU()(convolution(x, filters, 1, strides))
            x = layers.ReLU()(convolution(x, filters, 3))
            x = layers.ReLU()(layers.Add()([past, convolution(x, 4 * filters, 1)]))
    x = layers.GlobalAveragePooling2D()(x)
    return k.Model(inputs, layers.Dense(RESNET_CLASSES, activation="softmax")(x))


def saved(k: Any) -> Any:
    """M4: 25.2 million weights in a few large layers."""
    x = inputs = k.Input((SAVED_WIDTH,))
    for _ in range(SAVED_LAYERS):
        x = k.layers.Dense(SAVED_WIDTH)(x)
    return k.Model(inputs, x)


# --- models that nothing was tuned for
def unet(k: Any) -> Any:
    """A U-Net with two levels: a class for each pixel."""
    layers = k.layers

    def double(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.Activation("relu")(layers.BatchNormalization()(x))
        return x

    x = inputs = k.Input((UNET_SIDE, UNET_SIDE, 3))
    *outer, inner = UNET_FILTERS
    skipped = []
    for filters in outer:
        skipped.append(double(x, filters))
        x = layers.MaxPooling2D(2)(skipped[-1])
    x = double(x, inner)
    for filters, skip in zip(reversed(outer), reversed(skipped), strict=True):
        x = layers.Conv2DTranspose(filters, 2, strides=2)(x)
        x = double(layers.Concatenate()([skip, x]), filters)
    model = k.Model(inputs, layers.Conv2D(UNET_CLASSES, 1)(x))
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(k.optimizers.RMSprop(1e-3), loss, metrics=["accuracy"])
    return model


def recommender(k: Any) -> Any:
    """A rating from a user, a film, and facts about both, by name."""
    layers = k.layers
    inputs = {
        "user": k.Input((), dtype="int32", name="user"),
        "film": k.Input((), dtype="int32", name="film"),
        "genres": k.Input((GENRES,), name="genres"),
        "age": k.Input((1,), name="age"),
    }
    user = layers.Embedding(USERS, TASTE)(inputs["user"])
    film = layers.Embedding(FILMS, TASTE)(inputs["film"])
    match = layers.Dot(axes=1)([user, film])
    x = layers.Concatenate()([user, film, inputs["genres"], inputs["age"]])
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Dense(32, activation="relu")(x)
    rating = layers.Dense(1)(layers.Concatenate()([x, match]))
    model = k.Model(inputs, rating)
    model.compile(k.optimizers.RMSprop(1e-3), k.losses.MeanSquaredError())
    return model


def _gate_in_torch() -> Callable[..., Any]:
    import torch.nn.functional as functional

    return lambda x, value, gate: (x @ value) * functional.silu(x @ gate)


def _gate_in_jax() -> Callable[..., Any]:
    import jax

    return lambda x, value, gate: (x @ value) * jax.nn.silu(x @ gate)


def _gate_in_tensorflow() -> Callable[..., Any]:
    import tensorflow as tf

    return lambda x, value, gate: tf.matmul(x, value) * tf.nn.silu(tf.matmul(x, gate))


_GATES = {"torch": _gate_in_torch, "jax": _gate_in_jax, "tensorflow": _gate_in_tensorflow}


def gated(k: Any) -> Any:
    """Layers as a user writes them who knows the framework: `call` does not use the ops of Keras."""
    formula = _GATES[k.config.backend()]()

    class Gated(k.layers.Layer):
        def build(self, shape: Any) -> None:
            self.value = self.add_weight(shape=(shape[-1], GATED_WIDTH), initializer="glorot_uniform", name="value")
            self.gate = self.add_weight(shape=(shape[-1], GATED_WIDTH), initializer="glorot_uniform", name="gate")

        def call(self, x: Any) -> Any:
            return formula(x, self.value.value, self.gate.value)

        def compute_output_shape(self, shape: Any) -> Any:
            return (*shape[:-1], GATED_WIDTH)

    x = inputs = k.Input((GATED_WIDTH,))
    for _ in range(GATED_LAYERS):
        x = Gated()(x)
    return _classified(k, inputs, x)


MODELS: dict[str, Callable[[Any], Any]] = {
    "mlp": mlp,
    "autoencoder": autoencoder,
    "tickets": tickets,
    "resnet": resnet,
    "transformer": transformer,
    "gru": gru,
    "bilstm": bilstm,
    "unet": unet,
    "recommender": recommender,
    "gated": gated,
}
