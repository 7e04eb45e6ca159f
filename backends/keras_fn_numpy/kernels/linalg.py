"""Factors of matrices, equations and determinants by numpy.linalg."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.ops import equations


def eig(x: Any) -> Any:
    values, vectors = np.linalg.eig(x)
    name = "complex128" if x.dtype in (np.float64, np.complex128) else "complex64"
    return values.astype(name, copy=False), vectors.astype(name, copy=False)


def svd(x: Any, full_matrices: bool, compute_uv: bool) -> Any:
    out = np.linalg.svd(x, full_matrices, compute_uv)
    return tuple(out) if compute_uv else out


# rows that are solved for at once, as a full matrix; the rest is products of matrices
_BLOCK = 64


def solve_triangular(a: Any, b: Any, lower: bool) -> Any:
    """By substitution, block by block."""
    a = np.tril(a) if lower else np.triu(a)
    n = a.shape[-1]
    if n <= _BLOCK:
        return np.linalg.solve(a, b)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    left = np.array(np.broadcast_to(b, (*batch, *b.shape[-2:])))
    for start in range(0, n, _BLOCK) if lower else reversed(range(0, n, _BLOCK)):
        stop = min(start + _BLOCK, n)
        left[..., start:stop, :] = np.linalg.solve(a[..., start:stop, start:stop], left[..., start:stop, :])
        rest = slice(stop, n) if lower else slice(0, start)
        left[..., rest, :] -= a[..., rest, start:stop] @ left[..., start:stop, :]
    return left


def lstsq(a: Any, b: Any, rcond: float | None) -> Any:
    """LAPACK's, for a single matrix."""
    if a.ndim != 2 or b.ndim != 2 or not a.size or not b.size or a.dtype.kind != "f" or not np.isfinite(a).all():
        return equations._lstsq.fn(a, b, rcond)
    share = equations.least_share(a.shape[0], a.shape[1], a.dtype.name) if rcond is None else rcond
    return np.linalg.lstsq(a, b, share)[0].astype(a.dtype, copy=False)


KERNELS: dict[str, Any] = {
    "_cholesky": lambda x, upper: np.linalg.cholesky(x, upper=upper),
    "_eig": eig,
    "_eigh": lambda x: tuple(np.linalg.eigh(x)),
    "_qr": lambda x, mode: tuple(np.linalg.qr(x, mode)),
    "_svd": svd,
    "_slogdet": lambda x: tuple(np.linalg.slogdet(x)),
    "_det": np.linalg.det,
    "_solve": np.linalg.solve,
    "_lstsq": lstsq,
    "_solve_triangular": solve_triangular,
    "_inv": np.linalg.inv,
}
