"""Specs: shape and dtype without values."""

from __future__ import annotations

import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core.errors import DtypeError, ShapeError
from keras_fn.core.spec import Spec


def test_facts():
    s = Spec([None, 3], "float16")
    assert (s.shape, s.dtype, s.ndim, s.rank, s.size) == ((None, 3), "float16", 2, 2, None)
    assert Spec((2, 3)).dtype == "float32"
    assert Spec((2, 3)).size == 6
    assert "(None, 3)" in repr(s)
    assert "float16" in repr(s)


def test_refuses():
    with pytest.raises(ShapeError):
        Spec((-1,))
    with pytest.raises(DtypeError):
        Spec((1,), "float31")


A, B = Spec((None, 3)), Spec((3,), "int32")


@pytest.mark.parametrize(
    ("result", "shape", "dtype"),
    [
        (A + B, (None, 3), "float32"),
        (1 - A, (None, 3), "float32"),
        (B * 2, (3,), "int32"),
        (B * 2.0, (3,), "float32"),
        (B / 2, (3,), "float32"),
        (B // 2, (3,), "int32"),
        (7 % B, (3,), "int32"),
        (A**2, (None, 3), "float32"),
        (A @ Spec((3, 5)), (None, 5), "float32"),
        (np.ones((4, 1), "float32") + B, (4, 3), "float32"),
        (A > 0, (None, 3), "bool"),
        (B >= A, (None, 3), "bool"),
        (A != 0, (None, 3), "bool"),
        ((A > 0) & (A < 1), (None, 3), "bool"),
        (~(A > 0), (None, 3), "bool"),
        (-A, (None, 3), "float32"),
        (abs(B), (3,), "int32"),
        (A[0], (3,), "float32"),
        (A[:, 1:], (None, 2), "float32"),
        (A[..., None], (None, 3, 1), "float32"),
        (A.reshape(-1), (None,), "float32"),
        (Spec((1, 2)).squeeze(0), (2,), "float32"),
        (A.T, (3, None), "float32"),
    ],
)
def test_operators_infer(result, shape, dtype):
    assert isinstance(result, Spec)
    assert (result.shape, result.dtype) == (shape, dtype)


def test_length_and_iteration_need_a_known_first_dimension():
    assert len(B) == 3
    assert [s.shape for s in Spec((2, 5))] == [(5,), (5,)]
    with pytest.raises(TypeError, match="first dimension"):
        len(A)


@pytest.mark.parametrize("use", [bool, int, float, np.asarray, lambda s: [1, 2][s]])
def test_a_spec_has_no_value(use):
    with pytest.raises(TypeError, match="no value yet"):
        use(Spec(()))


def test_an_error_of_inference_names_the_op():
    with pytest.raises(ShapeError, match=r"ops\.add.*\(2,\).*\(3,\)"):
        ops.add(Spec((2,)), Spec((3,)))
