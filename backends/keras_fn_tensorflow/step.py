"""Gradients and abstract evaluation with TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_fn.core import trees
from keras_fn.core.spec import Spec
from keras_fn_tensorflow.kernels.ranges import indexed


def value_and_grad(fn: Callable[..., Any], variables: list[Any], has_aux: bool) -> Callable[..., Any]:
    """`fn` differentiated with respect to the variables; zeros for those that it does not depend on."""

    def run(*args: Any, **kwargs: Any) -> Any:
        cells = [v._cell for v in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(cells)
            out = fn(*args, **kwargs)
            loss = out[0] if has_aux else out
        grads = tape.gradient(loss, cells, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return out, [_dense(g, cell) for g, cell in zip(grads, cells, strict=True)]

    return run


def _dense(grad: Any, cell: Any) -> Any:
    """A gradient as a tensor of the cell's shape, which TensorFlow forgets where it leads through a sparse tensor."""
    grad = tf.convert_to_tensor(grad)
    if not grad.shape.is_fully_defined():
        grad.set_shape(cell.shape)
    return grad


def compile_step(fn: Callable[..., Any], jit: Any) -> Callable[..., Any]:
    """A graph for each signature of tensors, called as itself: that leaves out how tf.function looks for it again."""
    function = tf.function(fn, jit_compile=True if jit is True else None, autograph=False)
    graphs: dict[Any, Any] = {}

    def run(*args: Any) -> Any:
        leaves = trees.flatten(args)
        if not tf.executing_eagerly() or tf.config.functions_run_eagerly() or not all(map(_is_plain, leaves)):
            return function(*args)
        key = (trees.structure(args), *[None if x is None else (x.dtype, x.shape) for x in leaves])
        graph = graphs.get(key)
        if graph is None:
            graph = graphs[key] = function.get_concrete_function(*args)
        return graph(*args)

    return indexed(run)


def _is_plain(x: Any) -> bool:
    return x is None or isinstance(x, tf.Tensor)


def compile_loop(fn: Callable[..., Any], jit: Any) -> Callable[..., Any]:
    """Several steps in one dispatch: the first rows run before a loop in the graph, which keeps the last result."""

    def several(arrays: Any, rows: Any) -> Any:
        def row(i: Any) -> Any:
            return trees.map(lambda r: None if r is None else r[i], rows)

        first = fn(arrays, row(0))
        flat = [tf.convert_to_tensor(t) for t in tf.nest.flatten(first) if t is not None]

        def body(i: Any, *carry: Any) -> Any:
            out = fn(arrays, row(i))
            return (i + 1, *[tf.convert_to_tensor(t) for t in tf.nest.flatten(out) if t is not None])

        count = tf.shape(trees.flatten(rows)[0])[0]
        last = tf.while_loop(lambda i, *_: i < count, body, (tf.constant(1), *flat), parallel_iterations=1)
        return None if first is None else tf.nest.pack_sequence_as(first, list(last[1:]))

    return indexed(tf.function(several, jit_compile=True if jit is True else None, autograph=False))


def abstract_call(fn: Callable[..., Any], specs: Any) -> Any:
    """The specs of what `fn` returns, by tracing it; unknown dimensions stay unknown."""

    def is_spec(x: Any) -> bool:
        return isinstance(x, Spec)

    flat = tf.nest.flatten(specs)
    places = [i for i, x in enumerate(flat) if is_spec(x)]
    signature = [tf.TensorSpec(flat[i].shape, flat[i].dtype) for i in places]
    found: list[Any] = []

    def traced(*tensors: Any) -> Any:
        filled = list(flat)
        for i, t in zip(places, tensors, strict=True):
            filled[i] = t
        found.append(fn(*tf.nest.pack_sequence_as(specs, filled)))
        return tf.constant(0)

    tf.function(traced, autograph=False).get_concrete_function(*signature)

    def to_spec(x: Any) -> Any:
        return Spec(x.shape.as_list(), x.dtype.name) if isinstance(x, tf.Tensor) else x

    return tf.nest.map_structure(to_spec, found[0])
