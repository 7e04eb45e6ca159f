"""Factors of matrices. They work on the last two axes; all axes before them are a batch.

float16 and bfloat16, in which no framework factors matrices on all devices, are computed and returned in float32.
"""

from __future__ import annotations

from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import DtypeRule, op
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops import reduction as r

__all__ = ["cholesky", "eig", "eigh", "lu_factor", "qr", "svd"]


# --- dtypes and shapes
def factors(*params: str) -> DtypeRule:
    """All tensors to their common dtype: float32 at least, as kernels for matrices want."""

    def agree(*found: Any) -> tuple[str, str]:
        out = dtypes.at_least_float(dtypes.result_type(*found))
        out = out if out in ("float64", *dtypes.COMPLEX) else "float32"
        return out, out

    return DtypeRule(params, agree)


def matrix(x: Any) -> tuple[shapes.Shape, shapes.Dim, shapes.Dim]:
    """The dimensions of the batch, the rows and the columns."""
    dims = tuple(x.shape)
    if len(dims) < 2:
        raise ShapeError(f"A matrix, or a batch of them, is needed: 2 dimensions or more, and the shape is {dims}.")
    return dims[:-2], dims[-2], dims[-1]


def square(x: Any, *rest: Any) -> shapes.Shape:
    """The shape of a square matrix, or of a batch of them."""
    _, rows, columns = matrix(x)
    if None not in (rows, columns) and rows != columns:
        raise ShapeError(f"The matrices must be square, and their shape is {tuple(x.shape)}.")
    return tuple(x.shape)


def fewer(rows: shapes.Dim, columns: shapes.Dim) -> shapes.Dim:
    """The number of rows or of columns, whichever is less."""
    return None if rows is None or columns is None else min(rows, columns)


# --- the factors of square matrices
@op(dtype=factors("x"), shape=square)
def _cholesky(x, upper):
    """`cholesky` of matrices that were checked to be square."""


def cholesky(x: Any, upper: bool = False) -> Any:
    """The triangular matrix L for which `x = L @ L.T`.

    A matrix that is not positive definite has no such factor: an error, or NaN, as the framework does.

    Args:
        x: tensor `(..., n, n)` of symmetric positive definite matrices.
        upper: give the upper triangular `L.T` instead.

    Returns:
        Tensor in the shape of x.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.cholesky([[4.0, 2.0], [2.0, 5.0]])).tolist()
        [[2.0, 0.0], [1.0, 2.0]]
    """
    return checked(_cholesky, square, x, upper)


def checked(declared: Any, rule: Any, x: Any, *rest: Any) -> Any:
    """Runs an op; on tensors, too, bad shapes are refused here, in our words and on every backend alike."""
    x = x if hasattr(x, "shape") else s.convert_to_tensor(x)
    if not isinstance(x, Spec):
        rule(x, *rest)
    return declared(x, *rest)


def complex_of(dtype: str) -> str:
    """The complex dtype whose parts are as precise as a float (or complex) dtype."""
    return "complex128" if dtype in ("float64", "complex128") else "complex64"


def _eig_specs(x: Spec) -> tuple[Spec, Spec]:
    dims, name = square(x), complex_of(x.dtype)
    return Spec(dims[:-1], name), Spec(dims, name)


@op(dtype=factors("x"), shape=_eig_specs)
def _eig(x):
    """`eig` of matrices that were checked to be square."""


def eig(x: Any) -> tuple[Any, Any]:
    """Eigenvalues w and eigenvectors v of square matrices: `x @ v = v * w`.

    The order of the eigenvalues, and the length and phase of the vectors, are the framework's.

    Args:
        x: tensor `(..., n, n)`.

    Returns:
        A pair of complex tensors: the values `(..., n)`, and `(..., n, n)` with a vector in each column.

    Example:
        >>> from keras_fn import ops
        >>> values, vectors = ops.eig([[3.0, 0.0], [0.0, 3.0]])
        >>> ops.convert_to_numpy(values).tolist()
        [(3+0j), (3+0j)]
    """
    return checked(_eig, square, x)


def _eigh_specs(x: Spec) -> tuple[Spec, Spec]:
    dims = square(x)
    real = {"complex64": "float32", "complex128": "float64"}.get(x.dtype, x.dtype)
    return Spec(dims[:-1], real), Spec(dims, x.dtype)


@op(dtype=factors("x"), shape=_eigh_specs)
def _eigh(x):
    """`eigh` of matrices that were checked to be square."""


def eigh(x: Any) -> tuple[Any, Any]:
    """Eigenvalues w, in ascending order, and orthonormal eigenvectors v of symmetric matrices: `x = (v * w) @ v.T`.

    The sign of each vector is the framework's.

    Args:
        x: tensor `(..., n, n)` of symmetric matrices.

    Returns:
        A pair: the values `(..., n)`, and `(..., n, n)` with a vector in each column.

    Example:
        >>> from keras_fn import ops
        >>> values, vectors = ops.eigh([[2.0, 0.0], [0.0, 1.0]])
        >>> ops.convert_to_numpy(values).tolist()
        [1.0, 2.0]
    """
    return checked(_eigh, square, x)


# --- the factors of any matrices
@op(dtype=factors("x"))
def lu_factor(x):
    """The factors of a matrix with rows exchanged, `P @ x = L @ U`, in one tensor; as LAPACK's getrf packs them.

    Each step takes the row with the largest element of its column (partial pivoting).

    Args:
        x: tensor `(..., m, n)`.

    Returns:
        A pair. The factors `(..., m, n)`: U on and above the diagonal, L (whose diagonal is 1) below it. And int32
        `(..., min(m, n))`: row i was exchanged with this one, counted from 0, one after the other.

    Example:
        >>> from keras_fn import ops
        >>> factors, rows = ops.lu_factor([[2.0, 4.0], [4.0, 2.0]])
        >>> ops.convert_to_numpy(factors).tolist(), ops.convert_to_numpy(rows).tolist()
        ([[4.0, 2.0], [0.5, 3.0]], [1, 1])
    """
    batch, rows, columns = matrix(x)
    steps = fewer(rows, columns)
    if isinstance(x, Spec):
        return Spec(x.shape, x.dtype), Spec((*batch, steps), "int32")
    if not isinstance(steps, int):
        raise ShapeError(f"The numbers of rows and columns must be known to factor matrices, not {tuple(x.shape)}.")
    places = s.arange(rows, dtype="int32")
    chosen = []
    for step in range(steps):
        x, pivot = _eliminated(x, step, places)
        chosen.append(pivot)
    return x, s.stack(chosen, -1)


def _eliminated(x: Any, step: int, places: Any) -> tuple[Any, Any]:
    """One step of Gauss's elimination: the largest element below goes to the diagonal; what it leaves, and its row."""
    magnitude = e.where(e.less(places, step), -1.0, e.absolute(s.get_item(x, (..., step))))
    pivot = r.argmax(magnitude, -1)
    chosen = s.expand_dims(pivot, -1)
    # rows `step` and `pivot` change places
    order = e.where(e.equal(places, chosen), step, places)
    order = e.where(e.equal(places, step), chosen, order)
    x = s.take_along_axis(x, s.expand_dims(order, -1), -2)
    head, column = s.get_item(x, (..., slice(step, step + 1), slice(None))), s.get_item(x, (..., step))
    corner = s.get_item(x, (..., slice(step, step + 1), step))
    factor = e.true_divide(column, e.where(e.equal(corner, 0), 1, corner))
    factor = e.where(e.greater(places, step), factor, 0)
    beyond = s.arange(s.shape(x)[-1], dtype="int32")
    reduced = e.subtract(x, e.multiply(s.expand_dims(factor, -1), e.where(e.greater(beyond, step), head, 0)))
    stored = s.expand_dims(e.where(e.greater(places, step), factor, column), -1)
    return e.where(e.equal(beyond, step), stored, reduced), pivot


def _qr_shapes(x: Any, mode: str) -> tuple[shapes.Shape, shapes.Shape]:
    batch, rows, columns = matrix(x)
    middle = rows if mode == "complete" else fewer(rows, columns)
    return (*batch, rows, middle), (*batch, middle, columns)


@op(dtype=factors("x"), shape=_qr_shapes)
def _qr(x, mode):
    """`qr` with arguments that were checked."""


def qr(x: Any, mode: str = "reduced") -> tuple[Any, Any]:
    """Orthonormal Q and upper triangular R, `x = Q @ R`.

    The signs of the columns of Q (and so of the rows of R) are the framework's.

    Args:
        x: tensor `(..., m, n)`.
        mode: 'reduced' for a Q of `k = min(m, n)` columns, 'complete' for one of `k = m`.

    Returns:
        A pair: Q `(..., m, k)` and R `(..., k, n)`.

    Raises:
        ArgumentError: where `mode` is another one.

    Example:
        >>> from keras_fn import ops
        >>> q, r = ops.qr([[3.0], [4.0]])
        >>> abs(round(float(r[0, 0]), 4))
        5.0
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"`mode` must be 'reduced' or 'complete', not {mode!r}.")
    return checked(_qr, _qr_shapes, x, mode)


def _svd_specs(x: Spec, full_matrices: bool, compute_uv: bool) -> Any:
    batch, rows, columns = matrix(x)
    middle = fewer(rows, columns)
    real = {"complex64": "float32", "complex128": "float64"}.get(x.dtype, x.dtype)
    values = Spec((*batch, middle), real)
    if not compute_uv:
        return values
    left, right = ((*batch, rows, rows), (*batch, columns, columns)) if full_matrices else (
        (*batch, rows, middle), (*batch, middle, columns)
    )  # fmt: skip
    return Spec(left, x.dtype), values, Spec(right, x.dtype)


@op(dtype=factors("x"), shape=_svd_specs)
def _svd(x, full_matrices, compute_uv):
    """`svd` with all arguments given."""


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular values: `x = (u * s) @ vh` with orthonormal u and vh, and s in descending order.

    The sign of each pair of vectors (a column of u, a row of vh) is the framework's.

    Args:
        x: tensor `(..., m, n)`.
        full_matrices: whether u and vh are square, `(..., m, m)` and `(..., n, n)`; else `(..., m, k)` and
            `(..., k, n)` with `k = min(m, n)`.
        compute_uv: whether u and vh are wanted at all. Gradients through them need `full_matrices=False`.

    Returns:
        The three tensors u, s `(..., k)` and vh; or s alone.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.svd([[0.0, 2.0], [1.0, 0.0]], compute_uv=False)).tolist()
        [2.0, 1.0]
    """
    x = x if hasattr(x, "shape") else s.convert_to_tensor(x)
    matrix(x)
    return _svd(x, bool(full_matrices), bool(compute_uv))
