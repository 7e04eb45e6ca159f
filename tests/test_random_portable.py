"""Portable random mode: numbers written down once, which every backend must give, eager and compiled."""

from __future__ import annotations

import math

import numpy as np
import pytest

import keras_fn
from keras_fn import config, ops, random
from keras_fn.core import philox
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError
from keras_fn.ops.random import counter_bits
from keras_fn.random import portable


@pytest.fixture(autouse=True)
def portable_mode():
    config.enable_portable_random()
    yield
    config.disable_portable_random()


def array(x):
    return np.asarray(ops.convert_to_numpy(x))


# --- the words
# known answers of the authors' library Random123 (file kat_vectors, philox4x32 10): counter 0, key 0
KNOWN = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def test_the_reference_gives_the_authors_numbers():
    assert philox.words([0, 0], 0, 4).tolist() == KNOWN


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5), (0, 4), (2, 2, 1025)])
@pytest.mark.parametrize("bits", [1, 24, 31])
def test_bits_are_those_of_the_reference(shape, bits):
    key = np.array([2**32 - 1, 3], "uint32")
    for stream in (0, 5):
        found = counter_bits(active.backend.convert(key, "uint32"), stream, shape, bits)
        expected = philox.words(key, stream, math.prod(shape)) >> np.uint32(32 - bits)
        assert active.backend.dtype_of(found) == "int32"
        np.testing.assert_array_equal(array(found), expected.reshape(shape))


# --- the numbers: name, call, golden numbers, largest difference (0: equal to the last bit)
LOGITS = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]], "float32"))
ROWS = [
    ("uniform", lambda seed: random.uniform((4,), seed=seed), 0),
    ("uniform, float16", lambda seed: random.uniform((4,), dtype="float16", seed=seed), 0),
    ("uniform, bfloat16", lambda seed: random.uniform((4,), dtype="bfloat16", seed=seed), 0),
    ("uniform, ends", lambda seed: random.uniform((4,), -1.0, 3.0, seed=seed), 1e-6),
    ("randint", lambda seed: random.randint((6,), -5, 100, seed=seed), 0),
    ("randint, power of 2", lambda seed: random.randint((6,), 0, 256, "uint8", seed=seed), 0),
    ("randint, large", lambda seed: random.randint((4,), 0, 10**9, seed=seed), 0),
    ("randint, 2**30 and 1", lambda seed: random.randint((4,), 0, 2**30 + 1, seed=seed), 0),
    ("randint, 31 bits", lambda seed: random.randint((4,), -(2**30), 2**30, seed=seed), 0),
    ("shuffle", lambda seed: random.shuffle(np.arange(8), seed=seed), 0),
    ("dropout", lambda seed: random.dropout(np.ones((10,), "float32"), 0.5, seed=seed), 0),
    ("dropout of rows", lambda seed: random.dropout(np.ones((4, 2), "float32"), 0.5, (4, 1), seed=seed), 0),
    ("categorical", lambda seed: random.categorical(LOGITS, 5, seed=seed), 0),
    ("normal", lambda seed: random.normal((4,), seed=seed), 1e-6),
    ("normal, moments", lambda seed: random.normal((4,), 5.0, 2.0, seed=seed), 3e-6),
    ("truncated normal", lambda seed: random.truncated_normal((4,), seed=seed), 1e-6),
    ("gamma", lambda seed: random.gamma((4,), [0.3, 1.0, 4.0, 50.0], seed=seed), 1e-4),
    ("beta", lambda seed: random.beta((4,), 2.0, 3.0, seed=seed), 1e-6),
    ("binomial", lambda seed: random.binomial((6,), [3, 10, 16, 17, 100, 10000], 0.3, seed=seed), 0),
]
GOLDEN: dict[str, list] = {
    "uniform": [0.8960479497909546, 0.95878666639328, 0.35371458530426025, 0.3347511291503906],
    "uniform, float16": [0.89599609375, 0.95849609375, 0.353515625, 0.33447265625],
    "uniform, bfloat16": [0.89453125, 0.95703125, 0.3515625, 0.33203125],
    "uniform, ends": [2.5841917991638184, 2.83514666557312, 0.414858341217041, 0.3390045166015625],
    "randint": [88, 59, 27, 21, 95, 1],
    "randint, power of 2": [229, 245, 90, 85, 101, 177],
    "randint, large": [924248371, 489075169, 759596393, 718872690],
    "randint, 2**30 and 1": [849557667, 73470532, 759596393, 718872690],
    "randint, 31 bits": [850506547, 985236958, -314145431, -354869134],
    "shuffle": [6, 3, 2, 4, 7, 5, 0, 1],
    "dropout": [2, 2, 0, 0, 0, 2, 0, 0, 2, 0],
    "dropout of rows": [[2, 2], [2, 2], [0, 0], [0, 0]],
    "categorical": [[1, 2, 2, 2, 2], [0, 1, 1, 1, 0]],
    "normal": [1.2593497037887573, 1.736776351928711, -0.3753109872341156, -0.4268311858177185],
    "normal, moments": [7.518699645996094, 8.473552703857422, 4.249378204345703, 4.146337509155273],
    "truncated normal": [1.165183663368225, 1.5374773740768433, -0.35746830701828003, -0.4062757194042206],
    "gamma": [1.048180103302002, 3.3278393745422363, 2.9939310550689697, 46.718910217285156],
    "beta": [0.6321064829826355, 0.5858480334281921, 0.512535035610199, 0.3335140645503998],
    "binomial": [1, 1, 3, 4, 29, 3070],
}


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r[0])
def test_golden_numbers_eager_and_compiled(row):
    name, call, tolerance = row
    first = array(call(11)).astype("float64")
    np.testing.assert_allclose(first, GOLDEN[name], rtol=0, atol=tolerance)
    generator = random.SeedGenerator(11)
    compiled = active.backend.compile_step(lambda: call(generator), lambda: [generator.state], None)
    np.testing.assert_allclose(array(compiled()).astype("float64"), GOLDEN[name], rtol=0, atol=tolerance)
    assert (array(compiled()) != first).any(), "the next draw is another one"


def test_dropout_keeps_the_same_elements_for_every_dtype_and_shape():
    kept = [array(random.dropout(ops.ones((6, 7), d), 0.3, seed=2)) != 0 for d in ("float32", "float16", "bfloat16")]
    flat = array(random.dropout(ops.ones((42,)), 0.3, seed=2)) != 0
    for mask in kept:
        np.testing.assert_array_equal(mask.ravel(), flat)


# --- their distribution
N = 20000
CUT = 1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))
MOMENTS = [
    ("normal", lambda: random.normal((N,), 2.0, 3.0, seed=1), 2.0, 9.0),
    ("truncated", lambda: random.truncated_normal((N,), seed=1), 0.0, CUT),
    ("uniform", lambda: random.uniform((N,), -1.0, 3.0, seed=1), 1.0, 16 / 12),
    ("gamma", lambda: random.gamma((N,), 3.0, seed=1), 3.0, 3.0),
    ("gamma below 1", lambda: random.gamma((N,), 0.2, seed=1), 0.2, 0.2),
    ("gamma at 1", lambda: random.gamma((N,), 1.0, seed=1), 1.0, 1.0),
    ("beta", lambda: random.beta((N,), 2.0, 3.0, seed=1), 0.4, 0.04),
    ("binomial", lambda: random.binomial((N,), 10, 0.3, seed=1), 3.0, 2.1),
    ("binomial of many", lambda: random.binomial((N,), 1000, 0.3, seed=1), 300.0, 210.0),
    ("binomial of rare", lambda: random.binomial((N,), 1000, 0.001, seed=1), 1.0, 0.999),
    ("randint", lambda: random.randint((N,), -2, 5, seed=1), 1.0, 4.0),
    ("large randint", lambda: random.randint((N,), 0, 3 * 2**28, seed=1), 1.5 * 2**28, (3 * 2**28) ** 2 / 12),
    ("dropout", lambda: random.dropout(ops.ones((N,)), 0.2, seed=1), 1.0, 0.25),
]


@pytest.mark.parametrize("row", MOMENTS, ids=lambda r: r[0])
def test_moments(row):
    _, call, mean, variance = row
    x = array(active.backend.compile_step(call, list, None)()).astype("float64")
    assert abs(x.mean() - mean) < 5 * math.sqrt(variance / N)
    assert x.var() == pytest.approx(variance, rel=0.1)
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / math.sqrt(N)


def test_the_inverse_error_function():
    x = np.concatenate([np.linspace(-0.999, 0.999, 2001), 1 - 2.0 ** -np.arange(2, 25)]).astype("float32")
    found = array(portable.inverse_error_function(x))
    back = np.array([math.erf(v) for v in found.astype("float64")])
    # as far off as single precision allows: the slope at the ends is tiny
    slope = 2 / math.sqrt(math.pi) * np.exp(-(found.astype("float64") ** 2))
    np.testing.assert_array_less(np.abs(back - x) / slope, 2e-6 * np.maximum(1, np.abs(found)))


def test_binomial_at_its_ends():
    counts = np.array([0, 5, 40, 1000], "float32")
    chances = np.array([[1.0], [0.0]], "float32")
    np.testing.assert_array_equal(array(random.binomial((2, 4), counts, chances, seed=1)), [counts, np.zeros(4)])


def test_every_integer_of_a_span_comes():
    for span in (1, 2, 3, 17, 64):
        assert set(array(random.randint((3000,), 0, span, seed=span)).tolist()) == set(range(span))


def test_spans_of_64_bits():
    if active.backend.dtype_of(ops.zeros((1,), "int64")) != "int64":
        with pytest.raises(ArgumentError, match="64 bits"):
            random.randint((3,), 0, 2**40, "int64", seed=1)
        return
    x = array(random.randint((2000,), -(2**40), 2**40, "int64", seed=1)).astype("float64")
    assert x.min() < -(2**39) and x.max() > 2**39 and abs(x.mean()) < 5 * 2**41 / math.sqrt(12 * 2000)
    with pytest.raises(ArgumentError, match=r"2\*\*62"):
        random.randint((3,), -(2**62), 2**62, "int64", seed=1)


# --- the switch
def test_the_switch():
    assert config.is_portable_random_enabled()
    first = array(random.uniform((8,), seed=1))
    config.disable_portable_random()
    assert not config.is_portable_random_enabled()
    assert (array(random.uniform((8,), seed=1)) != first).any()
    config.enable_portable_random()
    np.testing.assert_array_equal(array(random.uniform((8,), seed=1)), first)


# --- a model
def curve():
    """Losses of five epochs of a small model with dropout and noise."""
    keras_fn.utils.set_random_seed(3)
    host = np.random.Generator(np.random.Philox(key=1))
    x = host.standard_normal((64, 6)).astype("float32")
    y = (x[:, :1] * x[:, 1:2] > 0).astype("float32")
    inputs = keras_fn.Input((6,))
    h = keras_fn.layers.GaussianNoise(0.1)(inputs)
    h = keras_fn.layers.Dense(16, "tanh")(h)
    h = keras_fn.layers.Dropout(0.4)(h)
    model = keras_fn.Model(inputs, keras_fn.layers.Dense(1, "sigmoid")(h))
    model.compile("sgd", "binary_crossentropy")
    model.optimizer.learning_rate = 0.2
    return model.fit(x, y, batch_size=16, epochs=5, verbose=0).history["loss"]


CURVE = [0.8316721320152283, 0.6558942794799805, 0.637205183506012, 0.610652506351471, 0.648901641368866]


def test_a_training_curve_is_the_same_everywhere():
    if not active.backend.differentiable:
        with pytest.raises(RuntimeError, match="no gradients"):
            curve()
        return
    np.testing.assert_allclose(curve(), CURVE, rtol=0, atol=1e-5)
    config.disable_portable_random()
    assert np.abs(np.array(curve()) - CURVE).max() > 1e-3, "the backend's own generator gives another curve"
