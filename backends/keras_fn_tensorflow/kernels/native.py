"""Composites that TensorFlow has as one op, or that a few ops give with less work than their bodies.

Generated ops are called, which take a number beside a tensor. What an op does not take (another dtype, a tensor in the
place of a number, a shape that is not known yet) runs the composite's body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from keras_fn import ops  # noqa: F401  # pyright: ignore[reportUnusedImport]  (its modules declare the ops)
from keras_fn.core.spec import REGISTRY
from keras_fn_tensorflow.kernels.places import diagonal as gathered_diagonal
from keras_fn_tensorflow.kernels.ranges import at_once

raw = tf.raw_ops


def _all_numbers(options: Iterable[Any]) -> bool:
    return all(isinstance(option, (int, float)) for option in options)


def of_floats(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel for floats, with numbers for its options; all else runs the body."""
    body = REGISTRY[name].fn

    def kernel(x: Any, *options: Any) -> Any:
        return fn(x, *options) if x.dtype.is_floating and _all_numbers(options) else body(x, *options)

    return kernel


# --- activations
def leaky_relu(x: Any, slope: float) -> Any:
    if x.dtype == tf.float64:  # the op holds its slope in 32 bits
        return REGISTRY["leaky_relu"].fn(x, slope)
    return raw.LeakyRelu(features=x, alpha=slope)


def threshold(x: Any, border: float, default: float) -> Any:
    return raw.SelectV2(condition=raw.Greater(x=x, y=border), t=x, e=default)


def hard_shrink(x: Any, border: float) -> Any:
    return raw.SelectV2(condition=raw.Greater(x=raw.Abs(x=x), y=border), t=x, e=0.0)


def softsign(x: Any) -> Any:
    return raw.RealDiv(x=x, y=raw.AddV2(x=raw.Abs(x=x), y=1.0))  # the op of its name has no second derivative


def elu(x: Any, alpha: float) -> Any:
    return raw.Elu(features=x) if alpha == 1 else REGISTRY["elu"].fn(x, alpha)


def log_sigmoid(x: Any) -> Any:
    return raw.Neg(x=raw.Softplus(features=raw.Neg(x=x)))


# --- numbers
def clip(x: Any, low: Any, high: Any) -> Any:
    if low is None or high is None or not x.dtype.is_floating or not _all_numbers((low, high)):
        return REGISTRY["clip"].fn(x, low, high)
    return raw.Minimum(x=raw.Maximum(x=x, y=low), y=high)


def angle(x: Any) -> Any:
    return raw.Atan2(y=raw.ZerosLike(x=x), x=x)


def where(condition: Any, x1: Any, x2: Any) -> Any:
    if isinstance(condition, tf.Tensor) and condition.dtype is tf.bool:
        return raw.SelectV2(condition=condition, t=x1, e=x2)
    return REGISTRY["where"].fn(condition, x1, x2)


def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """TensorFlow knows no answer for a whole row in which something is not finite."""
    plain = predictions.dtype == tf.float32 and targets.dtype in (tf.int32, tf.int64) and targets.shape.rank == 1
    if not plain or not at_once(predictions) or not bool(tf.reduce_all(raw.IsFinite(x=predictions))):
        return REGISTRY["in_top_k"].fn(targets, predictions, k)
    return raw.InTopKV2(predictions=predictions, targets=targets, k=k)


# --- squares of pixels
def squares(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel that moves pixels to channels, or back, where the channels are last."""
    body = REGISTRY[name].fn

    def kernel(x: Any, block: int, data_format: str) -> Any:
        sizes = x.shape.as_list()
        plain = data_format == "channels_last" and block > 1 and all(sizes[1:]) and sizes[0] != 0
        divided, factor = (sizes[3:], block * block) if name == "_depth_to_space" else (sizes[1:3], block)
        if not plain or any(size % factor for size in divided):
            return body(x, block, data_format)
        return fn(input=x, block_size=block)

    return kernel


# --- matrices
def _inside(x: Any, k: Any) -> bool:
    """Whether the rows and columns are counted, and the diagonal is one of them."""
    if not isinstance(k, int) or (x.shape.rank or 0) < 2:
        return False
    rows, columns = x.shape[-2:]
    return bool(rows) and bool(columns) and -int(rows) < k < int(columns)


def diagonal(x: Any, offset: int, axis1: int, axis2: int) -> Any:
    rank = x.shape.rank
    if (axis1 % rank, axis2 % rank) != (rank - 2, rank - 1) or not _inside(x, offset):
        return gathered_diagonal(x, offset, axis1, axis2)
    return raw.MatrixDiagPartV3(input=x, k=offset, padding_value=tf.zeros((), x.dtype))


def _matrix(x: Any, k: int) -> Any:
    return raw.MatrixDiagV3(diagonal=x, k=k, num_rows=-1, num_cols=-1, padding_value=tf.zeros((), x.dtype))


def diag(x: Any, k: int) -> Any:
    return _matrix(x, k) if x.shape.rank == 1 and x.shape[0] else REGISTRY["diag"].fn(x, k)


def diagflat(x: Any, k: int) -> Any:
    return _matrix(tf.reshape(x, [-1]), k) if x.shape.num_elements() else REGISTRY["diagflat"].fn(x, k)


def tril(x: Any, k: Any) -> Any:
    if not _inside(x, k) or k < 0:
        return REGISTRY["tril"].fn(x, k)
    return raw.MatrixBandPart(input=x, num_lower=-1, num_upper=k)


def triu(x: Any, k: Any) -> Any:
    if not _inside(x, k) or k > 0:
        return REGISTRY["triu"].fn(x, k)
    return raw.MatrixBandPart(input=x, num_lower=-k, num_upper=-1)


KERNELS: dict[str, Any] = {
    "clip": clip,
    "where": where,
    "angle": of_floats("angle", angle),
    "reciprocal": lambda x: raw.Reciprocal(x=x),
    "elu": of_floats("elu", elu),
    "selu": of_floats("selu", lambda x: raw.Selu(features=x)),
    "in_top_k": in_top_k,
    "_depth_to_space": squares("_depth_to_space", raw.DepthToSpace),
    "_space_to_depth": squares("_space_to_depth", raw.SpaceToDepth),
    "hard_shrink": of_floats("hard_shrink", hard_shrink),
    "leaky_relu": of_floats("leaky_relu", leaky_relu),
    "log_sigmoid": of_floats("log_sigmoid", log_sigmoid),
    "relu6": of_floats("relu6", lambda x: raw.Relu6(features=x)),
    "softplus": of_floats("softplus", lambda x: raw.Softplus(features=x)),
    "softsign": of_floats("softsign", softsign),
    "threshold": of_floats("threshold", threshold),
    "divide_no_nan": lambda x1, x2: raw.DivNoNan(x=x1, y=x2),
    "diag": diag,
    "diagflat": diagflat,
    "_diagonal": diagonal,
    "tril": tril,
    "triu": triu,
}
