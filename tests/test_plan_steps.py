"""What plans make of their steps: writes go last, and pairs of steps become one call, without a change in any bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import layers, losses, ops
from keras_fn.core.backend import active
from keras_fn.core.tape import Planned
from keras_fn.core.variable import StatelessScope, Variable

RNG = np.random.default_rng(0)


def one_after_the_other(a: Any, b: Any, x: Any) -> Any:
    a.assign_add(x)
    b.assign_add(1)


def reads_the_other_before(a: Any, b: Any, x: Any) -> Any:
    a.assign_add(b.value)
    b.assign_add(x)


def reads_the_other_after(a: Any, b: Any, x: Any) -> Any:
    b.assign_add(x)
    a.assign_add(b.value)


def both_sums_first(a: Any, b: Any, x: Any) -> Any:
    first, second = ops.add(a, b), ops.add(b, x)
    b.assign(second)
    a.assign(first)


def adds_itself(a: Any, b: Any, x: Any) -> Any:
    a.assign_add(a.value)
    b.assign_add(x)


def through_a_view(a: Any, b: Any, x: Any) -> Any:
    turned = ops.multiply(ops.reshape(ops.add(b, 0.0), (3,)), 1.0)
    a.assign_add(turned)
    b.assign_add(x)


def twice(a: Any, b: Any, x: Any) -> Any:
    a.assign_add(x)
    a.assign_add(2)
    b.assign_add(a.value)


def sum_that_is_used(a: Any, b: Any, x: Any) -> Any:
    total = ops.add(a, x)
    a.assign(total)
    b.assign(ops.multiply(total, 2.0))
    return ops.multiply(total, 3.0)


def writes_what_it_adds_to(a: Any, b: Any, x: Any) -> Any:
    b.assign(a.value)
    a.assign_add(x)


def not_exact(a: Any, b: Any, x: Any) -> Any:
    a.assign_add(0.1)
    b.assign_add(12345)


WRITES = [
    one_after_the_other, reads_the_other_before, reads_the_other_after, both_sums_first, adds_itself, through_a_view,
    twice, sum_that_is_used, writes_what_it_adds_to, not_exact,
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("function", WRITES)
def test_writes_that_are_put_last(function: Callable[..., Any], dtype: str) -> None:
    def variables() -> list[Variable]:
        return [Variable(np.array([1.0, 2.0, 3.0]), dtype=dtype, trainable=False) for _ in range(2)]

    plain, planned = variables(), variables()
    run = Planned(lambda x: function(*planned, x), lambda: planned, active.backend)
    for _ in range(4):
        x = ops.cast(ops.convert_to_tensor(RNG.standard_normal(3)), dtype)
        expected, found = function(*plain, x), run(x)
        for v, w in zip(plain, planned, strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(w.value), ops.convert_to_numpy(v.value))
        if expected is not None:
            np.testing.assert_array_equal(ops.convert_to_numpy(found), ops.convert_to_numpy(expected))


def test_pairs_leave_what_others_look_at() -> None:
    inputs = keras_fn.Input((5,))
    before = layers.Dense(4)(inputs)
    seen = layers.ReLU()(before)  # a result of the model lies between the product and this
    hidden = layers.Dense(4, "relu")(seen)
    both = layers.Add()([hidden, layers.Activation("relu")(layers.Add()([hidden, seen]))])
    model = keras_fn.Model(inputs, [before, both, ops.sum(ops.cast(ops.greater(both, 0.1), "float32"))])
    for _ in range(4):
        x = RNG.standard_normal((6, 5), "float32")
        for found, expected in zip(model(x), layer_by_layer(model, x), strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(found), ops.convert_to_numpy(expected))


def layer_by_layer(model: Any, x: Any) -> Any:
    """The outputs without a plan: none is made in a scope that catches writes."""
    with StatelessScope():
        return model(x)


def test_mean_of_class_losses_is_the_mean_of_the_values() -> None:
    logits = RNG.standard_normal((7, 3), "float32")
    for labels in ([0, 2, 1, 1, 0, 2, 2], [0, -1, 7, -100, 0, 2, 2]):  # those that are no class give 0, and count
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        values = losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")(labels, logits)
        mean = np.mean(ops.convert_to_numpy(values))
        np.testing.assert_allclose(ops.convert_to_numpy(loss(labels, logits)), mean, rtol=1e-6)


def test_call_of_a_subclass_is_the_loss() -> None:
    class Doubled(losses.SparseCategoricalCrossentropy):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return ops.multiply(super().call(y_true, y_pred), 2.0)

    labels, logits = [0, 1], RNG.standard_normal((2, 3), "float32")
    once = losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    np.testing.assert_allclose(float(Doubled(from_logits=True)(labels, logits)), 2 * float(once), rtol=1e-6)
