"""An autoencoder on digits: three models from one graph.

The encoder, the decoder and the whole share their layers, so training the whole trains the parts.

    KERAS_BACKEND=torch python examples/autoencoder.py
"""

from __future__ import annotations

import numpy as np

import keras_fn
from keras_fn import layers


def make_models(code_size: int = 16) -> tuple[keras_fn.Model, keras_fn.Model, keras_fn.Model]:
    """The autoencoder, its encoder and its decoder."""
    image = keras_fn.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(image)
    x = layers.Flatten()(x)
    code = layers.Dense(code_size, name="code")(x)

    x = layers.Dense(4 * 4 * 16, activation="relu")(code)
    x = layers.Reshape((4, 4, 16))(x)
    x = layers.UpSampling2D(2)(x)
    picture = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="picture")(x)

    return keras_fn.Model(image, picture), keras_fn.Model(image, code), keras_fn.Model(code, picture)


def main(epochs: int = 10, samples: int | None = None, verbose: int = 1) -> dict:
    """Trains, and compares the pictures with what a mean picture would reach."""
    keras_fn.utils.set_random_seed(1)
    (x_train, _), (x_test, _) = keras_fn.datasets.digits.load_data()
    x_train, x_test = (x[..., None].astype("float32") / 16.0 for x in (x_train[:samples], x_test))

    autoencoder, encoder, decoder = make_models()
    autoencoder.compile("adam", "mse")
    history = autoencoder.fit(x_train, x_train, epochs=epochs, verbose=verbose).history
    error = autoencoder.evaluate(x_test, x_test, verbose=0)
    mean_error = float(np.mean((x_test - x_train.mean(axis=0)) ** 2))

    codes = encoder.predict(x_test, verbose=0)
    in_two_steps = decoder.predict(codes, verbose=0)
    difference = float(np.abs(in_two_steps - autoencoder.predict(x_test, verbose=0)).max())
    print(f"64 pixels as {codes.shape[1]} numbers and back: error {error:.4f}; the mean picture: {mean_error:.4f}")
    return {"history": history, "error": error, "mean_error": mean_error, "difference": difference}


if __name__ == "__main__":
    main()
