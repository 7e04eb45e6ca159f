"""Calls on sparse tensors: rows `name: (call, whether the result is sparse)`, for the tests here and against Keras.

A call gets a namespace of ops and a function that makes an array sparse; with a function that gives the array back, it
says what the values must be.
"""

from __future__ import annotations

import numpy as np

A = np.array([[0, 1.5, 0], [2, 0, -3], [0, 0, 0], [0.5, 0, 0]], "float32")
B = np.array([[0, 2.5, 1], [0, 0, -1], [0, 4, 0], [0.5, 0, 0]], "float32")
FULL = np.array([[1, 2, 3], [-1, 5, 2], [2, 2, 2], [0.5, 1, 3]], "float32")
C = np.stack([A, B])
W = np.array([[0, 1], [2, 0], [0, 3]], "float32")
IDS = np.array([[0, 1, 0], [2, 0, 3]], "int32")
ROW = np.array([[1, 0, 2]], "float32")
COLUMN = np.array([[1], [0], [2], [3]], "float32")

_KEEP = (
    "abs absolute ceil conj conjugate copy expm1 floor imag log1p negative real round sign signbit sin sinh sqrt "
    "square stop_gradient tan tanh arcsinh arctan"
)
_KEEP_HERE = "relu relu6 leaky_relu silu gelu elu selu celu soft_shrink hard_tanh tanh_shrink softsign erf trunc cbrt"
_LOSE = "cos cosh exp exp2 isfinite"
_LOSE_HERE = "sigmoid softplus rsqrt log_sigmoid hard_sigmoid"


def _unary(names, sparse):
    return {name: (lambda o, s, name=name: getattr(o, name)(s(np.abs(A))), sparse) for name in names.split()}


def _typed(names, dtypes):
    return {
        f"{name} of {dtype}": (lambda o, s, n=name, d=dtype: getattr(o, n)(s(IDS.astype(d))), True)
        for name in names.split() for dtype in dtypes.split()
    }  # fmt: skip


def _two(names, of_sparse, with_dense, with_sparse_second):
    """An op of two tensors: both sparse, the first, the second; and with a number."""
    rows = {}
    for name in names.split():
        def call(o, *xs, name=name):
            return getattr(o, name)(*xs)

        rows |= {
            f"{name} ss": (lambda o, s, f=call: f(o, s(A), s(B)), of_sparse),
            f"{name} sd": (lambda o, s, f=call: f(o, s(A), FULL), with_dense),
            f"{name} ds": (lambda o, s, f=call: f(o, FULL, s(A)), with_sparse_second),
            f"{name} number": (lambda o, s, f=call: f(o, s(IDS), 2), with_dense),
        }
    return rows


def _shapes(name, sparse):
    """An op of a sparse and a dense tensor of other shapes and dtypes."""
    def call(o, *xs):
        return getattr(o, name)(*xs)

    return {
        f"{name} mixed dtypes": (lambda o, s: call(o, s(A), FULL.astype("int32")), sparse),
        f"{name} float": (lambda o, s: call(o, s(IDS), 2.5), sparse),
        f"{name} row": (lambda o, s: call(o, s(A), FULL[:1]), sparse),
        f"{name} vector": (lambda o, s: call(o, s(A), FULL[0]), sparse),
        f"{name} column": (lambda o, s: call(o, s(A), FULL[:, :1]), sparse),
        f"{name} grows": (lambda o, s: call(o, s(ROW), FULL), sparse),
        f"{name} grows in rank": (lambda o, s: call(o, s(A), np.stack([FULL, FULL])), sparse),
    }


# what Keras has as well
ROWS = {
    **_unary(_KEEP, True),
    **_unary(_LOSE, False),
    **_typed("abs sqrt floor square", "int32 int8"),
    **_typed("sin", "bool"),
    **_two("add subtract maximum minimum", True, False, False),
    **_two("multiply", True, True, True),
    **_two("divide", False, True, False),
    **_shapes("add", False),
    **_shapes("multiply", True),
    **{
        f"sum {axis} {keepdims}": (lambda o, s, a=axis, k=keepdims: o.sum(s(C), axis=a, keepdims=k), True)
        for axis, keepdims in ((None, False), (0, True), (-1, False), ((0, 2), False))
    },
    **{
        f"mean {axis} {keepdims}": (lambda o, s, a=axis, k=keepdims: o.mean(s(C), axis=a, keepdims=k), True)
        for axis, keepdims in ((None, True), ((0, 2), False))
    },
    "sum of int8": (lambda o, s: o.sum(s(IDS.astype("int8")), axis=0), True),
    "mean of ints": (lambda o, s: o.mean(s(IDS), axis=1), True),
    **{
        f"cast to {d}": (lambda o, s, d=d: o.cast(s(A), d), True)
        for d in ("int32", "bfloat16", "bool")
    },
    "matmul sd": (lambda o, s: o.matmul(s(A), W), False),
    "matmul ds": (lambda o, s: o.matmul(A, s(W)), False),
    "matmul ss": (lambda o, s: o.matmul(s(A), s(W)), True),
    "matmul of ints": (lambda o, s: o.matmul(s(IDS), np.ones((3, 2), "int32")), False),
    "matmul mixed dtypes": (lambda o, s: o.matmul(s(IDS), W), False),
    "matmul half": (lambda o, s: o.matmul(s(A.astype("float16")), W.astype("float16")), False),
    "matmul batch sd": (lambda o, s: o.matmul(s(C), np.swapaxes(C, 1, 2)), False),
    "matmul batch ds": (lambda o, s: o.matmul(C, s(np.swapaxes(C, 1, 2))), False),
    "matmul batch ss": (lambda o, s: o.matmul(s(C), s(np.swapaxes(C, 1, 2))), True),
    "matmul vector": (lambda o, s: o.matmul(s(A.T), A[:, 0]), False),
    "matmul shared sd": (lambda o, s: o.matmul(s(C), W), False),
    "matmul shared ds": (lambda o, s: o.matmul(C, s(W)), False),
    "matmul shared ss": (lambda o, s: o.matmul(s(C), s(W)), True),
    "matmul spread sd": (lambda o, s: o.matmul(s(A.T), C), False),
    "transpose": (lambda o, s: o.transpose(s(C)), True),
    "transpose axes": (lambda o, s: o.transpose(s(C), (0, 2, 1)), True),
    "reshape": (lambda o, s: o.reshape(s(A), (2, 6)), True),
    "reshape -1": (lambda o, s: o.reshape(s(C), (-1, 3)), True),
    **{
        f"expand_dims {axis}": (lambda o, s, a=axis: o.expand_dims(s(A), a), True) for axis in (0, 1, -1, (0, 2))
    },
    **{
        f"squeeze {axis}": (lambda o, s, a=axis: o.squeeze(s(A[:, None]), a), True) for axis in (None, 1, -2, (1,))
    },
    **{f"concatenate {axis}": (lambda o, s, a=axis: o.concatenate([s(A), s(B)], a), True) for axis in (0, 1, -1)},
    "concatenate sd": (lambda o, s: o.concatenate([s(A), B], 0), False),
    "take": (lambda o, s: o.take(W, s(IDS[:, 1:] % 3), axis=0), False),
    "take 1": (lambda o, s: o.take(W, s(IDS % 2), axis=1), False),
    "one_hot": (lambda o, s: o.one_hot(np.array([0, 2, 1]), 3, sparse=True), True),
    "one_hot matrix": (lambda o, s: o.one_hot(np.array([[0, 2], [1, 1]]), 3, sparse=True), True),
    "one_hot axis": (lambda o, s: o.one_hot(np.array([[0, 2], [1, 1]]), 3, axis=1, sparse=True), True),
    "one_hot dtype": (lambda o, s: o.one_hot(np.array([0, 2, 1]), 3, dtype="int32", sparse=True), True),
    "one_hot number": (lambda o, s: o.one_hot(1, 4, sparse=True), True),
    "multi_hot": (lambda o, s: o.multi_hot(np.array([[0, 2], [-1, 1], [1, 1]]), 3, sparse=True), True),
    "multi_hot vector": (lambda o, s: o.multi_hot(np.array([0, 2]), 3, sparse=True), True),
    "multi_hot dtype": (lambda o, s: o.multi_hot(np.array([[0, 2], [1, 1]]), 3, dtype="int32", sparse=True), True),
    "bincount weights": (
        lambda o, s: o.bincount(np.array([[1, 2, 2], [0, 0, 1]]), weights=W.T.copy(), sparse=True), True,
    ),
    "convert": (lambda o, s: o.convert_to_tensor(s(A)), True),
    "convert sparse": (lambda o, s: o.convert_to_tensor(s(A), sparse=True), True),
    "convert dense to sparse": (lambda o, s: o.convert_to_tensor(A, sparse=True), False),
    "convert to dense": (lambda o, s: o.convert_to_tensor(s(A), sparse=False), False),
    "convert to a dtype": (lambda o, s: o.convert_to_tensor(s(A), "int32"), True),
    "convert to dense ints": (lambda o, s: o.convert_to_tensor(s(A), "int32", sparse=False), False),
}  # fmt: skip

# what only this library has
ROWS_HERE = {
    **_unary(_KEEP_HERE, True),
    **_unary(_LOSE_HERE, False),
    "add sparse row": (lambda o, s: o.add(s(A), s(ROW)), True),
    "multiply sparse row": (lambda o, s: o.multiply(s(A), s(ROW)), True),
    "isnan": (lambda o, s: o.isnan(s(A)), True),
    "one_hot out of range": (lambda o, s: o.one_hot(np.array([0, 3, -1]), 3, sparse=True), True),
    "ravel": (lambda o, s: o.ravel(s(A)), True),
    "swapaxes": (lambda o, s: o.swapaxes(s(C), 0, 1), True),
    "moveaxis": (lambda o, s: o.moveaxis(s(C), 0, 2), True),
    "broadcast_to": (lambda o, s: o.broadcast_to(s(ROW), (4, 3)), True),
    "dot": (lambda o, s: o.dot(s(A), W), False),
    "clip": (lambda o, s: o.clip(s(A), -1, 1), False),
    "squared_difference": (lambda o, s: o.squared_difference(s(A), s(B)), True),
    "zeros_like": (lambda o, s: o.zeros_like(s(A)), False),
    "matmul vectors": (lambda o, s: o.matmul(s(A[:, 0]), A), False),
    "bincount": (lambda o, s: o.bincount(np.array([1, 2, 2]), sparse=True), True),
    "bincount minlength": (lambda o, s: o.bincount(np.array([[1, 2], [0, 0]]), minlength=6, sparse=True), True),
    "cast ints": (lambda o, s: o.cast(s(IDS), "float32"), True),
    "var": (lambda o, s: o.var(s(A), axis=0), True),
}
