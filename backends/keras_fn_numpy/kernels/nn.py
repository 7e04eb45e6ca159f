"""Faster ways for composites."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_fn.core.settings import epsilon as default_epsilon
from keras_fn.ops import activation, nn, reduction
from keras_fn_numpy.kernels.basic import sigmoid, softened


def class_loss(target: Any, log_p: Any, axis: int) -> Any:
    inside = (target >= 0) & (target < log_p.shape[axis])
    picked = np.take_along_axis(log_p, np.expand_dims(np.where(inside, target, 0), axis), axis)
    return np.where(inside, -np.squeeze(picked, axis), log_p.dtype.type(0))


_WIDE = (np.dtype("float32"), np.dtype("float64"))


def layer_normalization(x: Any, gamma: Any, beta: Any, axes: Any, epsilon: float) -> Any:
    """The body, in place."""
    if x.dtype not in _WIDE or axes != tuple(range(x.ndim - len(axes), x.ndim)):
        return nn._layer_normalization.fn(x, gamma, beta, axes, epsilon)
    z = x - x.mean(axes, keepdims=True)
    z *= 1 / np.sqrt(np.square(z).mean(axes, keepdims=True) + x.dtype.type(epsilon))
    if gamma is not None:
        z *= gamma
    if beta is not None:
        z += beta
    return z


def rms_normalization(x: Any, scale: Any, axes: Any, epsilon: float) -> Any:
    """The body, in place."""
    if x.dtype not in _WIDE or axes != tuple(range(x.ndim - len(axes), x.ndim)):
        return nn._rms_normalization.fn(x, scale, axes, epsilon)
    z = np.square(x)
    np.multiply(x, 1 / np.sqrt(z.mean(axes, keepdims=True) + x.dtype.type(epsilon)), out=z)
    if scale is not None:
        z *= scale
    return z


def batch_normalization(x: Any, mean: Any, variance: Any, axis: Any, offset: Any, scale: Any, epsilon: float) -> Any:
    """The body, in place."""
    if x.dtype not in _WIDE or mean.ndim != 1 or axis not in (-1, x.ndim - 1):
        return nn.batch_normalization.fn(x, mean, variance, axis, offset, scale, epsilon)
    factor = 1 / np.sqrt(variance + x.dtype.type(epsilon))
    factor = factor if scale is None else factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    z = x * factor
    z += shift
    return z


def moments(x: Any, axes: Any, keepdims: bool, synchronized: bool) -> Any:
    """Sums over the first axes as sums of long rows, some at a time; all else by the body."""
    places = () if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    first = len(places) < x.ndim and sorted(a % x.ndim for a in places) == [*range(len(places))]
    if x.dtype not in _WIDE or not places or not first or not x.size or not x.flags.c_contiguous:
        return reduction.moments.fn(x, axes, keepdims, synchronized)
    rest = x.shape[len(places) :]
    count, inner = math.prod(x.shape[: len(places)]), math.prod(rest)
    together = math.gcd(count, max(1, _ROW // inner))  # as many places are one row
    rows = x.reshape(-1, together * inner)
    blocks = [rows[i : i + _ROWS] for i in range(0, len(rows), _ROWS)]
    sums = np.zeros(rows.shape[1], x.dtype)
    for block in blocks:
        sums += block.sum(0)
    mean = sums.reshape(together, inner).sum(0) / x.dtype.type(count)
    centre, squares = np.tile(mean, together), np.zeros_like(sums)
    for block in blocks:
        apart = block - centre
        squares += np.square(apart, out=apart).sum(0)
    variance = squares.reshape(together, inner).sum(0) / x.dtype.type(count)
    shape = (*(1,) * len(places), *rest) if keepdims else rest
    return mean.reshape(shape), variance.reshape(shape)


# numbers in a row, and rows at a time
_ROW, _ROWS = 1024, 32


def binary_crossentropy(target: Any, output: Any, from_logits: bool) -> Any:
    """The body, in place."""
    if target.shape != output.shape or output.dtype not in _WIDE:
        return nn.binary_crossentropy.fn(target, output, from_logits)
    z = np.empty_like(output)
    if from_logits:
        np.negative(np.abs(output, out=z), out=z)
        np.log1p(np.exp(z, out=z), out=z)
        part = np.maximum(output, output.dtype.type(0))
        z += part
        z -= np.multiply(output, target, out=part)
        return z
    p = np.clip(output, default_epsilon(), 1.0 - default_epsilon())
    np.subtract(1, p, out=z)
    np.log(z, out=z)
    z *= 1 - target
    np.log(p, out=p)
    p *= target
    z += p
    return np.negative(z, out=z)


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    """The body, in place."""
    if x.dtype not in _WIDE or not x.size or not x.ndim:
        return reduction.logsumexp.fn(x, axis, keepdims)
    axis = tuple(axis) if isinstance(axis, list) else axis
    peak = x.max(axis, keepdims=True)
    if not np.isfinite(peak).all():
        return reduction.logsumexp.fn(x, axis, keepdims)
    z = x - peak
    total = np.log(np.exp(z, out=z).sum(axis, keepdims=True))
    total += peak
    return total if keepdims else np.squeeze(total, axis)


def silu(x: Any) -> Any:
    return x * sigmoid(x)


def softplus(x: Any) -> Any:
    """The body, in place."""
    if x.dtype not in _WIDE or not x.ndim:
        return activation.softplus.fn(x)
    z = np.abs(x)
    np.negative(z, out=z)
    np.log1p(np.exp(z, out=z), out=z)
    z += np.maximum(x, x.dtype.type(0))
    return z


def attention(
    query: Any, key: Any, value: Any, bias: Any, mask: Any, scale: float, is_causal: bool, flash: Any, soft_cap: Any
) -> Any:
    """The body for what is most common: matrices are multiplied as they lie, and scores are not copied."""
    one_each = query.shape[2] == key.shape[2] and query.shape[0] == key.shape[0] == value.shape[0]
    if flash or not one_each or query.dtype not in _WIDE:
        return nn._attention.fn(query, key, value, bias, mask, scale, is_causal, flash, soft_cap)
    scores = (query * query.dtype.type(scale)).transpose(0, 2, 1, 3) @ key.transpose(0, 2, 3, 1)
    if soft_cap is not None:
        scores /= soft_cap
        np.tanh(scores, out=scores)
        scores *= soft_cap
    if bias is not None:
        scores += bias
    if is_causal:
        causal = np.tri(*scores.shape[-2:], dtype=bool)
        mask = causal if mask is None else mask & causal
    if mask is not None:
        np.copyto(scores, scores.dtype.type(-3e38), where=~mask)
    if scores.size:
        scores -= scores.max(-1, keepdims=True)
    return (softened(scores, -1) @ value.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3)


KERNELS: dict[str, Any] = {
    "_attention": attention,
    "_class_loss": class_loss,
    "_layer_normalization": layer_normalization,
    "_rms_normalization": rms_normalization,
    "batch_normalization": batch_normalization,
    "binary_crossentropy": binary_crossentropy,
    "logsumexp": logsumexp,
    "moments": moments,
    "silu": silu,
    "softplus": softplus,
}
