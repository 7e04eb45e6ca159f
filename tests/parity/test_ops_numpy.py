"""Ops that are called as in NumPy, against Keras on the same backend: values, and dtypes over a grid of dtypes."""

from __future__ import annotations

import copy
import itertools
import os

import keras
import ml_dtypes
import numpy as np
import pytest

from keras_fn import ops
from parity.kept_differences import CALLS, NUMPY_OPS

BACKEND = os.environ.get("KERAS_BACKEND")
# what is worked out in every run; the other integers and float16 were the same when they were tried
GRID = ("bool", "uint8", "bfloat16", "float32")
PAIRS = (("int8", "uint8"), ("int32", "float16"))
KEPT = {(name, dtype): backends for name, found, backends, _ in NUMPY_OPS for dtype in found}

ROW, OTHER = [3, 1, 2, 1], [1, 2, 1, 3]
MATRIX = [[1, 2, 0, 3], [2, 1, 1, 0], [0, 1, 3, 1]]


def array(values, dtype):
    return np.array(values).astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


def on(name, *rest, x=ROW, **kwargs):
    """A row of an op of one tensor."""
    return name, x, rest, kwargs


ONE = [
    *(on(name) for name in (
        "array cbrt copy deg2rad diag diagflat diff exp2 fabs flipud i0 isneginf isposinf isreal nancumprod nancumsum "
        "nanargmax nanargmin nanmax nanmean nanmin nanprod nanstd nansum nanvar nonzero rad2deg real imag sinc trunc "
        "unique bitwise_not bitwise_invert signbit conj angle nanmedian ").split()),
    *(on(name, x=MATRIX) for name in "fliplr rot90 trace diagonal median ptp average trapezoid".split()),
    on("quantile", [0.25, 0.6], x=MATRIX, axis=1), on("percentile", 30, method="nearest"), on("nanquantile", 0.4),
    on("bincount", minlength=6), on("vander", 3), on("array_split", 3), on("digitize", np.array([1.0, 2.0], "float32")),
    on("segment_max", np.array([0, 1, 1, 0], "int32"), 2), on("segment_min", np.array([0, 1, 1, 0], "int32"), 2),
    on("unravel_index", (2, 2)), on("saturate_cast", "uint8"), on("corrcoef", x=MATRIX), on("linspace", 7, 4),
    on("logspace", 2, 4), on("geomspace", 7, 4), on("scatter_update", [[0]], [1], "add"),
    on("hsplit", 2), on("vsplit", 3, x=MATRIX), on("dsplit", 2, x=[MATRIX]),
]  # fmt: skip
TWO = (
    "append bitwise_and bitwise_or bitwise_xor left_shift right_shift bitwise_left_shift bitwise_right_shift correlate "
    "fmax fmin fmod gcd lcm heaviside hypot inner isclose allclose isin kron logaddexp2 nextafter vdot ldexp "
    "searchsorted"
).split()


REFUSALS = [TypeError, ValueError, AttributeError, NotImplementedError, RuntimeError, KeyError, AssertionError]
if BACKEND == "tensorflow":
    import tensorflow as tf

    REFUSALS.append(tf.errors.OpError)


def run(op, *args, **kwargs):
    """What an op gives as a list of tensors, or how it refuses."""
    try:
        result = op(*args, **kwargs)
    except tuple(REFUSALS) as e:
        return e
    return list(result) if isinstance(result, (tuple, list)) else [result]



def problem(name, dtype, args, kwargs) -> str | None:
    """What differs from Keras, where it is not in the table; a call that Keras refuses may give anything."""
    theirs = run(getattr(keras.ops, name), *copy.deepcopy(args), **kwargs)  # some write into what they are given
    if isinstance(theirs, Exception) or any(BACKEND in KEPT.get((name, d), ()) for d in (dtype, "*")):
        return None
    ours = run(getattr(ops, name), *args, **kwargs)
    if isinstance(ours, Exception) or len(ours) != len(theirs):
        return f"{name} of {dtype}: Keras gives {theirs}, here: {ours!r}"
    for mine, other in zip(ours, theirs, strict=True):
        wanted = keras.backend.standardize_dtype(other.dtype) if hasattr(other, "dtype") else "bool"
        if ops.dtype(mine) != wanted:
            return f"{name} of {dtype}: Keras gives {wanted}, here: {ops.dtype(mine)}"
        if wanted == "bfloat16":  # of which Keras makes no scalar array on TensorFlow
            other = keras.ops.cast(other, "float32")
        a, b = np.asarray(ops.convert_to_numpy(mine)), np.asarray(keras.ops.convert_to_numpy(other))
        tolerance = {"float16": 4e-3, "bfloat16": 3e-2}.get(wanted, 2e-5)
        wide = "complex128" if a.dtype.kind == "c" else "float64"
        same = a.shape == b.shape and np.allclose(a.astype(wide), b.astype(wide), tolerance, tolerance, equal_nan=True)
        if not same:
            return f"{name} of {dtype}: Keras gives {b}, here: {a}"
    return None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name,values,rest,kwargs", ONE, ids=[r[0] for r in ONE])
def test_one_tensor(name, values, rest, kwargs):
    found = [problem(name, dtype, (array(values, dtype), *rest), kwargs) for dtype in GRID]
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", TWO)
def test_two_tensors(name):
    found = []
    for first, second in itertools.chain(((d, d) for d in GRID), PAIRS):
        dtype = first if first == second else f"{first} {second}"
        x = np.sort(ROW) if name == "searchsorted" else ROW
        found.append(problem(name, dtype, (array(x, first), array(OTHER, second)), {}))
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hanning", "kaiser"])
def test_windows(name):
    assert problem(name, "float32", (7, *((3.5,) if name == "kaiser" else ())), {}) is None


def test_the_table_holds_no_unknown_names():
    known = {r[0] for r in ONE} | set(TWO)
    assert {name for name, _, _, _ in NUMPY_OPS} <= known


# --- calls that are kept otherwise than in Keras: what is called, and what it gives here (None: it is refused)
OF_CALLS = {
    "counts of a histogram": (lambda o: o.histogram(array([1, 2, 2], "float32"), bins=2)[0], ("int32", [1, 2])),
    "unique with NaN": (lambda o: o.unique(array([np.nan, 1, np.nan], "float32")), ("float32", [1.0, np.nan])),
    "nanargmax of NaN and -inf": (lambda o: o.nanargmax(array([np.nan, -np.inf], "float32")), ("int32", 1)),
    "nanargmin of NaN and inf": (lambda o: o.nanargmin(array([np.nan, np.inf], "float32")), ("int32", 1)),
    "float64 stays": (lambda o: o.convert_to_tensor(array([1, 2], "float64")), ("float64", [1.0, 2.0])),
    "int64 stays": (lambda o: o.convert_to_tensor(array([1, 2], "int64")), ("int64", [1, 2])),
}


def told(o, call):
    """Dtype and values of what a call gives, or None where it is refused."""
    try:
        result = call(o)
    except ValueError:
        return None
    return keras.backend.standardize_dtype(result.dtype), np.asarray(o.convert_to_numpy(result)).tolist()


@pytest.mark.parametrize(("name", "backends"), [row[:2] for row in CALLS], ids=[row[0] for row in CALLS])
def test_kept_calls(name, backends):
    """Ours is as promised; that of Keras is otherwise on just the backends of the table."""
    call, wanted = OF_CALLS[name]
    ours = told(ops, call)
    if not (BACKEND == "jax" and name.endswith(" stays")):  # JAX has no 64 bits unless its user asks for them
        assert repr(ours) == repr(wanted)  # by their text, as NaN is not equal to itself
    assert (repr(told(keras.ops, call)) != repr(ours)) == (BACKEND in backends)


def test_each_kept_call_is_there():
    assert [row[0] for row in CALLS] == list(OF_CALLS)
