"""Ops that are called as in NumPy, against NumPy: values, dtypes, specs with and without unknown dimensions."""

from __future__ import annotations

import numpy as np
import pytest

import keras_fn
from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, DtypeError, ShapeError
from keras_fn.core.spec import Spec

NAN, INF = np.nan, np.inf


def draw(*shape: int, seed: int = 0, dtype: str = "float32") -> np.ndarray:
    values = np.random.default_rng(seed + sum(shape)).normal(size=shape) * (1 if "float" in dtype else 5)
    return values.astype(dtype)


def f32(*values: float) -> np.ndarray:
    return np.array(values, "float32")


def i32(*values: int) -> np.ndarray:
    return np.array(values, "int32")


def host(x) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(x))


def flat(result) -> list:
    """A result, or the several of them."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def compatible(inferred, real) -> bool:
    return len(inferred) == len(real) and all(a in (None, b) for a, b in zip(inferred, real, strict=True))


def row(name, *args, oracle=None, out=None, **kwargs):
    """An op, its arguments, and what gives the right answer; `out`: the dtype where it is not the oracle's."""
    label = f"{name}-{'-'.join('x'.join(map(str, np.shape(a))) or 's' for a in args if isinstance(a, np.ndarray))}"
    return pytest.param(name, args, kwargs, oracle or getattr(np, name), out, id=label)


def by_axis(function):
    return lambda x, axis=None, keepdims=False: function(x, axis=axis, keepdims=keepdims)


X, Y, CUBE = draw(3, 4), draw(3, 4, seed=1), draw(2, 3, 4)
ODD = f32(1.5, -2.5, 0.0, -0.0, INF, -INF, NAN, 1e-30, 1e30, -7.0)
OTHER = f32(-1.5, NAN, 0.0, 0.0, 3.0, INF, INF, 2e-30, -1e30, 3.0)
HOLES = np.array([[1.0, NAN, 3.0, -2.0], [NAN, NAN, NAN, NAN], [4.0, 2.0, NAN, NAN]], "float32")
K, L = draw(3, 4, dtype="int32"), np.abs(draw(3, 4, seed=1, dtype="int32")) + 1
B, C = X > 0, Y > 0
EMPTY, SCALAR = np.zeros((0, 3), "float32"), np.array(2.5, "float32")
Z = (X + 1j * Y).astype("complex64")

ELEMENTS = [
    *(row(name, x) for name in "cbrt exp2 fabs deg2rad rad2deg trunc isposinf isneginf".split()
      for x in (ODD,)),
    row("cbrt", EMPTY), row("exp2", SCALAR), row("isposinf", K),
    row("sinc", f32(0, 0.5, -1.25, NAN)), row("i0", X), row("signbit", ODD), row("signbit", K), row("trunc", K),
    *(row(name, x, y) for name in "hypot heaviside fmax fmin fmod logaddexp2 nextafter".split()
      for x, y in ((ODD, OTHER),)),
    row("hypot", X[:1], Y[:, :1]), row("fmod", SCALAR, SCALAR), row("nextafter", EMPTY, EMPTY), row("heaviside", K, L),
    row("fmod", K, L, out="int32"), row("fmod", -L, -K), row("fmax", K, L), row("fmin", B, C),
    row("nextafter", f32(0, -0.0, 1, 1e-45, -1e-45, INF), f32(-1, 1, 1, -1, 1, 0)),
    row("ldexp", f32(1.5, -3, 2e-38, 1, INF, 0), i32(3, -2, 250, -126, 5, 5)), row("ldexp", X, np.array(400, "int32")),
    row("isclose", ODD, OTHER), row("isclose", f32(1, 2, INF, NAN), f32(1.000001, 2.1, INF, NAN), equal_nan=True),
    row("isclose", f32(1, 2), f32(1.05, 2.5), rtol=0.1, atol=0.0), row("allclose", X, X + f32(1e-7), out="bool"),
    row("allclose", X, Y, out="bool"), row("isin", K, i32(1, -3, 5)), row("isin", X, f32(NAN), invert=True),
    row("isin", K, np.zeros(0, "int32")),
]  # fmt: skip
BITS = [
    *(row(name, x, y, oracle=getattr(np, name)) for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
      for x, y in ((K, L), (B, C))),
    row("bitwise_xor", K[:1].astype("uint16"), L[:, :1].astype("uint16")),
    *(row(name, x, oracle=np.bitwise_not) for name in ("bitwise_not", "bitwise_invert")
      for x in (K, B, L.astype("uint16"))),
    *(row(name, i32(1, -5, 3, -1, 7, -7), i32(0, 2, 31, 32, -1, 40), oracle=oracle)
      for names, oracle in ((("left_shift", "bitwise_left_shift"), np.left_shift),
                            (("right_shift", "bitwise_right_shift"), np.right_shift)) for name in names),
    row("left_shift", L.astype("uint8"), np.array(3, "uint8")),
    row("right_shift", -L.astype("int8"), np.array(1, "int8")),
    row("gcd", K, L), row("gcd", i32(0, -12, 0), i32(0, 18, 5)), row("lcm", K, L), row("lcm", i32(0, -4), i32(3, 6)),
    row("gcd", np.zeros((0, 2), "int32"), np.zeros((1, 2), "int32")),
    row("view", X, "int32", oracle=lambda x, d: x.view(d)), row("view", X, "int16", oracle=lambda x, d: x.view(d)),
    row("view", K.astype("int16"), "int32", oracle=lambda x, d: x.view(d)),
    row("saturate_cast", f32(-5, 0.5, 254.9, 255, 300, INF, -INF, NAN), "uint8",
        oracle=lambda x, d: np.array([0, 0, 254, 255, 255, 255, 0, 0], "uint8")),
    row("saturate_cast", f32(1, 3e9, -3e9, INF), "int32",
        oracle=lambda x, d: i32(1, 2**31 - 1, -(2**31), 2**31 - 1)),
    row("saturate_cast", i32(-1, 7, 300), "int8", oracle=lambda x, d: np.array([-1, 7, 127], "int8")),
    row("saturate_cast", f32(1e6, -INF, 2), "float16", oracle=lambda x, d: np.array([65504, -65504, 2], "float16")),
    row("saturate_cast", B, "int8", oracle=lambda x, d: x.astype(d)),
]  # fmt: skip
COMPLEX = [
    *(row(name, x) for name in ("real", "imag", "conj", "conjugate", "isreal", "angle") for x in (Z, X)),
    row("angle", f32(-1, 0, -0.0, 2)), row("isreal", np.array([1 + 0j, 1j], "complex64")),
    row("view_as_complex", draw(3, 2), oracle=lambda x: x[:, 0] + 1j * x[:, 1]),
    row("view_as_real", Z, oracle=lambda x: np.stack([x.real, x.imag], -1)),
]
FORM = [
    row("append", X, Y), row("append", X, Y, axis=1), row("append", SCALAR, X),
    *(row(name, [x, y], oracle=getattr(np, name)) for name in ("hstack", "vstack", "dstack")
      for x, y in ((X, Y), (X[0], Y[0]), (SCALAR, SCALAR))), row("dstack", [CUBE, CUBE], oracle=np.dstack),
    row("array_split", f32(*range(7)), 3), row("array_split", X, 3, axis=1), row("array_split", X, [1, 2], axis=1),
    row("hsplit", X, 2), row("hsplit", X[0], [1, 3]), row("vsplit", X, [2]), row("dsplit", CUBE, 2),
    row("fliplr", X), row("flipud", CUBE), *(row("rot90", X, k=k) for k in (1, 2, 3)),
    row("rot90", CUBE, k=1, axes=(2, 0)),
    row("diag", X[0]), *(row("diag", x, k=k) for k in (-2, 1) for x in (X[0], X)), row("diagflat", X, k=-1),
    row("diag", np.zeros(0, "float32"), k=2), row("diag", B[0]),
    *(row("diagonal", x, offset=k) for k in (-1, 2) for x in (X, CUBE)), row("diagonal", X, offset=9),
    row("diagonal", CUBE, offset=1, axis1=2, axis2=0), row("trace", X), row("trace", CUBE, offset=1, axis1=-1, axis2=0),
    row("trace", K.astype("int8"), out="int32"),
    row("copy", X), row("select", [B, C], [X, Y], default=-1.0), row("select", [B[:1], C[:, :1]], [K, L]),
]  # fmt: skip
PRODUCTS = [
    row("inner", X, Y), row("inner", X[0], Y[0]), row("inner", CUBE, X), row("inner", K, L), row("inner", B, C),
    row("inner", SCALAR, X), row("vdot", X, Y), row("vdot", Z, Z.conj()), row("vdot", X, Y.reshape(4, 3)),
    row("kron", X, Y[:2, :2]), row("kron", X[0], Y), row("kron", CUBE, X[0]), row("kron", K[0], L[0]),
    row("kron", SCALAR, SCALAR), row("cross", X[:, :3], Y[:, :3]), row("cross", CUBE, CUBE[::-1].copy(), axis=1),
    row("cross", CUBE, CUBE[::-1].copy(), axisa=1, axisb=1, axisc=0),
    row("cross", X[:, :2], Y[:, :2], oracle=lambda a, b: a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]),
    row("cross", X[:, :2], Y[:, :3], oracle=lambda a, b: np.cross(np.pad(a, ((0, 0), (0, 1))), b)),
    row("vander", X[0]), row("vander", i32(1, 2, -3), 4, increasing=True, out="int32"), row("vander", X[0], 0),
    row("correlate", X[0], Y[0, :3]), row("correlate", Y[0, :3], X[0], "same"),
    row("correlate", X[0], Y[0, :2], "full"),
    row("correlate", Z[0], Z[1, :2], "same"),
]  # fmt: skip
STATISTICS = [
    *(row(name, x, oracle=by_axis(getattr(np, name)), **kw)
      for name in ("median", "ptp")
      for x, kw in ((X, {"axis": 1}), (CUBE, {"axis": (0, 2), "keepdims": True}), (SCALAR, {}))),
    row("median", HOLES, axis=1), row("median", f32(1, INF)), row("median", K, out="float32"),
    *(row(name, x, q, axis=axis, method=method, keepdims=keep)
      for name, x, q, axis, method, keep in (
          ("quantile", HOLES[::2], 0.4, 1, "linear", False), ("quantile", X, 0.5, 1, "lower", True),
          ("quantile", CUBE, [0.1, 0.9], (0, 2), "higher", True), ("quantile", X, [0.25], 1, "midpoint", False),
          ("nanquantile", HOLES[::2], 0.4, 1, "linear", False), ("nanquantile", X, [0.2, 0.9], None, "nearest", True))),
    row("percentile", X, 30), row("nanpercentile", HOLES[::2], 70.0, axis=1),
    row("quantile", X, f32(0.2, 0.7), axis=0), row("nanmedian", HOLES[::2], axis=1),
    row("nanmedian", HOLES, keepdims=True),
    row("average", X), row("average", X, axis=0, weights=draw(3) ** 2), row("average", X, weights=Y**2, axis=1),
    row("average", K, axis=(0, 1), out="float32"), row("corrcoef", X), row("corrcoef", X[0]), row("corrcoef", Z),
    row("diff", X), row("diff", X, n=2, axis=0), row("diff", B), row("diff", X[:, :1], n=2), row("diff", K),
    row("trapezoid", X), row("trapezoid", X, dx=0.5, axis=0), row("trapezoid", X, f32(0, 1, 3, 4)),
    row("trapezoid", X, f32(0, 2, 5), axis=0), row("trapezoid", X, np.cumsum(Y**2, 1)),
]  # fmt: skip
NANS = [
    *(row(name, x, oracle=by_axis(getattr(np, name)), **kw)
      for name in "nansum nanprod nanmax nanmin nanmean nanvar nanstd".split()
      for x, kw in ((HOLES[::2], {"axis": 1}),)),
    row("nanmean", HOLES, keepdims=True), row("nanmax", CUBE, axis=(0, 2)), row("nanvar", X),
    row("nansum", HOLES, axis=1), row("nanprod", HOLES, axis=1), row("nancumsum", HOLES),
    row("nancumprod", HOLES, axis=1),
    row("nansum", K.astype("uint8"), out="uint32"), row("nanmean", K, out="float32"), row("nanmax", K),
    row("nanargmax", HOLES[::2], axis=1, out="int32"), row("nanargmin", HOLES, out="int32"),
    row("nanargmax", f32(NAN, -INF, NAN), oracle=lambda x: np.int32(1)),
    row("nanargmin", f32(NAN, NAN, INF, INF), oracle=lambda x: np.int32(2)),
    row("nanargmax", X, axis=0, keepdims=True, out="int32"), row("nanargmin", K, out="int32"),
]
PLACES = [
    row("digitize", X, f32(-0.5, 0, 0.5), out="int32"), row("digitize", f32(NAN, 0.5), f32(0, 1), out="int32"),
    row("searchsorted", f32(-1, 0, 0, 2), X, out="int32"),
    row("searchsorted", f32(0, 1, NAN), f32(NAN, 0), "right", out="int32"),
    row("searchsorted", i32(1, 2), np.array(1.5, "float32"), out="int32"),
    row("unravel_index", i32(0, 5, -1), (2, 3), oracle=lambda i, s: np.unravel_index(i % 6, s), out="int32"),
    row("argpartition", X, 2, axis=0, oracle=lambda x, k, axis: np.argsort(x, axis, kind="stable"), out="int32"),
    row("segment_max", X, i32(0, 2, 0), 4,
        oracle=lambda *a: np.stack([np.maximum(X[0], X[2]), X[0] * 0 - INF, X[1], X[0] * 0 - INF])),
    row("segment_min", K, i32(1, -1, 7), 2, oracle=lambda *a: np.stack([K[0] * 0 + np.iinfo("int32").max, K[0]])),
    row("segment_prod", X, i32(0, 0, 1), 3, oracle=lambda *a: np.stack([X[0] * X[1], X[2], X[0] * 0 + 1])),
    row("segment_max", B, i32(0, 0, 1), 3, oracle=lambda *a: np.stack([B[0] | B[1], B[2], B[0] & False])),
    row("scatter", i32(0, 2, 0).reshape(3, 1), f32(1, 2, 3), (4,), oracle=lambda *a: f32(4, 0, 2, 0)),
    row("scatter", np.array([[1, 1], [-1, 0]]), i32(5, 6), (3, 2),
        oracle=lambda *a: np.array([[0, 0], [0, 5], [6, 0]], "int32")),
    *(row("scatter_update", f32(1, 2, 3), i32(0, 0, -1).reshape(3, 1), f32(5, 7, 2), reduction,
          oracle=lambda *a, expected=expected: f32(*expected))
      for reduction, expected in (("add", (13, 2, 5)), ("max", (7, 2, 3)), ("min", (1, 2, 2)), ("mul", (35, 2, 6)))),
    row("scatter_update", X, i32(2, 0).reshape(2, 1), Y[:2], oracle=lambda *a: np.stack([Y[1], X[1], Y[0]])),
    row("scatter_update", X, i32(2, 2).reshape(2, 1), Y[:2], "mul",
        oracle=lambda *a: np.stack([*X[:2], X[2] * Y[0] * Y[1]])),
]  # fmt: skip
EVEN = [
    *(row(name, *ends, 5, **kw) for name in ("linspace", "logspace")
      for ends, kw in (((f32(0, 1), f32(2, -3)), {}),
          ((np.array(1.0, "float32"), f32(2, 3)), {"axis": 1, "endpoint": False}))),
    row("geomspace", f32(1, -8), f32(1000, -1), 4), row("geomspace", f32(1, 2), f32(16, 3), 4, endpoint=False, axis=-1),
]  # fmt: skip
TABLE = ELEMENTS + BITS + COMPLEX + FORM + PRODUCTS + STATISTICS + NANS + PLACES + EVEN


def in_double(args):
    """The arguments with floats in double precision, for an oracle that is exact."""
    return tree(lambda a: a.astype("float64") if getattr(a, "dtype", None) == "float32" else a, args)


def tree(f, args):
    return [tree(f, a) if isinstance(a, list) else f(a) for a in args]


# no argument is in double precision, so no result is, whatever NumPy makes of Python numbers
SINGLE = {"float64": "float32", "complex128": "complex64", "int64": "int32"}
EXACT = {"nextafter", "ldexp", "view", "view_as_complex", "saturate_cast"}  # what depends on the bits


@pytest.mark.parametrize("name,args,kwargs,oracle,out", TABLE)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_value_and_spec(name, args, kwargs, oracle, out):
    op = getattr(ops, name)
    result = flat(op(*tree(lambda a: ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a, args), **kwargs))
    expected = flat(oracle(*(args if name in EXACT else in_double(args)), **kwargs))
    plain = flat(oracle(*args, **kwargs))
    assert len(result) == len(expected)
    for ours, want, like in zip(result, expected, plain, strict=True):
        assert ops.dtype(ours) == (out or SINGLE.get(np.asarray(like).dtype.name, np.asarray(like).dtype.name))
        assert host(ours).shape == np.shape(want)
        np.testing.assert_allclose(host(ours), want, rtol=3e-5, atol=1e-6 if name != "hypot" else 0)

    specs = tree(lambda a: Spec(a.shape, a.dtype) if isinstance(a, np.ndarray) else a, args)
    inferred = flat(op(*specs, **kwargs))
    assert [(s.shape, s.dtype) for s in inferred] == [(tuple(r.shape), ops.dtype(r)) for r in result]

    if name in ("view_as_complex", "cross", "scatter_update", "scatter"):
        return  # some lengths must be known
    unknown = tree(lambda a: Spec((None,) * a.ndim, a.dtype) if isinstance(a, np.ndarray) else a, args)
    for spec, real in zip(flat(op(*unknown, **kwargs)), result, strict=True):
        assert spec.dtype == ops.dtype(real)
        assert compatible(spec.shape, tuple(real.shape))


# --- how many there are depends on values
COUNTED = [
    ("nonzero", (K,), {}, lambda x: np.nonzero(x)),
    ("nonzero", (CUBE > 0,), {}, lambda x: np.nonzero(x)),
    ("bincount", (i32(1, 3, 1),), {}, np.bincount),
    ("bincount", (i32(1, 3, 1),), {"weights": f32(1, 0.5, 2), "minlength": 6}, np.bincount),
    ("bincount", (np.zeros(0, "int32"),), {"minlength": 2}, np.bincount),
    ("bincount", (np.array([[1, 2, 2], [0, 0, 1]]),), {}, lambda x: np.stack([np.bincount(r, minlength=3) for r in x])),
    ("segment_sum", (f32(1, 2, 3), i32(0, 2, 0)), {}, lambda *a: f32(4, 0, 2)),
    ("segment_max", (f32(1, 2, 3), i32(0, 1, 0)), {}, lambda *a: f32(3, 2)),
    ("segment_prod", (np.zeros((0, 2), "float32"), np.zeros(0, "int32")), {}, lambda *a: np.zeros((0, 2), "float32")),
    *(
        ("unique", (x,), {"return_index": True, "return_inverse": True, "return_counts": True, "axis": axis}, np.unique)
        for x, axis in ((K, None), (K // 4, 1), (f32(NAN, 1, NAN, -INF, -0.0, 0.0), None), (B, None),
                        (np.zeros(0, "float32"), None))
    ),
]  # fmt: skip


@pytest.mark.parametrize("name,args,kwargs,oracle", COUNTED, ids=lambda v: v if isinstance(v, str) else "")
def test_results_of_a_length_that_depends_on_values(name, args, kwargs, oracle):
    result = flat(getattr(ops, name)(*args, **kwargs))
    expected = flat(oracle(*args, **kwargs))
    specs = flat(getattr(ops, name)(*(Spec(a.shape, a.dtype) for a in args), **kwargs))
    for ours, want, spec in zip(result, expected, specs, strict=True):
        np.testing.assert_allclose(host(ours), want, rtol=1e-6)
        assert spec.dtype == ops.dtype(ours)
        assert compatible(spec.shape, tuple(ours.shape))
        assert None in spec.shape or name == "unique"


def test_unique_of_a_fixed_size():
    x = i32(3, 1, 2, 3)
    asked = {"return_index": True, "return_inverse": True, "return_counts": True}
    result = ops.unique(x, size=5, **asked)
    assert [host(r).tolist() for r in result] == [[1, 2, 3, 1, 1], [1, 2, 0, 1, 1], [2, 0, 1, 2], [1, 1, 2, 0, 0]]
    assert host(ops.unique(x, size=2)).tolist() == [1, 2]
    assert host(ops.unique(x, size=4, fill_value=9)).tolist() == [1, 2, 3, 9]
    rows = ops.unique(np.array([[3, 1], [1, 2], [3, 1]], "int32"), size=4, axis=0)
    assert host(rows).tolist() == [[1, 2], [3, 1], [1, 2], [1, 2]]
    specs = ops.unique(Spec((None,), "int32"), size=5, **asked)
    assert [s.shape for s in specs] == [(5,), (5,), (None,), (5,)]
    assert {s.dtype for s in specs} == {"int32"}


@pytest.mark.parametrize("x,kwargs", [
    (X, {}), (X, {"bins": 3, "range": (-1.0, 0.5)}), (np.ones(4, "float32"), {"bins": 2}), (K, {"bins": 4}),
    (np.zeros(0, "float32"), {"bins": 3}), (X, {"range": (2.0, 2.0)}),
])  # fmt: skip
def test_histogram(x, kwargs):
    counts, edges = ops.histogram(x, **kwargs)
    want_counts, want_edges = np.histogram(x, **kwargs)
    assert host(counts).tolist() == want_counts.tolist()
    np.testing.assert_allclose(host(edges), want_edges, rtol=1e-6, atol=1e-7)
    assert (ops.dtype(counts), ops.dtype(edges)) == ("int32", "float32")
    specs = ops.histogram(Spec((None, 4), x.dtype), **kwargs)
    assert [(s.shape, s.dtype) for s in specs] == [(tuple(v.shape), ops.dtype(v)) for v in (counts, edges)]


@pytest.mark.parametrize("name,args", [
    ("bartlett", ()), ("blackman", ()), ("hamming", ()), ("hanning", ()), ("kaiser", (3.5,)),
])  # fmt: skip
def test_windows(name, args):
    for n in (0, 1, 2, 7, np.int32(8), ops.convert_to_tensor(5)):
        window = getattr(ops, name)(n, *args)
        np.testing.assert_allclose(host(window), getattr(np, name)(int(n), *args), atol=1e-7)
        assert ops.dtype(window) == "float32"
    with pytest.raises(ArgumentTypeError, match="length of the window"):
        getattr(ops, name)(2.5, *args)


def test_creation():
    assert host(ops.tri(3, 4, -1)).tolist() == np.tri(3, 4, -1).tolist()
    assert ops.dtype(ops.tri(2, dtype="int8")) == "int8"
    assert host(ops.array([[1, 2]], "float32")).tolist() == [[1.0, 2.0]]
    assert tuple(ops.empty((2, 0)).shape) == (2, 0)
    assert ops.dtype(ops.empty_like(B)) == "bool"
    assert ops.dtype(Spec((2,), "bfloat16")) == "bfloat16"
    out, step = ops.linspace(0, 5, 4, retstep=True, endpoint=False)
    assert (host(out).tolist(), float(host(step))) == ([0.0, 1.25, 2.5, 3.75], 1.25)
    assert host(ops.linspace(0, 5, 4, dtype="int32")).tolist() == [0, 1, 3, 5]
    assert host(ops.linspace(3.0, 9.0, 1)).tolist() == [3.0]
    assert tuple(ops.linspace(0, 1, 0).shape) == (0,)
    assert np.isnan(host(ops.linspace(3.0, 9.0, 1, retstep=True)[1]))


def test_copies_share_no_memory():
    x = np.ones(3, "float32")
    for made in (ops.copy(ops.convert_to_tensor(x)), ops.array(x)):
        before = host(made).copy()
        x += 1
        assert host(made).tolist() == before.tolist()


def test_quantiles_of_nothing_are_nan():
    assert np.isnan(host(ops.quantile(np.zeros(0, "float32"), 0.5)))
    assert np.isnan(host(ops.nanmedian(HOLES, axis=1))[1])
    assert host(ops.nanargmax(HOLES, axis=1)).tolist() == [2, -1, 0]
    assert np.isnan(host(ops.nanmax(HOLES, axis=1))[1])
    assert host(ops.quantile(f32(-INF, INF, INF), [0.0, 0.5, 1.0])).tolist() == [-INF, INF, INF]


def test_integers_divided_by_zero_leave_nothing():
    assert host(ops.fmod(i32(5, -5), i32(0, 0))).tolist() == [0, 0]


def test_vectorize():
    add = ops.vectorize(lambda a, b: a + b)
    np.testing.assert_allclose(host(add(X[:, :1], Y[:1])), X[:, :1] + Y[:1], rtol=1e-6)
    assert host(add(1.0, 2.0)) == 3.0
    dot = ops.vectorize(lambda a, b: ops.sum(a * b), signature="(n),(n)->()")
    np.testing.assert_allclose(host(dot(CUBE, X[0])), CUBE @ X[0], rtol=1e-5)
    both = ops.vectorize(lambda a: (a, ops.sum(a, -1)), signature="(n,m)->(n,m),(n)")
    assert [tuple(v.shape) for v in both(CUBE)] == [(2, 3, 4), (2, 3)]
    named = ops.vectorize(lambda a, *, power: a**power, excluded={"power"})
    np.testing.assert_allclose(host(named(X, power=2)), X**2, rtol=1e-6)
    assert dot(Spec((None, 4), "float32"), Spec((4,), "float32")).shape == (None,)
    with pytest.raises(ShapeError, match="'n' has the lengths 4 and 3"):
        dot(X, f32(1, 2, 3))
    with pytest.raises(ArgumentError, match="not of the form"):
        ops.vectorize(add, signature="n->n")


REFUSED = [
    (lambda: ops.bitwise_and(X, K), DtypeError, "whole numbers"),
    (lambda: ops.gcd(1.5, K), DtypeError, "whole numbers"),
    (lambda: ops.ldexp(X, Y), DtypeError, "exponents"),
    (lambda: ops.ptp(B), DtypeError, "bools"),
    (lambda: ops.bincount(X[0]), DtypeError, "whole numbers"),
    (lambda: ops.bincount(i32(1, -2)), ArgumentError, "-2 is negative"),
    (lambda: ops.bincount(CUBE.astype("int32") * 0), ShapeError, "vector or a matrix"),
    (lambda: ops.segment_max(X, f32(0, 1, 0), 2), DtypeError, "integers"),
    (lambda: ops.segment_max(X, i32(0, 1), 2), ShapeError, "broadcast"),
    (lambda: ops.view(B, "int8"), DtypeError, "bits of bool"),
    (lambda: ops.view(X[:, :3], "float64"), ShapeError, "whole number"),
    (lambda: ops.view(SCALAR, "int16"), ShapeError, "scalar"),
    (lambda: ops.view_as_complex(X), ShapeError, "2 parts"),
    (lambda: ops.diag(CUBE), ShapeError, "vector or a matrix"),
    (lambda: ops.diagonal(X[0]), ShapeError, "two dimensions"),
    (lambda: ops.fliplr(X[0]), ShapeError, "2 dimensions"),
    (lambda: ops.rot90(X, axes=(0, 0)), ShapeError, "named twice"),
    (lambda: ops.array_split(X, 0), ArgumentError, "1 part or more"),
    (lambda: ops.cross(X, X), ShapeError, "length 2 or 3"),
    (lambda: ops.inner(X, X[:, :2]), ShapeError, "differ in length"),
    (lambda: ops.vdot(X, X[:2]), ShapeError, "as many elements"),
    (lambda: ops.vander(X), ShapeError, "vector"),
    (lambda: ops.correlate(X, X[0]), ShapeError, "two vectors"),
    (lambda: ops.correlate(X[0], X[0], "all"), ArgumentError, "'valid', 'same' or 'full'"),
    (lambda: ops.quantile(X, 1.5), ArgumentError, "from 0 to 1"),
    (lambda: ops.percentile(X, 50, method="linaer"), ArgumentError, "Did you mean 'linear'"),
    (lambda: ops.argpartition(X, 4), ArgumentError, "out of range"),
    (lambda: ops.unravel_index(i32(6), (2, 3)), ArgumentError, "out of range"),
    (lambda: ops.nonzero(SCALAR), ShapeError, "scalar"),
    (lambda: ops.select([B], [X, Y]), ArgumentError, "1 conditions and 2 choices"),
    (lambda: ops.histogram(X, bins=0), ArgumentError, "1 or more"),
    (lambda: ops.histogram(X, range=(1, 0)), ArgumentError, "low <= high"),
    (lambda: ops.searchsorted(X, X), ShapeError, "one dimension"),
    (lambda: ops.searchsorted(X[0], X, side="up"), ArgumentError, "'left' or 'right'"),
    (lambda: ops.diff(X, n=-1), ArgumentError, "negative"),
    (lambda: ops.average(X, weights=draw(2), axis=0), ShapeError, "do not broadcast"),
    (lambda: ops.average(X, weights=draw(2)), ShapeError, "vector along one axis"),
    (lambda: ops.linspace(0, 1, -1), ArgumentError, "negative"),
    (lambda: ops.linspace(0, 1, 2.5), ArgumentError, "must be an int"),
    (lambda: ops.scatter_update(X, [[0]], Y[:1], "sum"), ArgumentError, "'mul', not 'sum'"),
    (lambda: ops.scatter_update(Spec((3, 4)), Spec((1, 3), "int32"), Spec((1,))), ShapeError, "last axis of `indices`"),
    (lambda: ops.unique(X, size=-1), ArgumentError, "negative"),
]


@pytest.mark.parametrize("call,kind,message", REFUSED, ids=[r[2] for r in REFUSED])
def test_refusals(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize("reduction", [None, "add", "max", "mul"])
@pytest.mark.parametrize("index", [3, -4])
def test_indices_out_of_range_are_an_error(index, reduction):
    from keras_fn.core.errors import KerasFnError

    with pytest.raises(Exception, match="(?i)out of (range|bounds)|does not index") as found:
        ops.scatter_update(f32(1, 2, 3), [[index]], f32(5), reduction)
    assert not isinstance(found.value, KerasFnError) or isinstance(found.value, IndexError)


DIFFERENTIABLE = [
    ("cbrt", (f32(0.5, -8, 2),)), ("hypot", (f32(0.5, -3, 0), f32(1, 0, 2))), ("sinc", (f32(0.3, 0, 2),)),
    ("logaddexp", (f32(1, 2, 4), f32(1, -3, 4))),
    ("logaddexp2", (f32(1, 2, 4), f32(1, -3, 4))), ("quantile", (X[0], 0.3)), ("diagonal", (X[:2],)),
    ("segment_max", (X[0, :3], i32(0, 0, 1), 2)), ("correlate", (X[0], X[1, :2])), ("i0", (X[0, :3],)),
    ("ldexp", (X[0, :3], i32(1, 2, -4))), ("scatter_update", (f32(1, 2, 3), [[0]], f32(5), "add")),
]  # fmt: skip


if active.backend.differentiable:

    @pytest.mark.parametrize("name,args", DIFFERENTIABLE, ids=[d[0] for d in DIFFERENTIABLE])
    def test_gradients_are_those_of_small_steps(name, args):
        place = next(i for i, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype == "float32")
        start = args[place]
        v = keras_fn.Variable(start)
        weights = np.arange(1, 1000, dtype="float32")

        def total(values):
            out = ops.reshape(getattr(ops, name)(*args[:place], values, *args[place + 1 :]), (-1,))
            return ops.sum(ops.multiply(out, weights[: out.shape[0]]))

        _, (gradient,) = keras_fn.value_and_grad(lambda: total(v), [v])()
        step = 1e-2 * np.eye(start.size, dtype="float32").reshape(start.size, *start.shape)
        differences = [(host(total(start + d)) - host(total(start - d))) / 2e-2 for d in step]
        np.testing.assert_allclose(host(gradient).reshape(-1), differences, rtol=2e-2, atol=5e-2)


# --- kernels that are not the plain call of the framework
@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "uint8"])
def test_top_k_takes_the_first_of_equal_elements(dtype):
    x = (np.arange(400).reshape(4, 100) * 37 % 11 + 1).astype(dtype)
    x[1] = x[1] if dtype == "uint8" else -x[1]
    order = np.argsort(-x.astype("float64"), -1, kind="stable")[:, :30]
    values, indices = ops.top_k(x, 30)
    assert host(indices).tolist() == order.tolist()
    assert host(values).tolist() == np.take_along_axis(x, order, -1).tolist()


def test_the_extreme_of_long_rows_with_nan_is_the_first_nan():
    x = np.random.default_rng(0).standard_normal((7, 1001)).astype("float32")
    x[1, 900], x[1, 950], x[4, 3], x[6, 1000] = [np.nan] * 4
    for name in ("argmax", "argmin"):
        for axis in (0, 1):
            assert host(getattr(ops, name)(x, axis)).tolist() == getattr(np, name)(x, axis).tolist()


EQUATIONS = "ij,jk->ik ij,kj->ki btnh,bsnh->bnts bij,bjk->kbi abc,cd->dab ij,ij->i ij,ij-> i,j->ij".split()


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum_of_two(equation):
    random, sizes = np.random.default_rng(0), dict(zip("abcdhijknst", range(2, 13), strict=True))
    a, b = (random.random([sizes[c] for c in p], "float32") for p in equation.partition("->")[0].split(","))
    np.testing.assert_allclose(host(ops.einsum(equation, a, b)), np.einsum(equation, a, b), rtol=1e-5)
