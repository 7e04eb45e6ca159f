"""Kernels with gradients of their own: what they compute, and that graphs with them can be forgotten."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from keras_fn import ops
from keras_fn.ops.rnn import gru, lstm
from keras_fn_tensorflow.kernels.gradients import with_gradient

UNITS, TIME, FEATURES = 40, 4, 3  # so many units that the gradient is a loop in a graph
PADDED = [[True, True, True, False], [False] * 4]


def doubled(x):
    """x, with a gradient of 2."""
    return with_gradient(lambda x: (tf.identity(x), lambda upstream: upstream * 2), x)


def slope(fn):
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = fn(x)
        return tape.gradient(y, x)

    return run


def test_a_dropped_graph_with_an_own_gradient_is_freed():
    def graph():
        function = tf.function(slope(doubled), autograph=False)
        return weakref.ref(function.get_concrete_function(tf.ones(2)).graph)

    found = graph()
    gc.collect()
    assert found() is None


@pytest.mark.parametrize(
    "around",
    [
        lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, doubled(y)), (0, x))[1],
        lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: doubled(doubled(doubled(x))), lambda: x),
        lambda x: tf.function(lambda x: doubled(doubled(doubled(x))), autograph=False)(x),
    ],
)
def test_an_own_gradient_holds_in_loops_branches_and_functions(around):
    x = tf.ones(2)
    assert tf.function(slope(around), autograph=False)(x).numpy().tolist() == [8, 8]
    # twice: of the square of the gradient, which is 8 ** 2 whatever x is
    twice = slope(lambda x: slope(around)(x) ** 2 * x)
    assert tf.function(twice, autograph=False)(x).numpy().tolist() == [64, 64]


def recurrent(network, gates, mask=None, twice=False, compiled=False, **options):
    """Results of a network, and derivatives of a function of them: the first, or the first two."""
    random = np.random.default_rng(0)
    shapes = (2, TIME, FEATURES), (FEATURES, gates * UNITS), (UNITS, gates * UNITS)
    tensors = [tf.constant(random.standard_normal(shape) / 4, tf.float32) for shape in shapes]
    states = [tf.ones((2, UNITS)) / 3] * (gates - 2)

    def results(*tensors):
        x, *weights = tensors
        return tf.nest.flatten(network(x, *states, *weights, mask=mask, **options))

    def waves(*tensors):
        return sum(tf.reduce_sum(tf.sin(y * (i + 1.0))) for i, y in enumerate(results(*tensors)))

    def slopes(fn):
        def run(*tensors):
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                y = fn(*tensors)
            return tape.gradient(y, tensors)

        return run

    def steepness(*tensors):
        return sum(tf.reduce_sum(g**2) for g in slopes(waves)(*tensors))

    def found(*tensors):
        return [*results(*tensors), *slopes(steepness if twice else waves)(*tensors)]

    return (tf.function(found, autograph=False) if compiled else found)(*tensors)


@pytest.mark.parametrize(
    ("network", "gates", "options"),
    [
        (lstm, 4, {"compiled": True}),
        (gru, 3, {"compiled": True}),
        (lstm, 4, {"compiled": True, "mask": PADDED, "go_backwards": True}),
        (lstm, 4, {"twice": True}),
        (gru, 3, {"twice": True, "mask": PADDED}),
    ],
)
def test_recurrent_kernels_agree_with_the_loop(network, gates, options):
    found = recurrent(network, gates, use_fused=True, **options)
    wanted = recurrent(network, gates, use_fused=False, **{**options, "compiled": False})
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_a_derivative_forward_goes_through_the_loop():
    x = tf.ones((1, TIME, FEATURES))
    weights = tf.fill((FEATURES, 4 * 2), 0.1), tf.fill((2, 4 * 2), 0.1)
    found, wanted = (
        ops.jvp(lambda x, fused=fused: lstm(x, None, None, *weights, use_fused=fused)[0], [x], [x])[1]
        for fused in (None, False)
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_lu_factor_finds_the_exchanges_of_rows():
    x = tf.constant(np.random.default_rng(0).standard_normal((3, 7, 7)), tf.float32)
    compiled = tf.function(ops.lu_factor)
    for a, b in zip(ops.lu_factor(x), compiled(x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
