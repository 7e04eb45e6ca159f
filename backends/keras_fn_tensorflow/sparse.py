"""Sparse tensors on TensorFlow: `tf.SparseTensor`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


class SparseMethods:
    """The part of the backend on sparse tensors. Values are in the order of their places, as TensorFlow wants them."""

    supports_sparse = True
    sparse_classes = frozenset([tf.SparseTensor])

    def densify(self, x: Any) -> Any:
        if not len(x.shape):
            return tf.reshape(_total(x.values), ())
        return tf.scatter_nd(x.indices, x.values, x.dense_shape) if x.dtype != tf.bool else _dense_bools(x)

    def coordinates(self, x: Any) -> tuple[Any, Any]:
        return x.indices, x.values

    def from_coordinates(self, places: Any, values: Any, shape: Any, unique: bool = False) -> Any:
        size = tf.stack([tf.cast(d, tf.int64) for d in shape]) if len(shape) else tf.zeros((0,), tf.int64)
        places = tf.cast(places, tf.int64)
        if not len(shape):
            return tf.SparseTensor(tf.zeros((1, 0), tf.int64), tf.reshape(_total(values), (1,)), size)
        if unique:
            return tf.sparse.reorder(tf.SparseTensor(places, values, size))
        steps = tf.math.cumprod(size, exclusive=True, reverse=True)
        numbers = tf.reduce_sum(places * steps, axis=1)
        order = tf.argsort(numbers, stable=True)
        found, group = tf.unique(tf.gather(numbers, order), tf.int64)
        summed = _summed(tf.gather(values, order), group, tf.size(found))
        return tf.SparseTensor(found[:, None] // steps % size, summed, size)

    def map_values(self, fn: Callable[[Any], Any], x: Any) -> Any:
        return tf.SparseTensor(x.indices, fn(x.values), x.dense_shape)

    def sparse_reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        return tf.sparse.reshape(x, tf.stack([tf.cast(d, tf.int64) for d in shape]) if len(shape) else [])

    def sparse_matmul(self, x1: Any, x2: Any) -> Any:
        if x1.dtype not in _PRODUCTS:
            return _cast(self.sparse_matmul(_cast(x1, tf.float64), _cast(x2, tf.float64)), x1.dtype)
        if not isinstance(x1, tf.SparseTensor):
            return tf.transpose(self.sparse_matmul(tf.sparse.transpose(x2), tf.transpose(x1)))
        if not isinstance(x2, tf.SparseTensor):
            return tf.sparse.sparse_dense_matmul(x1, x2)
        raw = tf.raw_ops
        left, right = (
            raw.SparseTensorToCSRSparseMatrix(indices=x.indices, values=x.values, dense_shape=x.dense_shape)
            for x in (x1, x2)
        )
        product = raw.SparseMatrixSparseMatMul(a=left, b=right, type=x1.dtype)
        parts = raw.CSRSparseMatrixToSparseTensor(sparse_matrix=product, type=x1.dtype)
        return tf.SparseTensor(parts.indices, parts.values, parts.dense_shape)


_PRODUCTS = (tf.float32, tf.float64, tf.complex64, tf.complex128)


def _cast(x: Any, dtype: Any) -> Any:
    return tf.cast(x, dtype)


def _dense_bools(x: Any) -> Any:
    return tf.scatter_nd(x.indices, tf.cast(x.values, tf.int32), x.dense_shape) > 0


def _total(values: Any) -> Any:
    return tf.reduce_any(values) if values.dtype == tf.bool else tf.reduce_sum(values)


def _summed(values: Any, group: Any, count: Any) -> Any:
    if values.dtype == tf.bool:
        return tf.math.unsorted_segment_sum(tf.cast(values, tf.int32), group, count) > 0
    return tf.math.unsorted_segment_sum(values, group, count)
