"""Quickstart: a branching model on real handwritten digits, from description to a file that predicts the same.

The model takes the left and the right half of an 8 x 8 digit. A shared reader (one set of weights) takes both
halves, a residual branch refines what they say together, and two outputs answer: which digit is it, and is it even?

    python examples/quickstart.py
    KERAS_BACKEND=torch python examples/quickstart.py
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import keras_fn
from keras_fn import layers


def load_digits():
    """Digits as pairs of halves with values from 0 to 1, their classes, and whether they are even."""
    (x_train, y_train), (x_test, y_test) = keras_fn.datasets.digits.load_data(test_split=0.2, seed=1)

    def prepare(x, y):
        x = np.asarray(x, "float32").reshape(-1, 8, 8) / 16.0
        inputs = {"left": x[:, :, :5, None], "right": x[:, :, 3:, None]}
        return inputs, {"digit": y.astype("int32"), "even": (y % 2 == 0).astype("float32")[:, None]}

    return prepare(x_train, y_train), prepare(x_test, y_test)


def build_model():
    """Two inputs, a shared reader, a residual branch, two outputs."""
    # one set of weights reads both halves
    read = keras_fn.Sequential(
        [
            keras_fn.Input((8, 5, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D((2, 1)),
            layers.Flatten(),
        ],
        name="read_half",
    )
    left = keras_fn.Input((8, 5, 1), name="left")
    right = keras_fn.Input((8, 5, 1), name="right")
    x = layers.Dropout(0.3)(layers.concatenate([read(left), read(right)]))
    x = layers.Dense(128, activation="relu")(x)
    h = layers.Dense(128, activation="relu")(layers.Dropout(0.3)(x))
    x = layers.add([x, h], name="residual")
    x = layers.Dropout(0.3)(x)
    digit = layers.Dense(10, activation="softmax", name="digit")(x)
    even = layers.Dense(1, activation="sigmoid", name="even")(x)
    return keras_fn.Model({"left": left, "right": right}, {"digit": digit, "even": even}, name="halves")


def predict_from(path, answers):
    """What a new process does: loads the model, predicts the test digits, writes the answers."""
    model = keras_fn.models.load_model(path)
    _, (x_test, _) = load_digits()
    np.savez(answers, **model.predict(x_test, verbose=0))


def main(epochs=18, folder=None, verbose=1):
    """Trains, saves, and loads in a new process. Returns the test accuracy and whether predictions were the same."""
    keras_fn.utils.set_random_seed(0)
    folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="keras_fn_quickstart_"))
    (x_train, y_train), (x_test, y_test) = load_digits()

    model = build_model()
    model.summary()
    keras_fn.utils.plot_model(model, folder / "halves.png", show_shapes=True, show_layer_names=True)

    model.compile(
        optimizer=keras_fn.optimizers.Adam(keras_fn.optimizers.schedules.CosineDecay(3e-3, decay_steps=41 * epochs)),
        loss={"digit": "sparse_categorical_crossentropy", "even": "binary_crossentropy"},
        loss_weights={"digit": 1.0, "even": 0.3},
        metrics={"digit": ["accuracy"], "even": ["accuracy"]},
    )
    model.fit(x_train, y_train, batch_size=32, epochs=epochs, validation_split=0.1, verbose=verbose)
    scores = model.evaluate(x_test, y_test, verbose=2, return_dict=True)

    path, answers = folder / "halves.keras", folder / "answers.npz"
    model.save(path)
    subprocess.run([sys.executable, __file__, "--predict", str(path), str(answers)], check=True)
    here, there = model.predict(x_test, verbose=0), np.load(answers)
    same = all(np.allclose(here[k], there[k], atol=1e-6) for k in here)

    print(f"Backend: {keras_fn.backend.backend()}")
    print(f"Test accuracy: {scores['digit_accuracy']:.2%} of digits, {scores['even_accuracy']:.2%} of even or odd")
    print(f"Picture of the model: {folder / 'halves.png'}")
    print(f"Saved model: {path}")
    print(f"Loaded in a new process, it predicts {'the same' if same else 'SOMETHING ELSE'}.")
    return {"accuracy": scores["digit_accuracy"], "same_predictions": same}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--predict"]:
        predict_from(*sys.argv[2:4])
    else:
        outcome = main()
        sys.exit(0 if outcome["accuracy"] >= 0.97 and outcome["same_predictions"] else 1)
