"""Factors of matrices, equations and determinants by numpy.linalg."""

from __future__ import annotations

from typing import Any

import numpy as np


def eig(x: Any) -> Any:
    values, vectors = np.linalg.eig(x)
    name = "complex128" if x.dtype in (np.float64, np.complex128) else "complex64"
    return values.astype(name, copy=False), vectors.astype(name, copy=False)


def svd(x: Any, full_matrices: bool, compute_uv: bool) -> Any:
    out = np.linalg.svd(x, full_matrices, compute_uv)
    return tuple(out) if compute_uv else out


def solve_triangular(a: Any, b: Any, lower: bool) -> Any:
    return np.linalg.solve(np.tril(a) if lower else np.triu(a), b)


KERNELS: dict[str, Any] = {
    "_cholesky": lambda x, upper: np.linalg.cholesky(x, upper=upper),
    "_eig": eig,
    "_eigh": lambda x: tuple(np.linalg.eigh(x)),
    "_qr": lambda x, mode: tuple(np.linalg.qr(x, mode)),
    "_svd": svd,
    "_slogdet": lambda x: tuple(np.linalg.slogdet(x)),
    "_det": np.linalg.det,
    "_solve": np.linalg.solve,
    "_solve_triangular": solve_triangular,
    "_inv": np.linalg.inv,
}
