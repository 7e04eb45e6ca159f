"""TensorFlow's own calls, eagerly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def tensor(x: Any) -> Any:
    return tf.constant(x)


def wait(result: Any) -> None:
    """A CPU is done when the call returns; a GPU when its stream is."""
    if tf.config.list_physical_devices("GPU"):
        tf.test.experimental.sync_devices()


compiled = None
to_numpy = np.asarray


def conv_transpose(x: Any, kernel: Any) -> Any:
    return tf.nn.conv2d_transpose(x, kernel, (8, 32, 32, 32), 2, "SAME")


def layer_norm(x: Any, scale: Any, shift: Any) -> Any:
    mean, var = tf.nn.moments(x, -1, keepdims=True)
    return tf.nn.batch_normalization(x, mean, var, shift, scale, 1e-7)


def rms_norm(x: Any, scale: Any) -> Any:
    return x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), -1, keepdims=True) + 1e-7) * scale


def batch_norm(x: Any, mean: Any, var: Any, shift: Any, scale: Any) -> Any:
    """TensorFlow's fused kernel."""
    return tf.compat.v1.nn.fused_batch_norm(x, scale, shift, mean, var, 1e-3, is_training=False)[0]


def group_norm(x: Any) -> Any:
    groups = tf.reshape(x, (8, 64 * 64, 8, 4))
    mean, var = tf.nn.moments(groups, (1, 3), keepdims=True)
    return tf.reshape(tf.nn.batch_normalization(groups, mean, var, None, None, 1e-3), x.shape)


def attention(q: Any, k: Any, v: Any, causal: bool = False) -> Any:
    q, k, v = (tf.transpose(x, (0, 2, 1, 3)) for x in (q * (64**-0.5), k, v))
    scores = tf.matmul(q, k, transpose_b=True)
    if causal:
        scores = tf.where(tf.linalg.band_part(tf.ones((128, 128), tf.bool), -1, 0), scores, -1e9)
    return tf.transpose(tf.matmul(tf.nn.softmax(scores), v), (0, 2, 1, 3))


def scatter_update(x: Any, ids: Any, rows: Any) -> Any:
    return tf.tensor_scatter_nd_update(x, ids, rows)


def affine(images: Any, matrices: Any) -> Any:
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images, transforms=matrices, output_shape=(128, 128), fill_value=0.0, interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )  # fmt: skip


def blurred(x: Any) -> Any:
    places = np.arange(5) - 2.0
    weights = np.exp(-0.5 * places**2)
    weights = np.tile((weights / weights.sum())[:, None, None, None], (1, 1, 3, 1)).astype("float32")
    x = tf.nn.depthwise_conv2d(x, weights, (1, 1, 1, 1), "SAME")
    return tf.nn.depthwise_conv2d(x, weights.swapaxes(0, 1), (1, 1, 1, 1), "SAME")


def patches(x: Any) -> Any:
    return tf.image.extract_patches(x, (1, 16, 16, 1), (1, 16, 16, 1), (1, 1, 1, 1), "VALID")


def pair(z: Any) -> Any:
    return tf.math.real(z), tf.math.imag(z)


def stft(x: Any) -> Any:
    x = tf.pad(x, ((0, 0), (128, 128)), "REFLECT")
    return pair(tf.signal.stft(x, 256, 128, 256))


def istft(real: Any, imag: Any) -> Any:
    window = tf.signal.inverse_stft_window_fn(128)
    return tf.signal.inverse_stft(tf.complex(real, imag), 256, 128, 256, window)[:, 128:-128]


def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any) -> Any:
    return tf.nn.ctc_loss(target, output, target_length, output_length, logits_time_major=False, blank_index=0)


def greedy(x: Any, lengths: Any) -> Any:
    return tf.nn.ctc_greedy_decoder(tf.transpose(x, (1, 0, 2)), lengths, blank_index=0)[1]


def beams(x: Any, lengths: Any) -> Any:
    return tf.nn.ctc_beam_search_decoder(tf.transpose(x, (1, 0, 2)), lengths, 10)[1]


CALLS: dict[str, Callable[..., Any]] = {
    "matmul": tf.matmul,
    "matmul, 64 matrices": tf.matmul,
    "einsum abc,cd->abd": lambda a, b: tf.einsum("abc,cd->abd", a, b),
    "einsum btnh,bsnh->bnts": lambda a, b: tf.einsum("btnh,bsnh->bnts", a, b),
    "conv 1d": lambda x, kernel: tf.nn.conv1d(x, kernel, 1, "SAME"),
    "conv 2d": lambda x, kernel: tf.nn.conv2d(x, kernel, 1, "SAME"),
    "conv 2d, strides 2": lambda x, kernel: tf.nn.conv2d(x, kernel, 2, "SAME"),
    "conv 3d": lambda x, kernel: tf.nn.conv3d(x, kernel, (1, 1, 1, 1, 1), "SAME"),
    "depthwise_conv 2d": lambda x, kernel: tf.nn.depthwise_conv2d(x, kernel, (1, 1, 1, 1), "SAME"),
    "separable_conv 2d": lambda x, deep, flat: tf.nn.separable_conv2d(x, deep, flat, (1, 1, 1, 1), "SAME"),
    "conv_transpose 2d": conv_transpose,
    "max_pool 2d": lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID"),
    "max_pool 2d, 3 by 3, same": lambda x: tf.nn.max_pool2d(x, 3, 2, "SAME"),
    "average_pool 2d": lambda x: tf.nn.avg_pool2d(x, 2, 2, "VALID"),
    "softmax": tf.nn.softmax,
    "log_softmax": tf.nn.log_softmax,
    "logsumexp": lambda x: tf.reduce_logsumexp(x, -1),
    "gelu": lambda x: tf.nn.gelu(x, False),
    "silu": tf.nn.silu,
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "sparse_categorical_crossentropy": lambda y, x: tf.nn.sparse_softmax_cross_entropy_with_logits(y, x),
    "binary_crossentropy": lambda y, x: tf.nn.sigmoid_cross_entropy_with_logits(y, x),
    "layer_normalization": layer_norm,
    "rms_normalization": rms_norm,
    "batch_normalization": batch_norm,
    "moments": lambda x: tf.nn.moments(x, (0, 1, 2)),
    "layers.GroupNormalization": group_norm,
    "dot_product_attention": attention,
    "dot_product_attention, causal": lambda q, k, v: attention(q, k, v, True),
    "sum, axis 0": lambda x: tf.reduce_sum(x, 0),
    "mean, axis -1": lambda x: tf.reduce_mean(x, -1),
    "var": lambda x: tf.math.reduce_variance(x, -1),
    "std": lambda x: tf.math.reduce_std(x, -1),
    "argmax": lambda x: tf.argmax(x, -1),
    "cumsum": lambda x: tf.cumsum(x, -1),
    "sort": tf.sort,
    "argsort": lambda x: tf.argsort(x, stable=True),
    "top_k": lambda x: tuple(tf.math.top_k(x, 10)),
    "histogram": lambda x: tf.histogram_fixed_width(x, (tf.reduce_min(x), tf.reduce_max(x)), 100),
    "bincount": tf.math.bincount,
    "searchsorted": tf.searchsorted,
    "take (rows of a table)": tf.gather,
    "take_along_axis": lambda x, ids: tf.experimental.numpy.take_along_axis(x, ids, 0),
    "one_hot": lambda x: tf.one_hot(x, 64),
    "segment_sum": lambda x, ids: tf.math.unsorted_segment_sum(x, ids, 1000),
    "scatter_update": scatter_update,
    "scatter": lambda ids, rows: tf.scatter_nd(ids, rows, (5_000, 32)),
    "where": lambda c, a, b: tf.where(c != 0, a, b),
    "concatenate": lambda a, b: tf.concat([a, b], -1),
    "transpose": lambda x: tf.transpose(x, (0, 2, 1)) + 1.0,
    "pad": lambda x: tf.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0))),
    "repeat": lambda x: tf.repeat(x, 2, 0),
    "image.resize, bilinear": lambda x: tf.image.resize(x, (192, 192)),
    "image.resize, bicubic": lambda x: tf.image.resize(x, (192, 192), "bicubic"),
    "image.resize, antialias": lambda x: tf.image.resize(x, (64, 64), antialias=True),
    "image.affine_transform": affine,
    "image.gaussian_blur": blurred,
    "image.rgb_to_hsv": tf.image.rgb_to_hsv,
    "image.hsv_to_rgb": tf.image.hsv_to_rgb,
    "image.rgb_to_grayscale": tf.image.rgb_to_grayscale,
    "image.ssim": lambda a, b: tf.image.ssim(a, b, 1.0),
    "image.extract_patches": patches,
    "fft": lambda a, b: pair(tf.signal.fft(tf.complex(a, b))),
    "fft2": lambda a, b: pair(tf.signal.fft2d(tf.complex(a, b))),
    "rfft": lambda x: pair(tf.signal.rfft(x)),
    "stft": stft,
    "istft": istft,
    "svd": tf.linalg.svd,
    "qr": tf.linalg.qr,
    "cholesky": tf.linalg.cholesky,
    "solve": tf.linalg.solve,
    "solve_triangular": tf.linalg.triangular_solve,
    "inv": tf.linalg.inv,
    "eigh": tf.linalg.eigh,
    "lstsq": lambda a, b: tf.linalg.lstsq(a, b, fast=False),
    "det": tf.linalg.det,
    "ctc_loss": ctc_loss,
    "ctc_decode, greedy": greedy,
    "ctc_decode, beam search": beams,
}

SMALL: dict[str, Callable[..., Any]] = {
    "add": tf.add,
    "multiply": tf.multiply,
    "exp": tf.exp,
    "relu": tf.nn.relu,
    "matmul": tf.matmul,
    "add a number": lambda x: tf.add(x, 1.0),
    "sum": tf.reduce_sum,
    "mean, axis -1": lambda x: tf.reduce_mean(x, -1),
    "reshape": lambda x: tf.reshape(x, (1, 1)),
    "transpose": tf.transpose,
    "expand_dims": lambda x: tf.expand_dims(x, 0),
    "concatenate": lambda a, b: tf.concat([a, b], 0),
    "where": tf.where,
    "cast": lambda x: tf.cast(x, tf.float16),
    "softmax": tf.nn.softmax,
    "take": tf.gather,
}
