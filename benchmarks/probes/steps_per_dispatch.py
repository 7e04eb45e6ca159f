"""Time of a step of the guide's MLP with 1 and more steps a dispatch.

KERAS_BACKEND=jax python -m benchmarks.probes.steps_per_dispatch
"""

import statistics
import time

import numpy as np

import keras_fn
from keras_fn import layers


def model(k):
    keras_fn.utils.set_random_seed(0)
    x = keras_fn.Input((784,))
    h = layers.Dense(64, activation="relu")(x)
    h = layers.Dense(64, activation="relu")(h)
    m = keras_fn.Model(x, layers.Dense(10)(h))
    m.compile(
        "rmsprop",
        keras_fn.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=k,
    )
    return m


def main():
    rng = np.random.default_rng(0)
    x, y = rng.random((64 * 256, 784), dtype="float32"), rng.integers(10, size=64 * 256)
    models = {k: model(k) for k in (1, 4, 32, 128)}
    losses = {k: m.fit(x, y, batch_size=64, epochs=2, verbose=0).history["loss"][-1] for k, m in models.items()}
    times = {k: [] for k in models}
    for _ in range(5):
        for k, m in models.items():
            began = time.perf_counter()
            m.fit(x, y, batch_size=64, epochs=1, verbose=0)
            times[k].append((time.perf_counter() - began) / 256 * 1e3)
    base = statistics.median(times[1])
    for k, t in times.items():
        step = statistics.median(t)
        name = keras_fn.backend.backend()
        print(f"{name:11} k={k:4}  {step:.3f} ms a step  x{step / base:.2f}  loss {losses[k]:.6f}")


if __name__ == "__main__":
    main()
