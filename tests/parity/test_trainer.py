"""Training in Keras and in keras_fn from the same weights, on the same batches: the same history."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from keras_fn.core.backend import active

if active.backend.differentiable:
    import keras

    import keras_fn

    RNG = np.random.default_rng(7)
    X = RNG.normal(size=(60, 5)).astype("float32")
    CLASSES = RNG.integers(0, 3, 60)
    VALUES = X[:, :2].sum(1, keepdims=True)
    WEIGHT = RNG.uniform(0.2, 2.0, 60).astype("float32")

    def mlp(k: Any) -> Any:
        x = k.Input((5,))
        h = k.layers.Dense(8, activation="relu")(x)
        return k.Model(x, k.layers.Dense(3)(h))

    def compiled(k: Any, optimizer: Any, **arguments: Any) -> Any:
        model = mlp(k)
        loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(**{"optimizer": optimizer, "loss": loss, "metrics": ["accuracy"], **arguments})
        return model

    def two_outputs(k: Any) -> Any:
        x = k.Input((5,))
        h = k.layers.Dense(8, activation="tanh")(x)
        outputs = {
            "cls": k.layers.Dense(3, activation="softmax", name="cls")(h),
            "reg": k.layers.Dense(1, name="reg")(h),
        }
        model = k.Model(x, outputs)
        model.compile(
            k.optimizers.Adam(0.01),
            {"cls": "sparse_categorical_crossentropy", "reg": "mse"},
            loss_weights={"cls": 0.3, "reg": 2.0},
            metrics={"cls": ["accuracy"], "reg": ["mae"]},
            weighted_metrics={"cls": ["accuracy"], "reg": ["mse"]},
        )
        return model

    def weighted(k: Any) -> Any:
        entropy = k.metrics.SparseCategoricalCrossentropy(from_logits=True, name="entropy")
        return compiled(k, k.optimizers.SGD(0.1), weighted_metrics=["accuracy", entropy])

    BOTH = {"cls": CLASSES, "reg": VALUES}
    CASES = {
        "rmsprop": (lambda k: compiled(k, k.optimizers.RMSprop()), CLASSES, {}),
        "validation": (lambda k: compiled(k, k.optimizers.RMSprop()), CLASSES, {"validation_split": 0.2}),
        # whole batches: Keras on TensorFlow counts a short one as a whole one in the losses of single outputs
        "two outputs": (
            two_outputs, BOTH,
            {"batch_size": 10, "validation_data": (X[:20], {"cls": CLASSES[:20], "reg": VALUES[:20]})},
        ),
        "class weight": (
            lambda k: compiled(k, k.optimizers.SGD(0.1)), CLASSES, {"class_weight": {0: 0.5, 1: 2.0, 2: 1.0}},
        ),
        "sample weight": (weighted, CLASSES, {"sample_weight": WEIGHT}),
        "weights of a validation": (
            weighted, CLASSES, {"sample_weight": WEIGHT, "validation_data": (X[:20], CLASSES[:20], WEIGHT[:20])},
        ),
        "momentum": (lambda k: compiled(k, k.optimizers.SGD(0.05, momentum=0.9, nesterov=True)), CLASSES, {}),
        "clipnorm": (lambda k: compiled(k, k.optimizers.Adam(0.01, clipnorm=0.05)), CLASSES, {}),
        "ema": (
            lambda k: compiled(k, k.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4)),
            CLASSES, {"validation_split": 0.2},
        ),
        "accumulation": (lambda k: compiled(k, k.optimizers.Adam(0.01, gradient_accumulation_steps=2)), CLASSES, {}),
    }  # fmt: skip

    @pytest.mark.parametrize("name", CASES)
    def test_the_same_history(name: str) -> None:
        make, y, arguments = CASES[name]
        theirs, ours = make(keras), make(keras_fn)
        ours.set_weights(theirs.get_weights())
        given = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0, **arguments}
        expected = theirs.fit(X, y, **given).history
        found = ours.fit(X, y, **given).history
        assert sorted(found) == sorted(expected)
        for key, values in expected.items():
            np.testing.assert_allclose(found[key], values, rtol=1e-5, atol=1e-5, err_msg=key)
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
