"""Control flow: values, gradients, compiled code, Variables that functions write, shapes without values, errors."""

from __future__ import annotations

import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.errors import (
    ArgumentError,
    ArgumentTypeError,
    DtypeError,
    GraphError,
    KerasFnError,
    ShapeError,
    StructureError,
)
from keras_fn.core.spec import Spec
from keras_fn.core.variable import Variable
from keras_fn.graph import Function
from keras_fn.layers.input_layer import Input


def tensor(x, dtype=None):
    return ops.convert_to_tensor(x, dtype)


def array(x):
    return ops.convert_to_numpy(x)


def both(fn, *args, variables=()):
    """The result of the function, computed eagerly and compiled, which must agree."""
    variables = list(variables)
    before = [v.numpy().copy() for v in variables]
    eager = [array(x) for x in fn(*args)]
    after = [v.numpy().copy() for v in variables]
    for v, x in zip(variables, before, strict=True):
        v.assign(x)
    compiled = [array(x) for x in active.backend.compile_step(fn, lambda: variables, None)(*args)]
    for a, b in zip(eager, compiled, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-6)
    for v, x in zip(variables, after, strict=True):
        np.testing.assert_allclose(v.numpy(), x)
    return eager


def gradient(fn, *values):
    """Gradients of a scalar function of variables, or None where the backend has none."""
    if not active.backend.differentiable:
        with pytest.raises(RuntimeError, match="no gradients"):
            active.backend.value_and_grad(fn, [], False)
        return None
    variables = [Variable(v) for v in values]
    return [array(g) for g in active.backend.value_and_grad(lambda: fn(*variables), variables, False)()[1]]


# --- cond and switch
@pytest.mark.parametrize("x", [1.0, 3.0])
def test_cond(x):
    def run(x):
        out = ops.cond(x > 2.0, lambda: {"a": x * 2.0, "b": (x, 1)}, lambda: {"a": x - 1.0, "b": (x * x, 2)})
        return out["a"], out["b"][0], out["b"][1]

    a, b, c = both(run, tensor(x))
    assert (a, b, c) == ((x * 2, x, 1) if x > 2 else (x - 1, x * x, 2))


def test_cond_with_a_python_bool_runs_one_function():
    assert ops.cond(True, lambda: "this", lambda: 1 / 0) == "this"
    assert ops.cond(np.bool_(False), lambda: 1 / 0, lambda: None) is None


def test_cond_gradient():
    def loss(x):
        return ops.cond(ops.sum(x) > 0.0, lambda: ops.sum(x * x), lambda: ops.sum(-x))

    for value in ([1.0, 2.0], [-1.0, -2.0]):
        found = gradient(loss, value)
        if found is not None:
            np.testing.assert_allclose(found[0], [2.0, 4.0] if value[0] > 0 else [-1.0, -1.0])


def test_cond_writes():
    v, w = Variable(1.0), Variable(10.0)

    def run(x):
        def yes():
            v.assign_add(x)
            return v.value * 1.0

        def no():
            w.assign(x)
            return w.value * 2.0

        return (ops.cond(x > 0.0, yes, no),)

    assert both(run, tensor(5.0), variables=[v, w]) == [6.0]
    assert (float(v), float(w)) == (6.0, 10.0)
    assert both(run, tensor(-5.0), variables=[v, w]) == [-10.0]
    assert (float(v), float(w)) == (6.0, -5.0)


@pytest.mark.parametrize(("index", "wanted"), [(-1, 2.0), (0, 2.0), (1, 20.0), (2, 4.0), (7, 4.0)])
def test_switch_moves_the_index_into_range(index, wanted):
    branches = [lambda x, y: x, lambda x, y: x * y, lambda x, y: x * x]

    def run(i, x):
        return (ops.switch(i, branches, x, 10.0),)

    assert both(run, tensor(index), tensor(2.0)) == [wanted]
    assert float(ops.switch(index, branches, tensor(2.0), 10.0)) == wanted


# --- while_loop and fori_loop
def test_while_loop():
    def run(n):
        i, (total, rows) = ops.while_loop(
            lambda i, _: i < n, lambda i, t: (i + 1, (t[0] + 2.0, t[1] * 2.0)), (0, (0.0, ops.ones((2, 2))))
        )
        return i, total, rows

    i, total, rows = both(run, tensor(3))
    assert (i, total) == (3, 6.0)
    np.testing.assert_array_equal(rows, np.full((2, 2), 8.0))


def test_while_loop_of_one_value_and_a_limit():
    out = ops.while_loop(lambda x: x < 100.0, lambda x: x * 2.0, tensor(1.0), maximum_iterations=3)
    assert array(out) == 8.0
    assert isinstance(ops.while_loop(lambda x: x < 3, lambda x: [x + 1], [tensor(0)]), tuple)


def test_while_loop_that_never_runs():
    assert array(ops.while_loop(lambda x: x < 0.0, lambda x: x * 2.0, tensor(1.0))) == 1.0


def test_loops_write_variables():
    v = Variable(0.0)

    def body(i, x):
        v.assign_add(x)
        return i + 1, x + v.value

    def run(x):
        return ops.while_loop(lambda i, x: i < 3, body, (0, x))

    # v: 1, 3, 7; x: 2, 5, 12 (each step adds x to v, then v to x)
    assert both(run, tensor(1.0), variables=[v])[1] == 1.0 + 1.0 + 3.0 + 8.0
    assert float(v) == 8.0


@pytest.mark.parametrize("bounds", [(0, 4), (2, 5), (3, 1)])
def test_fori_loop(bounds):
    wanted = 1.0
    for i in range(*bounds):
        wanted = wanted * 2 + i

    def body(i, x):
        return x * 2.0 + ops.cast(i, "float32")

    assert both(lambda x: (ops.fori_loop(*bounds, body, x),), tensor(1.0)) == [wanted]
    assert both(lambda a, b, x: (ops.fori_loop(a, b, body, x),), *map(tensor, bounds), tensor(1.0)) == [wanted]


def test_fori_loop_gradient():
    found = gradient(lambda x: ops.fori_loop(0, 3, lambda i, y: y * x, 1.0), 2.0)
    assert found is None or found[0] == 12.0


# --- scan, map, vectorized_map
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("unroll", [1, 2, True])
def test_scan(reverse, unroll):
    xs = {"a": np.arange(4.0, dtype="float32"), "b": np.arange(8, dtype="int32").reshape(4, 2)}
    xs = {k: tensor(v) for k, v in xs.items()}

    def f(carry, x):
        return (carry[0] + x["a"], carry[1] + x["b"]), {"sum": carry[0], "b": x["b"] * 2}

    def run(a, b):
        (total, rows), out = ops.scan(f, (0.0, ops.zeros((2,), "int32")), {"a": a, "b": b}, None, reverse, unroll)
        return total, rows, out["sum"], out["b"]

    total, rows, sums, doubled = both(run, xs["a"], xs["b"])
    assert total == 6.0
    np.testing.assert_array_equal(rows, [12, 16])
    np.testing.assert_array_equal(sums, [6, 5, 3, 0] if reverse else [0, 0, 1, 3])
    np.testing.assert_array_equal(doubled, np.arange(8).reshape(4, 2) * 2)


def test_scan_by_length_without_results():
    carry, ys = ops.scan(lambda c, x: (c * 2.0, None), 1.0, length=3)
    assert array(carry) == 8.0 and ys is None


def test_scan_over_nothing():
    carry, ys = ops.scan(lambda c, x: (c + x, ops.stack([c, x])), 1.0, ops.zeros((0,)))
    assert array(carry) == 1.0 and array(ys).shape == (0, 2) and array(ys).dtype == "float32"


def test_scan_gradient():
    xs = np.array([1.0, 2.0, 3.0], "float32")

    def loss(w, xs):
        carry, ys = ops.scan(lambda c, x: (c * w + x, c * x), 0.5, xs)
        return carry + ops.sum(ys)

    def numeric(w, xs):
        xs = xs.astype("float64")
        c, total = 0.5, 0.0
        for x in xs:
            c, total = c * w + x, total + c * x
        return c + total

    found = gradient(loss, 0.7, xs)
    if found is not None:
        step = 1e-5
        slope = (numeric(0.7 + step, xs) - numeric(0.7 - step, xs)) / (2 * step)
        np.testing.assert_allclose(found[0], slope, rtol=1e-3)
        for i in range(3):
            d = np.eye(3)[i] * step
            slope = (numeric(0.7, xs + d) - numeric(0.7, xs - d)) / (2 * step)
            np.testing.assert_allclose(found[1][i], slope, rtol=1e-3)


def test_scan_gradient_compiled():
    w = Variable(0.7)
    xs = tensor([1.0, 2.0, 3.0])
    backend = active.backend
    if not backend.differentiable:
        assert array(ops.scan(lambda c, x: (c * w + x, None), 0.5, xs)[0]) == pytest.approx(5.0615, rel=1e-4)
        return

    def loss(x):
        return ops.scan(lambda c, x: (c * w + x, c), 0.5, x)[0]

    step = backend.value_and_grad(loss, [w], False)
    eager = array(step(xs)[1][0])
    compiled = backend.compile_step(lambda x: step(x)[1], lambda: [w], None)
    np.testing.assert_allclose(array(compiled(xs)[0]), eager, rtol=1e-6)


def test_scan_writes_variables():
    v = Variable([0.0, 0.0])

    def f(carry, x):
        v.assign_add(ops.stack([x, carry]))
        return carry + 1.0, v.value[0] * 1.0  # torch writes in place, and a bare slice would show later writes

    def run(xs):
        return ops.scan(f, 0.0, xs)

    carry, seen = both(run, tensor([1.0, 2.0, 3.0]), variables=[v])
    assert carry == 3.0
    np.testing.assert_array_equal(seen, [1, 3, 6])
    np.testing.assert_array_equal(v.numpy(), [6, 3])


def test_map_and_vectorized_map():
    xs = {"a": tensor(np.arange(6.0, dtype="float32").reshape(3, 2)), "b": tensor([1.0, 2.0, 3.0])}

    def f(x):
        return ops.sum(x["a"]) * x["b"], x["a"] + x["b"]

    for mapped in (ops.map, ops.vectorized_map):
        first, second = both(lambda a, b, m=mapped: m(f, {"a": a, "b": b}), xs["a"], xs["b"])
        np.testing.assert_allclose(first, [1, 10, 27])
        np.testing.assert_allclose(second, [[1, 2], [4, 5], [7, 8]])


# --- without values
def test_specs():
    x, n = Spec((None, 3)), Spec((), "int32")
    assert ops.cond(Spec((), "bool"), lambda: x, lambda: x * 2.0).shape == (None, 3)
    assert ops.cond(Spec((), "bool"), lambda: ops.ones((2, 3)), lambda: Spec((None, 3))).shape == (None, 3)
    assert ops.switch(n, [lambda a: a[0], lambda a: a[1]], x).shape == (3,)
    i, y = ops.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * 2.0), (0, x))
    assert (i.shape, i.dtype, y.shape) == ((), "int32", (None, 3))
    assert ops.fori_loop(0, 3, lambda i, y: y + 1.0, x).shape == (None, 3)
    assert ops.fori_loop(0, n, lambda i, y: y + 1.0, x).shape == (None, 3)
    carry, ys = ops.scan(lambda c, r: (c + ops.sum(r), (r, c)), 0.0, x)
    assert carry.shape == () and ys[0].shape == (None, 3) and ys[1].shape == (None,)
    assert ops.map(lambda r: ops.sum(r), Spec((5, 3))).shape == (5,)
    assert ops.vectorized_map(lambda r: {"r": ops.stack([r, r])}, x)["r"].shape == (None, 2, 3)


def test_a_spec_from_outside_is_met_on_the_way():
    x = Spec((None, 3))
    assert ops.fori_loop(0, 3, lambda i, y: x[0] + y, ops.zeros((3,))).shape == (3,)
    assert ops.cond(tensor(True), lambda: x, lambda: x).shape == (None, 3)


def test_inference_drops_writes():
    v = Variable(1.0)

    def body(i, x):
        v.assign_add(1.0)
        return x * v.value

    assert ops.fori_loop(0, 3, body, Spec((2,))).shape == (2,)
    assert float(v) == 1.0


def test_graph():
    x = Input(batch_shape=(None, 2))
    doubled = ops.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2.0), (0, x))[1]
    sums = ops.scan(lambda c, r: (c + r, c + r), ops.zeros((2,)), x)[1]
    chosen = ops.cond(ops.sum(x) > 3.0, lambda: x + 1.0, lambda: x - 1.0)
    value = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    for sign in (1.0, -1.0):
        v = value * sign
        found = [array(y) for y in Function(x, [doubled, sums, chosen])(tensor(v))]
        np.testing.assert_allclose(found[0], v * 8)
        np.testing.assert_allclose(found[1], np.cumsum(v, 0))
        np.testing.assert_allclose(found[2], v + sign)


# --- errors
def errors():
    one = lambda: tensor(1.0)  # noqa: E731
    yield "no function", lambda: ops.cond(tensor(True), 1.0, one), ArgumentTypeError, "must be a function"
    yield "vector", lambda: ops.cond(Spec((2,), "bool"), one, one), ShapeError, "scalar"
    yield "vector of values", lambda: ops.cond(tensor([True, False]), one, one), ShapeError, r"\(2,\).*ops.where"
    yield "no predicate", lambda: ops.cond(None, one, one), ArgumentTypeError, "None came"
    yield (
        "branches differ",
        lambda: ops.cond(Spec((), "bool"), one, lambda: tensor(1)),
        StructureError,
        "must return the",
    )
    yield (
        "trees differ",
        lambda: ops.cond(Spec((), "bool"), one, lambda: (one(), one())),
        StructureError,
        "one structure",
    )
    yield "no branches", lambda: ops.switch(tensor(0), []), ArgumentError, "empty"
    yield "float index", lambda: ops.switch(tensor(1.0), [one, one]), DtypeError, "float32.*ops.cast"
    yield "indices", lambda: ops.switch(tensor([1, 0]), [one, one]), ShapeError, r"\(2,\)"
    yield "vector test", lambda: ops.while_loop(lambda x: x > 9, lambda x: x, tensor([1, 2])), ShapeError, "ops.any"
    halved = lambda i, x: ops.multiply(x, 0.5)  # noqa: E731
    yield "fori_loop", lambda: ops.fori_loop(0, 2, halved, 1), DtypeError, "`body_fun` of ops.fori_loop"
    yield "unroll", lambda: ops.scan(lambda c, x: (c, x), 0.0, ops.ones((3,)), unroll=0), ArgumentError, "0 came"
    yield "map", lambda: ops.map(1.0, ops.ones((3,))), ArgumentTypeError, "`f` of ops.map"
    yield "tangent", lambda: ops.jvp(ops.sin, (ops.ones((3,)),), (ops.ones((2,)),)), ShapeError, r"\(3,\).*\(2,\) came"
    yield "None", lambda: ops.sin(None), ArgumentTypeError, "a tensor for 'x', and None came"
    yield ("dtype", lambda: ops.while_loop(lambda x: x < 3, lambda x: ops.cast(x, "float32"), 0), DtypeError, "int32")
    yield ("shape", lambda: ops.while_loop(lambda x: True, lambda x: ops.stack([x, x]), 0), ShapeError, "keep the s")
    yield ("structure", lambda: ops.while_loop(lambda x, y: x < 3, lambda x, y: (x,), (0, 1)), StructureError, "`body`")
    yield "no pair", lambda: ops.scan(lambda c, x: c, 0.0, ops.ones((3,))), StructureError, "pair"
    yield "carry", lambda: ops.scan(lambda c, x: ((c, c), x), 0.0, ops.ones((3,))), StructureError, "like `init`"
    yield "lengths", lambda: ops.scan(lambda c, x: (c, x), 0.0, ops.ones((3,)), length=4), ShapeError, r"\[3, 4\]"
    yield "no length", lambda: ops.scan(lambda c, x: (c, x), 0.0), ArgumentError, "length"
    yield "scalar", lambda: ops.map(lambda x: x, tensor(1.0)), ShapeError, "scalar"
    symbol = Input(batch_shape=(2, 2))
    yield (
        "symbol from outside",
        lambda: ops.fori_loop(0, 2, lambda i, y: y + symbol, ops.ones((2, 2))),
        GraphError,
        "from outside",
    )


@pytest.mark.parametrize("case", list(errors()), ids=lambda c: c[0])
def test_errors(case):
    _, call, error, match = case
    with pytest.raises(error, match=match) as caught:
        call()
    assert isinstance(caught.value, KerasFnError)


@pytest.mark.parametrize("other", [lambda x: ops.cast(x, "int32"), lambda x: x[0], lambda x: (x, x)])
def test_branches_must_agree_where_both_are_compiled(other):
    seen = []

    def run(x):
        return ops.cond(ops.sum(x) > 0.0, lambda: (seen.append(1), x)[1], lambda: (seen.append(2), other(x))[1])

    step = active.backend.compile_step(run, list, None)
    try:
        step(ops.ones((2, 3)))
    except StructureError as error:
        message = str(error)
    else:
        message = ""
    assert set(seen) == ({1, 2} if message else {1})
    assert not message or "expected" in message or "in one and" in message


def test_what_is_not_there_and_what_is_empty():
    """None is a place without a tensor, and a length of 0 gives results of length 0."""
    assert ops.while_loop(lambda i, v: i < 2, lambda i, v: (i + 1, None), (0, None))[1] is None
    found, nothing = ops.associative_scan(lambda a, b: (a[0] + b[0], None), (ops.ones((3,)), None))
    assert array(found).tolist() == [1, 2, 3] and nothing is None
    assert array(ops.vectorized_map(lambda row: ops.sum(row), ops.ones((0, 3)))).shape == (0,)


def test_a_tangent_takes_the_dtype_of_its_primal():
    if active.backend.differentiable:
        assert array(ops.jvp(lambda x: x * x, (tensor(3.0),), (tensor(2),))[1]) == 12.0
