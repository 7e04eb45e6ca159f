"""NumPy's own calls; it has none for most of what neural networks are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def tensor(x: Any) -> Any:
    return x


def wait(result: Any) -> None:
    """NumPy never works behind one's back."""


to_numpy = np.asarray
compiled = None


def softmax(x: Any) -> Any:
    """In place where it can be."""
    e = x - x.max(-1, keepdims=True)
    np.exp(e, out=e)
    e /= e.sum(-1, keepdims=True)
    return e


def log_softmax(x: Any) -> Any:
    z = x - x.max(-1, keepdims=True)
    z -= np.log(np.exp(z).sum(-1, keepdims=True))
    return z


def logsumexp(x: Any) -> Any:
    peak = x.max(-1, keepdims=True)
    return (np.log(np.exp(x - peak).sum(-1, keepdims=True)) + peak)[..., 0]


def layer_norm(x: Any, scale: Any, shift: Any) -> Any:
    z = x - x.mean(-1, keepdims=True)
    z *= 1 / np.sqrt(np.square(z).mean(-1, keepdims=True) + 1e-7)
    z *= scale
    z += shift
    return z


def rms_norm(x: Any, scale: Any) -> Any:
    z = x * (1 / np.sqrt(np.square(x).mean(-1, keepdims=True) + 1e-7))
    z *= scale
    return z


def batch_norm(x: Any, mean: Any, var: Any, shift: Any, scale: Any) -> Any:
    factor = scale / np.sqrt(var + np.float32(1e-3))
    z = x * factor
    z += shift - mean * factor
    return z


def attention(q: Any, k: Any, v: Any) -> Any:
    q, k, v = (x.transpose(0, 2, 1, 3) for x in (q, k, v))
    return (softmax(q @ k.swapaxes(-1, -2) * np.float32(1 / np.sqrt(q.shape[-1]))) @ v).transpose(0, 2, 1, 3)


def top_k(x: Any) -> Any:
    near = np.argpartition(x, -10, -1)[:, -10:]
    values = np.take_along_axis(x, near, -1)
    order = np.argsort(-values, -1)
    return np.take_along_axis(values, order, -1), np.take_along_axis(near, order, -1)


def one_hot(ids: Any) -> Any:
    out = np.zeros((len(ids), 64), "float32")
    out[np.arange(len(ids)), ids] = 1
    return out


def segment_sum(x: Any, ids: Any) -> Any:
    out = np.zeros((1000, x.shape[1]), x.dtype)
    np.add.at(out, ids, x)
    return out


def scatter_update(x: Any, ids: Any, rows: Any) -> Any:
    out = x.copy()
    out[ids[:, 0]] = rows
    return out


def scatter(ids: Any, rows: Any) -> Any:
    out = np.zeros((5_000, 32), "float32")
    np.add.at(out, ids[:, 0], rows)
    return out


def patches(x: Any) -> Any:
    n, height, width, depth = x.shape
    blocks = x.reshape(n, height // 16, 16, width // 16, 16, depth)
    return blocks.swapaxes(2, 3).reshape(n, height // 16, width // 16, -1)


def pair(z: Any) -> Any:
    return z.real, z.imag


def sigmoid(x: Any) -> Any:
    z = np.negative(x)
    np.exp(z, out=z)
    z += 1
    return np.reciprocal(z, out=z)


CALLS: dict[str, Callable[..., Any]] = {
    "matmul": np.matmul,
    "matmul, 64 matrices": np.matmul,
    "einsum abc,cd->abd": np.matmul,
    "einsum btnh,bsnh->bnts": lambda a, b: a.transpose(0, 2, 1, 3) @ b.transpose(0, 2, 3, 1),
    "softmax": softmax,
    "log_softmax": log_softmax,
    "logsumexp": logsumexp,
    "silu": lambda x: x * sigmoid(x),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "layer_normalization": layer_norm,
    "rms_normalization": rms_norm,
    "batch_normalization": batch_norm,
    "moments": lambda x: (x.mean((0, 1, 2)), x.var((0, 1, 2))),
    "dot_product_attention": attention,
    "sum, axis 0": lambda x: np.sum(x, 0),
    "mean, axis -1": lambda x: np.mean(x, -1),
    "var": lambda x: np.var(x, -1),
    "std": lambda x: np.std(x, -1),
    "argmax": lambda x: np.argmax(x, -1),
    "cumsum": lambda x: np.cumsum(x, -1),
    "sort": lambda x: np.sort(x, -1),
    "argsort": lambda x: np.argsort(x, -1, kind="stable"),
    "top_k": top_k,
    "median": lambda x: np.median(x, -1),
    "quantile": lambda x: np.quantile(x, np.float32([0.1, 0.5, 0.9]), -1),
    "histogram": lambda x: np.histogram(x, 100),
    "bincount": np.bincount,
    "searchsorted": np.searchsorted,
    "unique": np.unique,
    "take (rows of a table)": lambda x, ids: np.take(x, ids, 0),
    "take_along_axis": lambda x, ids: np.take_along_axis(x, ids, 0),
    "one_hot": one_hot,
    "segment_sum": segment_sum,
    "scatter_update": scatter_update,
    "scatter": scatter,
    "where": lambda c, a, b: np.where(c != 0, a, b),
    "concatenate": lambda a, b: np.concatenate([a, b], -1),
    "transpose": lambda x: x.transpose(0, 2, 1) + 1.0,
    "pad": lambda x: np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0))),
    "repeat": lambda x: np.repeat(x, 2, 0),
    "image.rgb_to_grayscale": lambda x: x @ np.float32([[0.2989], [0.587], [0.114]]),
    "image.extract_patches": patches,
    "fft": lambda a, b: pair(np.fft.fft(a + 1j * b)),
    "fft2": lambda a, b: pair(np.fft.fft2(a + 1j * b)),
    "rfft": lambda x: pair(np.fft.rfft(x)),
    "svd": np.linalg.svd,
    "qr": np.linalg.qr,
    "cholesky": np.linalg.cholesky,
    "solve": np.linalg.solve,
    "inv": np.linalg.inv,
    "eigh": np.linalg.eigh,
    "lstsq": lambda a, b: np.linalg.lstsq(a, b)[0],
    "det": np.linalg.det,
}

SMALL: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "multiply": np.multiply,
    "exp": np.exp,
    "relu": lambda x: np.maximum(x, 0),
    "matmul": np.matmul,
    "add a number": lambda x: np.add(x, 1.0),
    "sum": np.sum,
    "mean, axis -1": lambda x: np.mean(x, -1),
    "reshape": lambda x: np.reshape(x, (1, 1)),
    "transpose": np.transpose,
    "expand_dims": lambda x: np.expand_dims(x, 0),
    "concatenate": lambda a, b: np.concatenate([a, b], 0),
    "where": np.where,
    "cast": lambda x: x.astype(np.float16),
    "softmax": softmax,
    "take": lambda x, ids: np.take(x, ids, 0),
}
