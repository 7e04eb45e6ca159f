"""JAX's own calls. The heavy ones are timed under `jax.jit`, the small ones as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

compiled = jax.jit
to_numpy = np.asarray


def tensor(x: Any) -> Any:
    return jnp.asarray(x)


def wait(result: Any) -> None:
    jax.block_until_ready(result)


def convolution(n: int, stride: int = 1, padding: str = "SAME") -> Callable[..., Any]:
    axes = "HWD"[:n]
    layout = (f"N{axes}C", f"{axes}IO", f"N{axes}C")
    return lambda x, kernel: lax.conv_general_dilated(
        x, kernel, (stride,) * n, padding, dimension_numbers=layout, feature_group_count=x.shape[-1] // kernel.shape[-2]
    )


def depthwise(x: Any, kernel: Any) -> Any:
    return convolution(2)(x, jnp.swapaxes(kernel, 2, 3))


def conv_transpose(x: Any, kernel: Any) -> Any:
    return lax.conv_transpose(x, kernel, (2, 2), "SAME", transpose_kernel=True)


def pool(x: Any, size: int, stride: int, padding: str, start: Any, fn: Any) -> Any:
    return lax.reduce_window(x, start, fn, (1, size, size, 1), (1, stride, stride, 1), padding)


def crossentropy(y: Any, x: Any) -> Any:
    return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1)[:, 0]


def binary_crossentropy(y: Any, x: Any) -> Any:
    return jnp.maximum(x, 0) - x * y + jnp.log1p(jnp.exp(-jnp.abs(x)))


def layer_norm(x: Any, scale: Any, shift: Any) -> Any:
    return jax.nn.standardize(x, -1, epsilon=1e-7) * scale + shift


def rms_norm(x: Any, scale: Any) -> Any:
    return x * lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-7) * scale


def batch_norm(x: Any, mean: Any, var: Any, shift: Any, scale: Any) -> Any:
    return (x - mean) * (lax.rsqrt(var + 1e-3) * scale) + shift


def group_norm(x: Any) -> Any:
    groups = x.reshape(*x.shape[:-1], 8, -1)
    return jax.nn.standardize(groups, (1, 2, 4), epsilon=1e-3).reshape(x.shape)


def scatter(ids: Any, rows: Any) -> Any:
    return jnp.zeros((5_000, 32), rows.dtype).at[ids[:, 0]].add(rows)


def affine(images: Any, matrices: Any) -> Any:
    side = images.shape[1]
    down, right = jnp.mgrid[:side, :side].astype("float32")

    def one(image: Any, m: Any) -> Any:
        places = [m[3] * right + m[4] * down + m[5], m[0] * right + m[1] * down + m[2]]
        return jax.vmap(lambda x: jax.scipy.ndimage.map_coordinates(x, places, 1), -1, -1)(image)

    return jax.vmap(one)(images, matrices)


def blurred(x: Any, size: int, sigma: float, padding: str) -> Any:
    places = jnp.arange(size) - (size - 1) / 2
    weights = jnp.exp(-0.5 * (places / sigma) ** 2)
    weights = jnp.broadcast_to((weights / weights.sum())[:, None, None, None], (size, 1, 1, x.shape[-1]))
    return convolution(2, padding=padding)(
        convolution(2, padding=padding)(x, weights), jnp.swapaxes(weights, 0, 1)
    )


def ssim(a: Any, b: Any) -> Any:
    parts = jnp.concatenate([a, b, a * a, b * b, a * b])
    mean_a, mean_b, aa, bb, ab = jnp.split(blurred(parts, 11, 1.5, "VALID"), 5)
    both, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    light = (2 * both + 1e-4) / (squares + 1e-4)
    form = (2 * (ab - both) + 9e-4) / (aa + bb - squares + 9e-4)
    return (light * form).mean((1, 2, 3))


def patches(x: Any) -> Any:
    n, height, width, depth = x.shape
    blocks = x.reshape(n, height // 16, 16, width // 16, 16, depth)
    return blocks.swapaxes(2, 3).reshape(n, height // 16, width // 16, -1)


def pair(z: Any) -> Any:
    return z.real, z.imag


def resized(side: int, method: str, antialias: bool = False) -> Callable[[Any], Any]:
    return lambda x: jax.image.resize(x, (x.shape[0], side, side, x.shape[3]), method, antialias=antialias)


CALLS: dict[str, Callable[..., Any]] = {
    "matmul": jnp.matmul,
    "matmul, 64 matrices": jnp.matmul,
    "einsum abc,cd->abd": lambda a, b: jnp.einsum("abc,cd->abd", a, b),
    "einsum btnh,bsnh->bnts": lambda a, b: jnp.einsum("btnh,bsnh->bnts", a, b),
    "conv 1d": convolution(1),
    "conv 2d": convolution(2),
    "conv 2d, strides 2": convolution(2, 2),
    "conv 3d": convolution(3),
    "depthwise_conv 2d": depthwise,
    "separable_conv 2d": lambda x, deep, flat: convolution(2)(depthwise(x, deep), flat),
    "conv_transpose 2d": conv_transpose,
    "max_pool 2d": lambda x: pool(x, 2, 2, "VALID", -np.inf, lax.max),
    "max_pool 2d, 3 by 3, same": lambda x: pool(x, 3, 2, "SAME", -np.inf, lax.max),
    "average_pool 2d": lambda x: pool(x, 2, 2, "VALID", 0.0, lax.add) / 4,
    "softmax": jax.nn.softmax,
    "log_softmax": jax.nn.log_softmax,
    "logsumexp": lambda x: jax.nn.logsumexp(x, -1),
    "gelu": lambda x: jax.nn.gelu(x, False),
    "silu": jax.nn.silu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "sparse_categorical_crossentropy": crossentropy,
    "binary_crossentropy": binary_crossentropy,
    "layer_normalization": layer_norm,
    "rms_normalization": rms_norm,
    "batch_normalization": batch_norm,
    "moments": lambda x: (jnp.mean(x, (0, 1, 2)), jnp.var(x, (0, 1, 2))),
    "layers.GroupNormalization": group_norm,
    "dot_product_attention": jax.nn.dot_product_attention,
    "dot_product_attention, causal": lambda q, k, v: jax.nn.dot_product_attention(q, k, v, is_causal=True),
    "sum, axis 0": lambda x: jnp.sum(x, 0),
    "mean, axis -1": lambda x: jnp.mean(x, -1),
    "var": lambda x: jnp.var(x, -1),
    "std": lambda x: jnp.std(x, -1),
    "argmax": lambda x: jnp.argmax(x, -1),
    "cumsum": lambda x: jnp.cumsum(x, -1),
    "sort": lambda x: jnp.sort(x, -1),
    "argsort": lambda x: jnp.argsort(x, -1),
    "top_k": lambda x: tuple(lax.top_k(x, 10)),
    "median": lambda x: jnp.median(x, -1),
    "quantile": lambda x: jnp.quantile(x, jnp.asarray([0.1, 0.5, 0.9]), -1),
    "histogram": lambda x: jnp.histogram(x, 100),
    "bincount": lambda x: jnp.bincount(x, length=1000),
    "searchsorted": jnp.searchsorted,
    "unique": jnp.unique,
    "take (rows of a table)": lambda x, ids: x[ids],
    "take_along_axis": lambda x, ids: jnp.take_along_axis(x, ids, 0),
    "one_hot": lambda x: jax.nn.one_hot(x, 64),
    "segment_sum": lambda x, ids: jax.ops.segment_sum(x, ids, 1000),
    "scatter_update": lambda x, ids, rows: x.at[ids[:, 0]].set(rows),
    "scatter": scatter,
    "where": lambda c, a, b: jnp.where(c != 0, a, b),
    "concatenate": lambda a, b: jnp.concatenate([a, b], -1),
    "transpose": lambda x: x.transpose(0, 2, 1) + 1.0,
    "pad": lambda x: jnp.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0))),
    "repeat": lambda x: jnp.repeat(x, 2, 0),
    "image.resize, bilinear": resized(192, "bilinear"),
    "image.resize, bicubic": resized(192, "bicubic"),
    "image.resize, antialias": resized(64, "bilinear", True),
    "image.affine_transform": affine,
    "image.map_coordinates": lambda x, places: jax.scipy.ndimage.map_coordinates(x, list(places), 1),
    "image.gaussian_blur": lambda x: blurred(x, 5, 1.0, "SAME"),
    "image.rgb_to_grayscale": lambda x: x @ jnp.asarray([[0.2989], [0.587], [0.114]]),
    "image.ssim": ssim,
    "image.extract_patches": patches,
    "fft": lambda a, b: pair(jnp.fft.fft(lax.complex(a, b))),
    "fft2": lambda a, b: pair(jnp.fft.fft2(lax.complex(a, b))),
    "rfft": lambda x: pair(jnp.fft.rfft(x)),
    "svd": lambda x: tuple(jnp.linalg.svd(x)),
    "qr": lambda x: tuple(jnp.linalg.qr(x)),
    "cholesky": jnp.linalg.cholesky,
    "solve": jnp.linalg.solve,
    "solve_triangular": lambda a, b: jax.scipy.linalg.solve_triangular(a, b, lower=True),
    "inv": jnp.linalg.inv,
    "eigh": lambda x: tuple(jnp.linalg.eigh(x)),
    "lstsq": lambda a, b: jnp.linalg.lstsq(a, b)[0],
    "det": jnp.linalg.det,
}

SMALL: dict[str, Callable[..., Any]] = {
    "add": jnp.add,
    "multiply": jnp.multiply,
    "exp": jnp.exp,
    "relu": jax.nn.relu,
    "matmul": jnp.matmul,
    "add a number": lambda x: jnp.add(x, 1.0),
    "sum": jnp.sum,
    "mean, axis -1": lambda x: jnp.mean(x, -1),
    "reshape": lambda x: jnp.reshape(x, (1, 1)),
    "transpose": jnp.transpose,
    "expand_dims": lambda x: jnp.expand_dims(x, 0),
    "concatenate": lambda a, b: jnp.concatenate([a, b], 0),
    "where": jnp.where,
    "cast": lambda x: x.astype("float16"),
    "softmax": jax.nn.softmax,
    "take": lambda x, ids: jnp.take(x, ids, 0),
}
