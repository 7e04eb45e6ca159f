"""Factors of matrices, equations and determinants by torch.linalg."""

from __future__ import annotations

from typing import Any

import torch
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


def lstsq(a: Any, b: Any, rcond: float | None) -> Any:
    """LAPACK's solver by a complete orthogonal factorization; where gradients are wanted, or on a GPU, by `pinv`."""
    # torch.compile takes the shape of what LAPACK gives for one that depends on values
    recorded = torch.is_grad_enabled() and (a.requires_grad or b.requires_grad)
    if recorded or torch.compiler.is_compiling() or a.device.type != "cpu" or not a.numel() or not b.numel():
        return equations._lstsq.fn(a, b, rcond)
    if rcond is None:
        rcond = equations.least_share(a.shape[-2], a.shape[-1], dtypes.standardize(a.dtype))
    batch = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (x.expand(*batch, *x.shape[-2:]) for x in (a, b))
    return linalg.lstsq(a, b, rcond=rcond, driver="gelsy").solution


KERNELS: dict[str, Any] = {
    "_cholesky": lambda x, upper: linalg.cholesky(x, upper=upper),
    "_eig": lambda x: tuple(linalg.eig(x)),
    "_eigh": lambda x: tuple(linalg.eigh(x)),
    "lu_factor": lu_factor,
    "_qr": lambda x, mode: tuple(linalg.qr(x, mode)),
    "_svd": svd,
    "_slogdet": lambda x: tuple(linalg.slogdet(x)),
    "_det": linalg.det,
    "_lstsq": lstsq,
    "_solve": linalg.solve,
    "_solve_triangular": lambda a, b, lower: linalg.solve_triangular(a, b, upper=not lower),
    "_inv": linalg.inv,
    "pinv": pinv,
}
