"""Training as JAX users write it: a pure step over the state."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import keras_fn
from keras_fn import layers

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


class Own(keras_fn.Model):
    """A step in the form `(state, data) -> (logs, state)`."""

    def loss_and_updates(self, trainable: Any, non_trainable: Any, x: Any, y: Any) -> Any:
        y_pred, non_trainable = self.stateless_call(trainable, non_trainable, x, training=True)
        return self.compute_loss(x, y, y_pred), non_trainable

    def train_step(self, state: Any, data: Any) -> Any:
        trainable, non_trainable, optimizer, metrics = state
        x, y = data
        differentiated = jax.value_and_grad(self.loss_and_updates, has_aux=True)
        (loss, non_trainable), grads = differentiated(trainable, non_trainable, x, y)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
        new, logs, at = [], {}, 0
        for metric in self.metrics:
            own = metrics[at : at + len(metric.variables)]
            at += len(own)
            own = metric.stateless_update_state(own, loss)
            logs[metric.name] = metric.stateless_result(own)
            new += own
        return logs, (trainable, non_trainable, optimizer, new)


def linear(cls: Any, **arguments: Any) -> Any:
    x = keras_fn.Input((3,))
    model = cls(x, layers.Dense(1)(x))
    model.compile("sgd", "mse", **arguments)
    model.set_weights([np.ones((3, 1), "float32") / 2, np.zeros(1, "float32")])
    return model


@pytest.mark.parametrize("arguments", [{}, {"run_eagerly": True}, {"steps_per_execution": 3}])
def test_a_pure_step(arguments: dict[str, Any]) -> None:
    own, plain = linear(Own, **arguments), linear(keras_fn.Model)
    histories = [m.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history for m in (own, plain)]
    np.testing.assert_allclose(own.get_weights()[0], plain.get_weights()[0], rtol=1e-5)
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-5)
