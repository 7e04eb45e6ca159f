"""One declaration serves every backend: eager, compiled, on specs and on symbols."""

import numpy as np
import pytest

import keras_fn
from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentTypeError, NoKernelError, ShapeError
from keras_fn.core.op import op, promotes
from keras_fn.core.spec import REGISTRY, Spec
from keras_fn.ops.linear import _linear

A = np.arange(6, dtype="float32").reshape(2, 3)

# op, arguments, NumPy's result
ROWS = [
    ("add", (A, 1), A + 1),
    ("subtract", (A, A[0]), A - A[0]),
    ("matmul", (A, A.T), A @ A.T),
    ("sum", (A, 1), A.sum(1)),
    ("mean", (A,), A.mean()),
    ("amax", (A, 0), A.max(0)),
    ("exp", (A,), np.exp(A)),
    ("logaddexp", (A, 2.0), np.logaddexp(A, 2.0)),
    ("greater", (A, 2), A > 2),
    ("where", (A > 2, A, 0), np.where(A > 2, A, 0)),
    ("concatenate", ([A, A], 1), np.concatenate([A, A], 1)),
    ("transpose", (A,), A.T),
]


@pytest.mark.parametrize(("name", "args", "expected"), ROWS, ids=[r[0] for r in ROWS])
def test_eager_and_spec_agree_with_numpy(name, args, expected):
    found = getattr(ops, name)(*args)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-5)
    specs = [Spec(a.shape, a.dtype) if isinstance(a, np.ndarray) else a for a in args]
    specs = [[Spec(x.shape, x.dtype) for x in a] if isinstance(a, list) else a for a in specs]
    spec = getattr(ops, name)(*specs)
    assert (spec.shape, spec.dtype) == (expected.shape, active.backend.dtype_of(found))


def test_a_compiled_step_gives_what_the_eager_one_gives():
    def step(x):
        return ops.softmax(ops.matmul(ops.gelu(x), ops.transpose(x)))

    compiled = active.backend.compile_step(step, list, "auto")
    x = ops.convert_to_tensor(A)
    np.testing.assert_allclose(ops.convert_to_numpy(compiled(x)), ops.convert_to_numpy(step(x)), rtol=1e-5)


def test_an_op_declared_here_works_at_once():
    @op(dtype=promotes("x1", "x2"), name="test_only_hypot")
    def hypot(x1, x2):
        """Length of the hypotenuse."""
        return ops.sqrt(ops.add(ops.square(x1), ops.square(x2)))

    try:
        assert float(hypot(3.0, 4.0)) == 5.0
        assert hypot(Spec((None, 2)), Spec((1, 2))).shape == (None, 2)
        assert hypot(keras_fn.Input((2,)), 1.0).shape == (None, 2)
    finally:
        del REGISTRY["test_only_hypot"]


def test_a_primitive_without_a_kernel_says_so():
    @op(dtype=promotes("x"), shape=lambda x: x.shape, name="test_only_missing")
    def missing(x):
        """Nobody has a kernel for this."""

    try:
        with pytest.raises(NoKernelError, match="no kernel for ops.test_only_missing"):
            missing(1.0)
    finally:
        del REGISTRY["test_only_missing"]


def test_every_primitive_has_a_kernel():
    lacking = [n for n, o in REGISTRY.items() if o.primitive and n not in active.backend.kernels]
    assert lacking == []


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: ops.add(1), ArgumentTypeError, "lacks the argument x2"),
        (lambda: ops.add(1, 2, 3), ArgumentTypeError, "takes 2 arguments at most"),
        (lambda: ops.sum(A, axes=1), ArgumentTypeError, "unknown argument 'axes'"),
        (lambda: ops.matmul(Spec((2, 3)), Spec((4, 5))), ShapeError, "ops.matmul: The shapes .2, 3. and .4, 5. do not"),
        (lambda: ops.add(Spec((2, 3)), Spec((4,))), ShapeError, "do not broadcast"),
        (lambda: ops.zeros((None, 3)), ShapeError, "unknown dimension"),
        (lambda: bool(keras_fn.Input((2,)) > 1), TypeError, "has no value yet"),
    ],
)
def test_misuse_is_told(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_python_numbers_are_weak():
    half = ops.cast(A, "float16")
    assert active.backend.dtype_of(ops.multiply(half, 2.5)) == "float16"
    assert active.backend.dtype_of(ops.add(ops.cast(A, "int32"), 1.5)) == "float32"
    assert active.backend.dtype_of(ops.add(ops.cast(A, "uint8"), 1)) == "uint8"


# --- the short way, which an op takes from its second call on tensors of the same dtypes
def test_arguments_are_checked_on_the_short_way_too():
    x = ops.convert_to_tensor(A)
    for _ in range(3):
        assert ops.sum(x, 0).shape == (3,)
        assert ops.sum(x, axis=1, keepdims=True).shape == (2, 1)
        assert ops.concatenate([x, x], axis=1).shape == (2, 6)
    with pytest.raises(ArgumentTypeError, match="unknown argument 'keepdim'"):
        ops.sum(x, 0, keepdim=True)
    with pytest.raises(ArgumentTypeError, match="got twice the argument 'axis'"):
        ops.sum(x, 0, False, axis=1)
    with pytest.raises(ArgumentTypeError, match="takes 3 arguments at most"):
        ops.sum(x, 0, False, 1)


def test_the_short_way_is_for_the_same_dtypes_only():
    half, whole, x = (ops.cast(A, name) for name in ("float16", "int32", "float32"))
    for _ in range(3):
        assert active.backend.dtype_of(ops.add(half, 2.5)) == "float16"
        assert active.backend.dtype_of(ops.add(whole, 1)) == "int32"
        assert active.backend.dtype_of(ops.add(whole, 1.5)) == "float32"
        assert active.backend.dtype_of(ops.add(half, x)) == "float32"
        assert active.backend.dtype_of(ops.concatenate([x, whole], 0)) == "float32"
        assert active.backend.dtype_of(ops.concatenate([whole, whole], 0)) == "int32"
        assert active.backend.dtype_of(ops.mean(whole, 0)) == "float32"
        assert ops.convert_to_numpy(ops.take(x, ops.cast([1], "int32"), 0)).tolist() == [A[1].tolist()]


# --- shapes of composites
@pytest.mark.parametrize(
    ("x", "weights", "bias"),
    [
        ((None, 3), (3, 4), (4,)),
        ((2, 3), (3, 1), (4,)),
        ((None, None, 3), (3, 4), (4,)),
        ((3,), (3, 4), (4,)),
        ((5, 2, 3), (5, 3, 4), (5, 1, 4)),
    ],
)
@pytest.mark.parametrize("dtypes", [("float32",) * 3, ("float16", "float32", "float32"), ("int8",) * 3])
def test_a_closed_form_gives_what_the_body_gives(x, weights, bias, dtypes):
    specs = [Spec(shape, dtype) for shape, dtype in zip((x, weights, bias), dtypes, strict=True)]
    found, want = _linear(*specs), ops.add(ops.matmul(*specs[:2]), specs[2])
    assert (found.shape, found.dtype) == (want.shape, want.dtype)


def test_the_error_of_a_composite_is_that_of_its_body():
    with pytest.raises(ShapeError, match=r"^ops\.matmul: "):
        _linear(Spec((None, 3), "float32"), Spec((4, 4), "float32"), Spec((4,), "float32"))
    with pytest.raises(ShapeError, match=r"^ops\.add: "):
        _linear(Spec((None, 3), "float32"), Spec((3, 4), "float32"), Spec((5,), "float32"))
