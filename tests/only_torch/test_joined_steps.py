"""What torch does in one call of a plan: how many steps are left, and that gradients go through what was joined."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import keras_fn
from keras_fn import layers, losses, ops
from keras_fn.core.backend import active
from keras_fn.core.plan_steps import Sums
from keras_fn.core.tape import Plan, Planned
from keras_fn.core.variable import Variable


def plan_of(planned: Any) -> Plan:
    (plan,) = planned.plans.plans.values()
    assert type(plan) is Plan
    return plan


def functions(plan: Plan) -> list[Any]:
    return [step[0] for _, steps in plan.parts for step in steps]


def test_sums_of_several_cells_are_one_step() -> None:
    counts = [Variable(np.zeros(3), dtype="float32", trainable=False) for _ in range(2)]

    def count(x: Any) -> None:
        counts[0].assign_add(x)
        counts[1].assign_add(1)

    run = Planned(count, lambda: counts, active.backend)
    for _ in range(3):
        run(ops.ones(3))
    (step,) = functions(plan_of(run))
    assert type(step) is Sums
    assert [v.numpy().tolist() for v in counts] == [[3.0] * 3] * 2


def test_a_batch_of_evaluate_takes_nine_steps() -> None:
    """Three products, two of them with ReLU, the loss in two, its weight, two for the accuracy, and one write."""
    inputs = keras_fn.Input((6,))
    x = layers.Dense(4, "relu")(layers.Dense(4, "relu")(inputs))
    model = keras_fn.Model(inputs, layers.Dense(3)(x))
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    for _ in range(2):
        model.evaluate(np.zeros((8, 6), "float32"), np.zeros(8, "int32"), batch_size=4, verbose=0)
    assert len(plan_of(model._kf_programs.made["test", "batch"])) == 9


def test_relu_in_place_lets_gradients_through() -> None:
    kernel = Variable(np.eye(3), dtype="float32")
    x = ops.convert_to_tensor([[1.0, -2.0, 3.0]])

    def loss(x: Any) -> Any:
        return ops.sum(ops.square(ops.relu(ops.matmul(x, kernel))))

    run = Planned(lambda x: keras_fn.value_and_grad(loss, [kernel])(x), lambda: [kernel], active.backend)
    found = [run(x)[1][0] for _ in range(3)]
    y = torch.tensor([[2.0, 0.0, 6.0]])
    assert all(torch.equal(g, x.T @ y) for g in found)
    assert functions(plan_of(run))[0].__qualname__.startswith("_relu_in_place")
