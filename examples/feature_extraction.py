"""What the layers of a trained model see: intermediate outputs, and a new task on frozen features.

A network learns to tell digits below five apart; its features, frozen, then serve to tell all ten, with a new last
layer and few examples.

    KERAS_BACKEND=torch python examples/feature_extraction.py
"""

from __future__ import annotations

import numpy as np

import keras_fn
from keras_fn import layers


def make_model() -> keras_fn.Model:
    """Pictures `(batch, 8, 8, 1)` to five probabilities."""
    image = keras_fn.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="edges")(image)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", name="parts")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(48, activation="relu", name="features")(x)
    return keras_fn.Model(image, layers.Dense(5, activation="softmax", name="small_digits")(x))


def main(epochs: int = 8, samples: int | None = None, verbose: int = 1) -> dict:
    """Trains both, and looks inside."""
    keras_fn.utils.set_random_seed(1)
    (x, y), (x_test, y_test) = keras_fn.datasets.digits.load_data()
    x, x_test = (a[..., None].astype("float32") / 16.0 for a in (x[:samples], x_test))
    y, y_test = y[:samples].astype("int32"), y_test.astype("int32")

    model = make_model()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    small = y < 5
    model.fit(x[small], y[small], epochs=epochs, verbose=verbose)

    inside = keras_fn.Model(model.input, {layer.name: layer.output for layer in model.layers})
    seen = inside.predict(x_test[:4], verbose=0)
    for name, values in seen.items():
        print(f"{name:13} {values.shape!s:15} {np.mean(values > 0):.0%} of the values above zero")

    features = keras_fn.Model(model.input, model.get_layer("features").output, name="frozen")
    features.trainable = False
    before = features.get_weights()
    image = keras_fn.Input((8, 8, 1))
    digit = layers.Dense(10, activation="softmax")(features(image, training=False))
    classifier = keras_fn.Model(image, digit)
    classifier.compile(keras_fn.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = classifier.fit(x, y, epochs=epochs, verbose=verbose).history
    _, accuracy = classifier.evaluate(x_test, y_test, verbose=0)
    frozen = all(np.array_equal(a, b) for a, b in zip(before, features.get_weights(), strict=True))
    print(f"All ten digits on features learnt from five: {accuracy:.1%}")
    return {"history": history, "accuracy": accuracy, "frozen": frozen, "layers": list(seen)}


if __name__ == "__main__":
    main()
