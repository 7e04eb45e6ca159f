"""Convolutions on JAX: on a CPU, values and derivatives are computed in different forms, which must belong together."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from keras_fn import ops

# shapes of inputs and kernel; the convolution
CASES = {
    "no padding": ((2, 7, 6, 8), (3, 3, 8, 5), lambda x, k: ops.conv(x, k)),
    "few channels": ((2, 7, 6, 3), (3, 2, 3, 4), lambda x, k: ops.conv(x, k, 2, "same")),
    "each channel": ((2, 4, 7, 6), (3, 3, 4, 2), lambda x, k: ops.depthwise_conv(x, k, 1, "same", "channels_first")),
    "transposed": ((2, 4, 3, 3), (3, 4, 5, 3), lambda x, k: ops.conv_transpose(x, k, 2, "same")),
    # XLA's own convolution for this one ends the process
    "drawn apart": ((1, 3, 2, 3, 2), (2, 3, 2, 3, 2), lambda x, k: ops.conv_transpose(x, k, 2, "same", 0)),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_derivatives_are_of_one_product(name):
    dims, window, product = CASES[name]
    random = np.random.default_rng(0)
    x, u = random.standard_normal((2, *dims)).astype("float32")
    k, v = random.standard_normal((2, *window)).astype("float32")

    @jax.jit
    def facts(x, k, u, v):
        y, back = jax.vjp(product, x, k)
        g = jax.numpy.cos(y)
        by_x, by_k = back(g)
        moved = jax.jvp(product, (x, k), (u, v))[1]
        parts = product(u, k), product(x, v)
        twice = jax.jvp(lambda k: jax.vjp(product, x, k)[1](g)[0], (k,), (v,))[1]  # linear in the kernel
        return g, by_x, by_k, moved, parts, twice, jax.vjp(product, x, v)[1](g)[0]

    g, by_x, by_k, moved, (with_u, with_v), twice, wanted = facts(x, k, u, v)
    np.testing.assert_allclose(np.vdot(with_u, g), np.vdot(u, by_x), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(np.vdot(with_v, g), np.vdot(v, by_k), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(moved, with_u + with_v, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(twice, wanted, rtol=1e-4, atol=1e-4)


def test_sums_of_half_precision_are_made_in_single():
    x = np.full((1, 16, 2, 1), 1.0, "float32")
    x[0, 0] = 2048.0
    k = np.ones((16, 1, 1, 1), "float32")
    half = [ops.cast(a, "float16") for a in (x, k)]
    for op in (ops.conv, ops.depthwise_conv):
        np.testing.assert_array_equal(np.asarray(op(*half)), np.asarray(op(x, k)).astype("float16"))
