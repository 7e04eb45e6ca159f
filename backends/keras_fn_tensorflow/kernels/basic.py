"""Reductions, shapes, products, and what is looked up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from keras_fn.core import dtypes, limits, shapes
from keras_fn.core.ways import ByDtype
from keras_fn_tensorflow.kernels.contractions import einsum
from keras_fn_tensorflow.kernels.gradients import with_gradient
from keras_fn_tensorflow.kernels.ranges import accelerated, at_once, corner, from_front, indexed
from keras_fn_tensorflow.kernels.vectors import axes, vector

raw = tf.raw_ops


EIGHT_BITS = frozenset(("float8_e4m3fn", "float8_e5m2"))


def cast(x: Any, dtype: str) -> Any:
    """The tensor in another dtype; TensorFlow makes 8-bit floats of floats only."""
    target = _TARGETS.get(dtype) or tf.dtypes.as_dtype(dtype)
    found = x.dtype
    if found == target:
        return x
    if x.__class__ is _RAGGED:
        return x.with_flat_values(cast(x.flat_values, dtype))
    if found.is_floating:
        if dtype in _WHOLE:
            return _rounded(x, target)
    elif dtype in EIGHT_BITS:
        x = tf.cast(x, tf.float32)
    return raw.Cast(x=x, DstT=target)


_RAGGED = tf.RaggedTensor
_TARGETS = {name: tf.dtypes.as_dtype(name) for name in dtypes.ALL}
_WHOLE = frozenset(("int8", "uint8", "int16", "uint16", "int32", "int64"))


def _rounded(x: Any, target: Any) -> Any:
    """Floats as integers; what they cannot hold becomes the nearest that they can, and NaN 0.

    A processor gives the lowest number for it, if it does not do this itself.
    """
    x = tf.cast(x, tf.float32) if x.dtype.size < 4 else x
    wide = target if target.size >= 4 else tf.int32
    out = raw.Cast(x=x, DstT=wide)

    def careful() -> Any:
        high = tf.where(x >= 2.0 ** (8 * wide.size - 1), tf.constant(wide.max, wide), out)
        return tf.where(tf.equal(x, x), high, tf.zeros((), wide))

    if accelerated():
        out = careful()  # a look would mean to wait for it
    elif at_once(x):
        every = axes(out, None)
        low = int(raw.Min(input=out, axis=every))
        if wide != target and low >= target.min and int(raw.Max(input=out, axis=every)) <= target.max:
            return raw.Cast(x=out, DstT=target)
        out = out if low > wide.min else careful()
    else:
        out = tf.cond(tf.reduce_min(out) > wide.min, lambda: out, careful)
    if wide == target:
        return out
    # a graph writes both in place, which it does not with the op that clips
    return raw.Cast(x=raw.Minimum(x=raw.Maximum(x=out, y=target.min), y=target.max), DstT=target)


def reduction(fn: Any, generated: Any) -> Any:
    """A kernel from a function of TensorFlow and the generated op behind it, which eager calls reach directly."""

    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        if at_once(x) and (found := axes(x, axis)) is not None:
            return generated(input=x, axis=found, keep_dims=bool(keepdims))
        return fn(x, axis=axis, keepdims=keepdims)

    return kernel


_mean = reduction(tf.reduce_mean, raw.Mean)


def _wide_mean(x: Any, axis: Any, keepdims: bool) -> Any:
    return tf.cast(_mean(tf.cast(x, tf.float32), axis, keepdims), x.dtype)


def extreme(usual: Any) -> Any:
    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        if 0 in x.shape.as_list():
            limits.check_some(x.shape.as_list(), axis)
        return usual(x, axis, keepdims)

    def of_bools(x: Any, axis: Any, keepdims: bool) -> Any:
        return tf.cast(kernel(tf.cast(x, tf.uint8), axis, keepdims), tf.bool)

    return ByDtype(kernel, {tf.bool: of_bools})


_sum, _largest = reduction(tf.reduce_sum, raw.Sum), reduction(tf.reduce_max, raw.Max)


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    if not at_once(x) or 0 in x.shape.as_list():
        return tf.reduce_logsumexp(x, axis, keepdims)
    peak = raw.StopGradient(input=_largest(x, axis, True))
    peak = raw.SelectV2(condition=raw.IsFinite(x=peak), t=peak, e=0.0)
    total = raw.Log(x=_sum(raw.Exp(x=raw.Sub(x=x, y=peak)), axis, keepdims))
    return raw.AddV2(x=total, y=peak if keepdims else raw.Reshape(tensor=peak, shape=raw.Shape(input=total)))


def arg(fn: Any) -> Any:
    def kernel(x: Any, axis: Any, keepdims: bool) -> Any:
        if 0 in x.shape:
            limits.check_some(x.shape.as_list(), axis)
        if x.dtype == tf.bool:
            x = tf.cast(x, tf.int32)
        if axis is None:
            out = _first(fn, tf.reshape(x, [-1]), 0)
            return tf.reshape(out, [1] * x.shape.rank) if keepdims else out
        out = _first(fn, x, axis)
        return tf.expand_dims(out, axis) if keepdims else out

    return kernel


def _first(fn: Any, x: Any, axis: int) -> Any:
    """The place of an extreme; of the first NaN where there is one, which TensorFlow passes over."""
    if not x.dtype.is_floating:
        return fn(x, axis, output_type=tf.int32)
    lost = tf.math.is_nan(tf.reduce_max(x, axis))  # the largest of numbers of which one is NaN is NaN

    def careful() -> Any:
        place = tf.argmax(tf.cast(tf.math.is_nan(x), tf.uint8), axis, output_type=tf.int32)
        return tf.where(lost, place, fn(x, axis, output_type=tf.int32))

    return tf.cond(tf.reduce_any(lost), careful, lambda: fn(x, axis, output_type=tf.int32))


def cumulative(fn: Any) -> Any:
    def kernel(x: Any, axis: Any) -> Any:
        if axis is None:
            return fn(tf.reshape(x, [-1]), 0)
        return fn(x, shapes.canonical_axis(axis, x.shape.rank))

    return kernel


def round_(x: Any, decimals: int) -> Any:
    if not x.dtype.is_floating:
        if decimals >= 0:
            return tf.identity(x)
        step = tf.cast(10.0**-decimals, tf.float64)
        return tf.cast(tf.round(tf.cast(x, tf.float64) / step) * step, x.dtype)
    if decimals == 0:
        return tf.round(x)
    if decimals < 0:
        step = tf.cast(10.0**-decimals, x.dtype)
        return tf.round(x / step) * step
    factor = tf.cast(10.0**decimals, x.dtype)
    return tf.round(x * factor) / factor


def expand_dims(x: Any, axis: Any) -> Any:
    if isinstance(axis, int):
        return raw.ExpandDims(input=x, axis=axis)
    rank = x.shape.rank + len(axis)
    for a in sorted(a % rank for a in axis):
        x = raw.ExpandDims(input=x, axis=a)
    return x


def split(x: Any, sections: Any, axis: int) -> Any:
    if isinstance(sections, int):
        return tf.split(x, sections, axis)
    length = x.shape[axis] if x.shape[axis] is not None else tf.shape(x)[axis]
    least = min if isinstance(length, int) else tf.minimum
    cuts = [0, *(least(s, length) if s >= 0 else -least(-s, length) + length for s in sections), length]
    return tf.split(x, [b - a for a, b in zip(cuts, cuts[1:], strict=False)], axis)


def tile(x: Any, repeats: Any) -> Any:
    repeats = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    rank = max(len(repeats), x.shape.rank)
    x = tf.reshape(x, [1] * (rank - x.shape.rank) + _dims(x))
    return tf.tile(x, (1,) * (rank - len(repeats)) + repeats)


def _dims(x: Any) -> list[Any]:
    dynamic = None
    out = []
    for i, d in enumerate(x.shape.as_list()):
        if d is None:
            dynamic = tf.shape(x) if dynamic is None else dynamic
            d = dynamic[i]
        out.append(d)
    return out


def reshape(x: Any, shape: Any) -> Any:
    return raw.Reshape(tensor=x, shape=vector(x, shape)) if at_once(x) else tf.reshape(x, shape)


def transpose(x: Any, order: Any) -> Any:
    if not at_once(x) or x.dtype.is_complex:
        return tf.transpose(x, order)
    order = tuple(range(x.shape.rank))[::-1] if order is None else tuple(order)
    return raw.Transpose(x=x, perm=vector(x, order))


def repeat(x: Any, repeats: Any, axis: Any) -> Any:
    return tf.repeat(x, repeats, axis)


def pad(x: Any, width: Any, mode: Any, value: Any) -> Any:
    if not width:
        return x
    return tf.pad(x, width, mode, constant_values=tf.cast(value, x.dtype) if mode == "constant" else 0)


def get_item(x: Any, key: Any) -> Any:
    keys = key if isinstance(key, tuple) else (key,)
    if not any(isinstance(k, (tf.Tensor, np.ndarray, list)) and getattr(k, "shape", (1,)) != () for k in keys):
        return x[key]
    if len(keys) == 1 and getattr(keys[0], "dtype", None) in (tf.bool, np.dtype(bool)):
        return tf.boolean_mask(x, keys[0])
    return _gather(x, keys)


def _gather(x: Any, keys: Any) -> Any:
    """NumPy's integer-array indexing: the indexed axes go to the front, are looked up, and go back."""
    rank, used = x.shape.rank, sum(k is not None and k is not Ellipsis for k in keys)
    full: list[Any] = []
    for k in keys:
        full.extend([slice(None)] * (rank - used) if k is Ellipsis else [k])
    full += [slice(None)] * (rank - sum(k is not None for k in full))
    basic = tuple(k if isinstance(k, slice) or k is None else slice(None) for k in full)
    x = x[basic]
    axes = [i for i, k in enumerate(full) if not (isinstance(k, slice) or k is None)]
    indices = [tf.cast(full[i], tf.int64) for i in axes]
    sizes = tf.shape(x, tf.int64)
    shape = tf.shape(indices[0])
    for i in indices[1:]:
        shape = tf.broadcast_dynamic_shape(shape, tf.shape(i))
    indices = [tf.broadcast_to(from_front(i, sizes[a]), shape) for i, a in zip(indices, axes, strict=True)]
    rest = [i for i in range(x.shape.rank) if i not in axes]
    out = tf.gather_nd(tf.transpose(x, axes + rest), tf.stack(indices, -1))
    n = indices[0].shape.rank
    place = axes[0]
    order = [*range(n, n + place), *range(n), *range(n + place, out.shape.rank)]
    return tf.transpose(out, order) if order != sorted(order) else out


def take(x: Any, indices: Any, axis: Any) -> Any:
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    if indices.dtype not in (tf.int32, tf.int64):
        indices = tf.cast(indices, tf.int32)
    if at_once(x) and not accelerated():
        try:
            return raw.GatherV2(params=x, indices=indices, axis=axis)
        except tf.errors.InvalidArgumentError:
            pass  # one is out of range, or below 0
    length = x.shape[axis]
    length = tf.cast(tf.shape(x)[axis], indices.dtype) if length is None else length
    return tf.gather(x, from_front(indices, length), axis=axis)


_EAGER = type(tf.constant(0))


def take_along_axis(x: Any, indices: Any, axis: Any) -> Any:
    if indices.dtype not in (tf.int32, tf.int64):
        indices = tf.cast(indices, tf.int32)
    if axis is None:
        return take(x, tf.reshape(indices, [-1]), None)
    rank = x.shape.rank
    axis %= rank
    if _aligned(x.shape.as_list(), indices.shape.as_list(), axis):
        return _taken_along(x, indices, axis)
    order = [i for i in range(rank) if i != axis] + [axis]
    x, indices = tf.transpose(x, order), tf.transpose(indices, order)
    batch = tf.broadcast_dynamic_shape(tf.shape(x)[:-1], tf.shape(indices)[:-1])
    x = tf.broadcast_to(x, tf.concat([batch, tf.shape(x)[-1:]], 0))
    indices = tf.broadcast_to(indices, tf.concat([batch, tf.shape(indices)[-1:]], 0))
    indices = from_front(indices, tf.cast(tf.shape(x)[-1], indices.dtype))
    return tf.transpose(tf.gather(x, indices, batch_dims=rank - 1), list(np.argsort(order)))


def _aligned(dims: list[Any], found: list[Any], axis: int) -> bool:
    """Whether two shapes are known, and equal but for one axis; and the places can be counted in int32."""
    if None in dims or None in found or len(dims) != len(found) or math.prod(dims) >= 2**31:
        return False
    return all(a == b for i, (a, b) in enumerate(zip(dims, found, strict=True)) if i != axis)


def _taken_along(x: Any, indices: Any, axis: int) -> Any:
    """By places in the tensor laid out in a row: one gather, where TensorFlow's own way transposes three tensors."""
    dims = x.shape.as_list()
    step = math.prod(dims[axis + 1 :])
    rows = tf.range(math.prod(dims[:axis])) * (dims[axis] * step)
    start = tf.reshape(rows[:, None] + tf.range(step), [*dims[:axis], 1, *dims[axis + 1 :]])
    # one that is out of range would be the place of another row
    indices = tf.cast(from_front(indices, dims[axis], unseen=True), tf.int32)
    return tf.gather(tf.reshape(x, [-1]), indices * step + start)


def slice_(x: Any, start: Any, shape: Any) -> Any:
    if not x.shape.rank:
        return tf.identity(x)
    shape = tf.unstack(shape) if isinstance(shape, tf.Tensor) else shape
    return tf.slice(x, corner(start, x, shape), tf.stack([tf.cast(n, tf.int32) for n in shape]))


def slice_update(x: Any, start: Any, updates: Any) -> Any:
    return _block_update(x, corner(start, x, updates.shape.as_list()), tf.cast(updates, x.dtype))


def _block_update(x: Any, start: Any, updates: Any) -> Any:
    """XLA's update of a block, with the gradient that TensorFlow lacks for it."""
    from tensorflow.compiler.tf2xla.python.xla import dynamic_update_slice

    def update(x: Any, updates: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            block = tf.slice(upstream, start, tf.shape(updates))
            return _block_update(upstream, start, tf.zeros_like(updates)), block

        return dynamic_update_slice(x, updates, start), gradient

    return with_gradient(update, x, updates)


def sort(x: Any, axis: int) -> Any:
    """In ascending order; NaN comes last, as elsewhere."""
    if x.dtype == tf.bool:
        return tf.cast(tf.sort(tf.cast(x, tf.uint8), axis), tf.bool)
    if not x.dtype.is_floating:
        return tf.sort(x, axis)
    nan = tf.math.is_nan(x)
    if at_once(x) and not bool(tf.reduce_any(nan)):
        return tf.sort(x, axis)
    ordered = tf.sort(tf.where(nan, tf.cast(float("inf"), x.dtype), x), axis)
    length = tf.shape(x)[axis]
    place = tf.reshape(tf.range(length), [-1] + [1] * (x.shape.rank - 1 - axis % x.shape.rank))
    numbers = length - tf.reduce_sum(tf.cast(nan, tf.int32), axis, True)
    return tf.where(place < numbers, ordered, tf.cast(float("nan"), x.dtype))


def argsort(x: Any, axis: int) -> Any:
    if x.dtype == tf.bool:
        return tf.argsort(tf.cast(x, tf.uint8), axis, stable=True)
    if not x.dtype.is_floating:
        return tf.argsort(x, axis, stable=True)
    nan = tf.math.is_nan(x)
    if at_once(x) and not bool(tf.reduce_any(nan)):
        return tf.argsort(x, axis, stable=True)
    order = tf.argsort(tf.where(nan, tf.cast(float("inf"), x.dtype), x), axis, stable=True)
    late = tf.argsort(tf.cast(take_along_axis(nan, order, axis), tf.uint8), axis, stable=True)
    return take_along_axis(order, late, axis)


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    numbers = all(isinstance(n, (int, float)) for n in (start, stop, step))
    if numbers and (stop - start) / step <= 0:  # TensorFlow raises
        return tf.zeros([0], dtype)
    return tf.cast(tf.range(start, stop, step), dtype)


# products of these are computed in int32, which wraps round to the same
_NARROW = (tf.bool, tf.uint8, tf.int8, tf.int16)


def product(fn: Any) -> Any:
    """A kernel for all dtypes from a product of tensors that lacks narrow integers and bool."""

    def kernel(*xs: Any) -> Any:
        dtype = xs[0].dtype
        if dtype not in _NARROW:
            return fn(*xs)
        out = fn(*(tf.cast(x, tf.int32) for x in xs))
        return out != 0 if dtype == tf.bool else tf.cast(out, dtype)

    return kernel


def one_hot(x: Any, num_classes: int, axis: int, dtype: str) -> Any:
    x = x if x.dtype in (tf.uint8, tf.int8, tf.int32, tf.int64) else tf.cast(x, tf.int32)
    if dtype == "bool":
        return tf.one_hot(x, num_classes, True, False, axis, tf.bool)
    return tf.one_hot(x, num_classes, axis=axis, dtype=dtype)


def segment_sum(values: Any, ids: Any, num: int) -> Any:
    if at_once(ids) and at_once(values) and not accelerated():
        try:
            return raw.UnsortedSegmentSum(data=values, segment_ids=ids, num_segments=num)
        except tf.errors.InvalidArgumentError:
            pass  # there is an id above all segments
    ids = tf.where((ids >= 0) & (ids < num), ids, -1)
    return tf.math.unsorted_segment_sum(values, ids, num)


def fill(shape: Any, value: Any, dtype: str) -> Any:
    if value.__class__ is float:
        value = np.array(value)  # of a Python float, -0.0 may come out as 0.0 (see numbers.py)
    if dtype in EIGHT_BITS:
        return cast(tf.fill(shape, tf.cast(value, tf.float32)), dtype)
    return tf.fill(shape, tf.cast(value, dtype))


def softmax(x: Any, axis: int) -> Any:
    if not x.shape.rank:
        shapes.canonical_axis(axis, 0)
    return raw.Softmax(logits=x) if axis == -1 else tf.nn.softmax(x, axis)


def top_k(x: Any, k: int, sorted: bool) -> Any:
    if not x.dtype.is_floating:
        return tuple(tf.math.top_k(x, k, sorted))
    # TensorFlow takes NaN for none of them; elsewhere it is above all. The largest is NaN if one is
    largest = tf.reduce_max(x)
    if at_once(x) and not math.isnan(float(largest)):
        return tuple(tf.math.top_k(x, k, sorted))

    def careful() -> Any:
        lost = tf.math.is_nan(x)
        # NaN by its places, before all numbers
        order = tf.argsort(tf.where(lost, tf.cast(float("-inf"), x.dtype), -x), -1, stable=True)
        late = tf.argsort(tf.cast(~tf.gather(lost, order, batch_dims=x.shape.rank - 1), tf.uint8), -1, stable=True)
        places = tf.gather(order, late, batch_dims=x.shape.rank - 1)[..., :k]
        return tf.gather(x, places, batch_dims=x.shape.rank - 1), places

    if at_once(x):
        return careful()
    return tf.cond(tf.math.is_nan(largest), careful, lambda: tuple(tf.math.top_k(x, k, sorted)))


KERNELS: dict[str, Any] = {
    "round": round_,
    "_softmax": softmax,
    "_log_softmax": lambda x, axis: raw.LogSoftmax(logits=x) if axis == -1 else tf.nn.log_softmax(x, axis),
    "logsumexp": logsumexp,
    "_cast": cast,
    "stop_gradient": tf.stop_gradient,
    "sum": _sum,
    "mean": ByDtype(_mean, {tf.float16: _wide_mean, tf.bfloat16: _wide_mean}),  # their sum could be too large for them
    "_prod": reduction(tf.reduce_prod, raw.Prod),
    "amax": extreme(_largest),
    "amin": extreme(reduction(tf.reduce_min, raw.Min)),
    "any": reduction(tf.reduce_any, raw.Any),
    "all": reduction(tf.reduce_all, raw.All),
    "argmax": arg(tf.argmax),
    "argmin": arg(tf.argmin),
    "_cumsum": cumulative(tf.cumsum),
    "_cumprod": cumulative(tf.math.cumprod),
    "_reshape": reshape,
    "transpose": transpose,
    "expand_dims": expand_dims,
    "squeeze": lambda x, axis: tf.squeeze(x, axis),
    "broadcast_to": tf.broadcast_to,
    "_flip": lambda x, axes: tf.reverse(x, list(axes)),
    "concatenate": lambda xs, axis: raw.ConcatV2(values=xs, axis=axis) if len(xs) > 1 else tf.concat(xs, axis),
    "stack": lambda xs, axis: raw.Pack(values=xs, axis=axis),
    "split": split,
    "tile": tile,
    "repeat": repeat,
    "_pad": pad,
    "_get_item": indexed(get_item),
    "_take_rows": lambda x, rows: tf.gather(x, rows),
    "take": indexed(take),
    "take_along_axis": indexed(take_along_axis),
    "slice": indexed(slice_),
    "slice_update": slice_update,
    "_segment_sum": segment_sum,
    "sort": sort,
    "argsort": argsort,
    "top_k": top_k,
    "_one_hot": one_hot,
    "_fill": fill,
    "_fill_like": lambda x, value, dtype: fill(tf.shape(x), value, dtype),
    "_arange": arange,
    "_einsum": lambda operands, subscripts: product(lambda *xs: einsum(subscripts, *xs))(*operands),
    "matmul": product(lambda a, b: _matmul(a, b)),
}


def _matmul(a: Any, b: Any) -> Any:
    ra, rb = a.shape.rank, b.shape.rank
    if ra == 2 and rb == 2:
        if not at_once(a) and a.shape[1] == 0:
            # with a bias after it, a graph would fuse the two into a call of oneDNN that ends the process
            return tf.zeros([_dims(a)[0], _dims(b)[1]], a.dtype)
        return raw.MatMul(a=a, b=b)
    if rb == 2 and ra > 2:
        flat = tf.matmul(tf.reshape(a, [-1, _dims(a)[-1]]), b)
        out = tf.reshape(flat, [*_dims(a)[:-1], _dims(b)[-1]])
        out.set_shape([*a.shape[:-1], b.shape[-1]])
        return out
    if ra == 1 and rb == 1:
        return tf.tensordot(a, b, 1)
    if rb == 1:
        return tf.linalg.matvec(a, b)
    if ra == 1:
        return tf.squeeze(tf.matmul(tf.expand_dims(a, 0), b), -2)
    return tf.matmul(a, b)
