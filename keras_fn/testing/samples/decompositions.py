"""Samples of matrix decompositions and equations. Where factors are not unique, what is compared is."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core.spec import REGISTRY
from keras_fn.testing.samples.sample import Sample, call, empty, floats, row

A, B = floats(3, 3, seed=4) + 3 * np.eye(3, dtype="float32"), floats(3, 2)
SPD = np.asarray(A @ A.T, "float32")
BATCH = np.stack([A, SPD])


def _op(name: str) -> Any:
    return REGISTRY[name]


def _transposed(x: Any) -> Any:
    return ops.swapaxes(x, -1, -2)


def _symmetric(x: Any) -> Any:
    """Frameworks read one triangle or both; where differences move single elements, that must not matter."""
    return ops.multiply(ops.add(x, _transposed(x)), 0.5)


def _cholesky(x: Any, upper: bool) -> Any:
    return _op("_cholesky")(_symmetric(x), upper)


def _eigh(x: Any) -> Any:
    values, vectors = _op("_eigh")(_symmetric(x))
    return values, ops.matmul(ops.multiply(vectors, ops.expand_dims(values, -2)), _transposed(vectors))


def _eig(x: Any) -> Any:
    """Eigenvalues in their order, and the size of each element of their vectors, whose phase is free."""
    values, vectors = _op("_eig")(x)
    order = ops.argsort(ops.real(values), -1)
    sizes = ops.square(ops.absolute(vectors))
    return ops.take_along_axis(ops.real(values), order, -1), ops.take_along_axis(sizes, ops.expand_dims(order, -2), -1)


def _eig_oracle(x: Any) -> Any:
    values, vectors = np.linalg.eigh(x)  # of a symmetric matrix
    return values, vectors**2


def _qr(x: Any, mode: str) -> Any:
    q, r = _op("_qr")(x, mode)
    return ops.matmul(q, r), ops.matmul(_transposed(q), q), ops.absolute(r)


def _qr_oracle(x: Any, mode: Any) -> Any:
    q, r = np.linalg.qr(x, mode)
    return x, np.swapaxes(q, -1, -2) @ q, np.abs(r)


def _svd(x: Any, full_matrices: bool) -> Any:
    u, s, v = _op("_svd")(x, full_matrices, True)
    k = s.shape[-1]
    u, v = ops.get_item(u, (..., slice(0, k))), ops.get_item(v, (..., slice(0, k), slice(None)))
    return s, ops.matmul(ops.multiply(u, ops.expand_dims(s, -2)), v)


def matrix(op: str, oracle: Any, *rest: Any, x: Any = SPD, **facts: Any) -> Sample:
    """A function of one square matrix, and of a batch of them."""
    many = np.stack([x, x + np.eye(x.shape[-1], dtype="float32")])
    calls = [call(x, *rest), call(many, *rest), empty(many[:0], *rest)]
    return row(op, *calls, **{"oracle": oracle, "grad": (0,), "grid": "none", "tolerance": 20.0, **facts})


SAMPLES = [
    matrix("_cholesky", lambda x, upper: np.linalg.cholesky(x), False, run=_cholesky, twice=True),
    matrix(
        "_cholesky_inverse",
        lambda x, upper: np.linalg.inv(x @ np.swapaxes(x, -1, -2)),
        False,
        x=np.asarray(np.linalg.cholesky(SPD), "float32"),
        tolerance=50.0,
    ),
    matrix("_eigh", lambda x: (np.linalg.eigvalsh(x), x), run=_eigh),
    matrix("_eig", _eig_oracle, run=_eig),
    matrix("_qr", _qr_oracle, "reduced", x=A, run=_qr),
    matrix("_svd", lambda x, full: (np.linalg.svd(x, compute_uv=False), x), False, x=A, run=_svd, tolerance=50.0),
    matrix("_slogdet", lambda x: tuple(np.linalg.slogdet(x)), x=A, twice=True),
    matrix("_det", np.linalg.det, x=A, twice=True),
    matrix("_inv", np.linalg.inv, x=A, twice=True),
    matrix("pinv", np.linalg.pinv, x=A),
    matrix("matrix_rank", np.linalg.matrix_rank, x=A, grad=()),
    matrix("lu_factor", None, x=A),
    row(
        "_solve",
        call(A, B),
        call(BATCH, np.stack([B, B])),
        empty(BATCH[:0], np.stack([B, B])[:0]),
        oracle=np.linalg.solve,
        grad=(0, 1),
        twice=True,
        grid="none",
        tolerance=20.0,
    ),
    row(
        "_solve_triangular",
        call(A, B, True),
        call(A, B, False),
        grad=(0, 1),
        at=(0, 1),
        grid="none",
        tolerance=20.0,
        oracle=lambda a, b, lower: np.linalg.solve(np.tril(a) if lower else np.triu(a), b),
        batched=(),
    ),
    row(
        "_lstsq",
        call(floats(5, 3), floats(5, 2), None),
        batched=(),
        grid="none",
        grad=(0, 1),
        tolerance=100.0,
        oracle=lambda a, b, rcond: np.linalg.lstsq(a, b, rcond)[0],
    ),
    row(
        "cdist",
        call(floats(4, 3), floats(5, 3)),
        call(floats(2, 4, 3), floats(2, 5, 3)),
        empty(floats(0, 3), floats(5, 3)),
        batched=(0,),
        oracle=lambda x, y: np.linalg.norm(x[..., :, None, :] - y[..., None, :, :], axis=-1),
        grad=(0, 1),
        grid="none",
        tolerance=20.0,
    ),
]
