"""Variables are cells: one stateful step gives the same on every backend, compiled or not."""

import threading

import numpy as np
import pytest

import keras_fn
from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentTypeError, BackendError, ShapeError


class Stateful:
    """A weight with momentum, a running mean and a seed."""

    def __init__(self):
        self.w = keras_fn.Variable(np.ones((3, 2), "float32"), name="w")
        self.momentum = keras_fn.Variable(np.zeros((3, 2), "float32"), trainable=False)
        self.mean = keras_fn.Variable(np.zeros((3,), "float32"), trainable=False)
        self.seed = keras_fn.Variable(np.zeros((), "int32"), trainable=False)
        self.all = [self.w, self.momentum, self.mean, self.seed]

    def step(self, x):
        def loss():
            self.mean.assign(self.mean * 0.9 + ops.mean(x, 0) * 0.1)
            return ops.mean(ops.square(ops.matmul(x - self.mean, self.w)))

        value, grads = keras_fn.value_and_grad(loss, [self.w])()
        self.momentum.assign(self.momentum * 0.9 + grads[0])
        self.w.assign_sub(self.momentum * 0.1)
        self.seed.assign_add(1)
        return value


X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


def by_hand(steps):
    w, m, mean = np.ones((3, 2)), np.zeros((3, 2)), np.zeros(3)
    for _ in range(steps):
        mean = mean * 0.9 + X.mean(0) * 0.1
        z = X - mean
        y = z @ w
        m = m * 0.9 + z.T @ (2 * y / y.size)
        w = w - 0.1 * m
    return w, m, mean


@pytest.mark.parametrize("compiled", [False, True])
def test_a_stateful_step(compiled, backend):
    if not backend.differentiable:
        with pytest.raises(BackendError, match="no gradients"):
            Stateful().step(ops.convert_to_tensor(X))
        return
    s = Stateful()
    step = backend.compile_step(s.step, lambda: s.all, "auto") if compiled else s.step
    for _ in range(3):
        step(ops.convert_to_tensor(X))
    for v, expected in zip(s.all, by_hand(3), strict=False):
        np.testing.assert_allclose(v.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert int(s.seed) == 3


def test_several_steps_in_one_dispatch_are_single_steps(backend):
    if not backend.differentiable:
        return
    one, many = Stateful(), Stateful()
    rows = np.array([[0, 1], [2, 3], [1, 2], [3, 0]], "int32")

    def of(s):
        return lambda arrays, r: s.step(ops.take(arrays, r, 0))

    x = ops.convert_to_tensor(X)
    single = backend.compile_step(of(one), lambda: one.all, "auto")
    for r in rows:
        last = single(x, ops.convert_to_tensor(r))
    loop = backend.compile_loop(of(many), lambda: many.all, "auto")
    np.testing.assert_allclose(
        ops.convert_to_numpy(loop(x, ops.convert_to_tensor(rows))), ops.convert_to_numpy(last), rtol=1e-6
    )
    for a, b in zip(one.all, many.all, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-7)


def test_all_results_of_several_steps_in_one_dispatch(backend):
    count = keras_fn.Variable(np.zeros((), "float32"))

    def step(batch):
        count.assign_add(1.0)
        return {"sum": ops.sum(batch[0]), "scaled": ops.multiply(batch[0], count), "nothing": None}

    x = np.arange(12, dtype="float32").reshape(3, 4)
    found = backend.compile_each(step, lambda: [count], "auto")((x, None))
    assert found["nothing"] is None
    np.testing.assert_array_equal(ops.convert_to_numpy(found["sum"]), x.sum(1))
    np.testing.assert_array_equal(ops.convert_to_numpy(found["scaled"]), x * [[1], [2], [3]])
    assert count.numpy() == 3


def test_a_second_thread_reads_while_the_first_traces(backend):
    w = keras_fn.Variable(np.full((2,), 3.0, "float32"))
    seen, errors = [], []
    tracing, done = threading.Event(), threading.Event()

    def read():
        tracing.wait(20)
        try:
            seen.append(np.asarray(ops.convert_to_numpy(ops.multiply(w, 2.0))).tolist())
        except Exception as e:  # the test shows it
            errors.append(e)
        done.set()

    thread = threading.Thread(target=read)
    thread.start()

    def step(x):
        w.assign(w * x)
        tracing.set()
        done.wait(20)  # the other thread reads in the middle of the trace
        return ops.sum(w)

    backend.compile_step(step, lambda: [w], "auto")(ops.convert_to_tensor(1.0))
    thread.join()
    assert errors == []
    assert seen == [[6.0, 6.0]]


def test_stateless_scope_leaves_the_cell_alone():
    v = keras_fn.Variable([1.0, 2.0])
    with keras_fn.StatelessScope([(v, np.array([5.0, 5.0], "float32"))]) as scope:
        v.assign_add([1.0, 1.0])
        assert v.numpy().tolist() == [6.0, 6.0]
    assert v.numpy().tolist() == [1.0, 2.0]
    assert ops.convert_to_numpy(scope.get_current_value(v)).tolist() == [6.0, 6.0]


def test_value_and_grad(backend):
    if not backend.differentiable:
        return
    a, b, unused = keras_fn.Variable(2.0), keras_fn.Variable(3.0), keras_fn.Variable([1.0, 1.0])
    value, grads = keras_fn.value_and_grad(lambda x: a * a * b * x, [a, b, unused])(10.0)
    assert float(value) == 120.0
    assert [ops.convert_to_numpy(g).tolist() for g in grads] == [120.0, 40.0, [0.0, 0.0]]
    (_, aux), grad = keras_fn.value_and_grad(lambda: (a * b, {"b": b + 1, "a": a}), a, has_aux=True)()
    assert list(aux) == ["b", "a"]
    assert float(grad) == 3.0
    assert float(keras_fn.grad(lambda: a * a, a)()) == 4.0
    with pytest.raises(ArgumentTypeError, match="must be Variables"):
        keras_fn.grad(lambda: a, [1.0])


def test_a_write_of_another_shape_is_refused():
    v = keras_fn.Variable(np.zeros((2, 2)), name="table")
    with pytest.raises(ShapeError, match=r"'table' has the shape \(2, 2\), and values of the shape \(3,\) came"):
        v.assign(np.zeros(3))


def test_variables_work_as_operands():
    v = keras_fn.Variable([1.0, 2.0])
    assert ops.convert_to_numpy(2 * v + v[0] - v / 2).tolist() == [2.5, 4.0]
    assert ops.convert_to_numpy(v @ v).tolist() == 5.0
    assert np.asarray(v).tolist() == [1.0, 2.0]
    assert active.backend.is_tensor(v.value)
