"""A generative adversarial network, with a training step that is written once for every backend.

The generator learns to place points on a ring. `keras_fn.value_and_grad` differentiates on JAX, torch and TensorFlow
alike, so `train_step` names no framework.

    KERAS_BACKEND=jax python examples/gan.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import keras_fn
from keras_fn import layers, ops

NOISE = 4


class Gan(keras_fn.Model):
    """Trains a generator and a critic against each other."""

    def __init__(self, generator: keras_fn.Model, critic: keras_fn.Model) -> None:
        super().__init__()
        self.generator = generator
        self.critic = critic
        self.seed = keras_fn.random.SeedGenerator(7)
        self.generator_loss = keras_fn.metrics.Mean(name="generator_loss")
        self.critic_loss = keras_fn.metrics.Mean(name="critic_loss")

    def compile(self, generator_optimizer: Any, critic_optimizer: Any) -> None:
        super().compile(optimizer=None)
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer
        generator_optimizer.build(self.generator.trainable_variables)
        critic_optimizer.build(self.critic.trainable_variables)

    def call(self, noise: Any) -> Any:
        return self.generator(noise)

    def train_step(self, data: Any) -> dict[str, Any]:
        real = data[0] if isinstance(data, tuple) else data
        count = ops.shape(real)[0]
        cross_entropy = keras_fn.losses.BinaryCrossentropy(from_logits=True)

        def noise() -> Any:
            return keras_fn.random.normal((count, NOISE), seed=self.seed)

        fake = self.generator(noise(), training=True)

        def critic_loss() -> Any:
            told_real, told_fake = self.critic(real, training=True), self.critic(fake, training=True)
            wrong = cross_entropy(ops.ones_like(told_real), told_real)
            return wrong + cross_entropy(ops.zeros_like(told_fake), told_fake)

        def generator_loss() -> Any:
            told = self.critic(self.generator(noise(), training=True), training=True)
            return cross_entropy(ops.ones_like(told), told)

        logs = {}
        for name, loss, model, optimizer in (
            ("critic", critic_loss, self.critic, self.critic_optimizer),
            ("generator", generator_loss, self.generator, self.generator_optimizer),
        ):
            variables = model.trainable_variables
            value, gradients = keras_fn.value_and_grad(loss, variables)()
            optimizer.apply(gradients, variables)
            tracker = getattr(self, f"{name}_loss")
            tracker.update_state(value)
            logs[f"{name}_loss"] = tracker.result()
        return logs


def perceptron(inputs: int, outputs: int, name: str) -> keras_fn.Model:
    """Two hidden layers of 32."""
    x = keras_fn.Input((inputs,))
    h = layers.Dense(32, activation="leaky_relu")(x)
    h = layers.Dense(32, activation="leaky_relu")(h)
    return keras_fn.Model(x, layers.Dense(outputs)(h), name=name)


def ring(count: int, seed: int) -> np.ndarray:
    """Points `(count, 2)` at a distance of about 1 from the origin."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, count)
    radius = rng.normal(1.0, 0.05, count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype("float32")


def off_ring(points: np.ndarray) -> float:
    """How far points are from the ring on average."""
    return float(np.abs(np.linalg.norm(points, axis=1) - 1).mean())


def main(epochs: int = 60, samples: int = 2048, verbose: int = 2) -> dict:
    """Trains, and says how far from the ring the points lie before and after."""
    keras_fn.utils.set_random_seed(1)
    gan = Gan(perceptron(NOISE, 2, "generator"), perceptron(2, 1, "critic"))
    gan.compile(keras_fn.optimizers.Adam(0.002, beta_1=0.5), keras_fn.optimizers.Adam(0.002, beta_1=0.5))
    noise = np.random.default_rng(3).standard_normal((500, NOISE)).astype("float32")
    before = off_ring(gan.predict(noise, verbose=0))
    history = gan.fit(ring(samples, 0), batch_size=128, epochs=epochs, verbose=verbose).history
    points = gan.predict(noise, verbose=0)
    after = off_ring(points)
    print(f"Distance from the ring: {before:.3f} before, {after:.3f} after; spread {points.std(axis=0)}")
    return {"history": history, "before": before, "after": after, "spread": points.std(axis=0)}


if __name__ == "__main__":
    main()
