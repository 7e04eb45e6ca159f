"""Decoders of labels without times."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

from keras_fn.core.spec import REGISTRY
from keras_fn_tensorflow.kernels.ranges import at_once


def _dense(found: Any, inputs: Any) -> Any:
    """Labels `(1, batch, times)`, filled up with -1."""
    found = tf.SparseTensor(found.indices, found.values, tf.shape(inputs, tf.int64)[:2])
    return tf.cast(tf.sparse.to_dense(found, -1), tf.int32)[None]


def _decodes(inputs: Any) -> bool:
    return inputs.dtype in (tf.float32, tf.float64) and 0 not in inputs.shape.as_list()


def greedy(inputs: Any, lengths: Any, merge_repeated: bool, blank: int) -> Any:
    """The labels by TensorFlow's op, and the score, which has a gradient, by others."""
    if not _decodes(inputs):
        return REGISTRY["_greedy"].fn(inputs, lengths, merge_repeated, blank)
    lengths = tf.cast(lengths, tf.int32)
    (found,), _ = tf.nn.ctc_greedy_decoder(tf.transpose(inputs, (1, 0, 2)), lengths, merge_repeated, blank)
    counted = tf.sequence_mask(lengths, tf.shape(inputs)[1])
    highest = tf.where(counted, tf.reduce_max(inputs, -1), tf.zeros((), inputs.dtype))
    return _dense(found, inputs), -tf.reduce_sum(highest, 1, True)


@functools.lru_cache(maxsize=16)
def _search(width: int, paths: int, blank: int) -> Any:
    body = REGISTRY["beam_search"].fn
    return tf.function(lambda x, lengths: body(x, lengths, width, paths, blank), autograph=False)


def beam_search(inputs: Any, lengths: Any, width: int, paths: int, blank: int) -> Any:
    """The body as one graph for each shape: eagerly, it is a hundred small ops for each time.

    TensorFlow's own op drops other beginnings than other backends where there are more than the beam holds.
    """
    if at_once(inputs) and at_once(lengths):
        return _search(width, paths, blank)(inputs, lengths)
    return REGISTRY["beam_search"].fn(inputs, lengths, width, paths, blank)


KERNELS: dict[str, Any] = {"_greedy": greedy, "beam_search": beam_search}
