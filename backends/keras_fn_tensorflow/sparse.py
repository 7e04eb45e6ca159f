"""Sparse tensors on TensorFlow: `tf.SparseTensor`, and `tf.IndexedSlices`, which stores whole rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_fn.core.errors import ArgumentError


class SparseMethods:
    """The part of the backend on sparse tensors. Values are in the order of their places, as TensorFlow wants them."""

    supports_sparse = True
    sparse_classes = frozenset([tf.SparseTensor, tf.IndexedSlices])
    row_classes = frozenset([tf.IndexedSlices])

    def densify(self, x: Any) -> Any:
        if isinstance(x, tf.IndexedSlices):
            return tf.convert_to_tensor(x)
        if not len(x.shape):
            return tf.reshape(_total(x.values), ())
        return tf.scatter_nd(x.indices, x.values, x.dense_shape) if x.dtype != tf.bool else _dense_bools(x)

    def single_elements(self, x: Any) -> Any:
        if not isinstance(x, tf.IndexedSlices):
            return x
        x = _each_once(x)
        inside = tf.where(tf.ones(tf.shape(x.values), tf.bool))  # row in the values, and place within the row
        places = tf.concat([tf.gather(tf.cast(x.indices, tf.int64), inside[:, :1]), inside[:, 1:]], 1)
        return tf.SparseTensor(places, tf.reshape(x.values, (-1,)), tf.cast(x.dense_shape, tf.int64))

    def coordinates(self, x: Any) -> tuple[Any, Any]:
        x = self.single_elements(x)
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
        if isinstance(x, tf.IndexedSlices):
            x = _each_once(x)
            return tf.IndexedSlices(fn(x.values), x.indices, x.dense_shape)
        return tf.SparseTensor(x.indices, fn(x.values), x.dense_shape)

    def sparse_reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
        size = tf.stack([tf.cast(d, tf.int64) for d in shape]) if len(shape) else []
        return tf.sparse.reshape(self.single_elements(x), size)

    def sparse_matmul(self, x1: Any, x2: Any) -> Any:
        x1, x2 = self.single_elements(x1), self.single_elements(x2)
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


def _each_once(x: Any) -> Any:
    """Row slices with each row once, in order: those that are there several times are added, as they are meant."""
    if x.dense_shape is None:
        raise ArgumentError(
            "tf.IndexedSlices without a `dense_shape` came, and how many rows there are is not known: give it one."
        )
    found, group = tf.unique(x.indices)
    order = tf.argsort(found)
    values = tf.gather(_summed(x.values, group, tf.size(found)), order)
    return tf.IndexedSlices(values, tf.gather(found, order), x.dense_shape)


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
