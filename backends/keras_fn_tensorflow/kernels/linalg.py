"""Factors of matrices, equations and determinants by tf.linalg."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from keras_fn.core.spec import REGISTRY
from keras_fn.ops import equations
from keras_fn_tensorflow.kernels.gradients import with_gradient, with_gradient_of
from keras_fn_tensorflow.kernels.ranges import at_once


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

    def inverse(x: Any) -> Any:
        out = equations.pinv.fn(x, rcond)

        def gradient(upstream: Any) -> Any:
            p = pinv(x, rcond)
            pt, gt = tf.linalg.adjoint(p), tf.linalg.adjoint(upstream)
            rows = tf.eye(tf.shape(x)[-2], dtype=x.dtype) - x @ p
            columns = tf.eye(tf.shape(x)[-1], dtype=x.dtype) - p @ x
            return -(pt @ upstream @ pt) + rows @ gt @ p @ pt + pt @ p @ gt @ columns

        return out, gradient

    return with_gradient(inverse, x)


def lu_factor(x: Any) -> Any:
    """TensorFlow's op, with the gradient of the body, and its order of the rows as the exchanges that lead to it."""
    body = REGISTRY["lu_factor"].fn
    if not at_once(x) or not x.dtype.is_floating or x.shape[-1] != x.shape[-2] or 0 in x.shape.as_list():
        return body(x)
    try:
        found, order = tf.raw_ops.Lu(input=x)
    except tf.errors.InvalidArgumentError:  # it takes no singular matrices
        return body(x)
    rows = [_exchanges(row) for row in order.numpy().reshape(-1, x.shape[-1]).tolist()]
    factors = with_gradient_of(lambda x: body(x)[0], lambda _: found, x)
    return factors, tf.constant(np.array(rows, "int32").reshape(order.shape))


def _exchanges(order: list[int]) -> list[int]:
    """With which row each was exchanged, one after the other, so that the rows came into this order."""
    rows, places, found = list(range(len(order))), list(range(len(order))), []
    for step, row in enumerate(order):
        place, other = places[row], rows[step]
        rows[place], places[other] = other, place
        found.append(place)
    return found


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
    "lu_factor": lu_factor,
    "pinv": pinv,
}
