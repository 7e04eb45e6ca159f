"""Training as TensorFlow users write it: GradientTape in a step, tf.data, XLA."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import keras_fn
from keras_fn import layers

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


class Own(keras_fn.Model):
    """A step with a tape."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        for metric in self.metrics:
            metric.update_state(loss)
        return {m.name: m.result() for m in self.metrics}


def linear(cls: Any, **arguments: Any) -> Any:
    x = keras_fn.Input((3,))
    model = cls(x, layers.Dense(1)(x))
    model.compile("sgd", "mse", **arguments)
    model.set_weights([np.ones((3, 1), "float32") / 2, np.zeros(1, "float32")])
    return model


@pytest.mark.parametrize("arguments", [{}, {"run_eagerly": True}, {"jit_compile": True}, {"steps_per_execution": 3}])
def test_a_tape_in_a_step(arguments: dict[str, Any]) -> None:
    own, plain = linear(Own, **arguments), linear(keras_fn.Model)
    histories = [m.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history for m in (own, plain)]
    np.testing.assert_allclose(own.get_weights()[0], plain.get_weights()[0], rtol=1e-5)
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-5)


def test_tf_data() -> None:
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
    loaded, plain = linear(keras_fn.Model), linear(keras_fn.Model)
    loaded.fit(data, epochs=2, verbose=0)
    plain.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(loaded.get_weights()[0], plain.get_weights()[0], rtol=1e-5)
    assert loaded.evaluate(data, verbose=0) == pytest.approx(loaded.evaluate(X, Y, batch_size=8, verbose=0), rel=1e-6)
    assert loaded.fit(data.repeat(), steps_per_epoch=2, epochs=3, verbose=0).epoch == [0, 1, 2]
