"""Normalisation by the statistics of the batch itself: what batch normalisation does in training."""

from __future__ import annotations

from keras_fn.core import shapes
from keras_fn.core.op import floats, op
from keras_fn.ops.elementwise import stop_gradient
from keras_fn.ops.nn import batch_normalization
from keras_fn.ops.reduction import moments
from keras_fn.ops.shape import ndim

__all__: list[str] = []  # a part of layers, and no public function


@op(dtype=floats("x", "offset", "scale"))
def _normalize_batch(x, axis, offset, scale, epsilon):
    """`(y, mean, variance)`: x normalised along all axes but one, and what it was normalised by, without gradients."""
    rank = ndim(x)
    place = shapes.canonical_axis(axis, rank)
    mean, variance = moments(x, tuple(a for a in range(rank) if a != place))
    y = batch_normalization(x, mean, variance, place, offset, scale, epsilon)
    return y, stop_gradient(mean), stop_gradient(variance)
