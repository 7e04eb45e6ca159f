"""Linear equations, inverses and determinants. They work on the last two axes; all axes before them are a batch."""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import shapes
from keras_fn.core.errors import ShapeError
from keras_fn.core.op import DtypeRule, op
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r
from keras_fn.ops.contractions import matmul
from keras_fn.ops.decompositions import checked, factors, matrix, square, svd

__all__ = [
    "cholesky_inverse", "det", "inv", "logdet", "lstsq", "matrix_rank", "pinv", "slogdet", "solve", "solve_triangular",
]  # fmt: skip


# --- determinants
def _slogdet_specs(x: Spec) -> tuple[Spec, Spec]:
    batch = square(x)[:-2]
    real = {"complex64": "float32", "complex128": "float64"}.get(x.dtype, x.dtype)
    return Spec(batch, x.dtype), Spec(batch, real)


@op(dtype=factors("x"), shape=_slogdet_specs)
def _slogdet(x):
    """`slogdet` of matrices that were checked to be square."""


def slogdet(x: Any) -> tuple[Any, Any]:
    """The determinant as `sign * exp(logabsdet)`, which does not overflow.

    Args:
        x: tensor `(..., n, n)`.

    Returns:
        A pair of tensors `(...)`: the sign (0 where the determinant is), and the logarithm of the absolute value.

    Example:
        >>> from keras_fn import ops
        >>> sign, log = ops.slogdet([[0.0, 1.0], [1.0, 0.0]])
        >>> float(sign), float(log)
        (-1.0, 0.0)
    """
    return checked(_slogdet, square, x)


@op(dtype=factors("x"))
def _det(x):
    """`det` of matrices that were checked to be square."""
    sign, log = _slogdet(x)
    return e.multiply(sign, e.exp(log))


def det(x: Any) -> Any:
    """Determinants of square matrices: tensor `(..., n, n)` to `(...)`.

    Example:
        >>> from keras_fn import ops
        >>> round(float(ops.det([[2.0, 0.0], [0.0, 3.0]])), 4)
        6.0
    """
    return checked(_det, square, x)


def logdet(x: Any) -> Any:
    """Logarithms of the (absolute values of the) determinants of square matrices: tensor `(..., n, n)` to `(...)`.

    Example:
        >>> from keras_fn import ops
        >>> round(float(ops.logdet([[1.0, 0.0], [0.0, 1.0]])), 4)
        0.0
    """
    return slogdet(x)[1]


# --- equations
def _fits(a: Any, b: Any, *rest: Any) -> shapes.Shape:
    """The shape of the solution of `a @ x = b` for matrices."""
    dims = square(a)
    batch, rows, columns = matrix(b)
    if None not in (dims[-1], rows) and dims[-1] != rows:
        raise ShapeError(
            f"Equations of the shape {tuple(a.shape)} do not fit right hand sides of the shape {tuple(b.shape)}: "
            f"{dims[-1]} rows were expected."
        )
    return (*shapes.broadcast(dims[:-2], batch), dims[-1], columns)


@op(dtype=factors("a", "b"), shape=_fits)
def _solve(a, b):
    """`solve` for matrices on the right hand side."""


@op(dtype=factors("a", "b"), shape=_fits)
def _solve_triangular(a, b, lower):
    """`solve_triangular` for matrices on the right hand side."""


def _solved(declared: Any, a: Any, b: Any, *rest: Any) -> Any:
    """Runs an op for matrices on the right hand side on a vector (one dimension less than `a`), too."""
    a, b = (x if hasattr(x, "shape") else s.convert_to_tensor(x) for x in (a, b))
    vector = s.ndim(b) == s.ndim(a) - 1
    if vector:
        b = s.expand_dims(b, -1)
    if not isinstance(a, Spec) and not isinstance(b, Spec):
        _fits(a, b)
    out = declared(a, b, *rest)
    return s.squeeze(out, -1) if vector else out


def solve(a: Any, b: Any) -> Any:
    """The solution x of the linear equations `a @ x = b`.

    Args:
        a: tensor `(..., n, n)`.
        b: tensor `(..., n, k)`, or `(..., n)`: a vector for each matrix, where it has one dimension less than `a`.

    Returns:
        Tensor in the shape of `b`. A singular matrix is an error or gives what is not finite, as the framework does.

    Raises:
        ShapeError: where `a` is not square, or has not as many rows as `b`.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])).tolist()
        [1.0, 0.5]
    """
    return _solved(_solve, a, b)


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """The solution x of `a @ x = b` for triangular `a`, by substitution.

    Args:
        a: tensor `(..., n, n)`; the other triangle is not looked at.
        b: tensor `(..., n, k)` or `(..., n)`, as for `solve`.
        lower: whether the lower triangle counts, else the upper one.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.solve_triangular([[2.0, 0.0], [1.0, 1.0]], [2.0, 3.0], lower=True)).tolist()
        [1.0, 2.0]
    """
    return _solved(_solve_triangular, a, b, bool(lower))


def _identities(x: Any) -> Any:
    """An identity matrix that broadcasts to square matrices."""
    return Spec(x.shape[-2:], x.dtype) if isinstance(x, Spec) else s.eye(s.shape(x)[-1], dtype=s._dtype(x))


@op(dtype=factors("x"))
def _inv(x):
    """`inv` of matrices that were checked to be square."""
    return _solve(x, _identities(x))


def inv(x: Any) -> Any:
    """Inverses of square matrices, tensor `(..., n, n)`.

    A singular matrix is an error or gives what is not finite, as the framework does. To solve equations, `ops.solve`
    is faster and more exact.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.inv([[2.0, 0.0], [0.0, 4.0]])).tolist()
        [[0.5, 0.0], [0.0, 0.25]]
    """
    return checked(_inv, square, x)


@op(dtype=factors("x"))
def _cholesky_inverse(x, upper):
    """`cholesky_inverse` of matrices that were checked to be square."""
    inverse = _solve_triangular(x, _identities(x), not upper)
    across = s.swapaxes(inverse, -1, -2)
    return matmul(inverse, across) if upper else matmul(across, inverse)


def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverse of a matrix whose factor by `cholesky` is x.

    Args:
        x: tensor `(..., n, n)` of triangular matrices.
        upper: whether they are upper triangular.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.cholesky_inverse([[2.0, 0.0], [2.0, 1.0]])).tolist()
        [[1.25, -1.0], [-1.0, 1.0]]
    """
    return checked(_cholesky_inverse, square, x, bool(upper))


# --- any matrices
def epsilon(dtype: str) -> float:
    """The distance from 1 to the next number of a float (or complex) dtype of 32 or 64 bits a part."""
    return 2.0**-52 if dtype in ("float64", "complex128") else 2.0**-23


def least_share(rows: int, columns: int, dtype: str) -> float:
    """The share of the largest singular value up to which others count as 0, where none is given."""
    return 10 * max(rows, columns) * epsilon(dtype)


@op(dtype=factors("x"))
def pinv(x, rcond=None):
    """The pseudo-inverse of Moore and Penrose, by singular values. Source: https://doi.org/10.1017/S0305004100030401

    Args:
        x: tensor `(..., m, n)`.
        rcond: singular values up to this share of the largest one count as 0; None for `10 * max(m, n)` times the
            distance from 1 to the next number of the dtype.

    Returns:
        Tensor `(..., n, m)`.

    Example:
        >>> from keras_fn import ops
        >>> [[round(float(v), 4) for v in row] for row in ops.pinv([[2.0], [0.0]])]
        [[0.5, 0.0]]
    """
    batch, rows, columns = matrix(x)
    if isinstance(x, Spec):
        return Spec((*batch, columns, rows), x.dtype)
    if rcond is None:
        rcond = least_share(rows, columns, s._dtype(x))  # type: ignore[arg-type]
    u, values, vh = svd(x, full_matrices=False)
    kept = e.greater(values, e.multiply(r.amax(values, -1, True), rcond))
    scale = e.where(kept, e.true_divide(1.0, e.where(kept, values, 1.0)), 0.0)
    scaled = e.multiply(s.swapaxes(vh, -1, -2), s.expand_dims(scale, -2))
    return matmul(scaled, s.swapaxes(u, -1, -2))


@op(dtype=factors("a", "b"))
def _lstsq(a, b, rcond):
    """`lstsq` for matrices on the right hand side."""
    return matmul(pinv(a, rcond), b)


def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The x for which `a @ x` is closest to `b` (least squares), and among several the shortest.

    Args:
        a: tensor `(..., m, n)`.
        b: tensor `(..., m, k)`, or `(..., m)`: a vector for each matrix, where it has one dimension less than `a`.
        rcond: singular values up to this share of the largest one count as 0; None as for `pinv`.

    Returns:
        Tensor `(..., n, k)` or `(..., n)`.

    Raises:
        ShapeError: where `a` has not as many rows as `b`.

    Example:
        >>> from keras_fn import ops
        >>> [round(float(v), 4) for v in ops.lstsq([[1.0], [1.0]], [1.0, 3.0])]
        [2.0]
    """
    a, b = (x if hasattr(x, "shape") else s.convert_to_tensor(x) for x in (a, b))
    vector = s.ndim(b) == s.ndim(a) - 1
    rows, found = matrix(a)[1], tuple(b.shape)[-1 if vector else -2]
    if None not in (rows, found) and rows != found:
        raise ShapeError(f"`a` {tuple(a.shape)} and `b` {tuple(b.shape)} must have as many rows.")
    if not vector:
        return _lstsq(a, b, rcond)
    return s.squeeze(_lstsq(a, s.expand_dims(b, -1), rcond), -1)


_FACTORS = factors("x")


def _rank_dtypes(found: Any) -> tuple[str, str]:
    return _FACTORS.agree(found)[0] or "float32", "int32"


@op(dtype=DtypeRule(("x",), _rank_dtypes))
def matrix_rank(x, tol=None):
    """How many singular values of a matrix are not (as good as) 0.

    Args:
        x: tensor `(..., m, n)`.
        tol: singular values up to this count as 0; None for the largest one, times `max(m, n)`, times the distance
            from 1 to the next number of the dtype.

    Returns:
        int32 tensor `(...)`.

    Example:
        >>> from keras_fn import ops
        >>> int(ops.matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
        1
    """
    batch, rows, columns = matrix(x)
    if isinstance(x, Spec):
        return Spec(batch, "int32")
    values = svd(x, compute_uv=False)
    if tol is None:
        larger = max(rows or 1, columns or 1)
        tol = e.multiply(r.amax(values, -1, True), larger * epsilon(s._dtype(values)))
    return r.sum(e.cast(e.greater(values, tol), "int32"), -1)
