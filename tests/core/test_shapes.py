"""Arithmetic on shapes, against NumPy where all dimensions are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_fn.core import shapes
from keras_fn.core.errors import ArgumentError, ShapeError

small = st.lists(st.integers(0, 4), max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("given", "expected"),
    [((1, None), (1, None)), ([2, 3], (2, 3)), (4, (4,)), ((), ()), (np.array([2, 3]), (2, 3)), ((np.int64(2),), (2,))],
)
def test_standardize(given, expected):
    assert shapes.standardize(given) == expected


@pytest.mark.parametrize("given", [None, (-1,), (1.5,), ("a",), 2.5, ((1, 2), 3)])
def test_standardize_refuses(given):
    with pytest.raises(ShapeError, match="shape|dimension"):
        shapes.standardize(given)


@settings(max_examples=100, deadline=None)
@given(st.lists(small, min_size=1, max_size=3))
def test_broadcast_is_numpys(found):
    try:
        expected = np.broadcast_shapes(*found)
    except ValueError:
        with pytest.raises(ShapeError, match="broadcast"):
            shapes.broadcast(*found)
    else:
        assert shapes.broadcast(*found) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((None, 3), (1, 3), (None, 3)),
        ((None,), (5,), (5,)),
        ((None,), (None,), (None,)),
        ((2, None), (None, 1, 4), (None, 2, 4)),
        ((), (None,), (None,)),
    ],
)
def test_broadcast_of_unknown_dimensions(a, b, expected):
    assert shapes.broadcast(a, b) == shapes.broadcast(b, a) == expected


@pytest.mark.parametrize("axis", [0, -1, (0, 2), (), None, (1, -1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reduce_is_numpys(axis, keepdims):
    expected = np.zeros((2, 3, 4)).sum(axis=axis, keepdims=keepdims).shape
    assert shapes.reduce((2, 3, 4), axis, keepdims) == expected


@pytest.mark.parametrize("axis", [3, -4, (0, 0), (0, -3)])
def test_reduce_refuses(axis):
    with pytest.raises(ShapeError, match="[Aa]xis"):
        shapes.reduce((2, 3, 4), axis, False)


@pytest.mark.parametrize(
    ("shape", "target", "expected"),
    [
        ((2, 3), (3, -1), (3, 2)),
        ((2, 3), (6,), (6,)),
        ((), (1, 1), (1, 1)),
        ((0, 3), (3, -1), (3, 0)),
        ((None, 4), (-1, 2), (None, 2)),
        ((None, 4, 3), (None, -1), (None, 12)),
        ((None, 4), (None, 2, -1), (None, 2, 2)),
        ((None, None), (-1,), (None,)),
    ],
)
def test_reshape(shape, target, expected):
    assert shapes.resolve_reshape(shape, target) == expected


@pytest.mark.parametrize(
    ("shape", "target", "error"),
    [((2, 3), (4,), ShapeError), ((2, 3), (4, -1), ShapeError), ((2,), (-1, -1), ArgumentError)],
)
def test_reshape_refuses(shape, target, error):
    with pytest.raises(error):
        shapes.resolve_reshape(shape, target)


MATRICES = [(3,), (2, 3), (3, 2), (4, 2, 3), (1, 3, 2), (4, 3, 2), (5, 1, 2, 3), (2,)]


@pytest.mark.parametrize(("a", "b"), list(itertools.product(MATRICES, MATRICES)))
def test_matmul_is_numpys(a, b):
    try:
        expected = np.matmul(np.zeros(a), np.zeros(b)).shape
    except ValueError:
        with pytest.raises(ShapeError, match="multiply|broadcast"):
            shapes.matmul(a, b)
    else:
        assert shapes.matmul(a, b) == expected


def test_matmul_of_unknown_dimensions_and_scalars():
    assert shapes.matmul((None, 3), (3, None)) == (None, None)
    assert shapes.matmul((None, 2, None), (None, 4)) == (None, 2, 4)
    with pytest.raises(ShapeError, match="one dimension"):
        shapes.matmul((), (3,))


def test_size():
    assert shapes.size((2, 3)) == 6
    assert shapes.size(()) == 1
    assert shapes.size((None, 0)) is None


@pytest.mark.parametrize(("value", "expected"), [(3, (3, 3)), ([1, 2], (1, 2)), (np.array([2, 2]), (2, 2))])
def test_tuple_of(value, expected):
    assert shapes.tuple_of(value, 2, "strides") == expected


@pytest.mark.parametrize("value", [0, (1, 0), (1, 2, 3), 1.5, "ab", None, (1, None)])
def test_tuple_of_refuses(value):
    with pytest.raises(ArgumentError, match="strides"):
        shapes.tuple_of(value, 2, "strides")
    assert shapes.tuple_of(0, 2, "padding", zero=True) == (0, 0)
