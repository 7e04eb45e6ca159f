"""Sparse tensors: which ops take them, what comes out, and that dense ones never notice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import layers, ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, ShapeError
from keras_fn.core.spec import Spec
from keras_fn.core.variable import Variable
from sparse_rows import ROWS, ROWS_HERE, A, B, W

BACKEND = active.backend
ALL = {**ROWS, **ROWS_HERE}


def sparse(array: Any) -> Any:
    """A sparse tensor of the backend with the values of an array."""
    places = np.argwhere(array).reshape(-1, np.ndim(array)).astype("int32")
    convert = BACKEND.convert
    return BACKEND.from_coordinates(
        convert(places, None), convert(array[np.nonzero(array)], None), np.shape(array), unique=True
    )


def is_sparse(x: Any) -> bool:
    return x.__class__ in BACKEND.sparse_classes


def same(found: Any, wanted: Any) -> None:
    found, wanted = ops.convert_to_numpy(found), ops.convert_to_numpy(wanted)
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found.astype("float64"), wanted.astype("float64"), rtol=1e-5, atol=1e-6)


def given(array: Any) -> Any:
    """The array itself, in the place of a sparse tensor: what the dense op makes of it is what is wanted."""
    return array


if BACKEND.supports_sparse:

    @pytest.mark.parametrize("name", ALL)
    def test_values_kind_and_spec(name: str):
        """The values are those of dense operands, and a spec says before what will be sparse."""
        call, kept = ALL[name]
        found = call(ops, sparse)
        assert is_sparse(found) is kept
        if "sparse=" in name or name.startswith(("one_hot", "multi_hot", "bincount")):
            same(found, call(_Dense(), given))
        else:
            same(found, call(ops, given))
        spec = call(ops, lambda a: Spec(a.shape, a.dtype, sparse=True))
        if isinstance(spec, Spec):  # without an operand that is a spec, the call has computed
            assert (spec.sparse, spec.dtype) == (kept, BACKEND.dtype_of(found))
            assert spec.shape == tuple(found.shape)

    class _Dense:
        """The ops, with `sparse` left out."""

        def __getattr__(self, name: str) -> Callable[..., Any]:
            return lambda *args, sparse=None, **kwargs: getattr(ops, name)(*args, **kwargs)

    @pytest.mark.parametrize("name", ["sin", "exp", "add ss", "multiply sd", "multiply grows", "sum -1 False",
                                      "mean (0, 2) False", "matmul sd", "matmul batch sd", "transpose", "reshape -1",
                                      "concatenate 1", "maximum ss", "squeeze 1"])  # fmt: skip
    def test_compiled_equals_eager(name: str):
        call, _ = ALL[name]
        arrays: list[Any] = []
        call(ops, lambda a: arrays.append(a) or sparse(a))

        def compiled(*tensors: Any) -> Any:
            rest = iter(tensors)
            return ops.convert_to_tensor(call(ops, lambda a: next(rest)), sparse=False)

        run = BACKEND.compile_step(compiled, list, "auto")
        same(run(*map(sparse, arrays)), call(ops, given))

    def test_places_that_come_twice_are_added():
        places, values = (
            BACKEND.convert(np.array([[0, 1], [2, 0], [0, 1]]), None),
            BACKEND.convert([1.0, 5.0, 2.0], None),
        )
        x = BACKEND.from_coordinates(places, values, (3, 2))
        same(x, np.array([[0, 3], [0, 0], [5, 0]], "float32"))
        same(ops.square(x), np.array([[0, 9], [0, 0], [25, 0]], "float32"))

    def test_what_is_not_stored_stays_zero():
        nowhere = np.where(A == 0, np.nan, 2.0).astype("float32")
        same(ops.multiply(sparse(A), nowhere), A * 2)
        same(ops.divide(sparse(A), np.where(A == 0, 0.0, 2.0).astype("float32")), A / 2)

    REFUSING = {
        "softmax": ops.softmax,
        "max": ops.max,
        "sort": ops.sort,
        "where": lambda x: ops.where(x, x, x),
        "take": lambda x: ops.take(x, [0], axis=0),
    }

    @pytest.mark.parametrize("call", REFUSING.values(), ids=REFUSING)
    def test_other_ops_say_how_to_go_on(call: Any):
        for x in (sparse(A), Spec(A.shape, "float32", sparse=True)):
            with pytest.raises(ArgumentTypeError, match=r"no sparse tensor here.*\(4, 3\).*sparse=False"):
                call(x)

    def test_shapes_that_do_not_fit():
        with pytest.raises(ShapeError):
            ops.matmul(sparse(A), np.ones((4, 2), "float32"))
        with pytest.raises(ShapeError):
            ops.multiply(sparse(A), np.ones((2, 2), "float32"))
        with pytest.raises(ShapeError):
            ops.squeeze(sparse(A), 0)
        with pytest.raises(ShapeError):
            ops.concatenate([sparse(A), sparse(B[:, :2])], 0)

    def test_what_is_asked_of_a_sparse_tensor():
        x = sparse(A)
        assert ops.is_tensor(x) and ops.shape(x) == (4, 3) and ops.ndim(x) == 2 and ops.size(x) == 12
        assert ops.dtype(x) == "float32"
        np.testing.assert_array_equal(ops.convert_to_numpy(x), A)

    def test_symbols_know_it():
        x = keras_fn.Input((3,), sparse=True)
        assert x.sparse and "sparse" in repr(x)
        assert ops.sin(x).sparse and not ops.exp(x).sparse and ops.add(x, x).sparse and not ops.add(x, 1.0).sparse
        assert layers.Concatenate()([x, x]).sparse and not layers.Dense(2)(x).sparse
        assert layers.Flatten()(x).sparse and layers.ReLU()(x).sparse

    @pytest.mark.skipif(not BACKEND.differentiable, reason="no gradients")
    @pytest.mark.parametrize(
        "loss",
        [
            lambda x, w: ops.sum(ops.square(ops.matmul(x, w))),
            lambda x, w: ops.convert_to_tensor(ops.sum(ops.multiply(x, w[:, 0])), sparse=False),
            lambda x, w: ops.sum(ops.square(ops.matmul(ops.transpose(w), ops.transpose(x)))),
        ],
        ids=["matmul", "multiply", "transposed"],
    )
    def test_gradients(loss: Any):
        w = Variable(W)
        found = []
        for x in (sparse(A), BACKEND.convert(A, None)):
            _, (grad,) = BACKEND.value_and_grad(lambda x=x: loss(x, w.value), [w], False)()
            found.append(grad)
        same(found[0], found[1])

    # --- models
    def trained(x: Any, kept: bool, **kwargs: Any) -> Any:
        keras_fn.utils.set_random_seed(0)
        inputs = keras_fn.Input((3,), sparse=kept)
        model = keras_fn.Model(inputs, layers.Dense(1)(layers.Dense(2, activation="tanh")(inputs)))
        model.compile("sgd", "mse", metrics=["mae"])
        y = np.arange(12, dtype="float32")[:, None]
        history = model.fit(x, y, batch_size=5, epochs=2, verbose=0, **kwargs).history
        return history, model.evaluate(x, y, batch_size=5, verbose=0), model.predict(x, batch_size=5, verbose=0)

    @pytest.mark.parametrize("kwargs", [{}, {"validation_split": 0.25}, {"shuffle": False}], ids=str)
    def test_training_is_that_on_dense_data(kwargs: Any):
        data = np.tile(A, (3, 1))
        found, wanted = trained(sparse(data), True, **kwargs), trained(data, False, **kwargs)
        for key in wanted[0]:
            np.testing.assert_allclose(found[0][key], wanted[0][key], rtol=1e-4)
        np.testing.assert_allclose(found[1], wanted[1], rtol=1e-4)
        np.testing.assert_allclose(found[2], wanted[2], rtol=1e-4)

    def test_batches_of_a_generator():
        inputs = keras_fn.Input((3,), sparse=True)
        model = keras_fn.Model(inputs, layers.Dense(1)(inputs))
        model.compile("sgd", "mse")
        batches = [(sparse(A), np.ones((4, 1), "float32")), (sparse(B), np.ones((4, 1), "float32"))]
        assert len(model.fit(iter(batches), verbose=0).history["loss"]) == 1
        before = model.get_weights()[0]
        model.train_on_batch(*batches[0])
        assert (model.get_weights()[0] != before).any()

    def test_plans_do_not_keep_a_sparse_tensor():
        """A model that is called again and again computes from what came last."""
        inputs, ids = keras_fn.Input((3,), sparse=True), keras_fn.Input((), dtype="int32")
        hot = ops.one_hot(ids, 3, sparse=True)
        model = keras_fn.Model([inputs, ids], layers.Dense(2)(ops.add(inputs, hot)))
        dense = keras_fn.Model(ids, layers.Dense(1)(ops.multiply(ops.one_hot(ids, 3, sparse=True), 2.0)))
        kernel, bias = (ops.convert_to_numpy(w) for w in model.weights)
        for number in range(5):
            array = A + number * (A != 0)
            row = np.array([0, 1, 2, number % 3], "int32")
            wanted = (array + np.eye(3, dtype="float32")[row]) @ kernel + bias
            np.testing.assert_allclose(ops.convert_to_numpy(model([sparse(array), row])), wanted, rtol=1e-5)
            inner = [ops.convert_to_numpy(w) for w in dense.weights]
            wanted = 2 * np.eye(3, dtype="float32")[row] @ inner[0] + inner[1]
            np.testing.assert_allclose(ops.convert_to_numpy(dense(row)), wanted, rtol=1e-5)

    def test_mixed_precision_casts_the_values():
        layer = layers.Dense(2, dtype="mixed_float16")
        assert BACKEND.dtype_of(layer(sparse(A))) == "float16"

else:

    @pytest.mark.parametrize(
        "call",
        [
            lambda: ops.convert_to_tensor(A, sparse=True),
            lambda: keras_fn.Input((3,), sparse=True),
            lambda: ops.one_hot([1], 2, sparse=True),
            lambda: ops.multi_hot([1], 2, sparse=True),
            lambda: ops.bincount([1], sparse=True),
        ],
    )
    def test_a_backend_without_sparse_tensors_says_so(call: Any):
        with pytest.raises(ArgumentError, match=f"{BACKEND.name!r}.*no sparse tensors.*KERAS_BACKEND"):
            call()


def test_ragged_where_there_is_none():
    if not BACKEND.supports_ragged:
        with pytest.raises(ArgumentError, match="no ragged tensors"):
            keras_fn.Input((None,), ragged=True)
    with pytest.raises(ArgumentError, match="either sparse or ragged"):
        keras_fn.KerasTensor((2, 3), sparse=True, ragged=True)


def test_dense_tensors_load_nothing():
    """The rules, and JAX's module, are imported when the first sparse tensor comes."""
    code = (
        "import sys, keras_fn, numpy as np\n"
        "from keras_fn import ops, layers\n"
        "x = keras_fn.Input((3,)); m = keras_fn.Model(x, layers.Dense(2)(x))\n"
        "m(np.ones((2, 3), 'float32')); m.predict(np.ones((2, 3), 'float32'), verbose=0)\n"
        "names = 'keras_fn.ops.sparse', 'keras_fn.ops.ragged', 'jax.experimental.sparse'\n"
        "found = [n for n in names if n in sys.modules]\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "KERAS_BACKEND": BACKEND.name})
