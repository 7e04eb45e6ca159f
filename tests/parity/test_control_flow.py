"""Choices, loops and derivatives against Keras on the same backend: values, nesting, gradients, graphs, refusals."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import optree
import pytest

import keras_fn
from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.errors import KerasFnError
from parity.kept_differences import CONTROL

BACKEND = os.environ.get("KERAS_BACKEND")
KEPT = {name for name, backends, _ in CONTROL if BACKEND in backends}
TABLE = np.arange(12, dtype="float32").reshape(4, 3) / 7 - 0.6
Call = Callable[[Any, Any], Any]


def stepped(o: Any) -> Call:
    return lambda c, x: ((c[0] + x["a"], o.maximum(c[1], x["b"])), {"sum": c[0] * 2.0, "b": (x["b"], c[1])})


def loss_of_scan(o: Any, x: Any) -> Any:
    carry, ys = o.scan(lambda c, v: (c * 0.5 + o.sin(v), c * v), o.zeros((3,)), x)
    return o.sum(carry) + o.sum(ys)


def with_gradient(o: Any, x: Any) -> Any:
    """A sum of products whose gradient is not that of a sum of products."""

    @o.custom_gradient
    def fn(x: Any, y: Any) -> Any:
        def grad(*args: Any, upstream: Any = None) -> Any:
            up = args[0] if upstream is None else upstream
            return 3.0 * up * y, up + x

        return o.sum(x * y), grad

    return fn(x, x + 1.0)


# name: function of the ops module and a matrix (4, 3)
VALUES: dict[str, Call] = {
    "cond": lambda o, x: o.cond(
        o.max(x) > 0.0, lambda: {"a": x, "b": [x[0], None]}, lambda: {"a": -x, "b": [x[1], None]}
    ),
    "cond false": lambda o, x: o.cond(o.max(x) > 99.0, lambda: x * 2.0, lambda: x - 1.0),
    "cond of a Python bool": lambda o, x: o.cond(True, lambda: x * 2.0, lambda: x),
    "cond of an int": lambda o, x: o.cond(o.convert_to_tensor(2), lambda: x * 2.0, lambda: x),
    "cond of nothing": lambda o, x: o.cond(o.max(x) > 0.0, lambda: None, lambda: None),
    "switch": lambda o, x: [o.switch(i, [lambda v: v + 1.0, lambda v: v * v], x) for i in (-1, 5)],
    "switch of a tensor": lambda o, x: o.switch(
        o.cast(o.sum(x) > -99.0, "int32"), [lambda a, b: a + b, lambda a, b: a * b], x, 3.0 * x
    ),
    "switch without operands": lambda o, x: o.switch(o.convert_to_tensor(1), [lambda: x, lambda: -x]),
    "while_loop": lambda o, x: o.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * 2.0), (0, x)),
    "while_loop of lists": lambda o, x: o.while_loop(lambda i, v: i < 3, lambda i, v: [i + 1, v * 2.0], [0, TABLE]),
    "while_loop of one": lambda o, x: o.while_loop(lambda v: o.max(v) < 50.0, lambda v: v * 2.0, x),
    "while_loop of a dict": lambda o, x: o.while_loop(lambda d: d["i"] < 2, lambda d: {"i": d["i"] + 1}, {"i": 0}),
    "while_loop with an end": lambda o, x: o.while_loop(
        lambda i, v: i < 9, lambda i, v: (i + 1, v + 1.0), (0, x), maximum_iterations=2
    ),
    "while_loop of a tree": lambda o, x: o.while_loop(
        lambda i, d: i < 2, lambda i, d: (i + 1, {"a": d["a"] * 2.0, "b": d["b"] + d["a"]}), (0, {"a": x, "b": x})
    ),
    "while_loop with None": lambda o, x: o.while_loop(lambda i, v: i < 2, lambda i, v: (i + 1, None), (0, None)),
    "fori_loop": lambda o, x: o.fori_loop(1, 4, lambda i, v: v * o.cast(i, "float32"), x),
    "fori_loop backwards": lambda o, x: o.fori_loop(4, 1, lambda i, v: v * 2.0, x),
    "fori_loop to a tensor": lambda o, x: o.fori_loop(
        0, o.cast(o.max(x) * 0.0 + 3.0, "int32"), lambda i, v: (v[0] + v[1], v[1] * 2.0), (x, x)
    ),
    "scan": lambda o, x: o.scan(lambda c, v: (c + v, c * v), o.zeros((3,)), x),
    "scan reversed": lambda o, x: o.scan(lambda c, v: (c + v, c * v), o.zeros((3,)), x, reverse=True),
    "scan unrolled": lambda o, x: o.scan(lambda c, v: (c + v, c - v), o.zeros((3,)), x, unroll=2),
    "scan of trees": lambda o, x: o.scan(stepped(o), (o.zeros((3,)), o.zeros((3,))), {"a": x, "b": -x}),
    "scan by length": lambda o, x: o.scan(lambda c, _: (c * 2.0, c), x, None, length=3),
    "scan without results": lambda o, x: o.scan(lambda c, v: (c + v, None), o.zeros((3,)), x)[0],
    "scan without a carry": lambda o, x: o.scan(lambda c, v: (None, v * 2.0), None, x),
    "associative_scan": lambda o, x: o.associative_scan(lambda a, b: a * b + a + b, x[:3]),
    "associative_scan along -1": lambda o, x: o.associative_scan(lambda a, b: a + b, x, axis=-1, reverse=True),
    "associative_scan of a pair": lambda o, x: o.associative_scan(
        lambda a, b: (a[0] * b[0], b[0] * a[1] + b[1]), (x[:2], x[:2] * 2.0), reverse=True
    ),
    "associative_scan with None": lambda o, x: o.associative_scan(lambda a, b: (a[0] + b[0], None), (x[:2], None)),
    "associative_scan of one": lambda o, x: o.associative_scan(lambda a, b: a + b, x[:1]),
    "map": lambda o, x: o.map(lambda v: {"s": v[0] + v[1], "p": v[0] * 2.0}, (x, x * x)),
    "map of nothing": lambda o, x: o.map(lambda v: v * 2.0, x[:0]),
    "vectorized_map": lambda o, x: o.vectorized_map(lambda v: o.sum(v) * v, x),
    "vectorized_map of a list": lambda o, x: o.vectorized_map(lambda v: [v[0] + v[1], o.max(v[0])], [x, x * x]),
    "vectorized_map of a dict": lambda o, x: o.vectorized_map(lambda v: {"s": v["a"] * o.sum(v["a"])}, {"a": x}),
    "vectorized_map of nothing": lambda o, x: o.vectorized_map(lambda v: v * 2.0, x[:0]),
    "stop_gradient": lambda o, x: o.stop_gradient(x),
    "custom_gradient": with_gradient,
}
# name: scalar function of the ops module and a matrix
LOSSES: dict[str, Call] = {
    "cond": lambda o, x: o.sum(o.cond(o.sum(x) > 0.0, lambda: x * x, lambda: o.sin(x))),
    "switch": lambda o, x: o.sum(o.switch(o.cast(o.sum(x) > 0.0, "int32"), [lambda v: v * v, o.sin], x)),
    "while_loop": lambda o, x: o.sum(o.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, o.sin(v) * x), (0, x))[1]),
    "fori_loop": lambda o, x: o.sum(o.fori_loop(0, 3, lambda i, v: o.sin(v) * x, x)),
    "scan": loss_of_scan,
    "associative_scan": lambda o, x: o.sum(o.associative_scan(lambda a, b: a * b + a, x[:2]) ** 2),
    "map": lambda o, x: o.sum(o.map(lambda v: o.sum(v * v) * v, x)),
    "vectorized_map": lambda o, x: o.sum(o.vectorized_map(lambda v: o.sum(v * v) * v, x)),
    "custom_gradient": with_gradient,
    "stop_gradient": lambda o, x: o.sum(x * o.stop_gradient(x)),
}
# name: function of the ops module and a KerasTensor (None, 3)
GRAPHS: dict[str, Call] = {
    "cond": lambda o, x: o.cond(o.sum(x) > 0.0, lambda: x * 2.0, lambda: x - 1.0),
    "switch": lambda o, x: o.switch(o.cast(o.sum(x) > 0.0, "int32"), [lambda v: v + 1.0, lambda v: v * v], x),
    "fori_loop": lambda o, x: o.fori_loop(0, 3, lambda i, v: v * 2.0, x),
    "while_loop": lambda o, x: o.while_loop(lambda v: o.max(v) < 50.0, lambda v: v * 2.0 + 1.0, x),
    "map": lambda o, x: o.map(lambda v: v * v, x),
    "vectorized_map": lambda o, x: o.vectorized_map(lambda v: o.sum(v) * v, x),
    "scan": lambda o, x: o.scan(lambda c, v: (c + v, c * v), o.zeros((3,)), x)[1],
    "stop_gradient": lambda o, x: o.stop_gradient(x) * 2.0,
}
# name: a call that is refused, of the ops module and a matrix
REFUSED: dict[str, Call] = {
    "a loop that changes a dtype": lambda o, x: o.while_loop(
        lambda i, v: i < 2, lambda i, v: (i + 1, o.cast(v, "int32")), (0, x)
    ),
    "a loop that changes a shape": lambda o, x: o.while_loop(
        lambda i, v: i < 2, lambda i, v: (i + 1, o.concatenate([v, v])), (0, x)
    ),
    "a loop that changes its nesting": lambda o, x: o.while_loop(
        lambda i, v: i < 2, lambda i, v: (i + 1, (v, v)), (0, x)
    ),
    "a number that becomes a float": lambda o, x: o.fori_loop(0, 2, lambda i, v: o.add(v, 1.5), 1),
    "a loop that asks a matrix": lambda o, x: o.while_loop(lambda v: v > 99.0, lambda v: v, x),
    "a choice by a vector": lambda o, x: o.cond(x[0] > 0.0, lambda: x, lambda: -x),
    "a choice by a vector of one": lambda o, x: o.cond(x[0, :1] > -99.0, lambda: x, lambda: -x),
    "a switch by a float": lambda o, x: o.switch(1.0, [lambda v: v, lambda v: -v], x),
    "a scan without a pair": lambda o, x: o.scan(lambda c, v: c, 0.0, x[:, 0]),
    "a scan of two lengths": lambda o, x: o.scan(lambda c, v: (c + v, v), 0.0, x[:, 0], length=7),
    "a scan of numbers": lambda o, x: o.scan(lambda c, v: (c + v, v), 0, [1, 2, 3]),
    "a scan unrolled 0 times": lambda o, x: o.scan(lambda c, v: (c + v, v), o.zeros(()), x[:, 0], unroll=0),
    "an associative_scan of other trees": lambda o, x: o.associative_scan(lambda a, b: (a, b), x),
}


def flat(o: Any, tree: Any) -> list[np.ndarray]:
    return [np.asarray(o.convert_to_numpy(x)) for x in optree.tree_leaves(tree)]


def agree(found: list[np.ndarray], wanted: list[np.ndarray]) -> None:
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5)


def compare(name: str, ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    """Equal results, unless the row is listed: then Keras gives something else, or nothing."""
    found = ours()
    if name in KEPT:
        try:
            wanted = theirs()
        except Exception:  # Keras raises whatever its backend does
            return
        with pytest.raises(AssertionError):
            agree(found, wanted)
    else:
        agree(found, theirs())


@pytest.mark.parametrize("name", VALUES)
def test_values(name):
    def run(o: Any) -> list[np.ndarray]:
        result = VALUES[name](o, o.convert_to_tensor(TABLE))
        nesting.append(optree.tree_structure(result))
        return flat(o, result)

    nesting: list[Any] = []
    compare(name, lambda: run(ops), lambda: run(keras.ops))
    assert name in KEPT or nesting[0] == nesting[1]


def slopes() -> list[tuple[str, float]]:
    """Losses and signs of the matrix: both for choices. JAX cannot differentiate a while_loop backwards."""
    names = [name for name in LOSSES if BACKEND != "jax" or name != "while_loop"]
    return [(name, 1.0) for name in names] + [("cond", -1.0), ("switch", -1.0)]


if active.backend.differentiable:

    @pytest.mark.parametrize(("name", "sign"), slopes())
    def test_gradients(name, sign):
        def gradient(o: Any) -> list[np.ndarray]:
            x = keras_fn.Variable(TABLE * sign)
            return flat(ops, keras_fn.grad(lambda: LOSSES[name](o, x.value), [x])())

        compare(f"gradient of {name}", lambda: gradient(ops), lambda: gradient(keras.ops))


@pytest.mark.parametrize("aux", [False, True])
def test_jvp(aux):
    def run(o: Any) -> list[np.ndarray]:
        def fn(x: Any, y: Any) -> Any:
            out = {"p": o.sin(x) * y, "s": o.sum(x)}
            return (out, x * 2.0) if aux else out

        x, t = o.convert_to_tensor(TABLE), o.convert_to_tensor(TABLE[::-1].copy())
        return flat(o, o.jvp(fn, (x, x + 1.0), (t, t * 2.0), has_aux=aux))

    if active.backend.differentiable:
        compare("jvp", lambda: run(ops), lambda: run(keras.ops))
        return
    for o in (ops, keras.ops):
        with pytest.raises((KerasFnError, NotImplementedError)):
            run(o)


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs(name):
    def run(k: Any) -> list[np.ndarray]:
        x = k.Input((3,))
        y = GRAPHS[name](k.ops, x)
        assert tuple(y.shape) == (None, 3)
        model = k.Function(x, y)
        return [a for v in (TABLE, -TABLE[:2]) for a in flat(k.ops, model(k.ops.convert_to_tensor(v)))]

    compare(f"{name} in a graph", lambda: run(keras_fn), lambda: run(keras))


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    with pytest.raises(KerasFnError):
        REFUSED[name](ops, ops.convert_to_tensor(TABLE))
    try:
        REFUSED[name](keras.ops, keras.ops.convert_to_tensor(TABLE))
    except Exception:  # of the framework, of any class
        assert name not in KEPT
    else:
        assert name in KEPT


def test_differences_name_rows():
    known = {*VALUES, *REFUSED, *(f"gradient of {n}" for n in LOSSES), *(f"{n} in a graph" for n in GRAPHS)}
    assert {name for name, _, _ in CONTROL} <= known
