"""Initializers: distributions, seeds, shapes, dtypes, look-up, config. The same numbers on every backend."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keras_fn import initializers as I
from keras_fn import ops
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, KerasFnError, ShapeError
from keras_fn.core.variable import Variable
from keras_fn.random import host

RANDOM = [
    I.RandomNormal, I.RandomUniform, I.TruncatedNormal, I.VarianceScaling, I.GlorotNormal, I.GlorotUniform, I.HeNormal,
    I.HeUniform, I.LecunNormal, I.LecunUniform, I.Orthogonal,
]  # fmt: skip
# computed once with NumPy's Philox
GLOROT_OF_SEED_1 = [-0.1015697, -0.4811582, 0.5620661, 0.8541585]
# initializer, standard deviation for a weight of the shape (60, 40), largest absolute value
SPREAD = [
    (I.RandomNormal(stddev=0.3, seed=1), 0.3, math.inf),
    (I.RandomUniform(-0.6, 0.6, seed=1), 0.6 / math.sqrt(3), 0.6),
    (I.TruncatedNormal(stddev=0.3, seed=1), 0.3 * 0.87962566, 0.6),
    (I.GlorotNormal(seed=1), math.sqrt(2 / 100), 2 / 0.87962 * math.sqrt(2 / 100)),
    (I.GlorotUniform(seed=1), math.sqrt(2 / 100), math.sqrt(6 / 100)),
    (I.HeNormal(seed=1), math.sqrt(2 / 60), 2 / 0.87962 * math.sqrt(2 / 60)),
    (I.HeUniform(seed=1), math.sqrt(2 / 60), math.sqrt(6 / 60)),
    (I.LecunNormal(seed=1), math.sqrt(1 / 60), 2 / 0.87962 * math.sqrt(1 / 60)),
    (I.LecunUniform(seed=1), math.sqrt(1 / 60), math.sqrt(3 / 60)),
    (I.VarianceScaling(3.0, "fan_out", "untruncated_normal", seed=1), math.sqrt(3 / 40), math.inf),
    (I.Orthogonal(seed=1), math.sqrt(1 / 60), 1.0),
]


@pytest.mark.parametrize("initializer,stddev,largest", SPREAD, ids=repr)
def test_spread(initializer, stddev, largest):
    values = initializer.draw((60, 40))
    assert values.dtype == np.float32 and values.shape == (60, 40)
    assert abs(values.mean()) < 4 * stddev / math.sqrt(values.size)
    assert values.std() == pytest.approx(stddev, rel=0.06)
    assert abs(values).max() <= largest


@pytest.mark.parametrize("cls", RANDOM)
def test_seeds(cls):
    one, same, other = cls(seed=3), cls(seed=3), cls(seed=4)
    first = one.draw((4, 5))
    np.testing.assert_array_equal(first, one.draw((4, 5)))
    np.testing.assert_array_equal(first, same.draw((4, 5)))
    assert not np.array_equal(first, other.draw((4, 5)))
    unseeded, next_unseeded = cls(), cls()
    assert not np.array_equal(unseeded.draw((4, 5)), next_unseeded.draw((4, 5)))
    np.testing.assert_array_equal(unseeded.draw((4, 5)), unseeded.draw((4, 5)))


@pytest.mark.parametrize("cls", RANDOM)
def test_global_seed_repeats_unseeded_ones(cls):
    drawn = []
    for _ in range(2):
        host.set_random_seed(11)
        drawn.append(cls().draw((3, 3)))
    np.testing.assert_array_equal(*drawn)


def test_values_are_those_of_every_backend():
    """Fixed numbers: whoever changes the stream changes everybody's seeded models."""
    np.testing.assert_allclose(
        I.GlorotUniform(seed=1).draw((2, 2)).ravel(), GLOROT_OF_SEED_1, rtol=1e-6
    )
    np.testing.assert_array_equal(
        ops.convert_to_numpy(I.GlorotUniform(seed=1)((2, 2))), I.GlorotUniform(seed=1).draw((2, 2))
    )
    variable = Variable(I.GlorotUniform(seed=1), shape=(2, 2))
    np.testing.assert_array_equal(variable.numpy(), I.GlorotUniform(seed=1).draw((2, 2)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("cls", [*RANDOM, I.Zeros, I.Ones, I.Constant, I.Identity])
def test_dtypes(cls, dtype, backend):
    if dtype == "bfloat16" and not backend.differentiable:
        dtype = "float32"  # NumPy has no bfloat16
    # JAX gives float32 for float64 unless told otherwise
    want = backend.dtype_of(backend.convert(np.zeros(1, "float32"), dtype))
    assert backend.dtype_of(cls()((3, 2), dtype=dtype)) == want


def test_integers():
    drawn = I.RandomUniform(0, 5, seed=1).draw((200,), "int32")
    assert drawn.dtype == np.int32 and set(drawn.tolist()) == {0, 1, 2, 3, 4}
    assert I.Ones().draw((2,), "int32").tolist() == [1, 1]
    assert I.Zeros().draw((2,), "bool").tolist() == [False, False]


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 2, 3), (1, 1)])
def test_orthogonal(shape):
    q = I.Orthogonal(gain=2.0, seed=1).draw(shape).reshape(-1, shape[-1])
    product = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


@pytest.mark.parametrize(
    "shape,axes,want",
    [
        ((), (None, None), (1, 1)),
        ((5,), (None, None), (5, 5)),
        ((5, 7), (None, None), (5, 7)),
        ((3, 3, 5, 7), (None, None), (45, 63)),
        ((5, 2, 7), (0, [1, 2]), (5, 14)),
        ((5, 2, 7), ((0, 1), -1), (10, 7)),
    ],
)
def test_fans(shape, axes, want):
    from keras_fn.initializers.random import fans

    assert fans(shape, *axes) == want


def test_no_values_lie_outside_a_cut():
    from keras_fn.initializers.random import truncated

    values = truncated(host.host_generator(0), (200_000,))
    assert abs(values).max() <= 2
    assert values.std() == pytest.approx(0.8796, abs=0.004)


@pytest.mark.parametrize(
    "identifier,cls",
    [
        ("glorot_uniform", I.GlorotUniform), ("GlorotUniform", I.GlorotUniform), ("zeros", I.Zeros), ("zero", I.Zeros),
        ("one", I.Ones), ("uniform", I.RandomUniform), ("normal", I.RandomNormal), ("orthogonal", I.Orthogonal),
        ("OrthogonalInitializer", I.Orthogonal), ("identity", I.Identity), ("IdentityInitializer", I.Identity),
        ("stft", I.STFT), ("lecun_normal", I.LecunNormal), ("constant", I.Constant), (I.Zeros, I.Zeros),
        ({"class_name": "HeNormal", "config": {"seed": 3}}, I.HeNormal),
    ],
)  # fmt: skip
def test_get(identifier, cls):
    assert type(I.get(identifier)) is cls


def test_get_gives_a_new_one_for_each_name():
    assert I.get("he_normal") is not I.get("he_normal")
    one = I.HeNormal()
    assert I.get(one) is one and I.get(None) is None and I.get(np.ones) is np.ones


@pytest.mark.parametrize("cls", RANDOM)
def test_config_and_clone(cls):
    seeded = cls(seed=5)
    assert seeded.clone().get_config() == seeded.get_config()
    np.testing.assert_array_equal(seeded.clone().draw((2, 2)), seeded.draw((2, 2)))
    unseeded = cls()
    assert unseeded.get_config()["seed"] is None
    assert not np.array_equal(unseeded.clone().draw((2, 2)), unseeded.draw((2, 2)))


def test_seed_generator_moves_on():
    from keras_fn.random import SeedGenerator

    initializer = I.RandomNormal(seed=SeedGenerator(7))
    assert not np.array_equal(initializer.draw((3,)), initializer.draw((3,)))


def test_own_call_is_taken_by_variables():
    class Threes(I.Initializer):
        def __call__(self, shape, dtype=None):
            return ops.multiply(ops.ones(shape, dtype=dtype), 3)

    assert Variable(Threes(), shape=(2,)).numpy().tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    "make,error,hint",
    [
        (lambda: I.VarianceScaling(scale=0), ArgumentError, "above 0"),
        (lambda: I.VarianceScaling(mode="x"), ArgumentError, "fan_in"),
        (lambda: I.VarianceScaling(distribution="x"), ArgumentError, "untruncated_normal"),
        (lambda: I.GlorotNormal(input_axes=0), ArgumentError, "both or neither"),
        (lambda: I.GlorotNormal(seed="a"), ArgumentTypeError, "SeedGenerator"),
        (lambda: I.GlorotNormal(input_axes=3, output_axes=0).draw((2, 2)), ShapeError, "2 dimensions"),
        (lambda: I.Identity().draw((2, 3, 4)), ShapeError, "matrices"),
        (lambda: I.Orthogonal().draw((3,)), ShapeError, "two dimensions"),
        (lambda: I.Zeros().draw((None, 2)), ShapeError, "fully known"),
        (lambda: I.Constant([1, 2]).draw((3,)), ShapeError, "broadcast"),
        (lambda: I.STFT(side="x"), ArgumentError, "imag"),
        (lambda: I.STFT().draw((4, 2, 3)), ShapeError, "window length"),
        (lambda: I.get(3), ArgumentError, "name"),
        (lambda: host.host_generator(-1), KerasFnError, "-1"),
    ],
)
def test_errors(make, error, hint):
    with pytest.raises(error, match=hint):
        make()
