"""Result dtypes of every op over the grid of dtypes, against real Keras on the same backend; values of some of them.

What Keras really gives counts, and not what it infers for symbolic tensors, which is wrong in places. On JAX its ops
are evaluated abstractly, elsewhere they run. Ours are inferred from specs; the conformance suite holds inferred and
real dtypes together. Left out are dtypes that Keras lacks: uint64, which it cuts to 32 bits on every backend; the other
wide unsigned ones on torch, which it keeps in signed ones; and 64 bits on JAX. On NumPy and torch it cuts 64 bits to 32
in most ops, where they stay here: there, both count as the same.
"""

from __future__ import annotations

import itertools
import os
import warnings
from typing import Any

import keras
import ml_dtypes
import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core import dtypes, trees
from keras_fn.core.errors import DtypeError
from keras_fn.core.spec import Spec
from parity.dtype_rows import EACH_PAIR, ONE, SCALARS, TAKE_NUMBERS, TWO, Row
from parity.kept_differences import GRID, GRID_VALUES

BACKEND = os.environ["KERAS_BACKEND"]
SMALL = ("bool", "uint8", "int8", "int16", "int32", "float16", "bfloat16", "float32")
DTYPES = {
    "numpy": (*SMALL, "uint16", "uint32", "int64", "float64"),
    "jax": (*SMALL, "uint16", "uint32"),
    "torch": (*SMALL, "int64", "float64"),
    "tensorflow": (*SMALL, "uint16", "uint32", "int64", "float64"),
}[BACKEND]
# these take long, and each pair is tried of another op with the same rule
SLOW = ("conv", "depthwise_conv", "conv_transpose", "dot_product_attention", "solve", "solve_triangular", "lstsq")
FEW = (("int8", "uint8"), ("bool", "int32"), ("float16", "bfloat16"), ("int32", "float16"), ("float32", "bfloat16"),
       ("uint8", "float32"), ("bool", "bool"), ("int8", "int8"), ("uint8", "bfloat16"),
       ("float32", "float32"), ("bfloat16", "bfloat16"))  # fmt: skip
_CUT = {"int64": "int32", "float64": "float32", "complex128": "complex64"}
_GROUPS = {
    "whole": {"bool", "uint8", "uint16", "uint32", "int8", "int16", "int32", "int64"},
    "half": {"float16", "bfloat16"},
    "float": {"float16", "bfloat16", "float32", "float64"},
    "wide": {"int64", "float64"},
}
# how Keras says that its backend cannot
REFUSALS: tuple[type[Exception], ...] = (TypeError, ValueError, AttributeError, NotImplementedError, RuntimeError,
                                         IndexError, KeyError, OverflowError)  # fmt: skip
if BACKEND == "tensorflow":
    import tensorflow as tf

    REFUSALS = (*REFUSALS, tf.errors.OpError)


def function(module: Any, name: str) -> Any:
    for part in name.split("."):
        module = getattr(module, part)
    return module


def pairs(row: Row) -> list[tuple[str, str]]:
    """The pairs of dtypes, and of a dtype and a Python number, in which an op of two tensors is tried."""
    if row.name in SLOW:
        return [p for p in FEW if set(p) <= set(DTYPES)]
    every = list(itertools.product(DTYPES, DTYPES))
    if BACKEND == "jax" and row.name not in EACH_PAIR:  # traced one by one: each pair in one order
        every = list(itertools.combinations_with_replacement(DTYPES, 2))
    if row.name in TAKE_NUMBERS and len(row.tensors) == 2:
        every += [p for d in DTYPES for s in SCALARS for p in ((d, s), (s, d))]
    return every


def operands(row: Row, names: tuple[str, ...]) -> list[Any]:
    """The values of a row as arrays of these dtypes, or Python numbers; more tensors than names take the last one."""
    spread = names + names[-1:] * (len(row.tensors) - len(names))
    return [SCALARS[n] if n in SCALARS else array(t.values, n) for t, n in zip(row.tensors, spread, strict=True)]


def array(values: Any, name: str) -> np.ndarray:
    return np.array(values).astype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def tensor(x: Any) -> Any:
    return keras.ops.convert_to_tensor(x, x.dtype.name) if isinstance(x, np.ndarray) else x


def told(result: Any) -> list[str]:
    """The names of the dtypes of results; torch has one more (complex32) than Keras knows."""
    found = [getattr(x, "dtype", type(x)) for x in trees.flatten(result) if x is not None]
    return [d if isinstance(d, str) else _name(d) for d in found]


def _name(dtype: Any) -> str:
    return getattr(dtype, "name", getattr(dtype, "__name__", str(dtype).rpartition(".")[2]))


def theirs(row: Row, names: tuple[str, ...]) -> Any:
    """What Keras gives, or None where it refuses."""
    try:
        return function(keras.ops, row.name)(*row.filled([tensor(x) for x in operands(row, names)]), **row.kwargs)
    except REFUSALS:
        return None


def all_theirs(row: Row, found: list[tuple[str, ...]]) -> dict[tuple[str, ...], list[str] | None]:
    """The dtypes that Keras gives for each combination; None where it refuses."""
    results: dict[tuple[str, ...], list[str] | None] = {}

    def run() -> None:
        for names in found:
            result = theirs(row, names)
            results[names] = None if result is None else told(result)

    if BACKEND == "jax":
        import jax

        jax.eval_shape(run)
    else:
        run()
    return results


def ours(row: Row, names: tuple[str, ...]) -> list[str] | str:
    """The dtypes that are inferred here, or the error."""
    specs = [Spec(x.shape, x.dtype) if isinstance(x, np.ndarray) else x for x in operands(row, names)]
    try:
        return told(function(ops, row.name)(*row.filled(specs), **row.kwargs))
    except (TypeError, ValueError) as e:
        return f"{type(e).__name__}: {e}"


def same(mine: list[str] | str, other: list[str]) -> bool:
    if BACKEND in ("numpy", "torch") and not isinstance(mine, str):
        mine, other = ([_CUT.get(d, d) for d in found] for found in (mine, other))
    return mine == other


def matches(pattern: str, names: tuple[str, ...]) -> bool:
    words = pattern.split()
    return len(words) == len(names) and all(
        w == "*" or n == w or n in _GROUPS.get(w, ()) for w, n in zip(words, names, strict=True)
    )


def check(row: Row, found: list[tuple[str, ...]]) -> None:
    """No difference but the kept ones, and each of those is still there."""
    kept = [(p, why) for names, patterns, backends, why in GRID if BACKEND in backends and row.name in names.split()
            for p in patterns if len(p.split()) == len(found[0])]  # fmt: skip
    seen, wrong = set(), []
    for names, other in all_theirs(row, found).items():
        if other is None:
            continue
        mine = ours(row, names)
        if same(mine, other):
            continue
        reasons = {p for p, _ in kept if matches(p, names)}
        seen |= reasons
        if not reasons:
            wrong.append(f"{row.name} of {' '.join(names)}: Keras gives {' '.join(other)}, here: {mine}")
    assert not wrong, f"{len(wrong)} of {len(found)}: " + "\n".join(wrong[:20])
    stale = {p for p, _ in kept} - seen
    assert not stale, f"{row.name}: no difference any more for {stale}; take it out of the table"


def real(row: Row, names: tuple[str, ...]) -> tuple[Any, Any]:
    """What Keras gives and what comes out here; None and None where Keras refuses, or something else is kept."""
    other = theirs(row, names)
    if other is None or not same(ours(row, names), told(other)):
        return None, None
    return other, function(ops, row.name)(*row.filled([tensor(x) for x in operands(row, names)]), **row.kwargs)


def all_real(row: Row, found: list[tuple[str, ...]]) -> list[tuple[Any, Any]]:
    """`real` of each combination; on JAX in one program, as it would compile every op for every dtype else."""
    if BACKEND != "jax":
        return [real(row, names) for names in found]
    import jax

    return jax.jit(lambda: [real(row, names) for names in found])()


TOLERANCES = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-5, "complex64": 2e-5, "float64": 2e-5}


def check_values(row: Row, found: list[tuple[str, ...]]) -> None:
    """The same numbers, in the dtype that was inferred."""
    wrong = []
    for names, (other, mine) in zip(found, all_real(row, found), strict=True):
        if other is None:
            continue
        if told(mine) != ours(row, names):
            wrong.append(f"{' '.join(names)}: {ours(row, names)} was inferred, and {told(mine)} came")
        for x, y in zip(trees.flatten(mine), trees.flatten(other), strict=True):
            a, b = (np.asarray(ops.convert_to_numpy(v)) for v in (x, y))
            within = TOLERANCES.get(told(x)[0], 0.0)
            a, b = (v.astype("complex128" if v.dtype.kind == "c" else "float64") for v in (a, b))
            if a.shape != b.shape or not np.allclose(a, b, within, within, equal_nan=True):
                wrong.append(f"{' '.join(names)}: Keras gives {b.tolist()}, here: {a.tolist()}")
    assert not wrong, f"{row.name}: " + "\n".join(wrong[:20])


def named(rows: list[Row]) -> list[str]:
    return [f"{r.name} {i}" for i, r in enumerate(rows)]


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("row", ONE, ids=named(ONE))
def test_dtypes_of_one_tensor(row):
    check(row, [(d,) for d in DTYPES])


@pytest.mark.parametrize("row", TWO, ids=named(TWO))
def test_dtypes_of_pairs(row):
    check(row, pairs(row))


KEPT_VALUES = {name for names, backends, _ in GRID_VALUES if BACKEND in backends for name in names.split()}
# each row is a program of its own to JAX, and other files compare values there too
VALUES = [r for r in TWO if r.name not in KEPT_VALUES and (BACKEND != "jax" or r.name in EACH_PAIR)]


SOME = ("exp", "sigmoid", "gelu", "mean", "sort", "logsumexp")
ONE_VALUES = [r for r in ONE if (r.name in SOME if BACKEND == "jax" else r.name not in KEPT_VALUES)]


@pytest.mark.parametrize("row", ONE_VALUES, ids=named(ONE_VALUES))
def test_values_of_one_tensor(row):
    check_values(row, [(d,) for d in ("float16", "bfloat16", "float32")])


@pytest.mark.parametrize("row", VALUES, ids=named(VALUES))
def test_values_of_pairs(row):
    found = pairs(row) if row.name in EACH_PAIR else FEW
    known = {*DTYPES, *SCALARS} - ({"int8", "int16", "uint16"} if BACKEND == "jax" else set())
    check_values(row, [names for names in found if set(names) <= known])


NAMES = (*DTYPES, bool, int, float, "float8_e4m3fn", "float8_e5m2", "int4", "uint4")


@pytest.mark.parametrize("first", NAMES, ids=str)
def test_lattice(first):
    """Promotion is that of Keras, which cuts 64 bits to 32 on some backends, and has 8-bit floats mix with nothing."""
    for second in NAMES:
        try:
            other = keras.backend.result_type(first, second)
        except ValueError:
            other = None
        try:
            mine = dtypes.result_type(first, second)
        except DtypeError:
            mine = None
        if first == second and str(first).startswith("float8"):
            assert (mine, other) == (first, None)  # which lets tensors of one such dtype be joined
        else:
            assert (_CUT.get(mine, mine) if BACKEND != "tensorflow" else mine) == other, (first, second)


def test_kept_differences_name_rows():
    known = {r.name for r in (*ONE, *TWO)}
    assert {name for names, *_ in (*GRID, *GRID_VALUES) for name in names.split()} <= known
