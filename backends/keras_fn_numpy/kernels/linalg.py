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


# rows that are solved for at once, by the inverse of their block; the rest is products of matrices
_BLOCK = 32
# blocks that NumPy inverts, of which larger inverses are made
_SMALL = 8


def solve_triangular(a: Any, b: Any, lower: bool) -> Any:
    """By substitution, block by block."""
    n = a.shape[-1]
    if n <= _BLOCK:
        return np.linalg.solve(np.tril(a) if lower else np.triu(a), b)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    left = np.array(np.broadcast_to(b, (*batch, *b.shape[-2:])))
    starts = range(0, n, _BLOCK)
    inverses = _inverses(_diagonal_blocks(a if lower else a.swapaxes(-1, -2)))
    for i, start in list(enumerate(starts))[:: 1 if lower else -1]:
        rows = slice(start, min(start + _BLOCK, n))
        size = rows.stop - start
        inverse = inverses[i] if lower else inverses[i].swapaxes(-1, -2)
        left[..., rows, :] = inverse[..., :size, :size] @ left[..., rows, :]
        rest = slice(rows.stop, n) if lower else slice(0, start)
        if rest.start < rest.stop:
            left[..., rest, :] -= a[..., rest, rows] @ left[..., rows, :]
    return left


def _diagonal_blocks(a: Any) -> Any:
    """The lower triangles of the blocks on the diagonal `(blocks, …, rows, columns)`; the last one filled up with 1."""
    n = a.shape[-1]
    found = np.zeros((-(-n // _BLOCK), *a.shape[:-2], _BLOCK, _BLOCK), a.dtype)
    for block, start in zip(found, range(0, n, _BLOCK), strict=True):
        part = a[..., start : start + _BLOCK, start : start + _BLOCK]
        size = part.shape[-1]
        np.multiply(part, np.tri(size, dtype=a.dtype), out=block[..., :size, :size])
        block[..., range(size, _BLOCK), range(size, _BLOCK)] = 1
    return found


def _inverses(a: Any) -> Any:
    """Of lower triangles: from those of their halves, `[[A, 0], [C, B]]` giving `[[A', 0], [-B' C A', B']]`."""
    half = a.shape[-1] // 2
    if half * 2 <= _SMALL:
        return np.linalg.inv(a)
    first, second = _inverses(np.stack([a[..., :half, :half], a[..., half:, half:]]))
    out = np.zeros_like(a)
    out[..., :half, :half], out[..., half:, half:] = first, second
    np.negative(second @ a[..., half:, :half] @ first, out=out[..., half:, :half])
    return out


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
