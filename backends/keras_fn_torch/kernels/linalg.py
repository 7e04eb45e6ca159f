"""Factors of matrices, equations and determinants by torch.linalg."""

from __future__ import annotations

from typing import Any

from torch import linalg

from keras_fn.core import dtypes
from keras_fn.ops import equations


def lu_factor(x: Any) -> Any:
    factors, pivots, _ = linalg.lu_factor_ex(x)  # which factors singular matrices, too
    return factors, pivots - 1  # torch counts from 1


def svd(x: Any, full_matrices: bool, compute_uv: bool) -> Any:
    return tuple(linalg.svd(x, full_matrices=full_matrices)) if compute_uv else linalg.svdvals(x)


def pinv(x: Any, rcond: float | None) -> Any:
    if rcond is None:
        rcond = equations.least_share(x.shape[-2], x.shape[-1], dtypes.standardize(x.dtype))
    return linalg.pinv(x, rtol=rcond)


KERNELS: dict[str, Any] = {
    "_cholesky": lambda x, upper: linalg.cholesky(x, upper=upper),
    "_eig": lambda x: tuple(linalg.eig(x)),
    "_eigh": lambda x: tuple(linalg.eigh(x)),
    "lu_factor": lu_factor,
    "_qr": lambda x, mode: tuple(linalg.qr(x, mode)),
    "_svd": svd,
    "_slogdet": lambda x: tuple(linalg.slogdet(x)),
    "_det": linalg.det,
    "_solve": linalg.solve,
    "_solve_triangular": lambda a, b, lower: linalg.solve_triangular(a, b, upper=not lower),
    "_inv": linalg.inv,
    "pinv": pinv,
}
