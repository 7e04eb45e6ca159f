"""Two sentences, one embedding: do they talk about the same topic?

Shows a layer and a whole model that are shared: the reader of sentences is a model of its own, called twice in the
graph, so that both sentences are read with the same weights.

    KERAS_BACKEND=jax python examples/shared_embeddings.py
"""

from __future__ import annotations

import numpy as np

import keras_fn
from keras_fn import layers

WORDS, TOPICS, LENGTH = 40, 4, 6


def make_model() -> keras_fn.Model:
    """`{"first", "second"}`, word numbers `(batch, 6)` each, to the probability `(batch, 1)` of one topic."""
    sentence = keras_fn.Input((LENGTH,), dtype="int32")
    x = layers.Embedding(WORDS, 16, name="words")(sentence)
    x = layers.GlobalAveragePooling1D()(x)
    reader = keras_fn.Model(sentence, layers.Dense(16, activation="tanh")(x), name="reader")

    first = keras_fn.Input((LENGTH,), dtype="int32", name="first")
    second = keras_fn.Input((LENGTH,), dtype="int32", name="second")
    a, b = reader(first), reader(second)
    x = layers.Concatenate()([a * b, abs(a - b)])
    x = layers.Dense(16, activation="relu")(x)
    return keras_fn.Model({"first": first, "second": second}, layers.Dense(1, activation="sigmoid")(x))


def make_pairs(count: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Pairs of sentences, half of them with one topic; every topic has ten words of its own."""
    rng = np.random.default_rng(seed)
    own = WORDS // TOPICS
    one = rng.integers(0, TOPICS, count)
    same = rng.random(count) < 0.5
    other = np.where(same, one, (one + rng.integers(1, TOPICS, count)) % TOPICS)

    def sentences(topic: np.ndarray) -> np.ndarray:
        return (topic[:, None] * own + rng.integers(0, own, (count, LENGTH))).astype("int32")

    return {"first": sentences(one), "second": sentences(other)}, same.astype("float32")[:, None]


def main(epochs: int = 10, samples: int = 2000, verbose: int = 1) -> dict:
    """Trains and tests, and checks that the reader's weights are there once."""
    keras_fn.utils.set_random_seed(1)
    model = make_model()
    model.compile(keras_fn.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(*make_pairs(samples, 0), epochs=epochs, verbose=verbose).history
    _, accuracy = model.evaluate(*make_pairs(500, 1), verbose=0)
    tables = sum("embeddings" in v.path for v in model.weights)
    print(f"{accuracy:.1%} of the test pairs right, with {tables} table of words for both sentences")
    return {"history": history, "accuracy": accuracy, "tables": tables}


if __name__ == "__main__":
    main()
