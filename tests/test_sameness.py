"""One seed gives one model: what is stored here must come out on every backend, in whatever environment."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

import keras_fn
from keras_fn import layers
from keras_fn.core.backend import active
from keras_fn.trainer.data import ArraySource

WEIGHTS = "6e00ce74c305226435dcd61fa8838813"
ORDER = "2329406757582c38a1ba9e693fdbce06"
LOSS = 1.91781
DRAWS = [351600082, 1872763484, 2087919683]


def digest(*arrays: Any) -> str:
    found = hashlib.sha256()
    for a in arrays:
        a = np.ascontiguousarray(a)
        found.update(f"{a.dtype.str}{a.shape}".encode())
        found.update(a.tobytes())
    return found.hexdigest()[:32]


def guide_model() -> Any:
    """The MLP of the guide to the functional API."""
    inputs = keras_fn.Input((784,))
    x = layers.Dense(64, activation="relu")(inputs)
    x = layers.Dense(64, activation="relu")(x)
    return keras_fn.Model(inputs, layers.Dense(10)(x))


def test_initial_weights_are_the_same_bits() -> None:
    keras_fn.utils.set_random_seed(42)
    model = guide_model()
    more = [
        keras_fn.Variable(getattr(keras_fn.initializers, name)(), shape=(7, 5)).numpy()
        for name in ("HeNormal", "TruncatedNormal", "RandomUniform")
    ]
    assert digest(*model.get_weights(), *more) == WEIGHTS


def test_the_order_of_batches_is_the_same() -> None:
    source = ArraySource((np.zeros((1000, 1), "float32"),), 64, True, None, seed=42)
    assert digest(*(rows for epoch in range(3) for rows in source.epoch(epoch))) == ORDER


def test_a_seed_of_fit_gives_one_order() -> None:
    from keras_fn.random.host import draw_seed

    keras_fn.utils.set_random_seed(7)
    assert [draw_seed() for _ in range(3)] == DRAWS


def digits(n: int) -> tuple[Any, Any]:
    """Ten noisy patterns of 784 pixels, and which one each is. Only integers are drawn, and exact sums made."""
    rng = np.random.Generator(np.random.Philox(key=5))
    patterns = rng.integers(0, 256, (10, 784))
    labels = rng.integers(0, 10, n)
    noise = rng.integers(-255, 256, (n, 784))
    return ((patterns[labels] + 6 * noise) / 2048).astype("float32"), labels


if active.backend.differentiable:

    def test_the_guides_model_trains_to_the_same_loss() -> None:
        keras_fn.utils.set_random_seed(42)
        x, y = digits(3000)
        model = guide_model()
        model.compile(
            keras_fn.optimizers.RMSprop(),
            keras_fn.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        history = model.fit(x, y, batch_size=64, epochs=2, verbose=0).history
        assert abs(history["loss"][-1] - LOSS) < 1e-3, history
