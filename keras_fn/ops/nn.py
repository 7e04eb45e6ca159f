"""Normalisation, attention, cross-entropies, and class ids as vectors."""

from __future__ import annotations

import math
from typing import Any

import keras_fn.ops.shape as s
from keras_fn.core import dtypes, shapes
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import DtypeRule, floats, mixes, op
from keras_fn.core.settings import epsilon as default_epsilon
from keras_fn.core.spec import Spec
from keras_fn.core.switches import switches
from keras_fn.ops import activation as a
from keras_fn.ops import elementwise as e
from keras_fn.ops import linalg as la
from keras_fn.ops import reduction as r

# `ops.nn` is also the view under which Keras shows these; `__all__` holds what is defined here
from keras_fn.ops.activation import *  # noqa: F403
from keras_fn.ops.adaptive_pool import *  # noqa: F403
from keras_fn.ops.conv import *  # noqa: F403
from keras_fn.ops.ctc import *  # noqa: F403
from keras_fn.ops.elementwise import sigmoid as sigmoid
from keras_fn.ops.known import times
from keras_fn.ops.linalg import normalize as normalize
from keras_fn.ops.noise_ratio import *  # noqa: F403
from keras_fn.ops.patches import *  # noqa: F403
from keras_fn.ops.polar_form import *  # noqa: F403
from keras_fn.ops.reduction import moments as moments
from keras_fn.ops.shape import one_hot as one_hot
from keras_fn.ops.sparse_making import sparse_multi_hot

__all__ = [
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "dot_product_attention",
    "layer_normalization",
    "multi_hot",
    "rms_normalization",
    "sparse_categorical_crossentropy",
]


def _dtype(x: Any) -> str:
    return x.dtype if isinstance(x, Spec) else dtypes.standardize(x.dtype)


def _at_least_32_bits(x: Any) -> Any:
    """Means and variances of half floats are taken in float32."""
    return e.cast(x, "float32") if _dtype(x) in ("float16", "bfloat16") else x


# --- normalisation
def _along(vector: Any, axes: tuple[int, ...], rank: int) -> Any:
    """A tensor of statistics or weights, reshaped so that its axes lie on `axes` of a tensor of `rank` dimensions."""
    dims = s.shape(vector)
    if len(dims) == rank or axes == tuple(range(rank - len(dims), rank)):
        return vector  # lies right, or broadcasts by itself
    if len(dims) != len(axes):
        raise ShapeError(
            f"A tensor of the shape {tuple(dims)} was given for the axes {axes} of one with {rank} dimensions: it must "
            f"have {len(axes)} dimensions."
        )
    out: list[Any] = [1] * rank
    for axis, d in zip(axes, dims, strict=True):
        out[axis] = -1 if d is None else d
    return s.reshape(vector, tuple(out))


@op(dtype=floats("x", "mean", "variance", "offset", "scale"))
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=0.001):
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, with given statistics.

    Source: https://arxiv.org/abs/1502.03167

    Args:
        x: tensor.
        mean, variance: statistics, as long as x is along `axis`.
        axis: axis (or axes) that the statistics belong to, usually that of the channels.
        offset, scale: shift and factor in the shape of the statistics; None for 0 and 1.
        epsilon: small number added to the variance.

    Returns:
        Tensor in the shape of x.

    Example:
        >>> from keras_fn import ops
        >>> y = ops.batch_normalization([[1.0], [3.0]], mean=[2.0], variance=[1.0], axis=-1, epsilon=0.0)
        >>> ops.convert_to_numpy(y).tolist()
        [[-1.0], [1.0]]
    """
    rank = s.ndim(x)
    axes = shapes.canonical_axes(axis, rank)
    factor = e.rsqrt(e.add(variance, epsilon))
    if scale is not None:
        factor = e.multiply(factor, scale)
    # one product and one sum over x: the rest works on vectors
    shift = e.negative(e.multiply(mean, factor))
    if offset is not None:
        shift = e.add(shift, offset)
    return e.add(e.multiply(x, _along(factor, axes, rank)), _along(shift, axes, rank))


def _of_the_first(*found: Any) -> tuple[str, str]:
    """Weights become what x is: a model in half precision stays in it where its weights have 32 bits."""
    dtypes.result_type(*found)  # they must mix
    out = dtypes.at_least_float(dtypes.result_type(found[0]))
    return out, out


@op(dtype=DtypeRule(("x", "gamma", "beta"), _of_the_first))
def _layer_normalization(x, gamma, beta, axes, epsilon):
    """`layer_normalization` with all arguments given and axes counted from the front."""
    rank, name = s.ndim(x), _dtype(x)
    x = _at_least_32_bits(x)
    mean, variance = r.moments(x, axes, keepdims=True)
    factor = e.rsqrt(e.add(variance, epsilon))
    if gamma is not None:
        factor = e.multiply(factor, _along(e.cast(gamma, _dtype(x)), axes, rank))
    out = e.multiply(e.subtract(x, mean), factor)
    if beta is not None:
        out = e.add(out, _along(e.cast(beta, _dtype(x)), axes, rank))
    return e.cast(out, name)


def _weight_fits(weight: Any, x: Any, axes: tuple[int, ...], name: str) -> None:
    """A weight has one element for each place along the axes (or broadcasts along the last ones)."""
    if weight is None:
        return
    dims, wanted = tuple(s.shape(weight)), tuple(s.shape(x)[i] for i in axes)
    both_known = all(isinstance(d, int) for d in (*dims, *wanted))
    if both_known and len(dims) == len(wanted) and any(d not in (1, w) for d, w in zip(dims, wanted, strict=True)):
        raise ShapeError(f"`{name}` has the shape {dims}, and {wanted} was expected: that of x along the axes {axes}.")


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Any:
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, with mean and variance of x along `axis`.

    Source: https://arxiv.org/abs/1607.06450

    Args:
        x: tensor.
        gamma, beta: factor and shift in the shape of x along `axis`; None for 1 and 0.
        axis: axis or axes that are normalised together.
        epsilon: small number added to the variance; None for the default set in `keras_fn.config`.
    """
    x = x if hasattr(x, "shape") else s.convert_to_tensor(x)
    axes = tuple(sorted(shapes.canonical_axes(axis, s.ndim(x))))
    _weight_fits(gamma, x, axes, "gamma")
    _weight_fits(beta, x, axes, "beta")
    return _layer_normalization(x, gamma, beta, axes, default_epsilon() if epsilon is None else epsilon)


@op(dtype=DtypeRule(("x", "scale"), _of_the_first))
def _rms_normalization(x, scale, axes, epsilon):
    """`rms_normalization` with all arguments given and axes counted from the front."""
    rank, name = s.ndim(x), _dtype(x)
    x = _at_least_32_bits(x)
    out = e.multiply(x, e.rsqrt(e.add(r.mean(e.square(x), axes, True), epsilon)))
    if scale is not None:
        out = e.multiply(out, _along(e.cast(scale, _dtype(x)), axes, rank))
    return e.cast(out, name)


def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """`x / sqrt(mean(x ** 2) + epsilon) * scale`, with the mean along `axis`. Source: https://arxiv.org/abs/1910.07467

    Args:
        x: tensor.
        scale: factor in the shape of x along `axis`; None for 1.
        axis: axis or axes that are normalised together.
        epsilon: small number added to the mean; None for the default set in `keras_fn.config`.
    """
    x = x if hasattr(x, "shape") else s.convert_to_tensor(x)
    axes = tuple(sorted(shapes.canonical_axes(axis, s.ndim(x))))
    _weight_fits(scale, x, axes, "scale")
    return _rms_normalization(x, scale, axes, default_epsilon() if epsilon is None else epsilon)


@op(dtype=floats("x", "gamma", "beta"))
def _group_normalization(x, gamma, beta, groups, axis, epsilon):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta` over all axes but the first, within groups of channels.

    Source: https://arxiv.org/abs/1803.08494
    """
    if isinstance(x, Spec):
        return Spec(x.shape, x.dtype)
    name, dims = _dtype(x), tuple(s.shape(x))
    channels = x.shape[axis]
    before, after = times(*dims[1:axis]), times(*dims[axis + 1 :])
    x = s.reshape(_at_least_32_bits(x), (dims[0], before, channels, after))

    def mean(v: Any) -> Any:
        """Over a group, channel by channel first: those lie in rows that all frameworks sum fast."""
        for place, length in ((3, after), (1, before)):
            v = s.squeeze(v, place) if isinstance(length, int) and length == 1 else r.mean(v, place)
        v = s.reshape(v, (dims[0], groups, channels // groups))
        return s.reshape(s.repeat(r.mean(v, 2), channels // groups, 1), (dims[0], 1, channels, 1))

    centred = e.subtract(x, mean(x))
    factor = e.rsqrt(e.add(mean(e.square(centred)), epsilon))
    if gamma is not None:
        factor = e.multiply(factor, s.reshape(e.cast(gamma, _dtype(x)), (channels, 1)))
    out = e.multiply(centred, factor)
    if beta is not None:
        out = e.add(out, s.reshape(e.cast(beta, _dtype(x)), (channels, 1)))
    return e.cast(s.reshape(out, dims), name)


# --- attention
# stands for minus infinity: a row that may look at nothing gets equal weights, not NaN
_MASKED = {"float16": -3e4}


@op(dtype=mixes("query", "key", "value", "bias", "mask"))
def _attention(query, key, value, bias, mask, scale, is_causal, flash_attention, soft_cap):
    """`dot_product_attention` with all arguments given, floats of one dtype and a mask of bools."""
    if flash_attention and not isinstance(query, Spec):
        raise ArgumentError(
            "flash_attention=True was asked for, and this backend has no such kernel. Take flash_attention=None or "
            "False, or a backend that has one (torch on a GPU)."
        )
    name = _dtype(query)
    heads, shared = query.shape[2], key.shape[2]
    if None not in (heads, shared) and heads != shared:
        key, value = s.repeat(key, heads // shared, 2), s.repeat(value, heads // shared, 2)
    # float32 queries are scaled, as they are smaller than the scores; half floats would lose digits
    if name in ("float16", "bfloat16"):
        scores = e.multiply(_at_least_32_bits(la.einsum("btnh,bsnh->bnts", query, key)), scale)
    else:
        scores = la.einsum("btnh,bsnh->bnts", e.multiply(query, scale), key)
    if soft_cap is not None:
        scores = e.multiply(e.tanh(e.true_divide(scores, soft_cap)), soft_cap)
    if bias is not None:
        scores = e.add(scores, e.cast(bias, _dtype(scores)))
    if is_causal:
        length, others = s.shape(query)[1], s.shape(key)[1]
        rows, columns = (_places(n) for n in (length, others))
        causal = e.greater_equal(s.expand_dims(rows, 1), s.expand_dims(columns, 0))
        mask = causal if mask is None else e.logical_and(mask, causal)
    if mask is not None:
        scores = e.where(mask, scores, _MASKED.get(_dtype(scores), -3e38))
    weights = e.cast(a.softmax(scores, -1), name)
    return la.einsum("bnts,bsnh->btnh", weights, value)


def _places(n: Any) -> Any:
    """0, 1, … n - 1; of unknown number while a model is built."""
    return Spec((None,), "int32") if n is None else s.arange(n, dtype="int32")


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """`softmax(query @ key.T * scale + bias) @ value`, head by head. Source: https://arxiv.org/abs/1706.03762

    Fewer heads of keys and values than of queries are shared by neighbouring queries
    (https://arxiv.org/abs/2305.13245).

    Args:
        query: tensor `(batch, length, heads, size)`.
        key: tensor `(batch, others, heads or a divisor of it, size)`.
        value: tensor in the shape of `key`.
        bias: tensor that broadcasts to `(batch, heads, length, others)`, added to the scores.
        mask: bool tensor that broadcasts to the same shape: False where a query must not look.
        scale: factor of the scores; None for `1 / sqrt(size)`.
        is_causal: whether a query sees only keys up to its own place.
        flash_attention: True asks for a fused kernel that never stores the scores, and raises where there is none;
            False forbids fused kernels; None leaves it to the backend.
        attn_logits_soft_cap: scores are kept between plus and minus this, by tanh.

    Returns:
        Tensor `(batch, length, heads, size)`.

    Raises:
        ShapeError: where the shapes do not fit each other.
        ArgumentError: where a fused kernel was asked for and there is none.
    """
    query, key, value = (x if hasattr(x, "shape") else s.convert_to_tensor(x) for x in (query, key, value))
    _check_attention(tuple(query.shape), tuple(key.shape), tuple(value.shape))
    query, key, value, bias = _agreed(query, key, value, bias)
    if mask is not None:
        mask = e.cast(mask if hasattr(mask, "shape") else s.convert_to_tensor(mask), "bool")
    for name, x in (("bias", bias), ("mask", mask)):
        if x is not None:
            _check_broadcast(name, x, (query.shape[0], query.shape[2], query.shape[1], key.shape[1]))
    scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    if flash_attention is None:
        flash_attention = switches.flash_attention
    return _attention(query, key, value, bias, mask, scale, is_causal, flash_attention, attn_logits_soft_cap)


def _agreed(*tensors: Any) -> list[Any]:
    """The tensors (or Nones) in their common float dtype."""
    found = [None if x is None or hasattr(x, "shape") else s.convert_to_tensor(x) for x in tensors]
    found = [x if f is None else f for x, f in zip(tensors, found, strict=True)]
    name = dtypes.at_least_float(dtypes.result_type(*(_dtype(x) for x in found if x is not None)))
    return [x if x is None or _dtype(x) == name else e.cast(x, name) for x in found]


def _check_broadcast(name: str, x: Any, target: tuple[Any, ...]) -> None:
    dims = tuple(x.shape)
    fits = len(dims) <= 4 and all(
        d == 1 or d == t or None in (d, t) for d, t in zip(reversed(dims), reversed(target), strict=False)
    )
    if not fits:
        raise ShapeError(f"`{name}` must broadcast to (batch, heads, length, others), here {target}; it is {dims}.")


def _check_attention(query: Any, key: Any, value: Any) -> None:
    if not len(query) == len(key) == len(value) == 4:
        problem = "all three must have 4 dimensions (batch, length, heads, size)"
    elif key[1] != value[1] and None not in (key[1], value[1]):
        problem = "key and value must have the same length (axis 1)"
    elif query[3] != key[3] or query[3] is None:
        problem = "query and key must have the same known size (axis 3)"
    elif None not in (query[2], key[2], value[2]) and (key[2] != value[2] or query[2] % key[2]):
        problem = "key and value must have the same number of heads (axis 2), which divides that of the query"
    else:
        return
    raise ShapeError(f"Attention over query {query}, key {key}, value {value}: {problem}.")


# --- cross-entropies
def _same_shapes(target: Any, output: Any) -> None:
    target, output = tuple(target.shape), tuple(output.shape)
    if not _agree(target, output):
        raise ShapeError(f"`target` and `output` must have one shape, and have {target} and {output}.")


def _agree(a: shapes.Shape, b: shapes.Shape) -> bool:
    """Whether two shapes are one, as far as they are known."""
    return len(a) == len(b) and all(m == n or m is None or n is None for m, n in zip(a, b, strict=True))


@op(dtype=floats("target", "output"))
def binary_crossentropy(target, output, from_logits=False):
    """`-target * log(p) - (1 - target) * log(1 - p)`, element by element.

    Args:
        target: tensor of labels, 0 to 1.
        output: tensor in the same shape: probabilities p, clipped to `epsilon` and `1 - epsilon`; or their logits.
        from_logits: whether `output` holds logits, p being their sigmoid.

    Raises:
        ShapeError: where the shapes differ.

    Example:
        >>> from keras_fn import ops
        >>> [round(float(x), 4) for x in ops.binary_crossentropy([1.0, 0.0], [0.5, 0.5])]
        [0.6931, 0.6931]
    """
    _same_shapes(target, output)
    if from_logits:
        # max(x, 0) - x * z + log(1 + exp(-|x|)): no exponential of a positive number
        return e.add(e.subtract(a.relu(output), e.multiply(output, target)), a.softplus_tail(output))
    name = _dtype(output)
    # half floats have no number between 1 - epsilon and 1, whose complement has no logarithm
    target, output = _at_least_32_bits(target), _at_least_32_bits(output)
    p = e.clip(output, default_epsilon(), 1.0 - default_epsilon())
    both = e.add(e.multiply(target, e.log(p)), e.multiply(e.subtract(1.0, target), e.log(e.subtract(1.0, p))))
    return e.cast(e.negative(both), name) if name in ("float16", "bfloat16") else e.negative(both)


def _log_probabilities(output: Any, from_logits: bool, axis: int) -> Any:
    """Logarithms of class probabilities along an axis, from logits, or from numbers that are scaled to sum 1."""
    if from_logits:
        return a.log_softmax(output, axis)
    p = e.true_divide(output, r.sum(output, axis, True))
    return e.log(e.clip(p, default_epsilon(), 1.0 - default_epsilon()))


@op(dtype=floats("target", "output"))
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """`-sum(target * log(p))` along an axis of classes.

    Args:
        target: tensor of class probabilities, often one-hot.
        output: tensor in the same shape: p, scaled to sum 1 and clipped to `epsilon` and `1 - epsilon`; or logits.
        from_logits: whether `output` holds logits, p being their softmax.
        axis: axis of the classes.

    Returns:
        Tensor without that axis.

    Raises:
        ShapeError: where the shapes differ.
    """
    _same_shapes(target, output)
    return e.negative(r.sum(e.multiply(target, _log_probabilities(output, from_logits, axis)), axis))


@op(dtype=mixes("target", "output", out=lambda target, output: dtypes.at_least_float(output)))
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """`-log(p[target])`, with p along an axis of classes. A target that is no class gives 0.

    Args:
        target: tensor of class ids in the shape of `output` without `axis`, or with length 1 on a last axis.
        output: tensor of p, scaled to sum 1 and clipped to `epsilon` and `1 - epsilon`; or logits.
        from_logits: whether `output` holds logits, p being their softmax.
        axis: axis of the classes.

    Returns:
        Tensor in the shape of `output` without `axis`.

    Raises:
        ShapeError: where the shapes do not fit.

    Example:
        >>> from keras_fn import ops
        >>> [round(float(x), 4) for x in ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]])]
        [0.6931]
    """
    return _class_loss(*_matched_classes(target, output, from_logits, axis))


def mean_class_loss(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """The mean of `sparse_categorical_crossentropy`: frameworks have it without the values that it is the mean of."""
    return _mean_class_loss(*_matched_classes(target, output, from_logits, axis))


def _matched_classes(target: Any, output: Any, from_logits: bool, axis: int) -> tuple[Any, Any, int]:
    """Class ids in the shape that they have beside logarithms of probabilities, these, and the axis of classes."""
    wanted, found = list(output.shape), tuple(target.shape)
    if not wanted:
        raise ShapeError("`output` must have one dimension or more (one of classes), and it is a scalar.")
    axis = shapes.canonical_axis(axis, len(wanted))
    del wanted[axis]
    if len(found) == len(wanted) + 1 and found[-1] == 1:
        target, found = s.squeeze(target, -1), found[:-1]
    if not _agree(found, tuple(wanted)):
        raise ShapeError(
            f"`target` must have the shape of `output` ({tuple(output.shape)}) without axis {axis}, which is "
            f"{tuple(wanted)}, and it is {found}."
        )
    output = e.cast(output, dtypes.at_least_float(_dtype(output)))
    return e.cast(target, "int32"), _log_probabilities(output, from_logits, axis), axis


@op(dtype=mixes("target", "log_p", out=lambda target, log_p: log_p))
def _class_loss(target, log_p, axis):
    """`-log_p` at the target class along an axis; 0 for a target that is no class."""
    if isinstance(log_p, Spec):
        return r.sum(log_p, axis)  # the classes may not be counted yet, and only the shape matters
    hot = s.one_hot(target, s.shape(log_p)[axis], axis, _dtype(log_p))
    return e.negative(r.sum(e.multiply(hot, log_p), axis))


@op(dtype=mixes("target", "log_p", out=lambda target, log_p: log_p))
def _mean_class_loss(target, log_p, axis):
    """The mean of `_class_loss`."""
    return r.mean(_class_loss(target, log_p, axis))


# --- classes
@op(dtype=mixes("target", "output", out=lambda target, output: "bool"))
def _is_likeliest(target, output):
    """Whether a class id is the class of the largest output, along the last axis; the first one of equals."""
    return e.equal(e.cast(target, "int32"), r.argmax(output, -1))


@op(dtype=mixes("inputs"))
def _multi_hot(inputs, num_classes, axis, dtype):
    """`multi_hot` with all arguments given."""
    reduced = 1 if s.ndim(inputs) > 1 else 0
    return r.amax(s.one_hot(inputs, num_classes, axis, dtype), reduced)


def multi_hot(
    inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """Sets of class ids as vectors with a 1 at each class of the set.

    Args:
        inputs: int tensor: one set `(n,)`, or a batch of them `(batch, n)`; ids below 0 are left out.
        num_classes: number of classes, the length of the new axis.
        axis: where the new axis goes (before the axis of the set disappears).
        dtype: dtype of the result; None for the default float.
        sparse: whether the result is a sparse tensor.

    Example:
        >>> from keras_fn import ops
        >>> ops.convert_to_numpy(ops.multi_hot([[0, 2], [1, 1]], 3)).tolist()
        [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    if not isinstance(num_classes, int) or num_classes < 1:
        raise ArgumentError(f"`num_classes` must be a positive int, not {num_classes!r}.")
    if sparse:
        return sparse_multi_hot(inputs, num_classes, axis, dtypes.standardize(dtype))
    return _multi_hot(inputs, num_classes, axis, dtypes.standardize(dtype))
