"""Control flow: tf.cond, tf.switch_case and tf.while_loop, which build graph nodes where a graph is being made."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_fn.core import loops


def cond(pred: Any, true_fn: Any, false_fn: Any) -> list[Any]:
    return tf.cond(pred, true_fn, false_fn)


def switch(operands: list[Any], branches: list[Any]) -> list[Any]:
    index, *rest = operands
    index = tf.clip_by_value(tf.cast(index, tf.int32), 0, len(branches) - 1)
    return tf.switch_case(index, [_bound(b, rest) for b in branches])


def _bound(fn: Any, args: list[Any]) -> Any:
    return lambda: fn(*args)


def _like(new: list[Any], old: Any) -> list[Any]:
    """The tensors with the static shapes that they had: a loop in a graph wants equal ones."""
    return [x if x.shape == o.shape else tf.ensure_shape(x, o.shape) for x, o in zip(new, old, strict=True)]


def while_loop(operands: list[Any], condition: Any, body: Any, maximum: int | None) -> list[Any]:
    def goes_on(*values: Any) -> Any:
        return tf.cast(condition(*values)[0], tf.bool)

    return tf.while_loop(goes_on, lambda *values: _like(body(*values), values), operands, maximum_iterations=maximum)


eager_scan = loops.scanner(tf.unstack, tf.stack)


def scan(operands: list[Any], f: Any, carried: int, length: int | None, reverse: bool, unroll: Any) -> list[Any]:
    carry, xs = operands[:carried], operands[carried:]
    if tf.executing_eagerly():
        return eager_scan(operands, f, carried, length, reverse, unroll)
    steps = next((x.shape[0] for x in xs if x.shape[0] is not None), length)
    n = tf.shape(xs[0])[0] if steps is None else steps
    slices = [tf.TensorArray(x.dtype, n, element_shape=x.shape[1:]).unstack(x) for x in xs]
    results = [tf.TensorArray(y.dtype, n, element_shape=y.shape) for y in _result_specs(f, carry, xs)]

    def step(i: Any, carry: Any, results: Any) -> Any:
        at = n - 1 - i if reverse else i
        out = f(*carry, *(array.read(at) for array in slices))
        return i + 1, _like(out[:carried], carry), [a.write(at, y) for a, y in zip(results, out[carried:], strict=True)]

    _, carry, results = tf.while_loop(
        lambda i, carry, results: i < n, step, (tf.constant(0), carry, results), maximum_iterations=n
    )
    rows = [a.stack() for a in results]
    if steps is not None:
        rows = [tf.ensure_shape(y, (steps, *y.shape[1:])) for y in rows]
    return [*carry, *rows]


def _result_specs(f: Any, carry: list[Any], xs: list[Any]) -> list[Any]:
    """What one step returns beside the carry: the arrays for it must have dtypes before the loop is built."""
    specs = [tf.TensorSpec(c.shape, c.dtype) for c in carry] + [tf.TensorSpec(x.shape[1:], x.dtype) for x in xs]
    traced = tf.function(lambda *args: f(*args)[len(carry) :], autograph=False).get_concrete_function(*specs)
    return list(traced.structured_outputs)


def vectorized_map(operands: list[Any], f: Any) -> list[Any]:
    return tf.vectorized_map(lambda slices: f(*slices), operands)


KERNELS: dict[str, Any] = {
    "_cond": cond,
    "_switch": switch,
    "_while_loop": while_loop,
    "_scan": scan,
    "_vectorized_map": vectorized_map,
}
