"""Samples of normalisation, attention, cross-entropies, convolution and pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.ops.batch_statistics import _normalize_batch
from keras_fn.testing.samples.sample import INF, NAN, Call, apart, array, bools, call, empty, floats, ints, row, special


def _batch_norm(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    dims = [1] * x.ndim
    dims[axis] = -1
    m, v, o, s = (None if a is None else np.reshape(a, dims) for a in (mean, variance, offset, scale))
    assert m is not None and v is not None
    return (x - m) / np.sqrt(v + epsilon) * (1 if s is None else s) + (0 if o is None else o)


def _normalized_batch(x: Any, axis: int, offset: Any, scale: Any, epsilon: float) -> Any:
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    mean, variance = x.mean(others), x.var(others)
    return _batch_norm(x, mean, variance, axis, offset, scale, epsilon), mean, variance


def _layer_norm(x: Any, gamma: Any, beta: Any, axes: Any, epsilon: float) -> Any:
    dims = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    out = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)
    return out * (1 if gamma is None else gamma.reshape(dims)) + (0 if beta is None else beta.reshape(dims))


def _group_norm(x: Any, gamma: Any, beta: Any, groups: int, axis: int, epsilon: float) -> Any:
    parts = np.stack(np.split(np.moveaxis(x, axis, -1), groups, -1), 1)
    axes = tuple(range(2, parts.ndim))
    parts = (parts - parts.mean(axes, keepdims=True)) / np.sqrt(parts.var(axes, keepdims=True) + epsilon)
    out = np.concatenate(np.moveaxis(parts, 1, 0), -1)
    out = (out if gamma is None else out * gamma) + (0 if beta is None else beta)
    return np.moveaxis(out, -1, axis)


def _rms_norm(x: Any, scale: Any, axes: Any, epsilon: float) -> Any:
    out = x / np.sqrt((x * x).mean(axes, keepdims=True) + epsilon)
    return out if scale is None else out * scale.reshape([n if i in axes else 1 for i, n in enumerate(x.shape)])


def _attention(q: Any, k: Any, v: Any, bias: Any, mask: Any, scale: float, causal: bool, flash: Any, cap: Any) -> Any:
    k, v = (np.repeat(a, q.shape[2] // k.shape[2], 2) for a in (k, v))
    scores = np.einsum("bthd,bshd->bhts", q, k) * scale
    scores = scores if cap is None else np.tanh(scores / cap) * cap
    scores = scores if bias is None else scores + bias
    allowed = np.ones(scores.shape, bool) if mask is None else np.broadcast_to(mask, scores.shape)
    allowed = np.tril(allowed) if causal else allowed
    scores = np.where(allowed, scores, -1e30)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("bhts,bshd->bthd", weights / weights.sum(-1, keepdims=True), v)


def _binary(target: Any, output: Any, from_logits: bool = False) -> Any:
    if from_logits:
        return np.maximum(output, 0) - output * target + np.log1p(np.exp(-np.abs(output)))
    p = np.clip(output, 1e-7, 1 - 1e-7)
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def _log_p(output: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return output - np.log(np.exp(output).sum(axis, keepdims=True))
    return np.log(np.clip(output / output.sum(axis, keepdims=True), 1e-7, 1 - 1e-7))


def _categorical(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    return -(target * _log_p(output, from_logits, axis)).sum(axis)


def _class_loss(target: Any, log_p: Any, axis: int) -> Any:
    hot = np.moveaxis(np.expand_dims(target, -1) == np.arange(log_p.shape[axis]), -1, axis)
    return np.where(hot, -log_p, 0.0).sum(axis)


def _sparse(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    return _class_loss(target.astype(int), _log_p(output, from_logits, axis), axis)


def _multi_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    hot = (np.expand_dims(x, -1) == np.arange(num_classes)).max(-2)
    return (hot if axis in (-1, x.ndim - 1) else np.moveaxis(hot, -1, axis)).astype(dtype)


# --- convolution: the definition, place by place
def _conv(x: Any, kernel: Any, strides: Any, padding: str, data_format: str, dilation: Any) -> Any:
    if data_format == "channels_first":
        return np.moveaxis(_conv(np.moveaxis(x, 1, -1), kernel, strides, padding, "channels_last", dilation), -1, 1)
    *size, depth, filters = kernel.shape
    groups = x.shape[-1] // depth
    spans = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    if padding == "same":
        x = np.pad(
            x, [(0, 0), *(_same(n, k, s) for n, k, s in zip(x.shape[1:-1], spans, strides, strict=True)), (0, 0)]
        )
    places = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:-1], spans, strides, strict=True)]
    out = np.zeros((x.shape[0], *places, filters))
    each = filters // groups
    for place in np.ndindex(*places):
        at = tuple(slice(p * s, p * s + k, d) for p, s, k, d in zip(place, strides, spans, dilation, strict=True))
        window = x[(slice(None), *at)]
        for g in range(groups):
            part = window[..., g * depth : (g + 1) * depth].reshape(
                x.shape[0], np.prod(window.shape[1:-1], dtype=int) * depth
            )
            weights = kernel[..., g * each : (g + 1) * each].reshape(-1, each)
            out[(slice(None), *place, slice(g * each, (g + 1) * each))] = part @ weights
    return out


def _same(n: int, span: int, stride: int) -> tuple[int, int]:
    total = max((-(-n // stride) - 1) * stride + span - n, 0)
    return total // 2, total - total // 2


def _conv_transpose(x: Any, kernel: Any, strides: Any, crops: Any, data_format: str, dilation: Any) -> Any:
    """Each element adds its multiple of the kernel; then the borders are cut off (or, below 0, added)."""
    if data_format == "channels_first":
        return np.moveaxis(
            _conv_transpose(np.moveaxis(x, 1, -1), kernel, strides, crops, "channels_last", dilation), -1, 1
        )
    *size, filters, _ = kernel.shape
    full = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(x.shape[1:-1], strides, size, dilation, strict=True)]
    out = np.zeros((x.shape[0], *(f + max(-high, 0) for f, (_, high) in zip(full, crops, strict=True)), filters))
    for place in np.ndindex(*x.shape[1:-1]):
        for tap in np.ndindex(*size):
            at = tuple(p * s + t * d for p, s, t, d in zip(place, strides, tap, dilation, strict=True))
            out[(slice(None), *at)] += x[(slice(None), *place)] @ kernel[tap].T
    return out[(slice(None), *(slice(low, f - high) for f, (low, high) in zip(full, crops, strict=True)))]


def _pool(reduce: Any, fill: float) -> Any:
    def pool(x: Any, size: Any, strides: Any, padding: str, data_format: str) -> Any:
        if data_format == "channels_first":
            return np.moveaxis(pool(np.moveaxis(x, 1, -1), size, strides, padding, "channels_last"), -1, 1)
        if padding == "same":
            pads = [(0, 0), *(_same(n, k, s) for n, k, s in zip(x.shape[1:-1], size, strides, strict=True)), (0, 0)]
            x = np.pad(x.astype("float64"), pads, constant_values=fill)
        places = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:-1], size, strides, strict=True)]
        out = np.zeros((x.shape[0], *places, x.shape[-1]))
        for place in np.ndindex(*places):
            at = tuple(slice(p * s, p * s + k) for p, s, k in zip(place, strides, size, strict=True))
            out[(slice(None), *place)] = reduce(x[(slice(None), *at)], axis=tuple(range(1, len(size) + 1)))
        return out

    return pool


def _separable(x: Any, depthwise: Any, pointwise: Any, *rest: Any) -> Any:
    strides, _, data_format, _ = rest
    n = len(strides)
    return _conv(_depthwise(x, depthwise, *rest), pointwise, (1,) * n, "valid", data_format, (1,) * n)


def _depthwise(x: Any, kernel: Any, *rest: Any) -> Any:
    *size, channels, multiplier = kernel.shape
    return _conv(x, kernel.reshape(*size, 1, channels * multiplier), *rest)


LAST, FIRST = "channels_last", "channels_first"
IMAGE = floats(2, 5, 6, 3)
CONVS = [
    call(IMAGE, floats(3, 2, 3, 4), (1, 1), "valid", LAST, (1, 1)),
    call(IMAGE, floats(3, 2, 3, 4), (2, 1), "same", LAST, (1, 1)),
    call(IMAGE, floats(2, 2, 3, 4), (1, 1), "valid", LAST, (2, 3)),
    call(IMAGE, floats(2, 2, 3, 4), (2, 2), "same", LAST, (2, 1)),
    call(floats(2, 3, 5, 6), floats(3, 2, 3, 4), (1, 2), "same", FIRST, (1, 1)),
    call(floats(2, 5, 5, 4), floats(2, 2, 2, 6), (1, 1), "valid", LAST, (1, 1)),
    call(floats(2, 7, 3), floats(3, 3, 2), (2,), "same", LAST, (1,)),
    call(floats(1, 4, 3, 4, 2), floats(2, 2, 2, 2, 3), (1, 2, 1), "same", LAST, (1, 1, 1)),
    empty(floats(0, 5, 6, 3), floats(3, 2, 3, 4), (1, 1), "valid", LAST, (1, 1)),
    special(
        np.where(np.arange(36).reshape(1, 6, 6, 1) == 14, np.float32(NAN), floats(1, 6, 6, 1)),
        floats(2, 2, 1, 1),
        (1, 1),
        "valid",
        LAST,
        (1, 1),
    ),
]


def pools(values: Any = IMAGE) -> list[Call]:
    """Calls of a pooling op."""
    return [
        call(values, (2, 2), (2, 2), "valid", LAST),
        call(values, (3, 2), (2, 2), "same", LAST),
        call(floats(2, 3, 5, 6), (2, 3), (1, 2), "same", FIRST),
        call(floats(2, 7, 3), (3,), (2,), "same", LAST),
        call(apart(1, 4, 5, 4, 2), (2, 2, 2), (2, 1, 2), "valid", LAST),
        empty(floats(0, 4, 4, 2), (2, 2), (2, 2), "valid", LAST),
        special(array([[[NAN], [1.0], [2.0], [-INF]]]), (2,), (2,), "valid", LAST),
    ]


Q, K, V = floats(2, 4, 4, 3), floats(2, 5, 4, 3, seed=1), floats(2, 5, 4, 3, seed=2)

DECLARED = (_normalize_batch,)  # ops declare themselves where their module is imported

SAMPLES = [
    row(
        "batch_normalization",
        call(floats(2, 3, 4), floats(4), floats(4, low=0.5), -1),
        call(floats(2, 3, 4), floats(3), floats(3, low=0.5), 1, floats(3, seed=2), floats(3, seed=3), 0.01),
        empty(floats(0, 4), floats(4), floats(4, low=0.5), -1),
        oracle=_batch_norm,
        batched=(0,),
        grad=(0, 1, 2, 3, 4),
        at=(0, 1),
        twice=True,
        tolerance=5.0,
    ),
    row(
        "_normalize_batch",
        call(floats(2, 3, 4), -1, floats(4), floats(4, seed=1), 1e-3),
        call(floats(2, 3, 4), 1, None, None, 1e-2),
        call(floats(1, 4), -1, None, floats(4), 1e-3),
        special(array([[16.0, 3.0], [17.0, 3.0]]), -1, None, None, 1e-3),  # the second channel is constant
        oracle=_normalized_batch,
        tolerance=5.0,
    ),
    row(
        "_layer_normalization",
        call(floats(2, 3, 4), None, None, (2,), 1e-3),
        call(floats(2, 3, 4), floats(4), floats(4, seed=1), (2,), 1e-3),
        call(floats(2, 3, 4), floats(3, 4), floats(3, 4, seed=1), (1, 2), 1e-3),
        call(floats(2, 3, 4), floats(3), None, (1,), 1e-3),
        empty(floats(0, 4), floats(4), None, (1,), 1e-3),
        oracle=_layer_norm,
        batched=(0,),
        grad=(0, 1, 2),
        at=(0, 1, 2, 3),
        twice=True,
        grid="floats",
        tolerance=5.0,
    ),
    row(
        "_rms_normalization",
        call(floats(2, 3, 4), None, (2,), 1e-3),
        call(floats(2, 3, 4), floats(4), (2,), 1e-3),
        call(floats(2, 3, 4), floats(3), (1,), 1e-3),
        empty(floats(0, 4), floats(4), (1,), 1e-3),
        oracle=_rms_norm,
        batched=(0,),
        grad=(0, 1),
        at=(0, 1, 2),
        twice=True,
        grid="floats",
        tolerance=5.0,
    ),
    row(
        "_group_normalization",
        call(floats(2, 3, 4), None, None, 2, 2, 1e-3),
        call(floats(2, 3, 4), floats(4), floats(4, seed=1), 2, 2, 1e-3),
        call(floats(2, 4, 3, 2), floats(4), floats(4, seed=1), 4, 1, 1e-3),
        empty(floats(0, 3, 4), floats(4), None, 2, 2, 1e-3),
        oracle=_group_norm,
        batched=(0,),
        grad=(0, 1, 2),
        at=(0, 1, 2),
        twice=True,
        grid="floats",
        tolerance=5.0,
    ),
    row(
        "_attention",
        call(Q, K, V, None, None, 0.5, False, None, None),
        call(Q, K, V, floats(2, 4, 4, 5), None, 0.5, False, None, None),
        call(Q, K, V, None, bools(2, 1, 4, 5), 0.5, False, None, None),
        call(Q, K, V, None, None, 0.5, True, None, None),
        call(Q, K[:, :, :2], V[:, :, :2], None, None, 0.5, False, None, None),
        call(Q, K, V, None, None, 0.5, False, None, 2.0),
        empty(Q[:0], K[:0], V[:0], None, None, 0.5, False, None, None),
        oracle=_attention,
        grad=(0, 1, 2),
        at=(0, 1, 2, 3, 5),
        twice=True,
        grid="none",
        tolerance=5.0,
    ),
    row(
        "binary_crossentropy",
        call(floats(2, 3, low=0, high=1), floats(2, 3, low=0.1, high=0.9, seed=1)),
        call(floats(2, 3, low=0, high=1), floats(2, 3), from_logits=True),
        empty(floats(0, 2), floats(0, 2)),
        special(array([1.0, 0.0]), array([0.0, 0.0])),
        special(array([1.0, 0.0]), array([-100.0, 80.0]), from_logits=True),
        oracle=_binary,
        grad=(0, 1),
        at=(0, 1),
        twice=True,
        grid="floats",
        tolerance=20.0,
    ),
    row(
        "categorical_crossentropy",
        call(floats(2, 3, low=0, high=1), floats(2, 3, low=0.1, high=0.9, seed=1)),
        call(floats(2, 3, low=0, high=1), floats(2, 3), from_logits=True),
        call(floats(2, 3, low=0, high=1), floats(2, 3, low=0.1, high=0.9), axis=0),
        empty(floats(0, 3), floats(0, 3)),
        oracle=_categorical,
        grad=(0, 1),
        at=(0, 1, 2),
        twice=True,
        grid="floats",
        tolerance=20.0,
    ),
    row(
        "sparse_categorical_crossentropy",
        call(ints(4, high=3), floats(4, 3, low=0.1, high=0.9)),
        call(ints(4, high=3), floats(4, 3), from_logits=True),
        call(ints(2, 3, high=4), floats(2, 4, 3), from_logits=True, axis=1),
        empty(ints(0), floats(0, 3)),
        special(array([-1, 7, 1], "int32"), floats(3, 3), from_logits=True),
        oracle=_sparse,
        grad=(1,),
        at=(0, 1, 2),
        twice=True,
        grid="floats",
        zeros=False,
        tolerance=20.0,
    ),
    row(
        "_class_loss",
        call(ints(4, high=3), floats(4, 3), -1),
        call(ints(2, 3, high=4), floats(2, 4, 3), 1),
        empty(ints(0), floats(0, 3), -1),
        special(array([-1, 7, 1], "int32"), floats(3, 3), -1),
        oracle=_class_loss,
        grad=(1,),
        at=(0, 1),
        twice=True,
        grid="floats",
        zeros=False,
    ),
    row(
        "_mean_class_loss",
        call(ints(4, high=3), floats(4, 3), -1),
        call(ints(2, 3, high=4), floats(2, 4, 3), 1),
        special(array([-1, 7, 1], "int32"), floats(3, 3), -1),
        oracle=lambda target, log_p, axis: _class_loss(target, log_p, axis).mean(),
        grad=(1,),
        at=(0, 1),
        twice=True,
        grid="floats",
        zeros=False,
    ),
    row(
        "_is_likeliest",
        call(ints(4, high=3), floats(4, 3)),
        call(ints(2, 3, high=4), floats(2, 3, 4)),
        empty(ints(0), floats(0, 3)),
        special(array([0, 1, 1], "int32"), array([[2.0, 2.0], [2.0, 2.0], [-1.0, 3.0]])),
        oracle=lambda target, output: target == output.argmax(-1),
        grid="floats",
    ),
    row(
        "_multi_hot",
        call(ints(2, 3), 5, -1, "float32"),
        call(ints(4), 5, -1, "int32"),
        empty(ints(0, 3), 5, -1, "float32"),
        special(array([[-1, 9, 2]], "int32"), 5, -1, "float32"),
        oracle=_multi_hot,
        grid="none",
    ),
    row(
        "_conv",
        *CONVS,
        oracle=_conv,
        batched=(0,),
        grad=(0, 1),
        at=tuple(range(8)),
        twice=True,
        grid="floats",
        tolerance=10.0,
    ),
    row(
        "_depthwise_conv",
        call(IMAGE, floats(3, 2, 3, 2), (1, 1), "same", LAST, (1, 1)),
        call(floats(2, 3, 5, 6), floats(2, 2, 3, 1), (2, 2), "valid", FIRST, (1, 1)),
        call(floats(2, 7, 3), floats(3, 3, 2), (1,), "same", LAST, (2,)),
        oracle=_depthwise,
        batched=(0,),
        grad=(0, 1),
        at=(0, 1, 2),
        twice=True,
        grid="floats",
        tolerance=10.0,
    ),
    row(
        "_separable_conv",
        call(IMAGE, floats(3, 2, 3, 2), floats(1, 1, 6, 4), (1, 1), "same", LAST, (1, 1)),
        call(floats(2, 7, 3), floats(3, 3, 1), floats(1, 3, 5), (2,), "valid", LAST, (1,)),
        oracle=_separable,
        batched=(0,),
        grad=(0, 1, 2),
        at=(0, 1),
        grid="floats",
        tolerance=20.0,
    ),
    row(
        "_conv_transpose",
        call(floats(2, 3, 4, 3), floats(3, 2, 4, 3), (1, 1), ((0, 0), (0, 0)), LAST, (1, 1)),
        call(floats(2, 3, 4, 3), floats(3, 2, 4, 3), (2, 2), ((0, 1), (0, 0)), LAST, (1, 1)),
        call(floats(2, 3, 4, 3), floats(3, 3, 2, 3), (3, 2), ((1, 0), (1, -1)), LAST, (1, 1)),
        call(floats(2, 3, 3, 4), floats(3, 2, 4, 3), (2, 1), ((0, 0), (1, 0)), FIRST, (1, 2)),
        call(floats(2, 5, 3), floats(4, 2, 3), (2,), ((1, 1),), LAST, (1,)),
        empty(floats(0, 3, 3, 2), floats(2, 2, 4, 2), (1, 1), ((0, 0), (0, 0)), LAST, (1, 1)),
        oracle=_conv_transpose,
        batched=(0,),
        grad=(0, 1),
        at=(0, 1, 2, 3, 4),
        twice=True,
        grid="floats",
        tolerance=10.0,
    ),
    row(
        "_max_pool",
        *pools(),
        call(ints(1, 4, 4, 2, low=-9, high=9), (2, 2), (1, 1), "same", LAST),
        special(-np.abs(IMAGE), (3, 3), (2, 2), "same", LAST),
        oracle=_pool(np.max, -INF),
        grad=(0,),
        at=(0, 1, 2, 3, 4),
        twice=True,
        grid="numbers",
    ),
    row(
        "_average_pool",
        *pools()[:-1],
        oracle=_pool(np.nanmean, NAN),
        grad=(0,),
        at=(0, 1, 2, 3, 4),
        twice=True,
        grid="floats",
    ),
]
