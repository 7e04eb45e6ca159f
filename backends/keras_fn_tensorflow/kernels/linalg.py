"""Factors of matrices, equations and determinants by tf.linalg."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_fn.ops import equations


def cholesky(x: Any, upper: bool) -> Any:
    lower = tf.linalg.cholesky(x)
    return tf.linalg.adjoint(lower) if upper else lower


def svd(x: Any, full_matrices: bool, compute_uv: bool) -> Any:
    if not compute_uv:
        return tf.linalg.svd(x, compute_uv=False)
    values, u, v = tf.linalg.svd(x, full_matrices=full_matrices)
    return u, values, tf.linalg.adjoint(v)


def solve(a: Any, b: Any) -> Any:
    if a.shape[:-2] != b.shape[:-2]:
        batch = tf.broadcast_dynamic_shape(tf.shape(a)[:-2], tf.shape(b)[:-2])
        a, b = (tf.broadcast_to(x, tf.concat([batch, tf.shape(x)[-2:]], 0)) for x in (a, b))
    return tf.linalg.solve(a, b)


def pinv(x: Any, rcond: float | None) -> Any:
    """The composite, with a gradient that is finite where singular values are equal, too.

    Source of the gradient: https://doi.org/10.1137/0710036
    """

    @tf.custom_gradient
    def inverse(x: Any) -> Any:
        out = equations.pinv.fn(x, rcond)

        def gradient(upstream: Any) -> Any:
            p = pinv(x, rcond)
            pt, gt = tf.linalg.adjoint(p), tf.linalg.adjoint(upstream)
            rows = tf.eye(tf.shape(x)[-2], dtype=x.dtype) - x @ p
            columns = tf.eye(tf.shape(x)[-1], dtype=x.dtype) - p @ x
            return -(pt @ upstream @ pt) + rows @ gt @ p @ pt + pt @ p @ gt @ columns

        return out, gradient

    return inverse(x)


KERNELS: dict[str, Any] = {
    "_cholesky": cholesky,
    "_eig": lambda x: tuple(tf.linalg.eig(x)),
    "_eigh": lambda x: tuple(tf.linalg.eigh(x)),
    "_qr": lambda x, mode: tuple(tf.linalg.qr(x, full_matrices=mode == "complete")),
    "_svd": svd,
    "_slogdet": lambda x: tuple(tf.linalg.slogdet(x)),
    "_det": tf.linalg.det,
    "_solve": solve,
    "_solve_triangular": lambda a, b, lower: tf.linalg.triangular_solve(a, b, lower=lower),
    "_inv": tf.linalg.inv,
    "pinv": pinv,
}
