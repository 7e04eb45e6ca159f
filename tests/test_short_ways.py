"""The short ways: from its second call on operands of some kinds, an op does by a table what it did in its first."""

import numpy as np
import pytest

import keras_fn
from keras_fn import ops
from keras_fn.core import dtypes
from keras_fn.core.backend import active
from keras_fn.core.constants import Constants
from keras_fn.core.context import context
from keras_fn.core.errors import ArgumentTypeError, DtypeError
from keras_fn.core.spec import REGISTRY, Spec

A = np.array([[1.0, -2.0, 3.0], [0.0, 5.0, -6.0]], "float32")
TENSORS = {name: A.astype(name) for name in ("float32", "int32", "bool")}
NUMBERS = [2, 0, 2.5, -0.0, True, False, float("nan"), float("inf")]
# a rule that leaves numbers as they are, one that makes floats, one whose result has another dtype
BINARY = ["multiply", "true_divide", "less"]


def result(call):
    """The dtype and values of a result, or the class of an error."""
    try:
        out = call()
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        return type(error)
    return active.backend.dtype_of(out), ops.convert_to_numpy(ops.cast(out, "float32")).tolist()


def fresh(name):
    """The public function of an op that remembers nothing."""
    REGISTRY[name].forget_kernels(active.backend)
    return getattr(ops, name)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.filterwarnings("ignore")
def test_every_call_gives_what_the_first_one_gave(name):
    tensors = {d: ops.convert_to_tensor(a) for d, a in TENSORS.items()}
    rows = [(x, n) for x in tensors.values() for n in NUMBERS]
    rows += [(n, x) for x in tensors.values() for n in NUMBERS]
    rows += [(x, y) for x in tensors.values() for y in tensors.values()]
    first = []
    for a, b in rows:
        op = fresh(name)
        first.append(result(lambda a=a, b=b, op=op: op(a, b)))
    op = fresh(name)
    for _ in range(2):
        later = [result(lambda a=a, b=b: op(a, b)) for a, b in rows]
    for row, once, again in zip(rows, first, later, strict=True):
        assert str(once) == str(again), (name, row)  # as text, NaN is equal to NaN


def test_constants_are_told_apart():
    constants = Constants(lambda number, dtype: [number, dtype], list)
    for _ in range(2):
        for number in (0.0, -0.0, 0, False, 1, 1.0, True, float("nan")):
            assert repr(constants.get(number, "float32")) == repr([number, "float32"])
        assert constants.get(1, "int32") == [1, "int32"]
    assert constants.get(1, "int32") is constants.get(1, "int32")
    for number in range(5000):
        constants.get(number, "int32")
    assert len(constants.kept) < 5000


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("order", [(0.0, -0.0), (-0.0, 0.0)])
def test_zeros_keep_their_signs(dtype, order):
    """Each after the other one: a framework may keep tensors of numbers, and 0.0 is equal to -0.0."""
    one, minus = (ops.convert_to_tensor([x], dtype) for x in (1.0, -0.0))
    for _ in range(2):
        for zero in order:
            sign = np.signbit(zero)
            for made in (
                ops.convert_to_tensor([zero], dtype)[0],
                ops.convert_to_tensor(zero, dtype),
                ops.full((1,), zero, dtype),
                ops.multiply(one, zero),
                ops.multiply(zero, one),
                ops.add(minus, zero),
                ops.subtract(zero, ops.zeros_like(one)),
                ops.where(one > 0, zero, one),
            ):
                assert np.signbit(ops.convert_to_numpy(ops.cast(made, "float32"))) == sign
            assert np.signbit(ops.convert_to_numpy(ops.cast(ops.true_divide(one, zero), "float32"))) == sign


def test_true_is_not_one():
    x = ops.convert_to_tensor(TENSORS["bool"])
    for _ in range(2):
        assert active.backend.dtype_of(ops.maximum(x, True)) == "bool"
        assert active.backend.dtype_of(ops.maximum(x, 1)) == "int32"
        assert active.backend.dtype_of(ops.maximum(x, 1.0)) == "float32"


def test_a_number_that_does_not_fit_is_treated_alike_after_one_that_does():
    x = ops.cast(A, "int8")
    first = result(lambda: fresh("maximum")(x, 300))
    op = fresh("maximum")
    for n in (1, 2, 300, 3, 300):
        found = result(lambda n=n: op(x, n))
        assert found == first if n == 300 else found[0] == "int8"


def test_options_none_and_names():
    x, whole = ops.convert_to_tensor(A), ops.convert_to_tensor(A.astype("int32"))
    for _ in range(3):
        assert ops.convert_to_numpy(ops.clip(x, None, 1.0)).tolist() == np.minimum(A, 1).tolist()
        assert ops.convert_to_numpy(ops.clip(x, x_min=0, x_max=None)).tolist() == np.maximum(A, 0).tolist()
        assert ops.convert_to_numpy(ops.clip(x, -1, 1)).tolist() == A.clip(-1, 1).tolist()
        assert active.backend.dtype_of(ops.clip(whole, 0.5, 2)) == "float32"
        assert ops.mean(whole, axis=0).shape == (3,)
        assert ops.convert_to_numpy(ops.where(A > 0, x, 0)).tolist() == np.where(A > 0, A, 0).tolist()
        assert active.backend.dtype_of(ops.where(A > 0, 1, 0.0)) == "float32"
        assert ops.concatenate((x, whole, [[1, 2, 3]]), axis=0).shape == (5, 3)
        with pytest.raises(ArgumentTypeError, match="needs a tensor for 'x2'"):
            ops.maximum(x, None)
        with pytest.raises(ArgumentTypeError, match="lacks the argument x2"):
            ops.maximum(x1=x)


def test_arrays_variables_specs_and_symbols_among_the_operands():
    x, v = ops.convert_to_tensor(A), keras_fn.Variable(A)
    for _ in range(3):
        for other in (A, v, A.astype("float64") if "float64" not in active.backend.narrower else A):
            for found in (ops.maximum(x, other), ops.maximum(other, x)):
                assert ops.convert_to_numpy(found).tolist() == A.tolist()
        assert isinstance(ops.maximum(x, Spec((2, 3))), Spec)
        assert isinstance(ops.maximum(x, keras_fn.Input((3,))), keras_fn.KerasTensor)
        v.assign(A)


def test_what_a_variable_is_read_as_counts(monkeypatch):
    v, x = keras_fn.Variable(A), ops.cast(A, "float16")
    for _ in range(2):
        assert active.backend.dtype_of(ops.maximum(x, v)) == "float32"
        with monkeypatch.context() as patch:
            patch.setattr(context, "autocast", "float16")
            assert active.backend.dtype_of(ops.maximum(x, v)) == "float16"


def test_the_default_float_may_change():
    x = ops.convert_to_tensor(TENSORS["int32"])
    before = dtypes.floatx()
    try:
        for name in ("float32", "float16", "float32"):
            keras_fn.config.set_floatx(name)
            for _ in range(2):
                found = (ops.exp(x), ops.maximum(x, 0.5), ops.add(x, 0.5))
                assert {active.backend.dtype_of(f) for f in found} == {name}
    finally:
        keras_fn.config.set_floatx(before)


def test_a_rule_that_refuses_does_so_again():
    x = ops.convert_to_tensor(TENSORS["bool"])
    for _ in range(3):
        with pytest.raises(DtypeError, match="Bools have no difference"):
            ops.subtract(x, True)
        assert active.backend.dtype_of(ops.subtract(x, 1)) == "int32"


def test_shapes_that_do_not_fit_are_refused_alike():
    x = ops.ones((2, 3))
    first = result(lambda: fresh("maximum")(x, ops.ones((4,))))
    op = fresh("maximum")
    op(x, x)
    assert result(lambda: op(x, ops.ones((4,)))) is first
