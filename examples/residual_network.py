"""A small residual network on digits, with a function for the block that repeats.

Shows additions of symbols, a shortcut that changes shape, and a learning rate that falls on a schedule.

    KERAS_BACKEND=jax python examples/residual_network.py
"""

from __future__ import annotations

from typing import Any

import keras_fn
from keras_fn import layers


def block(x: Any, filters: int, stride: int, name: str) -> Any:
    """Two convolutions, and a way round them; the way round is a 1 x 1 convolution where the shape changes."""
    y = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False, name=f"{name}_conv1")(x)
    y = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm1")(y)
    y = layers.ReLU(name=f"{name}_relu1")(y)
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv2")(y)
    y = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm2")(y)
    if stride != 1 or x.shape[-1] != filters:
        x = layers.Conv2D(filters, 1, strides=stride, use_bias=False, name=f"{name}_way_round")(x)
    return layers.ReLU(name=f"{name}_relu2")(x + y)


def make_model() -> keras_fn.Model:
    """Pictures `(batch, 8, 8, 1)` to logits `(batch, 10)`."""
    image = keras_fn.Input((8, 8, 1))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(image)
    x = block(x, 16, 1, "block1")
    x = block(x, 32, 2, "block2")
    x = layers.GlobalAveragePooling2D()(x)
    return keras_fn.Model(image, layers.Dense(10)(x))


def main(epochs: int = 8, samples: int | None = None, verbose: int = 1) -> dict:
    """Trains and tests."""
    keras_fn.utils.set_random_seed(1)
    (x_train, y_train), (x_test, y_test) = keras_fn.datasets.digits.load_data()
    x_train, x_test = (x[..., None].astype("float32") / 16.0 for x in (x_train[:samples], x_test))
    y_train = y_train[:samples].astype("int32")

    steps = epochs * -(-len(x_train) // 32)
    model = make_model()
    model.compile(
        keras_fn.optimizers.Adam(keras_fn.optimizers.schedules.CosineDecay(0.01, steps)),
        keras_fn.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(x_train, y_train, epochs=epochs, verbose=verbose).history
    _, accuracy = model.evaluate(x_test, y_test.astype("int32"), verbose=0)
    print(f"{model.count_params()} weights, {accuracy:.1%} of the test digits right")
    return {"history": history, "accuracy": accuracy}


if __name__ == "__main__":
    main()
