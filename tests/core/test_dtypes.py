"""The promotion lattice against a table written out by hand from JAX's published one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from keras_fn.core import dtypes
from keras_fn.core.errors import DtypeError

SHORT = {
    "b1": "bool", "u1": "uint8", "u2": "uint16", "u4": "uint32", "i1": "int8", "i2": "int16", "i4": "int32",
    "i8": "int64", "bf": "bfloat16", "f2": "float16", "f4": "float32", "f8": "float64", "c4": "complex64",
    "c8": "complex128",
}  # fmt: skip
NAMES = list(SHORT.values())
# row with column; symmetric
TABLE = """
     b1 u1 u2 u4 i1 i2 i4 i8 bf f2 f4 f8 c4 c8
b1   b1 u1 u2 u4 i1 i2 i4 i8 bf f2 f4 f8 c4 c8
u1   u1 u1 u2 u4 i2 i2 i4 i8 bf f2 f4 f8 c4 c8
u2   u2 u2 u2 u4 i4 i4 i4 i8 bf f2 f4 f8 c4 c8
u4   u4 u4 u4 u4 i8 i8 i8 i8 bf f2 f4 f8 c4 c8
i1   i1 i2 i4 i8 i1 i2 i4 i8 bf f2 f4 f8 c4 c8
i2   i2 i2 i4 i8 i2 i2 i4 i8 bf f2 f4 f8 c4 c8
i4   i4 i4 i4 i8 i4 i4 i4 i8 bf f2 f4 f8 c4 c8
i8   i8 i8 i8 i8 i8 i8 i8 i8 bf f2 f4 f8 c4 c8
bf   bf bf bf bf bf bf bf bf bf f4 f4 f8 c4 c8
f2   f2 f2 f2 f2 f2 f2 f2 f2 f4 f2 f4 f8 c4 c8
f4   f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f8 c4 c8
f8   f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 c8 c8
c4   c4 c4 c4 c4 c4 c4 c4 c4 c4 c4 c4 c8 c4 c8
c8   c8 c8 c8 c8 c8 c8 c8 c8 c8 c8 c8 c8 c8 c8
"""


def _rows() -> list[tuple[str, str, str]]:
    header, *lines = [line.split() for line in TABLE.strip().splitlines()]
    return [(SHORT[row], SHORT[c], SHORT[out]) for row, *outs in lines for c, out in zip(header, outs, strict=True)]


def test_the_table_is_whole():
    assert [(a, b) for a, b, _ in _rows()] == list(itertools.product(NAMES, NAMES))


@pytest.mark.parametrize(("a", "b", "expected"), _rows())
def test_two_dtypes(a, b, expected):
    assert dtypes.result_type(a, b) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((bool,), "bool"),
        ((int,), "int32"),
        ((float,), "float32"),
        ((complex,), "complex64"),
        (("uint8", int), "uint8"),
        (("int8", bool), "int8"),
        (("bool", int), "int32"),
        (("int64", float), "float32"),
        (("bool", float), "float32"),
        (("float16", float), "float16"),
        (("bfloat16", int), "bfloat16"),
        (("float64", complex), "complex128"),
        (("float16", complex), "complex64"),
        (("uint64", "int32"), "float32"),
        (("uint64", "uint8"), "uint64"),
        (("float8_e5m2", "float8_e5m2"), "float8_e5m2"),
        (("float8_e4m3fn",), "float8_e4m3fn"),
        (("int8", "uint8", "float16"), "float16"),
        (("string", "string"), "string"),
    ],
)
def test_weak_scalars_and_rare_dtypes(found, expected):
    assert dtypes.result_type(*found) == expected


@pytest.mark.parametrize(
    "found",
    [
        ("string", "int32"), ("float8_e4m3fn", "float8_e5m2"),
        *((d, other) for d in ("float8_e4m3fn", "float8_e5m2") for other in ("float32", "int8", "bool", int, float)),
    ],
)  # fmt: skip
def test_what_does_not_mix(found):
    with pytest.raises(DtypeError, match="mix|promotion"):
        dtypes.result_type(*found)


def test_promotion_does_not_depend_on_order():
    names = [n for n in NAMES if n != "bool"]
    for three in itertools.combinations(names, 3):
        assert len({dtypes.result_type(*p) for p in itertools.permutations(three)}) == 1


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("float32", "float32"),
        (None, "float32"),
        (float, "float32"),
        (int, "int32"),
        (bool, "bool"),
        (str, "string"),
        (np.float16, "float16"),
        (np.dtype("uint8"), "uint8"),
        (np.dtype("<U3"), "string"),
        (np.bool_, "bool"),
        ("half", "float16"),
        ("double", "float64"),
    ],
)
def test_standardize(given, name):
    assert dtypes.standardize(given) == name


@pytest.mark.parametrize("given", ["float31", "int4", "uint4", "float8", 3, object(), ["float32"], {}])
def test_standardize_refuses(given):
    with pytest.raises(DtypeError, match="Unknown dtype"):
        dtypes.standardize(given)


def test_a_misspelt_dtype_gets_a_hint():
    with pytest.raises(DtypeError, match="Did you mean 'bfloat16'"):
        dtypes.standardize("bfloat61")


def test_floatx_decides_where_nothing_else_does():
    dtypes.set_floatx("float16")
    try:
        assert dtypes.floatx() == "float16"
        assert dtypes.result_type(float) == dtypes.result_type("int32", float) == "float16"
        assert dtypes.result_type("float64", float) == "float64"
        assert dtypes.at_least_float("int8") == "float16"
        assert dtypes.standardize(None) == "float16"
    finally:
        dtypes.set_floatx("float32")
    assert dtypes.result_type(float) == "float32"
    with pytest.raises(DtypeError, match="float31"):
        dtypes.set_floatx("float31")


def test_kinds():
    assert dtypes.is_float("bfloat16")
    assert not dtypes.is_float("complex64")
    assert dtypes.is_integer("uint8")
    assert not dtypes.is_integer("bool")
    assert dtypes.at_least_float("complex64") == "complex64"
