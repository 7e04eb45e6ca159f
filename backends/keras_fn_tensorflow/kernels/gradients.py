"""Functions with gradients of their own: of kernels that lack one, or have another one than what they compute."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import record  # pyright: ignore[reportMissingImports]

Function = Callable[..., Any]

# the gradient's name in graphs, and the attribute under which an op of a graph keeps the function
_NAME = "keras_fn_gradient"
_mode = threading.local()


@contextmanager
def forward_mode() -> Iterator[None]:
    """Within it kernels with a gradient of their own leave the work to bodies, which have a derivative forward."""
    before = _is_forward()
    _mode.forward = True
    try:
        yield
    finally:
        _mode.forward = before


def _is_forward() -> bool:
    return getattr(_mode, "forward", False)


def with_gradient(fn: Function, *tensors: Any) -> Any:
    """The first of what `fn(*tensors)` returns; the second one makes its gradient.

    tf.custom_gradient does the same, but in a graph it puts each function into a list that is never emptied, and with
    it the graph. Here an op of the graph keeps the function.

    Args:
        fn: returns a tensor or a tuple of tensors, and a function from their gradients to those of `tensors`.
        tensors: tensors.
    """
    if tf.executing_eagerly():
        return tf.custom_gradient(fn)(*tensors)
    here = [tf.identity(x) for x in tensors]  # what comes from outside of a loop is out of reach in its gradient
    results, gradient = fn(*here)
    inner = [*results] if isinstance(results, tuple) else [results]
    count = len(inner)

    def of_tensors(*upstream: Any) -> list[Any]:
        grads = gradient(*upstream[:count])
        return [*[None] * count, *(grads if isinstance(grads, (list, tuple)) else [grads])]

    # symbolic gradients go through an op, tapes through what is recorded of it
    with tf.compat.v1.get_default_graph().gradient_override_map({"IdentityN": _NAME}):
        outer = tf.identity_n([*inner, *here])
    setattr(outer[0].op, _NAME, of_tensors)
    record.record_operation(_NAME, outer, [*inner, *here], of_tensors)
    return tuple(outer[:count]) if isinstance(results, tuple) else outer[0]


@tf.RegisterGradient(_NAME)
def _in_graph(op: Any, *grads: Any) -> list[Any]:
    return getattr(op, _NAME)(*(tf.zeros_like(y) if g is None else g for y, g in zip(op.outputs, grads, strict=True)))


def _here(x: Any) -> Any:
    """A tensor that a tape of this graph can watch: of those of another graph it does not see what becomes of them."""
    return x if tf.executing_eagerly() or x.graph is tf.compat.v1.get_default_graph() else tf.identity(x)


def _derivative(body: Function, tensors: Any, upstream: Any) -> tuple[Any, ...]:
    points = [_here(x) for x in tensors]
    with tf.GradientTape() as tape:
        tape.watch(points)
        out = body(*points)
    return tuple(tape.gradient(out, points, upstream, tf.UnconnectedGradients.ZERO))


def with_gradient_of(body: Function, kernel: Function, *tensors: Any) -> Any:
    """`kernel(*tensors)`, with the gradient of `body(*tensors)`, which computes the same in differentiable steps."""
    if _is_forward():
        return body(*tensors)

    def run(*tensors: Any) -> Any:
        with record.stop_recording():
            out = kernel(*tensors)
        return out, lambda *upstream: _derivative(body, tensors, upstream)

    return with_gradient(run, *tensors)


def with_both(forward: Function, backward: Function, body: Function, *tensors: Any) -> Any:
    """A function whose gradient needs what it met on the way; further derivatives are those of its body.

    Args:
        forward: `forward(*tensors) -> (results, kept)`.
        backward: `backward(kept, *upstream) -> gradients of the tensors`.
        body: `body(*tensors) -> results`, in differentiable steps.
        tensors: tensors.
    """
    if _is_forward():
        return body(*tensors)
    count = len(tensors)

    def run(*tensors: Any) -> Any:
        with record.stop_recording():
            results, kept = forward(*tensors)
            if not tf.executing_eagerly():  # a branch gives these out, and would be differentiated with respect to them
                kept = tf.nest.map_structure(lambda x: tf.stop_gradient(x) if tf.is_tensor(x) else x, kept)

        def gradient(*upstream: Any) -> Any:
            return with_gradient_of(
                lambda *inputs: _derivative(body, inputs[:count], inputs[count:]),
                lambda *_: tuple(backward(kept, *upstream)),
                *tensors,
                *upstream,
            )

        return results, gradient

    return with_gradient(run, *tensors)
