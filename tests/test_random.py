"""Random numbers: distributions, dtypes, seeds, shapes without values, compiled code, and the streams on the host."""

from __future__ import annotations

import math
import random as python_random

import numpy as np
import pytest

from keras_fn import ops, random
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from keras_fn.core.spec import Spec
from keras_fn.core.variable import StatelessScope, Variable
from keras_fn.graph import Function
from keras_fn.layers.input_layer import Input
from keras_fn.random import host

N = 20000
# variance of a standard normal number cut off at two standard deviations
CUT = 1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))

# name, call, mean, variance, lowest, highest
DISTRIBUTIONS = [
    ("normal", lambda **k: random.normal((N,), 2.0, 3.0, **k), 2.0, 9.0, -math.inf, math.inf),
    ("standard normal", lambda **k: random.normal((N,), **k), 0.0, 1.0, -math.inf, math.inf),
    ("truncated", lambda **k: random.truncated_normal((N,), 1.0, 2.0, **k), 1.0, 4 * CUT, -3.0, 5.0),
    ("uniform", lambda **k: random.uniform((N,), -1.0, 3.0, **k), 1.0, 16 / 12, -1.0, 3.0),
    ("gamma", lambda **k: random.gamma((N,), 3.0, **k), 3.0, 3.0, 0.0, math.inf),
    ("gamma below 1", lambda **k: random.gamma((N,), 0.5, **k), 0.5, 0.5, 0.0, math.inf),
    ("beta", lambda **k: random.beta((N,), 2.0, 3.0, **k), 0.4, 0.04, 0.0, 1.0),
    ("binomial", lambda **k: random.binomial((N,), 10, 0.3, **k), 3.0, 2.1, 0.0, 10.0),
    ("randint", lambda seed: random.randint((N,), -2, 5, seed=seed), 1.0, 4.0, -2, 4),
    ("dropout", lambda seed: random.dropout(ops.ones((N,)), 0.2, seed=seed), 1.0, 0.25, 0.0, 1.25),
]


def array(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("case", DISTRIBUTIONS, ids=lambda c: c[0])
def test_moments(case):
    _, call, mean, variance, low, high = case
    x = array(call(seed=1)).astype("float64")
    assert x.shape == (N,)
    assert low <= x.min() and x.max() <= high
    assert abs(x.mean() - mean) < 5 * math.sqrt(variance / N)
    assert x.var() == pytest.approx(variance, rel=0.08)
    # neighbours are independent: their correlation has a standard deviation of 1 / sqrt(N)
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / math.sqrt(N)


@pytest.mark.parametrize("case", DISTRIBUTIONS, ids=lambda c: c[0])
def test_seeds(case):
    call = case[1]
    first = array(call(seed=3))
    np.testing.assert_array_equal(first, array(call(seed=3)))
    assert (first != array(call(seed=4))).any()
    a, b = random.SeedGenerator(3), random.SeedGenerator(3)
    drawn = [array(call(seed=a)) for _ in range(2)]
    np.testing.assert_array_equal(drawn[0], first)
    assert (drawn[0] != drawn[1]).any()
    for x in drawn:
        np.testing.assert_array_equal(x, array(call(seed=b)))
    random.set_random_seed(5)
    drawn = [array(call(seed=None)) for _ in range(2)]
    assert (drawn[0] != drawn[1]).any()
    random.set_random_seed(5)
    np.testing.assert_array_equal(drawn[0], array(call(seed=None)))


def test_streams_of_near_seeds_are_unrelated():
    """Seeds, and numbers of draws, that differ by a little give unrelated numbers."""
    rows = [array(random.normal((2000,), seed=s)) for s in (0, 1, 2)]
    generators = random.SeedGenerator(0), random.SeedGenerator(1)
    rows += [array(random.normal((2000,), seed=g)) for _ in range(3) for g in generators][2:]
    correlation = np.corrcoef(np.stack(rows)) - np.eye(len(rows))
    assert np.abs(correlation).max() < 5 / math.sqrt(2000)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("name", ["normal", "uniform", "truncated_normal"])
def test_float_dtypes(name, dtype):
    x = getattr(random, name)((500,), dtype=dtype, seed=1)
    assert active.backend.dtype_of(x) == dtype
    x = array(x).astype("float32")
    assert np.isfinite(x).all() and len(np.unique(x)) > 50
    if name == "uniform":
        assert x.min() >= 0 and x.max() < 1


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_dtypes_of_parametrized_distributions(dtype):
    assert active.backend.dtype_of(random.gamma((5,), 2.0, dtype, 1)) == dtype
    assert active.backend.dtype_of(random.beta((5,), 2.0, 2.0, dtype, 1)) == dtype
    assert active.backend.dtype_of(random.binomial((5,), 2.0, 0.5, dtype, 1)) == dtype
    assert active.backend.dtype_of(random.dropout(ops.ones((5,), dtype), 0.5, seed=1)) == dtype


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int16", "uint32"])
def test_integer_dtypes(dtype):
    x = random.randint((200,), 0, 5, dtype, seed=1)
    assert active.backend.dtype_of(x) == dtype
    assert set(array(x).tolist()) == {0, 1, 2, 3, 4}
    assert active.backend.dtype_of(random.uniform((3,), 0, 5, dtype, seed=1)) == dtype


def test_shapes():
    assert tuple(random.normal((), seed=1).shape) == ()
    assert tuple(random.uniform((0, 3), seed=1).shape) == (0, 3)
    assert tuple(random.randint([2, 3], 0, 9, seed=1).shape) == (2, 3)
    alpha = np.array([[1.0], [100.0]], "float32")
    assert (array(random.gamma((2, 50), alpha, seed=1)).mean(1) > [0, 50]).all()
    counts = array(random.binomial((3, 2), [0, 7], [[0.5], [1.0], [0.0]], seed=1))
    np.testing.assert_array_equal(counts[1:], [[0, 7], [0, 0]])


def test_categorical():
    logits = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-30]], "float32"))
    x = random.categorical(logits, N, seed=1)
    shares = np.stack([(array(x) == k).mean(1) for k in range(3)], 1)
    np.testing.assert_allclose(shares, [[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]], atol=0.02)
    with pytest.raises(ShapeError, match="batch, classes"):
        random.categorical([0.5, 0.5], 3)


def test_dropout():
    x = np.arange(1.0, 13.0, dtype="float32").reshape(3, 4)
    y = array(random.dropout(x, 0.5, noise_shape=(3, 1), seed=2))
    assert set(map(tuple, y / x)) <= {(0.0,) * 4, (2.0,) * 4}
    y = array(random.dropout(ops.ones((50, 20)), 0.5, noise_shape=(None, 1), seed=2))
    assert ((y == 0).all(1) | (y == 2).all(1)).all() and 0 < (y == 0).mean() < 1
    np.testing.assert_array_equal(array(random.dropout(x, 0.0, seed=1)), x)
    np.testing.assert_array_equal(array(random.dropout(x, 1, seed=1)), np.zeros_like(x))
    for rate in (-0.1, 1.5):
        with pytest.raises(ArgumentError, match="`rate`"):
            random.dropout(x, rate)
    with pytest.raises(ShapeError, match="noise_shape"):
        random.dropout(x, 0.5, noise_shape=(2, 4))


def test_dropout_gradient():
    x = Variable(np.ones((50,), "float32"))
    backend = active.backend
    if not backend.differentiable:
        with pytest.raises(RuntimeError, match="no gradients"):
            backend.value_and_grad(lambda: 0, [x], False)
        return
    generator = random.SeedGenerator(1)
    _, (grad,) = backend.value_and_grad(lambda: ops.sum(random.dropout(x, 0.5, seed=generator)), [x], False)()
    np.testing.assert_array_equal(array(grad), array(random.dropout(np.ones((50,), "float32"), 0.5, seed=1)))
    assert generator.state.numpy().tolist() == [1, 1]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_shuffle(axis):
    x = np.arange(60).reshape(5, 12)
    y = array(random.shuffle(x, axis, seed=1))
    assert (x != y).any()
    moved = np.moveaxis(y, axis, 0)
    order = moved[np.argsort(moved[:, 0])]
    np.testing.assert_array_equal(order, np.moveaxis(x, axis, 0))


def test_every_order_is_equally_likely():
    generator = random.SeedGenerator(1)
    drawn = [tuple(array(random.shuffle(np.arange(3), seed=generator)).tolist()) for _ in range(300)]
    counts = {order: drawn.count(order) for order in set(drawn)}
    assert len(counts) == 6
    assert all(abs(n - 50) < 5 * math.sqrt(50) for n in counts.values())


# --- without values
def test_specs():
    for name in ("normal", "uniform", "truncated_normal"):
        made = getattr(random, name)((None, 3), dtype="float16")
        assert isinstance(made, Spec) and made.shape == (None, 3) and made.dtype == "float16"
    assert random.randint((None,), 0, 3, "uint8").dtype == "uint8"
    assert random.gamma((2,), Spec((2,))).shape == (2,)
    x = Spec((None, 4), "float16")
    generator = random.SeedGenerator(1)
    assert random.dropout(x, 0.5, seed=generator).shape == (None, 4)
    assert random.dropout(Spec((2,), "int32"), 0.5).dtype == "float32"
    assert random.shuffle(x, seed=generator).dtype == "float16"
    drawn = random.categorical(x, 7, seed=generator)
    assert (drawn.shape, drawn.dtype) == ((None, 7), "int32")
    assert generator.state.numpy().tolist() == [1, 0], "inference draws nothing"


def test_graph_draws_at_every_run():
    x = Input(batch_shape=(None, 50))
    generator = random.SeedGenerator(1)
    f = Function(x, random.dropout(x, 0.5, seed=generator))
    ones = ops.ones((2, 50))
    first, second = array(f(ones)), array(f(ones))
    assert (first != second).any()
    np.testing.assert_array_equal(first, array(random.dropout(ones, 0.5, seed=1)))


# --- SeedGenerator
def test_state_counts_draws():
    generator = random.SeedGenerator(7, name="mine")
    assert (generator.state.shape, generator.state.dtype, generator.state.trainable) == ((2,), "uint32", False)
    seeds = [generator.next() for _ in range(3)]
    assert [array(s).tolist() for s in seeds] == [[7, 0], [7, 1], [7, 2]]
    assert generator.state.numpy().tolist() == [7, 3]
    assert generator.get_config() == {"seed": 7, "name": "mine"}
    assert random.SeedGenerator.from_config(generator.get_config()).state.numpy().tolist() == [7, 0]
    generator.state.assign(np.array([7, 2**32 - 1], "uint32"))
    generator.next()
    assert generator.state.numpy().tolist() == [7, 0]
    with StatelessScope() as scope:
        generator.next()
    assert generator.state.numpy().tolist() == [7, 0]
    assert array(scope.get_current_value(generator.state)).tolist() == [7, 1]


def test_compiled_steps_carry_the_state():
    generators = random.SeedGenerator(3), random.SeedGenerator(3)
    x = ops.ones((40,))
    eager, compiled = (
        (lambda x, g=g: random.dropout(x, 0.5, seed=g) + random.normal((40,), seed=g)) for g in generators
    )
    compiled = active.backend.compile_step(compiled, lambda: [generators[1].state], None)
    for _ in range(3):
        np.testing.assert_allclose(array(compiled(x)), array(eager(x)), rtol=1e-5)
    assert generators[1].state.numpy().tolist() == [3, 6]


def test_the_global_generator_in_compiled_code():
    def noisy(x):
        return x + random.normal((40,))

    compiled = active.backend.compile_step(noisy, lambda: [random.global_seed_generator().state], None)
    x = ops.zeros((40,))
    rows = [array(compiled(x)) for _ in range(2)]
    assert (rows[0] != rows[1]).any()
    random.set_random_seed(0)
    np.testing.assert_allclose(array(compiled(x)), rows[0])
    np.testing.assert_allclose(array(random.normal((40,))), rows[1], rtol=1e-5)


def test_a_generator_made_in_compiled_code_holds_no_tracer():
    made = []

    def step(x):
        if not made:  # TensorFlow traces twice where variables are made, and they may be made once
            made.append(random.SeedGenerator(5))
        return x + 1.0

    active.backend.compile_step(step, list, None)(ops.zeros((2,)))
    assert made[0].state.numpy().tolist() == [5, 0]


def test_the_global_generator_leaves_the_other_streams_alone():
    random.set_random_seed(1)
    first = random.draw_seed()
    random.set_random_seed(1)
    random.normal((2,))
    assert random.draw_seed() == first


def test_a_loop_draws_at_every_step():
    generator = random.SeedGenerator(3)
    _, rows = ops.scan(lambda c, x: (c, random.normal((4,), seed=generator)), 0.0, length=3)
    again = random.SeedGenerator(3)
    np.testing.assert_allclose(array(rows), [array(random.normal((4,), seed=again)) for _ in range(3)], rtol=1e-6)
    assert generator.state.numpy().tolist() == [3, 3]


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_out_of_range(seed):
    with pytest.raises(ArgumentError, match="between 0 and"):
        random.SeedGenerator(seed)
    with pytest.raises(ArgumentError, match="between 0 and"):
        random.normal((2,), seed=seed)


def test_bad_arguments():
    for seed in ("a", 1.5, True):
        with pytest.raises(ArgumentTypeError, match="seed"):
            random.SeedGenerator(seed)
    with pytest.raises(ArgumentTypeError, match="`seed` must be"):
        random.normal((2,), seed="a")
    with pytest.raises(DtypeError, match="makes floats"):
        random.normal((2,), dtype="int32")
    with pytest.raises(DtypeError, match="makes integers"):
        random.randint((2,), 0, 3, "float32")
    with pytest.raises(ArgumentError, match="minval < maxval"):
        random.randint((2,), 3, 3)
    with pytest.raises(ArgumentError, match="unknown arguments"):
        random.SeedGenerator(1, sede=2)


# --- the host
def test_host_streams_are_the_same_everywhere():
    """Values written down once: whatever backend and machine, these bits."""
    random.set_random_seed(42)
    assert [random.draw_seed() for _ in range(3)] == HOST_SEEDS
    assert host.host_generator(1).integers(1 << 32, size=3).tolist() == HOST_WORDS


HOST_SEEDS = [649151495, 1761362110, 778321087]
HOST_WORDS = [1969390303, 1303814779, 3133017647]


def test_set_random_seed_seeds_python_and_numpy():
    random.set_random_seed(9)
    first = python_random.random(), np.random.rand(), random.draw_seed(), random.SeedGenerator().seed
    random.set_random_seed(9)
    assert first == (python_random.random(), np.random.rand(), random.draw_seed(), random.SeedGenerator().seed)
    random.set_random_seed(10)
    assert first[2] != random.draw_seed()


@pytest.mark.parametrize("seed", [0, 5, (1 << 64) - 1, 1 << 64, (1 << 128) - 1])
def test_the_host_generator_is_numpys_philox_at_its_start(seed):
    ours, numpys = host.host_generator(seed), np.random.Generator(np.random.Philox(key=seed))
    np.testing.assert_equal(ours.bit_generator.state, numpys.bit_generator.state)
    assert ours.random(7, "float32").tolist() == numpys.random(7, "float32").tolist()
