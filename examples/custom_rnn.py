"""A recurrent cell of one's own, run over time by `layers.RNN`: the minimal gated unit.

The task: the sum of the numbers that a second track of the sequence marks. The cell has to keep what was marked and to
forget the rest.

    KERAS_BACKEND=torch python examples/custom_rnn.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_fn
from keras_fn import layers, ops


@keras_fn.saving.register_keras_serializable("examples")
class MinimalGatedCell(layers.Layer):
    """One gate: `f = sigmoid([x, h] @ A + a)`, `h' = (1 - f) * h + f * tanh([x, f * h] @ B + b)`.

    Source: Zhou et al., "Minimal gated unit for recurrent neural networks", 2016.

    Args:
        units: length of the state.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units
        self.output_size = units

    def build(self, input_shape: Any) -> None:
        rows = input_shape[-1] + self.units
        self.gate = self.add_weight((rows, self.units), name="gate")
        self.gate_bias = self.add_weight((self.units,), "zeros", name="gate_bias")
        self.new = self.add_weight((rows, self.units), name="new")
        self.new_bias = self.add_weight((self.units,), "zeros", name="new_bias")

    def call(self, x: Any, states: Any) -> tuple[Any, list[Any]]:
        h = states[0]
        f = ops.sigmoid(ops.matmul(ops.concatenate([x, h], -1), self.gate) + self.gate_bias)
        new = ops.tanh(ops.matmul(ops.concatenate([x, f * h], -1), self.new) + self.new_bias)
        h = (1.0 - f) * h + f * new
        return h, [h]


def make_data(count: int, steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and marks `(count, steps, 2)`, and the sums of the marked numbers `(count, 1)`."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(-0.5, 0.5, (count, steps)).astype("float32")
    marks = (rng.random((count, steps)) < 0.3).astype("float32")
    return np.stack([values, marks], -1), (values * marks).sum(1, keepdims=True)


def main(epochs: int = 15, samples: int = 1500, verbose: int = 1) -> dict:
    """Trains on sequences of 10 steps, and tests on those and on longer ones."""
    keras_fn.utils.set_random_seed(1)
    sequence = keras_fn.Input((None, 2))
    model = keras_fn.Model(sequence, layers.Dense(1)(layers.RNN(MinimalGatedCell(24))(sequence)))
    model.compile(keras_fn.optimizers.Adam(0.01), "mse")
    x, y = make_data(samples, 10, 0)
    history = model.fit(x, y, epochs=epochs, verbose=verbose).history
    errors = {steps: model.evaluate(*make_data(300, steps, 1), verbose=0) for steps in (10, 14)}
    for steps, error in errors.items():
        by_mean = np.var(make_data(300, steps, 1)[1])
        print(f"{steps} steps: squared error {error:.4f}, where the mean would give {by_mean:.4f}")
    return {"history": history, "errors": errors, "variance": float(np.var(y))}


if __name__ == "__main__":
    main()
