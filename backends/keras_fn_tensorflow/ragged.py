"""Ragged tensors on TensorFlow: `tf.RaggedTensor`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

_REDUCTIONS = {
    "sum": tf.reduce_sum, "_prod": tf.reduce_prod, "mean": tf.reduce_mean, "amax": tf.reduce_max,
    "amin": tf.reduce_min, "any": tf.reduce_any, "all": tf.reduce_all,
}  # fmt: skip


class RaggedMethods:
    """The part of the backend on ragged tensors."""

    supports_ragged = True
    ragged_classes = frozenset([tf.RaggedTensor])

    def fill_up(self, x: Any) -> Any:
        return x.to_tensor()

    def row_count(self, x: Any) -> int:
        return int(x.nrows())

    def flat_rank(self, x: Any) -> int:
        return x.flat_values.shape.rank

    def map_flat(self, fn: Callable[..., Any], operands: list[Any]) -> Any:
        like = next(x for x in operands if isinstance(x, tf.RaggedTensor))
        return tf.ragged.map_flat_values(fn, *[_spread(x, like) for x in operands])

    def reduce_ragged(self, name: str, x: Any, axis: Any, keepdims: bool) -> Any:
        return _REDUCTIONS[name](x, axis=axis, keepdims=keepdims)

    def ragged_rows(self, x: Any, rows: Any) -> Any:
        return tf.gather(x, rows)

    def join_ragged(self, xs: list[Any], axis: int) -> Any:
        return tf.concat(xs, axis)

    def stack_ragged(self, xs: list[Any], axis: int) -> Any:
        return tf.stack(xs, axis)

    def expand_ragged(self, x: Any, axis: Any) -> Any:
        for a in (axis,) if isinstance(axis, int) else sorted(axis):
            x = tf.expand_dims(x, a)
        return x

    def squeeze_ragged(self, x: Any, axis: Any = None) -> Any:
        return tf.squeeze(x, axis)

    def flip_ragged(self, x: Any, axes: Sequence[int]) -> Any:
        return tf.reverse(x, axes)

    def tile_ragged(self, x: Any, repeats: Sequence[int]) -> Any:
        for _ in range(len(repeats) - x.shape.rank):
            x = tf.expand_dims(x, 0)
        return tf.tile(x, repeats)

    def split_ragged(self, x: Any, indices_or_sections: Any, axis: int) -> list[Any]:
        if isinstance(indices_or_sections, int):
            return tf.split(x, indices_or_sections, axis)
        starts = [0, *indices_or_sections]
        ends = [*indices_or_sections, x.nrows() if axis % x.shape.rank == 0 else x.bounding_shape(axis)]
        return tf.split(x, [end - start for start, end in zip(starts, ends, strict=True)], axis)

    def cumsum_ragged(self, x: Any, axis: int) -> Any:
        return tf.cumsum(x, axis)

    def elements_ragged(self, x: Any) -> Any:
        return tf.reshape(x.flat_values, [-1])


def _spread(x: Any, like: Any) -> Any:
    """A dense operand as it goes with the flat values: as it is where it has their last axes alone, else by rows."""
    if isinstance(x, tf.RaggedTensor) or not isinstance(x, tf.Tensor):
        return x
    if x.shape.rank < like.flat_values.shape.rank:
        return x
    shape = tf.experimental.DynamicRaggedShape.from_tensor(like)
    return tf.broadcast_to(x, shape)
