"""Choices and loops under torch.compile: whole where torch has a node for them, else with a break, and right."""

from __future__ import annotations

import numpy as np
import optree
import pytest
import torch

import keras_fn
from keras_fn import layers, ops
from keras_fn.core.backend import active

tensor = ops.convert_to_tensor


def rows():
    x, weight = tensor([1.0, 2.0]), torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    grown = x.clone().requires_grad_()
    both = [(tensor(True), x), (tensor(False), x)]

    def nested(p, x):
        inner = lambda: ops.cond(ops.sum(x) > 9.0, lambda: {"a": x, "b": (x, 1)}, lambda: {"a": x * 3.0, "b": (x, 2)})  # noqa: E731
        last = lambda: {"a": -x, "b": (x * x, 3)}  # noqa: E731
        return ops.cond(p, inner, lambda: ops.switch(ops.cast(x[0], "int32"), [inner, last]))

    def powers(n, x, limit=None):
        return ops.while_loop(lambda i, v: i < n, lambda i, v: (i + 1, v * 2.0), (0, x), maximum_iterations=limit)

    def swapped(n, x):
        return ops.while_loop(lambda i, a, b: i < n, lambda i, a, b: (i + 1, b, a), (0, x, x + 1.0))

    def chosen(n, x):
        step = lambda i, v: (i + 1, ops.cond(v[0] > 3.0, lambda: v - 1.0, lambda: v * 2.0))  # noqa: E731
        return ops.while_loop(lambda i, v: i < n, step, (0, x))

    counts = [(tensor(3), x), (tensor(0), x)]
    yield "gradient", lambda p, x: ops.cond(p, lambda: x * weight, lambda: x), [(p, grown) for p, _ in both], True
    yield "nested", nested, both, True
    yield "loop with a limit", lambda n, x: powers(n, x, 2), counts, True
    yield "fori_loop", lambda n, x: ops.fori_loop(0, n, lambda i, v: v * 2.0 + ops.cast(i, "float32"), x), counts, True
    yield "swapped", swapped, counts, True
    yield "a choice in a loop", chosen, counts, True
    # what torch's nodes do not take
    step = lambda i, v: (i + 1, v * weight)  # noqa: E731
    loop = lambda n, x: ops.while_loop(lambda i, v: i < n, step, (0, x))  # noqa: E731
    yield "gradient of a loop", loop, [(tensor(3), grown), (tensor(0), grown)], False
    yield "values read in a loop", lambda n, x: ops.while_loop(
        lambda i, v: i < n, lambda i, v: (i + 1, v * float(ops.sum(v))), (0, x)
    ), counts, False  # fmt: skip
    yield "other shapes", lambda p, x: ops.cond(p, lambda: x, lambda: x[:1]), both, False
    yield "mapped", lambda n, x: ops.vectorized_map(lambda v: powers(n, v)[1], ops.stack([x, x])), counts, False


def outcome(fn, args):
    """The results of a call, and the gradients of their sum for the arguments that have one."""
    out = optree.tree_leaves(fn(*args))
    weights, grown = [x for x in args if x.requires_grad], [x.sum() for x in out if x.requires_grad]
    gradients = torch.autograd.grad(sum(grown), weights) if weights else ()
    return [x.detach().numpy() for x in (*out, *gradients)]


@pytest.mark.parametrize(("fn", "calls", "whole"), [pytest.param(*row, id=name) for name, *row in rows()])
def test_compiled(fn, calls, whole):
    torch.compiler.reset()
    compiled = torch.compile(fn, fullgraph=whole, backend="eager", dynamic=False)
    for args in calls:
        for got, wanted in zip(outcome(compiled, args), outcome(fn, args), strict=True):
            assert got.dtype == wanted.dtype
            np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_a_weight_behind_a_loop_gets_its_gradient():
    weight = torch.nn.Parameter(torch.tensor(3.0))
    torch.compiler.reset()
    compiled = torch.compile(
        lambda x: ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * weight), (0, x))[1], backend="eager"
    )
    (gradient,) = torch.autograd.grad(compiled(tensor(2.0)), [weight])
    assert float(gradient) == pytest.approx(2.0 * 3 * 3.0**2)


@pytest.mark.parametrize("times", [0, 3])
def test_what_writes_a_variable_breaks_the_graph(times):
    total = keras_fn.Variable([0.0, 0.0], trainable=False)

    def write(x):
        total.assign_add(x)
        return total + 0.0

    def fn(n, x):
        _, y = ops.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y + write(y)), (0, x))
        return ops.cond(n > 0, lambda: write(y), lambda: y * 1.0)

    def run(f):
        total.assign([0.0, 0.0])
        return f(tensor(times), tensor([1.0, 2.0])).tolist(), total.numpy().tolist()

    wanted = run(fn)
    torch.compiler.reset()
    assert run(torch.compile(fn, backend="eager")) == wanted


class Chooser(keras_fn.Layer):
    """One of two layers, by what comes in."""

    def __init__(self):
        super().__init__()
        self.up, self.down = layers.Dense(2), layers.Dense(2)

    def build(self, shape):
        self.up.build(shape)
        self.down.build(shape)

    def call(self, x):
        return ops.cond(ops.sum(x) > 0.0, lambda: self.up(x), lambda: self.down(x))


def test_layers_in_branches():
    """Inside of a layer they are captured; one that is outermost does more than compute, and breaks the graph."""
    x, made = tensor([[1.0, 2.0]]), Chooser()
    made(x)
    captured = active.backend.captured(made)
    for values in (x, -x):
        np.testing.assert_allclose(captured(values).detach(), made(values).detach(), rtol=1e-6)

    def fn(p, x):
        return ops.cond(p, lambda: made.up(x), lambda: x * 1.0)

    torch.compiler.reset()
    compiled = torch.compile(fn, backend="eager")
    for p in (tensor(True), tensor(False)):
        np.testing.assert_allclose(compiled(p, x).detach(), fn(p, x).detach(), rtol=1e-6)
