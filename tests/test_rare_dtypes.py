"""Dtypes that frameworks have only in part: 8-bit floats, wide unsigned integers, 64 bits; and what bools cannot do."""

from __future__ import annotations

import warnings

import ml_dtypes
import numpy as np
import pytest

from keras_fn import Variable, ops
from keras_fn.core.backend import active
from keras_fn.core.errors import DtypeError, NoKernelError
from keras_fn.core.spec import Spec

NAN, INF = float("nan"), float("inf")
EIGHT = ("float8_e4m3fn", "float8_e5m2")


def values(x) -> list:
    return ops.convert_to_numpy(ops.cast(x, "float32")).tolist()


def same(a, b) -> bool:
    return repr(a) == repr(b)  # by their text, as NaN is not equal to itself


# --- 8-bit floats (https://arxiv.org/abs/2209.05433): what is too large is NaN in the one, infinite in the other
WIDE = [1.3, 300.0, 464.0, 465.0, 1e6, -1e6, NAN, INF, 1e-4, -0.0]
EXPECTED = {
    "float8_e4m3fn": [1.25, 288.0, 448.0, NAN, NAN, NAN, NAN, NAN, 0.0, -0.0],
    "float8_e5m2": [1.25, 320.0, 448.0, 448.0, INF, -INF, NAN, INF, 0.0001068115234375, -0.0],
}


@pytest.mark.parametrize("dtype", EIGHT)
def test_cast_to_eight_bits(dtype):
    for wide in ("float32", "float64"):
        x = ops.cast(np.array(WIDE, wide), dtype)
        assert ops.dtype(x) == dtype
        assert same(values(x), EXPECTED[dtype])
    assert values(ops.cast(np.array([1, -100], "int32"), dtype)) == [1.0, -96.0]
    assert values(ops.cast(np.array([True, False]), dtype)) == [1.0, 0.0]
    assert values(ops.cast(ops.cast([1.7, -3.0], dtype), "int32")) == [1.0, -3.0]
    other = EIGHT[1 - EIGHT.index(dtype)]
    assert ops.dtype(ops.cast(ops.ones((2,), dtype), other)) == other


@pytest.mark.parametrize("dtype", EIGHT)
def test_eight_bits_from_and_to_numpy(dtype):
    array = np.array([1.5, -2.0, NAN]).astype(getattr(ml_dtypes, dtype))
    x = ops.convert_to_tensor(array)
    assert ops.dtype(x) == dtype
    back = ops.convert_to_numpy(x)
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()
    assert values(ops.convert_to_tensor([1, 2], dtype)) == [1.0, 2.0]
    assert same(values(ops.convert_to_tensor([1e6], dtype)), [EXPECTED[dtype][4]])


# what each gives for [1.25, -2.0]
KEEPS = {
    "concatenate": (lambda x: ops.concatenate([x, x]), [1.25, -2.0, 1.25, -2.0]),
    "stack": (lambda x: ops.stack([x, x]), [[1.25, -2.0], [1.25, -2.0]]),
    "reshape": (lambda x: ops.reshape(x, (2, 1)), [[1.25], [-2.0]]),
    "take": (lambda x: ops.take(x, [1, 0]), [-2.0, 1.25]),
    "slice": (lambda x: x[1:], [-2.0]),
    "where": (lambda x: ops.where([True, False], x, ops.zeros_like(x)), [1.25, 0.0]),
    "pad": (lambda x: ops.pad(x, 1), [0.0, 1.25, -2.0, 0.0]),
    "tile": (lambda x: ops.tile(x, 2), [1.25, -2.0, 1.25, -2.0]),
    "zeros": (lambda x: ops.zeros((2,), ops.dtype(x)), [0.0, 0.0]),
    "full": (lambda x: ops.full((2,), 1.5, ops.dtype(x)), [1.5, 1.5]),
    "ones_like": (ops.ones_like, [1.0, 1.0]),
    "eye": (lambda x: ops.eye(2, dtype=ops.dtype(x)), [[1.0, 0.0], [0.0, 1.0]]),
    "variable": (lambda x: Variable(ops.convert_to_numpy(x)).value, [1.25, -2.0]),
    "abs": (ops.abs, [1.25, 2.0]),
    "add": (lambda x: ops.add(x, x), [2.5, -4.0]),
    "add again": (lambda x: ops.add(x, x), [2.5, -4.0]),
}


@pytest.mark.parametrize("dtype", EIGHT)
@pytest.mark.parametrize("name", KEEPS)
def test_ops_that_stay_in_eight_bits(name, dtype):
    call, expected = KEEPS[name]
    result = call(ops.cast([1.25, -2.0], dtype))
    assert ops.dtype(result) == dtype
    assert values(result) == expected


@pytest.mark.parametrize("dtype", EIGHT)
def test_eight_bits_mix_with_nothing(dtype):
    x = ops.ones((2,), dtype)
    others = [1, 1.0, True, ops.ones((2,), "float32"), ops.ones((2,), "int8"), ops.ones((2,), EIGHT[dtype == EIGHT[0]])]
    for other in others:
        with pytest.raises(DtypeError, match=r"No implicit promotion.*ops\.cast"):
            ops.add(x, other)
    with pytest.raises(DtypeError, match="No implicit promotion"):
        ops.add(Spec((2,), dtype), Spec((2,), "float16"))


@pytest.mark.parametrize("dtype", ["int4", "uint4", "float8", "qint8", "float8_e4m3"])
def test_dtypes_that_are_not_there(dtype):
    for call in (lambda: ops.cast([1.0], dtype), lambda: ops.zeros((2,), dtype), lambda: Variable([1.0], dtype=dtype)):
        with pytest.raises(DtypeError, match=f"Unknown dtype: '{dtype}'"):
            call()


# --- wide unsigned integers wrap around on every backend, also where a framework only stores them
UNSIGNED = {
    "add": (lambda x: ops.add(x, x), lambda x: x + x),
    "subtract": (lambda x: ops.subtract(x[:1], x[1:2]), lambda x: x[:1] - x[1:2]),
    "multiply": (lambda x: ops.multiply(x, x), lambda x: x * x),
    "power": (lambda x: ops.power(x, 2), lambda x: x**2),
    "floor_divide": (lambda x: ops.floor_divide(x, 7), lambda x: x // 7),
    "mod": (lambda x: ops.mod(x, 7), lambda x: x % 7),
    "maximum": (lambda x: ops.maximum(x, 9), lambda x: np.maximum(x, 9)),
    "less": (lambda x: ops.less(x, 9), lambda x: x < 9),
    "max": (ops.max, np.max),
    "sort": (ops.sort, np.sort),
    "argmax": (ops.argmax, np.argmax),
    "cumsum": (ops.cumsum, lambda x: np.cumsum(x, dtype=x.dtype)),
    "flip": (ops.flip, np.flip),
    "take": (lambda x: ops.take(x, [2, 0]), lambda x: x[[2, 0]]),
    "where": (lambda x: ops.where(ops.less(x, 9), x, 0), lambda x: np.where(x < 9, x, 0)),
    "matmul": (lambda x: ops.matmul(x[None], x[:, None]), lambda x: x[None] @ x[:, None]),
    "bitwise_not": (ops.bitwise_not, np.bitwise_not),
    "one_hot": (lambda x: ops.one_hot(x, 4), lambda x: np.eye(4)[[1]].repeat(3, 0) * (x == 1)[:, None]),
    "segment_sum": (lambda x: ops.segment_sum(x, [0, 1, 1], 2), lambda x: np.array([x[0], x[1] + x[2]], x.dtype)),
    "float": (lambda x: ops.true_divide(x, 2), lambda x: x / 2),
}


@pytest.mark.parametrize("dtype", ["uint16", "uint32"])
@pytest.mark.parametrize("name", UNSIGNED)
def test_wide_unsigned_integers(name, dtype):
    call, oracle = UNSIGNED[name]
    x = np.array([1, np.iinfo(dtype).max, 300], dtype)
    result = call(ops.convert_to_tensor(x))
    with np.errstate(over="ignore"):
        expected = oracle(x)
    assert ops.dtype(result) == call(Spec((3,), dtype)).dtype
    np.testing.assert_allclose(np.float64(ops.convert_to_numpy(result)), np.float64(expected), rtol=1e-6)


def test_uint64_is_computed_or_refused():
    x = ops.convert_to_tensor(np.array([2**40, 5], "uint64"), "uint64")
    if active.backend.stand_ins.get("uint64", "") is None:
        with pytest.raises(NoKernelError, match=r"(?s)ops\.power for uint64.*ops\.cast"):
            ops.power(x, 5)
    else:
        found = ops.convert_to_numpy(ops.floor_divide(x, 5)).tolist()
        assert found == (np.array([2**40, 5], "uint64").astype(ops.dtype(x)) // 5).tolist()


# --- 64 bits: where a backend lacks them, specs say so too, and nothing warns
@pytest.mark.parametrize("pair", [("uint32", "int8"), ("int64", "int32"), ("float64", "float32"), ("int64", "float64")])
def test_specs_say_what_comes_out(pair):
    arrays = [np.ones(2, d) for d in pair]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = ops.add(*arrays)
    inferred = [ops.add(*(Spec((2,), d) for d in pair)), ops.copy(ops.add(*(Spec((2,), d) for d in pair)))]
    assert {s.dtype for s in inferred} == {active.backend.dtype_of(result)}


# --- bools and 8-bit integers
def test_bools_have_no_difference():
    x = np.array([True, False])
    for operands in ((x, x), (x, True), (Spec((2,), "bool"), Spec((2,), "bool"))):
        with pytest.raises(DtypeError, match="Bools have no difference"):
            ops.subtract(*operands)
    assert values(ops.subtract(x, 1)) == [0.0, -1.0]


@pytest.mark.parametrize("name", ["sign", "round", "negative", "square"])
def test_numbers_made_of_bools(name):
    result = getattr(ops, name)(np.array([True, False]))
    assert (ops.dtype(result), getattr(ops, name)(Spec((2,), "bool")).dtype) == ("int32", "int32")


def test_bools_in_products_sums_and_ids():
    x = np.array([True, False, True])
    assert (ops.dtype(ops.tensordot(x, x, 1)), values(ops.tensordot(x, x, 1))) == ("bool", 1.0)
    assert values(ops.segment_sum(x, [0, 0, 2], 3)) == [1.0, 0.0, 1.0]
    assert values(ops.scatter([[0], [0], [1]], x, (3,))) == [1.0, 1.0, 0.0]
    assert values(ops.one_hot(x, 2)) == [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    assert values(ops.multi_hot(x, 2)) == [1.0, 1.0]
    assert values(ops.top_k(x, 2)[0]) == [1.0, 1.0]
    gray = ops.image.rgb_to_grayscale(np.ones((1, 1, 3), bool))
    assert ops.dtype(gray) == "bool"


def test_int8_products():
    a = np.full((2, 2), 100, "int8")
    for wide in (ops.matmul(a, a), ops.einsum("ij,jk->ik", a, a)):
        assert (ops.dtype(wide), values(wide)[0][0]) == ("int32", 20000.0)
    narrow = 20000 % 256  # 32
    for same_bits in (ops.dot(a, a), ops.tensordot(a, a, 1)):
        assert (ops.dtype(same_bits), values(same_bits)[0][0]) == ("int8", float(narrow))
    assert ops.dtype(ops.matmul(a, a.astype("uint8"))) == "int16"


@pytest.mark.parametrize("name", ["take", "take_along_axis"])
def test_floats_are_no_indices(name):
    for x in (np.ones(3, "float32"), Spec((3,), "float32")):
        with pytest.raises(DtypeError, match="Indices must be whole numbers, not float32"):
            getattr(ops, name)(x, np.array([1.0], "float32"), axis=0)


def test_nan_to_num_of_whole_numbers():
    for dtype in ("bool", "uint8", "int32"):
        x = np.ones(2, dtype)
        assert ops.dtype(ops.nan_to_num(x)) == dtype == ops.nan_to_num(Spec((2,), dtype)).dtype


@pytest.mark.parametrize("name", ["layer_normalization", "rms_normalization"])
def test_weights_become_what_is_normalised(name):
    x = np.array([[1.0, 2.0]], "float16")
    result = getattr(ops, name)(x, np.ones(2, "float32"))
    assert ops.dtype(result) == "float16"
    assert getattr(ops, name)(Spec((1, 2), "float16"), Spec((2,), "float32")).dtype == "float16"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_crossentropy_of_a_certain_half_float_is_finite(dtype):
    ones = np.ones(2, "float32")
    loss = ops.binary_crossentropy(ops.cast([1.0, 0.0], dtype), ops.cast(ones, dtype))
    assert ops.dtype(loss) == dtype
    certain, wrong = values(loss)
    assert abs(certain) < 1e-3
    assert 10 < wrong < 20


def test_softmax_of_nothing():
    for name in ("softmax", "log_softmax"):
        assert values(getattr(ops, name)(np.zeros((2, 0), "float32"))) == [[], []]
