"""Training as PyTorch users write it: `.backward()` in a step, a DataLoader, torch.compile."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import keras_fn
from keras_fn import layers

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


class Own(keras_fn.Model):
    """A step with autograd by hand."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        self.zero_grad()
        loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        loss.backward()
        variables = list(self.trainable_weights)
        with torch.no_grad():
            self.optimizer.apply([v.value.grad for v in variables], variables)
        self._kf_loss_tracker.update_state(loss.detach())
        return {"loss": self._kf_loss_tracker.result()}


def linear(cls: Any) -> Any:
    x = keras_fn.Input((3,))
    model = cls(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    model.set_weights([np.ones((3, 1), "float32") / 2, np.zeros(1, "float32")])
    return model


def test_backward_in_a_step() -> None:
    own, plain = linear(Own), linear(keras_fn.Model)
    histories = [m.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history for m in (own, plain)]
    np.testing.assert_allclose(own.get_weights()[0], plain.get_weights()[0], rtol=1e-5)
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-5)


def test_data_loader() -> None:
    rows = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    loader = torch.utils.data.DataLoader(rows, batch_size=8)
    loaded, plain = linear(keras_fn.Model), linear(keras_fn.Model)
    loaded.fit(loader, epochs=2, verbose=0)
    plain.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(loaded.get_weights()[0], plain.get_weights()[0], rtol=1e-5)
    assert loaded.evaluate(loader, verbose=0) == loaded.evaluate(X, Y, batch_size=8, verbose=0)
    assert loaded.predict(loader, verbose=0).shape == (24, 1)
