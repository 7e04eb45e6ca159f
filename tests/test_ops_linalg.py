"""Matrices, control of gradients, casts and axes by name: values, dtypes, shapes without values, gradients, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

import keras_fn
from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, BackendError, KerasFnError, ShapeError, StructureError
from keras_fn.core.spec import Spec
from keras_fn.graph import Function
from keras_fn.layers.input_layer import Input


def host(x) -> np.ndarray:
    return ops.convert_to_numpy(x)


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).normal(size=shape).astype("float32")


def transposed(x: np.ndarray) -> np.ndarray:
    return np.swapaxes(x, -1, -2)


def unpacked(factors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The matrix that LU factors and the exchanges of its rows came from."""
    k = min(factors.shape)
    out = (np.tril(factors[:, :k], -1) + np.eye(len(factors), k)) @ np.triu(factors[:k])
    for i in reversed(range(k)):
        out[[i, rows[i]]] = out[[rows[i], i]]
    return out


SQUARE = draw(2, 3, 3) + 2 * np.eye(3, dtype="float32")
POSITIVE = SQUARE @ transposed(SQUARE) + np.eye(3, dtype="float32")
TALL, WIDE = draw(2, 5, 3), draw(2, 3, 5)

# what an op gives, and what it should
VALUES = {
    "det": (lambda: ops.det(SQUARE), np.linalg.det(SQUARE)),
    "det of a singular matrix": (lambda: ops.det(np.ones((2, 2), "float32")), 0.0),
    "logdet": (lambda: ops.logdet(SQUARE), np.linalg.slogdet(SQUARE)[1]),
    "sign": (lambda: ops.slogdet(-SQUARE)[0], np.linalg.slogdet(-SQUARE)[0]),
    "inv": (lambda: ops.inv(SQUARE), np.linalg.inv(SQUARE)),
    "inv of ints": (lambda: ops.inv([[2, 0], [0, 4]]), [[0.5, 0], [0, 0.25]]),
    "inv of halves": (lambda: ops.inv(ops.cast([[2.0, 0.0], [0.0, 4.0]], "float16")), [[0.5, 0], [0, 0.25]]),
    "solve": (lambda: ops.solve(SQUARE, WIDE), np.linalg.solve(SQUARE, WIDE)),
    "solve vectors": (lambda: ops.solve(SQUARE, WIDE[..., 0]), np.linalg.solve(SQUARE, WIDE)[..., 0]),
    "solve shared": (lambda: ops.solve(SQUARE[0], WIDE), np.linalg.solve(SQUARE[:1], WIDE)),
    "solve lower": (lambda: ops.solve_triangular(SQUARE, WIDE, True), np.linalg.solve(np.tril(SQUARE), WIDE)),
    "solve upper": (lambda: ops.solve_triangular(SQUARE, WIDE), np.linalg.solve(np.triu(SQUARE), WIDE)),
    "solve shared lower": (
        lambda: ops.solve_triangular(SQUARE[0], WIDE, True), np.linalg.solve(np.tril(SQUARE[:1]), WIDE),
    ),
    "cholesky": (lambda: ops.cholesky(POSITIVE), np.linalg.cholesky(POSITIVE)),
    "cholesky upper": (lambda: ops.cholesky(POSITIVE, upper=True), transposed(np.linalg.cholesky(POSITIVE))),
    "cholesky_inverse": (lambda: ops.cholesky_inverse(ops.cholesky(POSITIVE)), np.linalg.inv(POSITIVE)),
    "cholesky_inverse upper": (
        lambda: ops.cholesky_inverse(ops.cholesky(POSITIVE, True), True), np.linalg.inv(POSITIVE),
    ),
    "singular values": (lambda: ops.svd(TALL, compute_uv=False), np.linalg.svd(TALL, compute_uv=False)),
    "eigenvalues": (lambda: ops.eigh(POSITIVE)[0], np.linalg.eigvalsh(POSITIVE)),
    "pinv tall": (lambda: ops.pinv(TALL), np.linalg.pinv(TALL)),
    "pinv wide": (lambda: ops.pinv(WIDE), np.linalg.pinv(WIDE)),
    "pinv of a singular matrix": (lambda: ops.pinv(np.ones((2, 3), "float32")), np.full((3, 2), 1 / 6)),
    "pinv with a cutoff": (lambda: ops.pinv(np.diag([2.0, 0.1]).astype("float32"), 0.2), np.diag([0.5, 0.0])),
    "lstsq": (lambda: ops.lstsq(TALL, draw(2, 5, 2)), np.linalg.pinv(TALL) @ draw(2, 5, 2)),
    "lstsq of vectors": (lambda: ops.lstsq(WIDE, draw(2, 3)), (np.linalg.pinv(WIDE) @ draw(2, 3)[..., None])[..., 0]),
    "matrix_rank": (lambda: ops.matrix_rank(np.stack([np.eye(3), np.ones((3, 3))]).astype("float32")), [3, 1]),
    "matrix_rank absolute": (lambda: ops.matrix_rank(np.diag([5.0, 0.5, 0.01]).astype("float32"), 0.2), 2),
    "cdist": (lambda: ops.cdist(TALL, TALL), np.linalg.norm(TALL[:, :, None] - TALL[:, None], axis=-1)),
    "polar": (lambda: ops.polar([2.0, 1.0], [0.0, math.pi / 2]), [2, 1j]),
    **{
        f"norm {o}": (lambda o=o: ops.norm(TALL, o, (0, 2), True), np.linalg.norm(TALL, o, (0, 2), True))
        for o in (None, 1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc")
    },
    **{
        f"vector norm {o}": (lambda o=o: ops.norm(TALL, o, 1), np.linalg.norm(TALL, o, 1))
        for o in (None, 0, 1, -1, 2, 2.5, np.inf, -np.inf)
    },
    "norm of all": (lambda: ops.norm(TALL), np.linalg.norm(TALL.ravel())),
    "erfc": (lambda: ops.erfc([0.0, 3.0, -1.0]), [1.0, math.erfc(3.0), math.erfc(-1.0)]),
    "erfinv": (lambda: ops.erfinv([0.5, -0.9, 1.0, -1.0, 2.0]), [0.4769363, -1.1630871, np.inf, -np.inf, np.nan]),
    "sparse_sigmoid": (lambda: ops.sparse_sigmoid([-2.0, 0.0, 0.5, 3.0]), [0, 0.5, 0.75, 1]),
    "rearrange": (
        lambda: ops.rearrange(np.arange(24).reshape(2, 3, 4), "b (h w) c -> (b h) c w", h=3),
        np.arange(24).reshape(2, 3, 1, 4).transpose(0, 1, 3, 2).reshape(6, 4, 1),
    ),
    "rearrange the rest": (
        lambda: ops.rearrange(np.arange(24).reshape(2, 3, 4), "a ... b -> b a 1 (...)"),
        np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)[:, :, None],
    ),
    "saturate_cast": (lambda: ops.saturate_cast([-5.0, 1.7, 300.0, math.nan], "uint8"), [0, 1, 255, 0]),
    "saturate_cast large": (lambda: ops.saturate_cast([-3e9, 3e9, 7.0], "int32"), [-(2**31), 2**31 - 1, 7]),
    "saturate_cast of ints": (lambda: ops.saturate_cast([-300, 5, 300], "int8"), [-128, 5, 127]),
    "saturate_cast to halves": (lambda: ops.saturate_cast([1e6, -1e6, 2.0], "float16"), [65504, -65504, 2]),
    "associative_scan": (lambda: ops.associative_scan(ops.maximum, TALL, axis=1), np.maximum.accumulate(TALL, 1)),
    "associative_scan reversed": (
        lambda: ops.associative_scan(ops.add, np.arange(7), reverse=True), np.arange(7)[::-1].cumsum()[::-1],
    ),
    "associative_scan of a tree": (
        lambda: ops.associative_scan(
            lambda a, b: {"m": a["m"] * b["m"], "c": a["c"] * b["m"] + b["c"]},
            {"m": ops.convert_to_tensor([0.5] * 4), "c": ops.convert_to_tensor([1.0] * 4)},
        )["c"],
        [1.0, 1.5, 1.75, 1.875],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", VALUES)
def test_value(case):
    run, expected = VALUES[case]
    found = host(run())
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("x", [SQUARE, TALL, WIDE], ids=["square", "tall", "wide"])
@pytest.mark.parametrize("full", [True, False])
def test_svd_and_qr_rebuild_the_matrix(x, full):
    u, values, vh = map(host, ops.svd(x, full_matrices=full))
    k = values.shape[-1]
    np.testing.assert_allclose((u[..., :k] * values[..., None, :]) @ vh[..., :k, :], x, atol=1e-5)
    np.testing.assert_allclose(transposed(u) @ u, np.eye(u.shape[-1]) * np.ones((2, 1, 1)), atol=1e-5)
    q, r = map(host, ops.qr(x, "complete" if full else "reduced"))
    np.testing.assert_allclose(q @ r, x, atol=1e-5)
    np.testing.assert_allclose(transposed(q) @ q, np.eye(q.shape[-1]) * np.ones((2, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(r, np.triu(r), atol=1e-6)


def test_eigenvectors():
    values, vectors = map(host, ops.eigh(POSITIVE))
    np.testing.assert_allclose(POSITIVE @ vectors, vectors * values[:, None], atol=1e-4)
    assert (np.diff(values) >= 0).all()
    turn = np.array([[0.0, -1.0], [1.0, 0.0]], "float32")
    values, vectors = map(host, ops.eig(turn))
    assert values.dtype == vectors.dtype == np.complex64
    np.testing.assert_allclose(turn @ vectors, vectors * values, atol=1e-5)


@pytest.mark.parametrize("x", [SQUARE, TALL, WIDE, 0 * SQUARE], ids=["square", "tall", "wide", "zero"])
def test_lu_factors_rebuild_the_matrix(x):
    factors, rows = map(host, ops.lu_factor(x))
    assert rows.dtype == np.int32 and rows.shape == (len(x), min(x.shape[1:]))
    for f, r, matrix in zip(factors, rows, x, strict=True):
        np.testing.assert_allclose(unpacked(f, r), matrix, atol=1e-5)
        assert (np.abs(np.tril(f, -1)) <= 1 + 1e-6).all()


# --- shapes without values
SHAPES = {
    "cholesky": (ops.cholesky, [POSITIVE]), "det": (ops.det, [SQUARE]), "slogdet": (ops.slogdet, [SQUARE]),
    "inv": (ops.inv, [SQUARE]), "eig": (ops.eig, [SQUARE]), "eigh": (ops.eigh, [POSITIVE]),
    "lu_factor": (ops.lu_factor, [TALL]), "qr": (ops.qr, [WIDE]),
    "complete": (lambda x: ops.qr(x, "complete"), [TALL]), "svd": (ops.svd, [TALL]),
    "thin svd": (lambda x: ops.svd(x, full_matrices=False), [WIDE]),
    "svdvals": (lambda x: ops.svd(x, compute_uv=False), [WIDE]), "pinv": (ops.pinv, [TALL]),
    "rank": (ops.matrix_rank, [TALL]), "solve": (ops.solve, [SQUARE, WIDE]),
    "solve vectors": (ops.solve, [SQUARE, WIDE[..., 0]]), "triangular": (ops.solve_triangular, [SQUARE, WIDE]),
    "lstsq": (ops.lstsq, [TALL, draw(2, 5, 2)]), "cholesky_inverse": (ops.cholesky_inverse, [SQUARE]),
    "cdist": (ops.cdist, [TALL, WIDE[..., :3]]), "norm": (lambda x: ops.norm(x, 2, (1, 2)), [TALL]),
    "saturate_cast": (lambda x: ops.saturate_cast(x, "uint8"), [TALL]),
    "rearrange": (lambda x: ops.rearrange(x, "b (h w) c -> b w (h c)", h=1), [TALL]),
    "scan": (lambda x: ops.associative_scan(ops.add, x, axis=0), [TALL]), "erfc": (ops.erfc, [TALL]),
    "polar": (ops.polar, [TALL, TALL]), "custom": (ops.custom_gradient(lambda x: (x * 2.0, lambda g: g)), [TALL]),
}  # fmt: skip


def listed(x) -> list:
    return list(x) if isinstance(x, (tuple, list)) else [x]


@pytest.mark.parametrize("hidden", ["nothing", "batch", "all"])
@pytest.mark.parametrize("case", SHAPES)
def test_spec_is_what_comes_out(case, hidden):
    fn, args = SHAPES[case]
    unknown = {"nothing": 0, "batch": 1, "all": 3}[hidden]
    specs = [Spec((None,) * min(unknown, a.ndim) + a.shape[unknown:], "float32") for a in args]
    inferred, real = listed(fn(*specs)), [host(x) for x in listed(fn(*args))]
    assert len(inferred) == len(real)
    for spec, x in zip(inferred, real, strict=True):
        assert spec.dtype == x.dtype
        assert len(spec.shape) == x.ndim
        assert all(s is None or s == d for s, d in zip(spec.shape, x.shape, strict=True))
        if hidden == "nothing":
            assert spec.shape == x.shape


def test_in_a_graph():
    x = Input((3, 3), dtype="float32")
    factors, rows = ops.lu_factor(x)
    double = ops.custom_gradient(lambda y: (y * 2.0, lambda g: g))
    run = Function(x, [ops.det(x), ops.solve(x, x), factors, rows, ops.pinv(x), double(x)])
    out = [host(y) for y in run(SQUARE)]
    np.testing.assert_allclose(out[0], np.linalg.det(SQUARE), rtol=1e-4)
    np.testing.assert_allclose(out[1], np.eye(3) * np.ones((2, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(unpacked(out[2][1], out[3][1]), SQUARE[1], atol=1e-5)
    np.testing.assert_allclose(out[4], np.linalg.inv(SQUARE), atol=1e-4)
    np.testing.assert_allclose(out[5], 2 * SQUARE)


# --- gradients
def positive(x):
    return ops.matmul(x, ops.swapaxes(x, -1, -2)) + ops.eye(3, dtype=x.dtype)


GRADIENTS = {
    "det": ops.det, "logdet": ops.logdet, "inv": ops.inv, "pinv": lambda x: ops.pinv(x[:, :2]),
    "pinv of the identity": lambda x: ops.pinv(ops.subtract(x, SQUARE[0] - np.eye(3))),
    "solve": lambda x: ops.solve(x, x[:, :2]), "triangular": lambda x: ops.solve_triangular(x, x, lower=True),
    "cholesky": lambda x: ops.cholesky(positive(x)), "cholesky_inverse": ops.cholesky_inverse,
    "eigh": lambda x: ops.eigh(positive(x))[0], "svd": lambda x: ops.svd(x, compute_uv=False),
    "qr": lambda x: ops.abs(ops.qr(x)[1]), "lu_factor": lambda x: ops.lu_factor(x)[0],
    "lstsq": lambda x: ops.lstsq(x[:, :2], x[:, 2]), "cdist": lambda x: ops.cdist(x, x * 2.0 + 1.0),
    "norm 3": lambda x: ops.norm(x, 3, 0), "nuclear norm": lambda x: ops.norm(x, "nuc"),
    "erfc": ops.erfc, "erfinv": lambda x: ops.erfinv(x * 0.2),
    "associative_scan": lambda x: ops.associative_scan(ops.multiply, x),
}  # fmt: skip


# float64, except where the framework is not asked to keep it (JAX)
PRECISE = host(ops.convert_to_tensor(np.zeros(1, "float64"))).dtype == np.float64
STEP, TOLERANCE = (1e-5, 1e-6) if PRECISE else (1e-2, 2e-2)


def slope(loss, x: np.ndarray, direction: np.ndarray) -> float:
    """The derivative of a scalar function along a direction, by central differences."""
    ahead, behind = (float(host(loss(x + way * STEP * direction))) for way in (1, -1))
    return (ahead - behind) / (2 * STEP)


@pytest.mark.parametrize("case", GRADIENTS)
def test_gradient(case):
    if not active.backend.differentiable:
        with pytest.raises(BackendError, match="no gradients"):
            keras_fn.value_and_grad(lambda: None, [])
        return
    kind = "float64" if PRECISE else "float32"
    fn, x, direction = GRADIENTS[case], SQUARE[0].astype(kind), draw(3, 3, seed=7).astype(kind)

    def loss(value):
        out = fn(ops.convert_to_tensor(value))
        weights = np.cos(np.arange(math.prod(out.shape))).reshape(tuple(out.shape)).astype(kind)
        return ops.sum(ops.multiply(out, weights))

    variable = keras_fn.Variable(x, dtype=kind)
    gradient = host(keras_fn.grad(lambda: loss(variable.value), variable)())
    np.testing.assert_allclose((gradient * direction).sum(), slope(loss, x, direction), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("signature", ["upstream", "args"])
def test_custom_gradient(signature):
    def backward(upstream):
        return upstream * 10.0, upstream * 100.0

    def star(*args, upstream=None):
        return backward(args[0] if upstream is None else upstream)

    @ops.custom_gradient
    def product(a, b):
        return a * b, backward if signature == "upstream" else star

    a, b = keras_fn.Variable([2.0, 3.0]), keras_fn.Variable([4.0, 5.0])
    assert host(product(a, b)).tolist() == [8.0, 15.0]
    if active.backend.differentiable:
        grads = keras_fn.grad(lambda: ops.sum(product(a, b) * 2.0), [a, b])()
        assert [host(g).tolist() for g in grads] == [[20.0, 20.0], [200.0, 200.0]]


def test_jvp():
    def fn(x, y):
        return x * x * y, {"seen": x + y}

    x, y, direction = (ops.convert_to_tensor(v) for v in ([1.0, 2.0], [3.0, 4.0], [1.0, 0.5]))
    if not active.backend.differentiable:
        with pytest.raises(BackendError, match="no gradients"):
            ops.jvp(fn, (x, y), (direction, x), has_aux=True)
        return
    out, tangent, aux = ops.jvp(fn, (x, y), (direction, ops.zeros_like(y)), has_aux=True)
    assert host(out).tolist() == [3.0, 16.0]
    assert host(tangent).tolist() == [6.0, 8.0]
    assert host(aux["seen"]).tolist() == [4.0, 6.0]
    assert host(ops.jvp(ops.square, [x], [direction])[1]).tolist() == [2.0, 2.0]


# --- errors
ERRORS = {
    "not square": (lambda: ops.det(TALL), ShapeError, "must be square"),
    "no matrix": (lambda: ops.svd([1.0]), ShapeError, "2 dimensions or more"),
    "qr mode": (lambda: ops.qr(TALL, "full"), ArgumentError, "'reduced' or 'complete'"),
    "solve": (lambda: ops.solve(SQUARE, TALL), ShapeError, "3 rows were expected"),
    "lstsq": (lambda: ops.lstsq(TALL, WIDE), ShapeError, "as many rows"),
    "norm": (lambda: ops.norm(TALL[0], "spectral"), ArgumentError, "'nuc'"),
    "norm of three axes": (lambda: ops.norm(TALL, 2), ArgumentError, "one axis"),
    "cdist": (lambda: ops.cdist(TALL, WIDE), ShapeError, "as many coordinates"),
    "pattern": (lambda: ops.rearrange(TALL, "a b c"), ArgumentError, "two sides"),
    "pattern names": (lambda: ops.rearrange(TALL, "a b c -> a b"), ArgumentError, "both sides"),
    "pattern brackets": (lambda: ops.rearrange(TALL, "a (b c -> a b c"), ArgumentError, "not closed"),
    "pattern rank": (lambda: ops.rearrange(TALL, "a b -> b a"), ShapeError, "2 axes"),
    "pattern lengths": (lambda: ops.rearrange(TALL, "a (b d) c -> a b c d"), ArgumentError, "not known"),
    "pattern fit": (lambda: ops.rearrange(TALL, "a (b d) c -> a b c d", d=2), ShapeError, "does not fit"),
    "pattern extra": (lambda: ops.rearrange(TALL, "a b c -> c a b", z=2), ArgumentError, "no axis z"),
    "scan": (lambda: ops.associative_scan(ops.add, [np.ones(3), np.ones(4)]), ShapeError, "one length"),
    "gradient": (lambda: ops.custom_gradient(lambda x: x)(1.0), StructureError, "must return a pair"),
    "jvp": (lambda: ops.jvp(ops.square, (1.0,), (1.0, 2.0)), ArgumentError, "like `primals`"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    run, kind, message = ERRORS[case]
    with pytest.raises(kind, match=message) as found:
        run()
    assert isinstance(found.value, KerasFnError)
