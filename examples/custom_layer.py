"""A layer of one's own, written once for every backend: a mixture of experts with a gate.

Shows `build`, weights, computation in `keras_fn.ops`, a loss that the layer adds, `training`, registration, and saving.

    KERAS_BACKEND=jax python examples/custom_layer.py
"""

from __future__ import annotations

import pathlib
import tempfile
from typing import Any

import numpy as np

import keras_fn
from keras_fn import layers, ops


@keras_fn.saving.register_keras_serializable("examples")
class Experts(layers.Layer):
    """`sum_e gate_e(x) * tanh(x @ kernel_e)`, with a loss that asks the gate to use all experts.

    Args:
        units: length of the output.
        experts: number of experts.
        balance: factor of the loss.
    """

    def __init__(self, units: int, experts: int = 4, balance: float = 0.01, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.experts = experts
        self.balance = balance

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        self.gate = self.add_weight((size, self.experts), "glorot_uniform", name="gate")
        self.kernel = self.add_weight((self.experts, size, self.units), "glorot_uniform", name="kernel")

    def call(self, x: Any, training: bool = False) -> Any:
        shares = ops.softmax(ops.matmul(x, self.gate))
        if training:
            used = ops.mean(shares, axis=0)
            self.add_loss(self.balance * ops.sum(used * ops.log(used + 1e-6)))
        answers = ops.tanh(ops.einsum("bi,eiu->beu", x, self.kernel))
        return ops.sum(ops.expand_dims(shares, -1) * answers, axis=1)


def main(epochs: int = 20, samples: int = 1000, folder: str | None = None, verbose: int = 1) -> dict:
    """Learns a function that differs from quarter to quarter of the plane; saves and loads."""
    keras_fn.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (samples, 2)).astype("float32")
    y = (np.sign(x[:, :1]) * x[:, 1:] * 0.8).astype("float32")

    inputs = keras_fn.Input((2,))
    model = keras_fn.Model(inputs, layers.Dense(1)(Experts(16)(inputs)))
    model.compile(keras_fn.optimizers.Adam(0.02), "mse")
    history = model.fit(x, y, epochs=epochs, verbose=verbose).history

    place = pathlib.Path(folder or tempfile.mkdtemp()) / "experts.keras"
    model.save(place)
    loaded = keras_fn.saving.load_model(place)
    difference = float(np.abs(loaded.predict(x, verbose=0) - model.predict(x, verbose=0)).max())
    error = model.evaluate(x, y, verbose=0)
    print(f"Squared error {error:.4f}, where the mean would give {float(np.var(y)):.4f}; saved to {place}")
    return {"history": history, "error": error, "variance": float(np.var(y)), "difference": difference}


if __name__ == "__main__":
    main()
