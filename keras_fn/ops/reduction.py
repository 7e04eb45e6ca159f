"""Ops that take many elements to one, and running totals."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes, limits, shapes
from keras_fn.core.op import DtypeRule, casts, floats, gives, op, promotes, same
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "cumprod", "cumsum", "logsumexp", "max",
    "mean", "min", "moments", "prod", "std", "sum", "var",
]  # fmt: skip


def reduces(x: Spec, axis: Any = None, keepdims: bool = False) -> shapes.Shape:
    """Shape rule of a reduction."""
    return shapes.reduce(x.shape, axis, keepdims)


def reduces_some(x: Spec, axis: Any = None, keepdims: bool = False) -> shapes.Shape:
    """Shape rule of a reduction that has no result for no elements."""
    limits.check_some(x.shape, axis)
    return shapes.reduce(x.shape, axis, keepdims)


def _wide(found: Any) -> tuple[str, str]:
    """Sums of small integers are taken in 32 bits."""
    name = dtypes.result_type(found)
    name = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}.get(name, name)
    return name, name


wide = DtypeRule(("x",), _wide)


@op(dtype=wide, shape=reduces, oracle="numpy.sum")
def sum(x, axis=None, keepdims=False):
    """Sum over axes.

    Args:
        x: tensor.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes summed over stay, with length 1.
    """


@op(dtype=wide, shape=reduces, oracle="numpy.prod")
def _prod(x, axis=None, keepdims=False):
    """Product over axes."""


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Product over axes, in `dtype` where one is given."""
    return _prod(x if dtype is None else e.cast(x, dtype), axis, keepdims)


@op(dtype=floats("x"), oracle="numpy.mean")
def mean(x, axis=None, keepdims=False):
    """Arithmetic mean over axes."""
    count = _count(x, axis)
    return e.true_divide(sum(x, axis, keepdims), count if isinstance(count, float) else e.cast(count, _name(x)))


def _name(x: Any) -> str:
    return x.dtype if isinstance(x, Spec) else dtypes.standardize(x.dtype)


def _count(x: Any, axis: Any) -> Any:
    """The number of elements that a reduction takes together; a tensor where it is only known at run time."""
    from keras_fn.ops.shape import shape

    dims = shape(x)
    count: Any = 1
    for i in shapes.canonical_axes(axis, len(dims)):
        if dims[i] is None:
            return Spec((), "int32")
        count = count * dims[i]
    return float(count) if isinstance(count, int) else count


@op(dtype=floats("x"), oracle="numpy.var")
def var(x, axis=None, keepdims=False):
    """Variance over axes: the mean squared distance from the mean."""
    centre = mean(x, axis, True)
    return mean(e.square(e.subtract(x, centre)), axis, keepdims)


@op(dtype=floats("x"), oracle="numpy.std")
def std(x, axis=None, keepdims=False):
    """Standard deviation over axes: the root of the variance."""
    return e.sqrt(var(x, axis, keepdims))


@op(dtype=same("x"), shape=reduces_some, oracle="numpy.max")
def amax(x, axis=None, keepdims=False):
    """Largest element over axes; NaN where there is one."""


@op(dtype=same("x"), shape=reduces_some, oracle="numpy.min")
def amin(x, axis=None, keepdims=False):
    """Smallest element over axes; NaN where there is one."""


def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Largest element over axes, and at least `initial` where that is given.

    Args:
        x: tensor.
        axis: int or tuple of ints; None for all axes.
        keepdims: whether the axes stay, with length 1.
        initial: number: what is there beside the elements, and the result where there are none.

    Raises:
        ShapeError: where there are no elements and no `initial`.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.max([[1.0, 7.0], [3.0, 2.0]], axis=1, initial=4.0)).tolist()
        [7.0, 4.0]
    """
    return _beside(amax, e.maximum, x, axis, keepdims, initial)


def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Smallest element over axes, and at most `initial` where that is given; arguments and errors as of `max`.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.min([[1.0, 7.0], [3.0, 9.0]], axis=1, initial=2.0)).tolist()
        [1.0, 2.0]
    """
    return _beside(amin, e.minimum, x, axis, keepdims, initial)


def _is_empty(x: Any) -> bool:
    """Whether it is known that there are no elements."""
    from keras_fn.ops.shape import shape

    return 0 in [d for d in shape(x) if isinstance(d, int)]


def _beside(extreme: Any, meet: Any, x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    """An extreme of the elements and `initial`."""
    if initial is None:
        return extreme(x, axis, keepdims)
    from keras_fn.ops.known import dtype_of

    if _is_empty(x):
        return e.add(e.cast(sum(x, axis, keepdims), dtype_of(x)), initial)  # 0 and the initial value
    return meet(extreme(x, axis, keepdims), initial)


@op(dtype=casts("bool", "x"), shape=reduces, oracle="numpy.any")
def any(x, axis=None, keepdims=False):
    """Whether some element over the axes is true (not zero)."""


@op(dtype=casts("bool", "x"), shape=reduces, oracle="numpy.all")
def all(x, axis=None, keepdims=False):
    """Whether every element over the axes is true (not zero)."""


@op(dtype=gives("int32", "x"), oracle="numpy.count_nonzero")
def count_nonzero(x, axis=None):
    """How many elements over the axes are not zero."""
    return sum(e.cast(e.not_equal(x, 0), "int32"), axis)


@op(dtype=gives("int32", "x"), shape=reduces_some, oracle="numpy.argmax")
def argmax(x, axis=None, keepdims=False):
    """Index of the largest element; the first one of equals."""


@op(dtype=gives("int32", "x"), shape=reduces_some, oracle="numpy.argmin")
def argmin(x, axis=None, keepdims=False):
    """Index of the smallest element; the first one of equals."""


@op(dtype=floats("x"))
def logsumexp(x, axis=None, keepdims=False):
    """`log(sum(exp(x)))` over axes, without overflow; minus infinity of no elements."""
    if _is_empty(x):
        return e.log(sum(e.exp(x), axis, keepdims))
    peak = e.stop_gradient(amax(x, axis, True))
    peak = e.where(e.isfinite(peak), peak, 0.0)
    total = e.log(sum(e.exp(e.subtract(x, peak)), axis, keepdims))
    return e.add(total, peak if keepdims else amax(peak, axis))


def _cumulative(x: Spec, axis: Any = None) -> shapes.Shape:
    if axis is None:
        return (shapes.size(x.shape),)
    shapes.canonical_axis(axis, len(x.shape))
    return x.shape


@op(dtype=promotes("x", at_least="int"), shape=_cumulative, oracle="numpy.cumsum")
def _cumsum(x, axis=None):
    """Running sum along an axis; of all elements in order where the axis is None."""


@op(dtype=promotes("x", at_least="int"), shape=_cumulative, oracle="numpy.cumprod")
def _cumprod(x, axis=None):
    """Running product along an axis; of all elements in order where the axis is None."""


def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along an axis; of all elements in order where the axis is None."""
    return _cumsum(x if dtype is None else e.cast(x, dtype), axis)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running product along an axis; of all elements in order where the axis is None."""
    return _cumprod(x if dtype is None else e.cast(x, dtype), axis)


@op(dtype=floats("x"))
def moments(x, axes, keepdims=False, synchronized=False):
    """Mean and variance over axes.

    Returns:
        A pair `(mean, variance)`.
    """
    centre = mean(x, axes, True)
    variance = mean(e.square(e.subtract(x, centre)), axes, keepdims)
    return (centre if keepdims else mean(centre, axes)), variance
