"""Bodies that are compiled as a whole where they are called eagerly."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from keras_fn import config, ops
from keras_fn.core.backend import active
from keras_fn_jax.kernels.fused import compiled_if_eager


def _counting(options=()):
    calls = []

    def body(x, option=None):
        calls.append(option)
        return x * 2 if option is None else x * option

    return compiled_if_eager(body, options), calls


def test_the_body_runs_once_for_each_shape():
    kernel, calls = _counting()
    for n in (3, 3, 4, 3):
        assert kernel(jax.numpy.ones(n)).tolist() == [2.0] * n
    assert len(calls) == 2


def test_options_that_are_equal_are_told_apart():
    kernel, calls = _counting((1,))
    x = jax.numpy.ones(2, "int32")
    assert [str(kernel(x, o).dtype) for o in (2, 2.0, 2, 2.0)] == ["int32", "float32", "int32", "float32"]
    assert len(calls) == 2


def test_inside_of_a_program_the_body_runs_as_it_is():
    kernel, calls = _counting()
    program = jax.jit(lambda x: kernel(x) + kernel(x))
    assert program(jax.numpy.ones(2)).tolist() == [4.0, 4.0]
    assert len(calls) == 2 and "pjit" not in str(jax.make_jaxpr(kernel)(1.0))


@pytest.mark.parametrize("option", [[1], np.ones(2, "float32")], ids=["list", "array"])
def test_options_that_cannot_be_compared_run_as_they_are(option):
    kernel, calls = _counting((1,))
    for _ in range(2):
        try:
            kernel(jax.numpy.ones(2), option)
        except TypeError:
            assert isinstance(option, list)  # what JAX says of a list
    assert len(calls) == 2


def test_settings_take_effect():
    y, p = np.array([[1.0]], "float32"), np.array([[0.0]], "float32")
    before = config.epsilon()
    found = []
    try:
        for value in (1e-7, 1e-3, 1e-7):
            config.set_epsilon(value)
            found.append(float(ops.binary_crossentropy(y, p)[0, 0]))
    finally:
        config.set_epsilon(before)
    assert found[0] == found[2] and abs(found[1] + np.log(1e-3)) < 1e-2 < abs(found[0] - found[1])


def test_an_eager_call_of_an_activation_is_one_program():
    assert "elu" in active.backend.kernels
    x = np.linspace(-2, 2, 5).astype("float32")
    np.testing.assert_allclose(ops.elu(x), np.where(x > 0, x, np.expm1(x)), rtol=1e-6)
