"""Gradients in the form that XLA computes fast, and derivatives that are written by hand."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core.trees import flatten
from keras_fn.ops.linear import _linear, _linear_along

PRODUCTS = {
    "matmul": (ops.matmul, (3,), (3, 5)),
    "linear": (lambda x, w: _linear(x, w, jnp.ones(5)), (3,), (3, 5)),
    "to heads": (lambda x, w: ops.einsum("abc,cde->abde", x, w), (3,), (3, 2, 5)),
    "from heads": (lambda x, w: ops.einsum("abcd,cde->abe", x, w), (2, 3), (2, 3, 5)),
    "any axes": (lambda x, w: ops.einsum("...c,cd->...d", x, w), (2, 3), (3, 5)),
    "bias of heads": (lambda x, w: _linear_along(x, w, jnp.ones((2, 5)), "ab c, cde -> abde"), (3,), (3, 2, 5)),
    "tensordot": (lambda x, w: ops.tensordot(x, w, 1), (3,), (3, 5)),
}


def _random(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def _products(jaxpr):
    """The contracted axes of each product in a program and those within it."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            yield equation.params["dimension_numbers"][0]
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda p: hasattr(p, "jaxpr")):
            if hasattr(inner, "jaxpr"):
                yield from _products(inner.jaxpr)


@pytest.mark.parametrize("name", PRODUCTS)
def test_gradients_of_projections_sum_over_one_axis(name):
    fn, features, kernel = PRODUCTS[name]
    x, weights = _random(4, 6, *features), _random(*kernel)
    gradient = jax.grad(lambda x, w: jnp.sum(fn(x, w) ** 2), (0, 1))
    found = list(_products(jax.make_jaxpr(gradient)(x, weights).jaxpr))
    assert len(found) == 3  # the product, and one for each gradient
    assert all(len(left) == len(right) == 1 for left, right in found)


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_are_the_same_inside_of_a_program(name):
    fn, features, kernel = PRODUCTS[name]
    x, weights = jnp.asarray(_random(4, 6, *features)), jnp.asarray(_random(*kernel))
    np.testing.assert_allclose(jax.jit(fn)(x, weights), fn(x, weights), rtol=1e-5, atol=1e-6)
    assert jax.eval_shape(fn, x[:0], weights).shape == (0, *fn(x, weights).shape[1:])


def _plain_softmax(x, axis):
    powers = jnp.exp(x)
    return powers / powers.sum(axis, keepdims=True)


def _plain_normalization(x, gamma, beta, axes):
    centred = x - x.mean(axes, keepdims=True)
    shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    variance = (centred**2).mean(axes, keepdims=True)
    return centred / jnp.sqrt(variance + 1e-3) * gamma.reshape(shape) + beta.reshape(shape)


WRITTEN = {
    "softmax": (lambda x: ops.softmax(x, 1), lambda x: _plain_softmax(x, 1), [(2, 3, 2)]),
    "normalized rows": (
        lambda x, g, b: ops.layer_normalization(x, g, b, -1, 1e-3),
        lambda x, g, b: _plain_normalization(x, g, b, (2,)),
        [(2, 2, 3), (3,), (3,)],
    ),
    "normalized maps": (
        lambda x, g, b: ops.layer_normalization(x, g, b, (0, 2), 1e-3),
        lambda x, g, b: _plain_normalization(x, g, b, (0, 2)),
        [(2, 2, 3), (2, 3), (2, 3)],
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_second_derivatives_forward_over_backward(name):
    fn, plain, shapes = WRITTEN[name]
    values, places = [_random(*s) for s in shapes], tuple(range(len(shapes)))
    found, expected = (jax.jit(jax.hessian(f, places))(*values) for f in (fn, plain))
    for a, b in zip(flatten(found), flatten(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
