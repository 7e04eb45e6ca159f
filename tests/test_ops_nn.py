"""Convolutions, pooling, normalisation, attention, cross-entropies and resizing: values, specs, and refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core import settings, windows
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, KerasFnError, ShapeError
from keras_fn.core.spec import REGISTRY, Spec
from keras_fn.core.variable import Variable


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).normal(size=shape).astype("float32")


def host(x) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(x))


def close(ours, expected, tolerance: float = 2e-5) -> None:
    assert host(ours).shape == np.shape(expected)
    np.testing.assert_allclose(host(ours).astype("float64"), expected, rtol=tolerance, atol=tolerance)


# --- references: one window after the other
def slide(x, size, strides, padding, dilation, fill):
    """Pairs (place, window) over `(batch, *spatial, channels)`; windows are `(batch, *size, channels)`."""
    n = len(size)
    spans = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    pads = [(0, 0)] * n
    if padding == "same":
        for i, (length, k, s) in enumerate(zip(x.shape[1:-1], spans, strides, strict=True)):
            total = max((int(np.ceil(length / s)) - 1) * s + k - length, 0)
            pads[i] = (total // 2, total - total // 2)
    x = np.pad(x.astype("float64"), [(0, 0), *pads, (0, 0)], constant_values=fill)
    counts = [(length - k) // s + 1 for length, k, s in zip(x.shape[1:-1], spans, strides, strict=True)]
    for place in np.ndindex(*counts):
        cut = [slice(p * s, p * s + k, d) for p, s, k, d in zip(place, strides, spans, dilation, strict=True)]
        yield counts, place, x[(slice(None), *cut)]


def reference(x, size, strides, padding, dilation, fill, fn):
    out = None
    for counts, place, window in slide(x, size, strides, padding, dilation, fill):
        value = fn(window)
        out = np.zeros((x.shape[0], *counts, value.shape[-1])) if out is None else out
        out[(slice(None), *place)] = value
    return out


def conv_reference(x, kernel, strides, padding, dilation):
    *size, depth, filters = kernel.shape
    n, groups = len(size), x.shape[-1] // depth
    share = filters // groups

    def multiply(window):
        parts = []
        for g in range(groups):
            left = window[..., g * depth : (g + 1) * depth]
            parts.append(np.tensordot(left, kernel[..., g * share : (g + 1) * share], n + 1))
        return np.concatenate(parts, -1)

    return reference(x, size, strides, padding, dilation, 0, multiply)


CONV = [
    ((2, 9, 4), (3, 4, 5), (2,), (1,)),
    ((2, 9, 4), (2, 1, 8), (1,), (3,)),
    ((1, 7, 6, 4), (3, 2, 4, 3), (1, 1), (1, 1)),
    ((2, 7, 6, 4), (3, 2, 2, 6), (2, 1), (1, 1)),
    ((2, 7, 6, 3), (3, 3, 1, 6), (1, 2), (1, 1)),
    ((2, 7, 6, 4), (2, 2, 4, 3), (2, 2), (2, 2)),
    ((2, 7, 6, 2), (2, 2, 1, 4), (1, 1), (2, 1)),
    ((1, 5, 4, 6, 4), (2, 3, 2, 4, 3), (1, 2, 1), (1, 1, 1)),
    ((1, 5, 4, 6, 4), (2, 2, 2, 2, 4), (2, 2, 2), (1, 1, 1)),
]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("dims", "kernel", "strides", "dilation"), CONV)
def test_conv_against_a_loop_over_windows(dims, kernel, strides, dilation, padding):
    x, k = draw(*dims), draw(*kernel)
    expected = conv_reference(x, k, strides, padding, dilation)
    close(ops.conv(x, k, strides, padding, None, dilation), expected)
    first = ops.conv(np.moveaxis(x, -1, 1), k, strides, padding, "channels_first", dilation)
    close(first, np.moveaxis(expected, -1, 1))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("dims", [(2, 8, 3), (2, 7, 6, 3), (1, 5, 4, 6, 2)])
@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, 2), (2, 3)])
def test_pools_against_a_loop_over_windows(dims, size, stride, padding):
    x, n = draw(*dims), len(dims) - 2
    sizes, strides, ones = (size,) * n, (stride or size,) * n, (1,) * n
    axes = tuple(range(1, n + 1))
    most = reference(x, sizes, strides, padding, ones, -np.inf, lambda w: w.max(axes))
    mean = reference(x, sizes, strides, padding, ones, np.nan, lambda w: np.nanmean(w, axes))
    close(ops.max_pool(x, size, stride, padding), most)
    close(ops.average_pool(x, size, stride, padding), mean)
    first = np.moveaxis(x, -1, 1)
    close(ops.max_pool(first, size, stride, padding, "channels_first"), np.moveaxis(most, -1, 1))
    close(ops.average_pool(first, size, stride, padding, "channels_first"), np.moveaxis(mean, -1, 1))


def test_pools_of_integers():
    x = np.arange(-8, 8, dtype="int32").reshape(1, 4, 4, 1)
    y = ops.max_pool(x, 2)
    assert active.backend.dtype_of(y) == "int32"
    assert host(y).ravel().tolist() == [-3, -1, 5, 7]
    close(ops.average_pool(x, 2), [[[[-5.5], [-3.5]], [[2.5], [4.5]]]])


TRANSPOSED = [
    ((2, 5, 3), (3, 4, 3), (2,), None, (1,)),
    ((2, 5, 3), (2, 4, 3), (4,), None, (1,)),
    ((2, 4, 5, 3), (3, 4, 2, 3), (2, 3), None, (1, 1)),
    ((2, 4, 5, 3), (2, 3, 2, 3), (1, 1), None, (2, 2)),
    ((2, 4, 5, 3), (3, 5, 2, 3), (3, 2), (1, 0), (1, 1)),
    ((2, 4, 5, 3), (4, 2, 2, 3), (3, 4), (2, 3), (1, 1)),
    ((1, 3, 4, 2, 3), (2, 3, 2, 2, 3), (2, 2, 1), None, (1, 1, 1)),
]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("dims", "kernel", "strides", "extra", "dilation"), TRANSPOSED)
def test_transposed_convolution_is_the_adjoint(dims, kernel, strides, extra, dilation, padding):
    """<conv(u), x> = <u, conv_transpose(x)> for all u, wherever the convolution takes the one shape to the other."""
    x, k = draw(*dims), draw(*kernel)
    y = host(ops.conv_transpose(x, k, strides, padding, extra, None, dilation))
    u = draw(*y.shape, seed=5)
    back = conv_reference(u, np.swapaxes(np.swapaxes(k, -1, -2), -1, -2), strides, padding, dilation)
    assert back.shape == x.shape, "the case is not invertible: choose another"
    np.testing.assert_allclose((back * x).sum(), (u.astype("float64") * y).sum(), rtol=1e-4, atol=1e-3)
    first = ops.conv_transpose(np.moveaxis(x, -1, 1), k, strides, padding, extra, "channels_first", dilation)
    close(first, np.moveaxis(y, -1, 1))
    spec = ops.conv_transpose(Spec(dims), Spec(kernel), strides, padding, extra, None, dilation)
    assert spec.shape == y.shape


def test_depthwise_and_separable():
    x, k, p = draw(2, 6, 5, 3), draw(3, 2, 3, 2), draw(1, 1, 6, 4)
    y = host(ops.depthwise_conv(x, k, padding="same"))
    for c, m in itertools.product(range(3), range(2)):
        alone = conv_reference(x[..., c : c + 1], k[:, :, c : c + 1, m : m + 1], (1, 1), "same", (1, 1))
        np.testing.assert_allclose(y[..., 2 * c + m], alone[..., 0], rtol=1e-4, atol=1e-5)
    close(ops.separable_conv(x, k, p, padding="same"), y @ p[0, 0], 1e-4)


# --- specs
CALLS = {
    "conv": lambda x: ops.conv(x, np.ones((3, 3, 4, 6), "float32"), (2, 1), "same"),
    "dilated": lambda x: ops.conv(x, np.ones((2, 3, 2, 6), "float32"), dilation_rate=2),
    "depthwise": lambda x: ops.depthwise_conv(x, np.ones((3, 3, 4, 2), "float32"), 2),
    "separable": lambda x: ops.separable_conv(x, np.ones((3, 2, 4, 2), "float32"), np.ones((1, 1, 8, 3), "float32")),
    "transposed": lambda x: ops.conv_transpose(x, np.ones((3, 2, 5, 4), "float32"), (3, 1), "same"),
    "max_pool": lambda x: ops.max_pool(x, (3, 2), 2, "same"),
    "average_pool": lambda x: ops.average_pool(x, 2),
    "batch": lambda x: ops.batch_normalization(x, np.ones(4, "float32"), np.ones(4, "float32"), -1),
    "layer": lambda x: ops.layer_normalization(x, np.ones((9, 4), "float32"), axis=(-2, -1)),
    "rms": lambda x: ops.rms_normalization(x, axis=1),
    "attention": lambda x: ops.dot_product_attention(x, x, x, is_causal=True),
    "bilinear": lambda x: ops.image.resize(x, (5, 12)),
    "nearest": lambda x: ops.image.resize(x, (16, 18), "nearest"),
    "binary": lambda x: ops.binary_crossentropy(x, x),
    "categorical": lambda x: ops.categorical_crossentropy(x, x, axis=1),
    "sparse": lambda x: ops.sparse_categorical_crossentropy(ops.cast(ops.argmax(x, 1), "int32"), x, True, 1),
    "multi_hot": lambda x: ops.multi_hot(ops.cast(ops.reshape(x, (-1, 4)), "int32"), 7),
}


@pytest.mark.parametrize("unknown", [(), (0,), (1, 2), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_inferred_spec_is_that_of_the_result(name, unknown):
    dims = (2, 8, 9, 4)
    real = CALLS[name](ops.convert_to_tensor(draw(*dims) % 1))
    spec = CALLS[name](Spec(tuple(None if i in unknown else d for i, d in enumerate(dims))))
    assert spec.dtype == active.backend.dtype_of(real)
    assert len(spec.shape) == len(real.shape)
    assert all(d in (None, r) for d, r in zip(spec.shape, real.shape, strict=True))
    if not unknown:
        assert None not in spec.shape


# --- refusals
X = np.zeros((2, 4, 4, 3), "float32")
BAD = {
    "too small": (lambda x: ops.conv(x, np.ones((5, 3, 3, 2))), ShapeError, r"\(4, 4\).*too small.*\(5, 3, 3, 2\)"),
    "dilated": (lambda x: ops.conv(x, np.ones((3, 3, 3, 2)), dilation_rate=2), ShapeError, "too small"),
    "pool": (lambda x: ops.max_pool(x, 5), ShapeError, r"too small for windows of the size \(5, 5\)"),
    "channels": (lambda x: ops.conv(x, np.ones((3, 3, 2, 2))), ShapeError, r"\(3, 3, 2, 2\).*3 channels"),
    "groups": (lambda x: ops.conv(x, np.ones((3, 3, 1, 4))), ShapeError, "must divide the 4 filters"),
    "rank": (lambda x: ops.conv(x, np.ones((3, 3, 2))), ShapeError, "as many dimensions"),
    "padding": (lambda x: ops.conv(x, np.ones((3, 3, 3, 2)), padding="full"), ArgumentError, "'valid' or 'same'"),
    "format": (lambda x: ops.max_pool(x, 2, data_format="NHWC"), ArgumentError, "channels_last"),
    "strides": (lambda x: ops.max_pool(x, 2, strides=0), ArgumentError, "`strides`"),
    "depthwise": (lambda x: ops.depthwise_conv(x, np.ones((3, 3, 2, 1))), ShapeError, "for 2 channels"),
    "transposed": (lambda x: ops.conv_transpose(x, np.ones((3, 3, 3, 2))), ShapeError, "for 2 channels"),
    "output_padding": (
        lambda x: ops.conv_transpose(x, np.ones((3, 3, 2, 3)), 2, output_padding=2),
        ArgumentError,
        "less than `strides`",
    ),
    "gamma": (lambda x: ops.layer_normalization(x, np.ones(4)), ShapeError, r"`gamma`.*\(4,\).*\(3,\)"),
    "heads": (
        lambda x: ops.dot_product_attention(x, x[:, :, :3], x[:, :, :3]),
        ShapeError,
        "number of heads",
    ),
    "mask": (lambda x: ops.dot_product_attention(x, x, x, mask=np.ones((5, 4), bool)), ShapeError, "`mask`"),
    "flat attention": (lambda x: ops.dot_product_attention(x[0], x[0], x[0]), ShapeError, "4 dimensions"),
    "binary": (lambda x: ops.binary_crossentropy(x, x[:, :2]), ShapeError, "one shape"),
    "categorical": (lambda x: ops.categorical_crossentropy(x[0], x), ShapeError, "one shape"),
    "sparse": (lambda x: ops.sparse_categorical_crossentropy(np.zeros((2, 4)), x), ShapeError, r"\(2, 4, 4\)"),
    "classes": (lambda x: ops.multi_hot(np.zeros((2, 4), "int32")), ArgumentError, "`num_classes`"),
    "interpolation": (lambda x: ops.image.resize(x, 5, "bilinea"), ArgumentError, "Did you mean 'bilinear'"),
    "image": (lambda x: ops.image.resize(x[0, 0], 5), ShapeError, "3 or 4 dimensions"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_on_tensors_and_specs(name):
    call, error, message = BAD[name]
    for x in (X, Spec(X.shape)):
        with pytest.raises(error, match=message) as found:
            call(x)
        assert isinstance(found.value, KerasFnError)


# --- normalisation, attention, losses
def test_normalisations():
    x = draw(4, 3, 5) * 3 + 1
    mean, variance = draw(3), draw(3) ** 2
    column = (slice(None), None)
    close(
        ops.batch_normalization(x, mean, variance, 1, offset=mean, scale=variance, epsilon=0.1),
        (x - mean[column]) / np.sqrt(variance[column] + 0.1) * variance[column] + mean[column],
    )
    centred = x - x.mean((1, 2), keepdims=True)
    expected = centred / np.sqrt((centred**2).mean((1, 2), keepdims=True) + 1e-3)
    weight = draw(3, 5)
    close(ops.layer_normalization(x, weight, weight, (1, 2), 1e-3), expected * weight + weight)
    middle = x - x.mean(1, keepdims=True)
    middle = middle / np.sqrt((middle**2).mean(1, keepdims=True) + 1e-7)
    close(ops.layer_normalization(x, mean, axis=1), middle * mean[column])
    close(ops.rms_normalization(x, mean, 1, 0.1), x / np.sqrt((x**2).mean(1, keepdims=True) + 0.1) * mean[column])


def attention_reference(q, k, v, mask=None, bias=0.0, cap=None):
    k, v = (np.repeat(t, q.shape[2] // k.shape[2], 2) for t in (k, v))
    scores = np.einsum("btnh,bsnh->bnts", q, k) / np.sqrt(q.shape[-1])
    scores = (scores if cap is None else np.tanh(scores / cap) * cap) + bias
    scores = scores if mask is None else np.where(mask, scores, -1e30)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("bnts,bsnh->btnh", weights / weights.sum(-1, keepdims=True), v)


@pytest.mark.parametrize("flash", [None, False])
@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("cap", [None, 0.7])
def test_attention(heads, cap, flash):
    q, k, v = draw(2, 4, 4, 3), draw(2, 6, heads, 3, seed=1), draw(2, 6, heads, 3, seed=2)
    mask, bias = draw(2, 1, 4, 6) > 0, draw(1, 4, 4, 6)
    mask[0, 0, 1] = False  # a query that may look at nothing sees the mean
    options = {"attn_logits_soft_cap": cap, "flash_attention": flash}
    causal = np.tril(np.ones((4, 6), bool))
    close(ops.dot_product_attention(q, k, v, **options), attention_reference(q, k, v, cap=cap))
    close(ops.dot_product_attention(q, k, v, mask=mask, **options), attention_reference(q, k, v, mask, cap=cap))
    close(
        ops.dot_product_attention(q, k, v, bias, mask, is_causal=True, **options),
        attention_reference(q, k, v, mask & causal, bias, cap),
    )
    close(ops.dot_product_attention(q, k, v, is_causal=True, **options), attention_reference(q, k, v, causal, cap=cap))


def test_flash_attention_gives_the_same_or_refuses():
    x = draw(1, 4, 2, 8)
    try:
        out, refused = ops.dot_product_attention(x, x, x, flash_attention=True), ""
    except ArgumentError as error:
        out, refused = attention_reference(x, x, x), str(error)
    close(out, attention_reference(x, x, x))
    assert not refused or "flash_attention=True" in refused


def test_crossentropies():
    logits, ids = draw(6, 4) * 5, np.array([0, 3, 1, 2, -1, 4])
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    hot = (ids[:, None] == np.arange(4)).astype("float32")
    expected = -(hot * np.log(p)).sum(-1)
    close(ops.categorical_crossentropy(hot, logits, True), expected)
    close(ops.categorical_crossentropy(hot, p * 2), expected, 1e-4)
    close(ops.sparse_categorical_crossentropy(ids, logits, True), expected)  # ids that are no class give 0
    close(ops.sparse_categorical_crossentropy(ids[:, None], p * 2), expected, 1e-4)
    close(ops.sparse_categorical_crossentropy(ids, logits.T, True, axis=0), expected)
    target = p.astype("float32")
    q = 1 / (1 + np.exp(-logits.astype("float64")))
    both = -(target * np.log(q) + (1 - target) * np.log1p(-q))
    close(ops.binary_crossentropy(target, logits, True), both)
    close(ops.binary_crossentropy(target, q.astype("float32")), both, 1e-3)
    # certain and wrong: clipped, not infinite
    close(ops.binary_crossentropy([1.0], [0.0]), [-np.log(1e-7)])
    close(ops.categorical_crossentropy([[0.0, 1.0]], [[1.0, 0.0]]), [-np.log(1e-7)])


def test_multi_hot():
    close(ops.multi_hot([[0, 2], [3, -1]], 4), [[1, 0, 1, 0], [0, 0, 0, 1]])
    assert host(ops.multi_hot([1, 1], 3, dtype="int32")).tolist() == [0, 1, 0]


# --- images
def test_resize():
    ramp = np.arange(4, dtype="float32").reshape(1, 4, 1)
    close(ops.image.resize(ramp, (2, 8))[0, :, 0], [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3])
    close(ops.image.resize(ramp, (3, 8), "nearest")[2, :, 0], [0, 0, 1, 1, 2, 2, 3, 3])
    close(ops.image.resize(ramp, (1, 3), "nearest")[0, :, 0], [0, 2, 3])
    close(ops.image.resize(ramp, (1, 2), antialias=True)[0, :, 0], [5 / 7, 16 / 7])
    square = (np.arange(12, dtype="float32") ** 2).reshape(1, 12, 1)
    for kind in ("bicubic", "lanczos3", "lanczos5"):
        inner = host(ops.image.resize(square, (1, 24), kind))[0, 10:14, 0]
        places = (np.arange(10, 14) + 0.5) / 2 - 0.5
        np.testing.assert_allclose(inner, places**2, atol=1e-4 if kind == "bicubic" else 1.0)
    whole = ops.image.resize(np.array([[[0], [255]]], "uint8"), (2, 4))
    assert active.backend.dtype_of(whole) == "uint8"
    assert host(whole)[1, :, 0].tolist() == [0, 64, 191, 255]
    x = draw(2, 3, 6, 5)
    first = ops.image.resize(x, (4, 9), data_format="channels_first")
    close(first, np.moveaxis(host(ops.image.resize(np.moveaxis(x, 1, -1), (4, 9))), -1, 1))


def test_resize_keeps_the_aspect_ratio():
    x = np.arange(24, dtype="float32").reshape(1, 4, 6, 1)
    close(ops.image.resize(x, (2, 2), "nearest", crop_to_aspect_ratio=True), x[:, 1::2, 2:5:2])
    padded = host(ops.image.resize(x, (6, 6), "nearest", pad_to_aspect_ratio=True, fill_value=-1.0))
    assert padded[0, [0, 5]].ravel().tolist() == [-1] * 12
    np.testing.assert_array_equal(padded[:, 1:5], x)


# --- a backend's kernel against the body
BODIES = {
    "batch_normalization": (draw(4, 3), draw(3), draw(3) ** 2, -1, draw(3), draw(3), 1e-3),
    "_layer_normalization": (draw(4, 3), draw(3), draw(3), (1,), 1e-3),
    "_attention": (draw(2, 4, 2, 3), draw(2, 4, 2, 3), draw(2, 4, 2, 3), None, None, 0.5, True, None, None),
    "_class_loss": (np.array([0, 2, 7]), -(draw(3, 3) ** 2), 1),
    "_resize": (draw(5, 7, 2), (9, 4), "bilinear", False, "channels_last"),
}


@pytest.mark.parametrize("name", BODIES)
def test_kernel_gives_what_the_body_gives(name):
    tensors = [ops.convert_to_tensor(x) if isinstance(x, np.ndarray) else x for x in BODIES[name]]
    close(REGISTRY[name](*tensors), host(REGISTRY[name].fn(*tensors)).astype("float64"))


# --- dtypes, gradients, settings
def test_half_floats_stay_half():
    x = ops.cast(draw(2, 6, 6, 4), "bfloat16")
    k = ops.cast(draw(3, 3, 4, 2), "bfloat16")
    for y in (ops.conv(x, k), ops.max_pool(x, 2), ops.average_pool(x, 2), ops.layer_normalization(x)):
        assert active.backend.dtype_of(y) == "bfloat16"


SLOPES_AT_ZERO = {
    "celu": (ops.celu, 1.0),
    "elu": (ops.elu, 1.0),
    "leaky_relu": (ops.leaky_relu, 0.2),
    "log_sigmoid": (ops.log_sigmoid, 0.5),
    "softplus": (ops.softplus, 0.5),
    "binary_crossentropy": (lambda x: ops.binary_crossentropy(np.full(2, 0.25, "float32"), x, True), 0.25),
}


@pytest.mark.parametrize(("function", "slope"), SLOPES_AT_ZERO.values(), ids=SLOPES_AT_ZERO)
def test_gradients_at_zero(function, slope):
    """Where weights start at 0, so do outputs; what is put together from branches must be smooth there."""
    x = Variable(np.zeros(2, "float32"))
    close(ops.convert_to_numpy(function(x)).shape, (2,))
    if active.backend.differentiable:
        _, (gradient,) = active.backend.value_and_grad(lambda: ops.sum(function(x)), [x], False)()
        close(gradient, [slope, slope])


CLIPPED = [
    (np.float32([-2, 0.5, 3]), 0, 1.0, [0, 0.5, 1], "float32"),
    (np.float16([-2, 0.5, 3]), -1, 1e10, [-1, 0.5, 3], "float16"),
    (np.float32([-2, 0.5, np.nan]), None, 0.0, [-2, 0, np.nan], "float32"),
    (np.float32([-2, 0.5, 3]), 0.0, np.float32([1, 0.25, 2]), [0, 0.25, 2], "float32"),
    (np.int8([-2, 0, 3]), -1, 1, [-1, 0, 1], "int8"),
    (np.int8([-2, 0, 3]), -1, 0.5, [-1, 0, 0.5], "float32"),
    (np.array([True, False]), 0, 5, [1, 0], "int32"),
]


@pytest.mark.parametrize(("x", "low", "high", "expected", "dtype"), CLIPPED)
def test_clip_between_numbers(x, low, high, expected, dtype):
    """The limits stay numbers on the way to the kernel, and do not widen the dtype."""
    out = ops.clip(x, low, high)
    assert active.backend.dtype_of(out) == dtype
    np.testing.assert_array_equal(ops.convert_to_numpy(out).astype("float64"), expected)


def test_gradient_of_batch_statistics():
    """Statistics of the batch itself carry gradients: each column of a normalised batch sums to 0 whatever x is."""
    x = Variable(draw(6, 3))

    def loss():
        mean, variance = ops.moments(x, 0)
        return ops.sum(ops.multiply(ops.batch_normalization(x, mean, variance, -1, epsilon=0.0), draw(3)))

    if not active.backend.differentiable:
        close(loss(), 0, 1e-4)
        return
    value, (gradient,) = active.backend.value_and_grad(loss, [x], False)()
    close(value, 0, 1e-4)
    close(gradient, np.zeros((6, 3)), 1e-4)


def test_settings():
    assert settings.image_data_format() == "channels_last"
    assert settings.epsilon() == 1e-7
    try:
        settings.set_image_data_format("channels_first")
        settings.set_epsilon(1e-3)
        assert ops.max_pool(Spec((None, 3, 8, 8)), 2).shape == (None, 3, 4, 4)
        close(ops.binary_crossentropy([1.0], [0.0]), [-np.log(1e-3)])
    finally:
        settings.set_image_data_format("channels_last")
        settings.set_epsilon(1e-7)
    with pytest.raises(ArgumentError, match="channels_last"):
        settings.set_image_data_format("NCHW")
    with pytest.raises(ArgumentError, match="positive"):
        settings.set_epsilon(0)
    with pytest.raises(ArgumentTypeError, match="a number"):
        settings.set_epsilon("small")


def test_windows():
    assert windows.same_padding(7, 3, 2) == (1, 1)
    assert windows.same_padding(8, 3, 2) == (0, 1)
    assert windows.count(None, 3, 2, "same") is None
    assert windows.covered((4,), (3,), (2,)).tolist() == [3, 2]
