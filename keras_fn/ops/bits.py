"""Ops on whole numbers: their bits, shifts, common divisors and multiples; and tensors read as other dtypes."""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import DtypeError, ShapeError
from keras_fn.core.op import DtypeRule, mixes, op
from keras_fn.core.spec import Spec
from keras_fn.ops import control
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.known import dtype_of

__all__ = [
    "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "gcd", "lcm", "left_shift", "right_shift", "saturate_cast", "view",
]  # fmt: skip


def integers(*params: str, bools: bool = False) -> DtypeRule:
    """All tensors to their common dtype, which must be an integer type; bool too, or else bool becomes int32."""

    def agree(*found: Any) -> tuple[str, str]:
        out = dtypes.result_type(*found)
        if out == "bool":
            out = "bool" if bools else "int32"
        elif not dtypes.is_integer(out):
            raise DtypeError(
                f"This op works on whole numbers, and got {', '.join(dtypes.result_type(f) for f in found)}. "
                "Cast with `ops.cast(x, 'int32')` first."
            )
        return out, out

    return DtypeRule(params, agree)


@op(dtype=integers("x", "y", bools=True), shape=lambda x, y: shapes.broadcast(x.shape, y.shape),
    oracle="numpy.bitwise_and")  # fmt: skip
def bitwise_and(x, y):
    """The bits that are set in both.

    Args:
        x, y: tensors of integers or bools whose shapes broadcast.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.bitwise_and([12, 10], 6)).tolist()
        [4, 2]
    """


@op(dtype=integers("x", "y", bools=True), shape=lambda x, y: shapes.broadcast(x.shape, y.shape),
    oracle="numpy.bitwise_or")  # fmt: skip
def bitwise_or(x, y):
    """The bits that are set in either.

    Args:
        x, y: tensors of integers or bools whose shapes broadcast.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.bitwise_or([12, 10], 6)).tolist()
        [14, 14]
    """


@op(dtype=integers("x", "y", bools=True), shape=lambda x, y: shapes.broadcast(x.shape, y.shape),
    oracle="numpy.bitwise_xor")  # fmt: skip
def bitwise_xor(x, y):
    """The bits that are set in exactly one.

    Args:
        x, y: tensors of integers or bools whose shapes broadcast.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.bitwise_xor([12, 10], 6)).tolist()
        [10, 12]
    """


@op(dtype=integers("x", bools=True), shape=lambda x: x.shape, oracle="numpy.bitwise_not")
def bitwise_not(x):
    """Every bit turned over: `-x - 1` for signed integers, `not x` for bools.

    Args:
        x: tensor of integers or bools.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.bitwise_not([0, 5])).tolist()
        [-1, -6]
    """


@op(dtype=integers("x", bools=True), oracle="numpy.bitwise_not")
def bitwise_invert(x):
    """Every bit turned over; another name of `bitwise_not`.

    Args:
        x: tensor of integers or bools.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.bitwise_invert([0, 5])).tolist()
        [-1, -6]
    """
    return bitwise_not(x)


@op(dtype=integers("x", "y"), shape=lambda x, y: shapes.broadcast(x.shape, y.shape), oracle="numpy.left_shift")
def bitwise_left_shift(x, y):
    """The bits moved up by `y` places: `x * 2**y`; bits that leave are lost.

    Where `y` is negative, or not less than the number of bits, all bits have left, and the result is 0.

    Args:
        x: tensor of integers.
        y: tensor of integers: places.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.bitwise_left_shift([1, 3], 2)).tolist()
        [4, 12]
    """


@op(dtype=integers("x", "y"), shape=lambda x, y: shapes.broadcast(x.shape, y.shape), oracle="numpy.right_shift")
def bitwise_right_shift(x, y):
    """The bits moved down by `y` places: `x / 2**y`, rounded down; the sign stays.

    Where `y` is negative, or not less than the number of bits, only the sign is left: 0 or -1.

    Args:
        x: tensor of integers.
        y: tensor of integers: places.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.bitwise_right_shift([12, -8], 2)).tolist()
        [3, -2]
    """


@op(dtype=integers("x", "y"), oracle="numpy.left_shift")
def left_shift(x, y):
    """The bits moved up by `y` places; another name of `bitwise_left_shift`.

    Args:
        x: tensor of integers.
        y: tensor of integers: places.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.left_shift([1, 3], 2)).tolist()
        [4, 12]
    """
    return bitwise_left_shift(x, y)


@op(dtype=integers("x", "y"), oracle="numpy.right_shift")
def right_shift(x, y):
    """The bits moved down by `y` places; another name of `bitwise_right_shift`.

    Args:
        x: tensor of integers.
        y: tensor of integers: places.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.right_shift([12, -8], 2)).tolist()
        [3, -2]
    """
    return bitwise_right_shift(x, y)


# --- divisors
@op(dtype=integers("x1", "x2"), oracle="numpy.gcd")
def gcd(x1, x2):
    """The greatest common divisor, by Euclid's algorithm; it is not negative, and that of 0 and 0 is 0.

    Args:
        x1, x2: tensors of integers whose shapes broadcast.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.gcd([12, -20], [18, 8])).tolist()
        [6, 4]
    """
    a, b = e.absolute(x1), e.absolute(x2)
    both = e.add(a, b)  # of the shape that both broadcast to
    a, b = e.add(a, s.zeros_like(both)), e.add(b, s.zeros_like(both))

    def step(a: Any, b: Any) -> Any:
        rest = e.where(e.equal(b, 0), 0, e.mod(a, e.where(e.equal(b, 0), 1, b)))
        return e.where(e.equal(b, 0), a, b), rest

    a, _ = control.while_loop(lambda a, b: r.any(e.not_equal(b, 0)), step, (a, b))
    return a


@op(dtype=integers("x1", "x2"), oracle="numpy.lcm")
def lcm(x1, x2):
    """The least common multiple; it is not negative, and 0 where either is 0.

    Args:
        x1, x2: tensors of integers whose shapes broadcast.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.lcm([4, 0], [6, 5])).tolist()
        [12, 0]
    """
    divisor = gcd(x1, x2)
    return e.absolute(e.multiply(e.floor_divide(x1, e.where(e.equal(divisor, 0), 1, divisor)), x2))


# --- the same bits, or the nearest value, in another dtype
_BITS = {
    **dict.fromkeys(("bool", "uint8", "int8", "float8_e4m3fn", "float8_e5m2"), 8),
    **dict.fromkeys(("uint16", "int16", "float16", "bfloat16"), 16),
    **dict.fromkeys(("uint32", "int32", "float32"), 32),
    **dict.fromkeys(("uint64", "int64", "float64", "complex64"), 64),
    "complex128": 128,
}


def _viewed(x: Spec, dtype: str) -> Spec:
    have, want = _BITS[x.dtype], _BITS[dtype]
    if have == want:
        return Spec(x.shape, dtype)
    if not x.shape:
        raise ShapeError(f"A scalar of {x.dtype} cannot be read as {dtype}: the sizes differ, so it needs an axis.")
    last = x.shape[-1]
    if last is not None and last * have % want:
        raise ShapeError(f"The last axis of the shape {x.shape} of {x.dtype} does not hold a whole number of {dtype}.")
    return Spec((*x.shape[:-1], None if last is None else last * have // want), dtype)


@op(dtype=mixes("x"), shape=_viewed, bits=True)
def _view(x, dtype):
    """The same bits as another dtype."""


def view(x: Any, dtype: Any = None) -> Any:
    """The same bits read as another dtype.

    Args:
        x: tensor.
        dtype: dtype name; None for that of x. If it has another size, the last axis becomes longer or shorter.

    Returns:
        Tensor of `dtype`.

    Raises:
        ShapeError: where the sizes do not fit.
        DtypeError: for bool, whose bits differ between frameworks.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.view(ops.convert_to_tensor([1.0]), "int32")).tolist()
        [1065353216]
    """
    have = dtype_of(x)
    dtype = have if dtype is None else dtypes.standardize(dtype)
    if have == dtype:
        return x if s.is_tensor(x) else s.convert_to_tensor(x)
    if "bool" in (have, dtype) or "string" in (have, dtype):
        raise DtypeError(f"The bits of {have} cannot be read as {dtype}. Convert the values with `ops.cast`.")
    if not isinstance(x, Spec):
        x = s.convert_to_tensor(x)
        if all(isinstance(d, int) for d in x.shape):
            _viewed(Spec(tuple(x.shape), have), dtype)  # the same error on every backend
    return _view(x, dtype)


_MIN_MAX = {
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    "float16": (-65504.0, 65504.0),
    "bfloat16": (-3.3895313892515355e38, 3.3895313892515355e38),
    "float32": (-3.4028234663852886e38, 3.4028234663852886e38),
    "float64": (-1.7976931348623157e308, 1.7976931348623157e308),
    "float8_e4m3fn": (-448.0, 448.0),
    "float8_e5m2": (-57344.0, 57344.0),
}


def _past(x: Any, have: str, limit: Any, upper: bool) -> Any:
    """Where x lies at or past a limit of another dtype; None where the dtype of x does not reach so far."""
    reach = _MIN_MAX[have][upper]
    compare = e.greater_equal if upper else e.less_equal
    if dtypes.is_float(have):
        infinite = float("inf") if upper else -float("inf")
        return e.equal(x, infinite) if abs(reach) < abs(limit) else compare(x, limit)
    inside = reach <= limit if upper else reach >= limit
    return None if inside else compare(x, limit)


@op(dtype=mixes("x"), name="saturate_cast")
def _saturate_cast(x, dtype):
    """`saturate_cast` to a dtype given by its standard name."""
    have = dtype_of(x)
    plain = have == dtype or have not in _MIN_MAX or dtype not in _MIN_MAX
    if plain or (dtypes.is_float(have) and dtypes.is_float(dtype) and _MIN_MAX[have][1] <= _MIN_MAX[dtype][1]):
        return e.cast(x, dtype)
    ends = [(limit, _past(x, have, limit, bool(i))) for i, limit in enumerate(_MIN_MAX[dtype])]
    inside = e.where(e.isnan(x), 0, x) if dtypes.is_float(have) and not dtypes.is_float(dtype) else x
    for _, past in ends:
        if past is not None:
            inside = e.where(past, 0, inside)
    out = e.cast(inside, dtype)
    for limit, past in ends:
        if past is not None:
            out = e.where(past, s.full_like(out, limit), out)
    return out


def saturate_cast(x: Any, dtype: Any) -> Any:
    """The tensor in another dtype; values that it cannot hold become the nearest that it can.

    Args:
        x: tensor. NaN becomes 0 in an integer dtype.
        dtype: dtype name.

    Returns:
        Tensor of `dtype`.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.saturate_cast([-3.0, 7.9, 300.0], "uint8")).tolist()
        [0, 7, 255]
    """
    return _saturate_cast(x, dtypes.standardize(dtype))
