"""Factors of matrices, equations and determinants by jax.numpy.linalg and jax.lax.linalg."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax


def lu_factor(x: Any) -> Any:
    factors, pivots, _ = lax.linalg.lu(x)
    return factors, pivots


def solve_triangular(a: Any, b: Any, lower: bool) -> Any:
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (jnp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (a, b))
    return lax.linalg.triangular_solve(a, b, left_side=True, lower=lower)


def eig(x: Any) -> Any:
    """With the derivatives of eigenvectors, which exist where all eigenvalues differ: JAX cannot see it, and asks."""
    return tuple(lax.linalg.eig(x, compute_left_eigenvectors=False, enable_eigvec_derivs=True))


def svd(x: Any, full_matrices: bool, compute_uv: bool) -> Any:
    out = jnp.linalg.svd(x, full_matrices, compute_uv)
    return tuple(out) if compute_uv else out


KERNELS: dict[str, Any] = {
    "_cholesky": lambda x, upper: jnp.linalg.cholesky(x, upper=upper),
    "_eig": eig,
    "_eigh": lambda x: tuple(jnp.linalg.eigh(x)),
    "lu_factor": lu_factor,
    "_qr": lambda x, mode: tuple(jnp.linalg.qr(x, mode)),
    "_svd": svd,
    "_slogdet": lambda x: tuple(jnp.linalg.slogdet(x)),
    "_det": jnp.linalg.det,
    "_solve": jnp.linalg.solve,
    "_solve_triangular": solve_triangular,
    "_inv": jnp.linalg.inv,
    "pinv": lambda x, rcond: jnp.linalg.pinv(x, rtol=rcond),
}
