"""Whole numbers, images of bytes and wide floats through layers under several policies: dtypes and values of Keras."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import keras_fn
from parity.kept_differences import LAYER_DTYPES

BACKEND = os.environ.get("KERAS_BACKEND")
KEPT = {name: set(patterns) for name, patterns, backends, _ in LAYER_DTYPES if BACKEND in backends}
ONES = {"kernel_initializer": "ones"}
IMAGE = (1, 4, 4, 3)


def twice(layer: Any) -> Callable[[Any], Any]:
    return lambda x: layer([x, x])


# name: shape of the inputs, and what makes the layer from the module of layers and a policy
LAYERS: dict[str, tuple[tuple[int, ...], Callable[[Any, Any], Any]]] = {
    "Dense": ((2, 3), lambda k, p: k.Dense(2, dtype=p, **ONES)),
    "Embedding": ((2, 3), lambda k, p: k.Embedding(9, 2, dtype=p, embeddings_initializer="ones")),
    "Conv2D": (IMAGE, lambda k, p: k.Conv2D(2, 2, dtype=p, **ONES)),
    "BatchNormalization": ((2, 3), lambda k, p: k.BatchNormalization(dtype=p)),
    "LayerNormalization": ((2, 3), lambda k, p: k.LayerNormalization(dtype=p)),
    "RMSNormalization": ((2, 3), lambda k, p: k.RMSNormalization(dtype=p)),
    "Dropout": ((2, 3), lambda k, p: k.Dropout(0.5, dtype=p)),
    "Flatten": ((1, 2, 3), lambda k, p: k.Flatten(dtype=p)),
    "Concatenate": ((2, 3), lambda k, p: twice(k.Concatenate(dtype=p))),
    "Average": ((2, 3), lambda k, p: twice(k.Average(dtype=p))),
    "MaxPooling2D": (IMAGE, lambda k, p: k.MaxPooling2D(2, dtype=p)),
    "GlobalAveragePooling2D": (IMAGE, lambda k, p: k.GlobalAveragePooling2D(dtype=p)),
    "ReLU": ((2, 3), lambda k, p: k.ReLU(dtype=p)),
    "PReLU": ((2, 3), lambda k, p: k.PReLU(dtype=p)),
    "Softmax": ((2, 3), lambda k, p: k.Softmax(dtype=p)),
    "ZeroPadding2D": (IMAGE, lambda k, p: k.ZeroPadding2D(1, dtype=p)),
    "Lambda": ((2, 3), lambda k, p: k.Lambda(lambda x: x + x, dtype=p)),
}
CASES = [(d, p) for d in ("uint8", "int64", "float64") for p in (None, "float64", "mixed_float16")]


def result(library: Any, name: str, dtype: str, policy: Any) -> tuple[str, Any]:
    shape, make = LAYERS[name]
    x = (np.arange(np.prod(shape)).reshape(shape) % 5).astype(dtype)
    y = make(library.layers, policy)(library.ops.convert_to_tensor(x))
    return keras.backend.standardize_dtype(y.dtype), library.ops.convert_to_numpy(y).astype("float64")


def differs(name: str, dtype: str, policy: Any) -> bool:
    """Whether Keras gives something else; what it refuses is taken here."""
    found, values = result(keras_fn, name, dtype, policy)
    try:
        wanted, theirs = result(keras, name, dtype, policy)
    except Exception:  # of the framework, of any class
        return False
    tolerance = 2e-2 if "float16" in (found, wanted) else 1e-5
    if BACKEND == "numpy":  # the dtypes that NumPy's functions happen to give there
        wanted = found
    return found != wanted or not np.allclose(values, theirs, tolerance, tolerance)


@pytest.mark.parametrize("name", LAYERS)
def test_dtypes_and_values(name: str):
    found = {f"{dtype} {policy}" for dtype, policy in CASES if differs(name, dtype, policy)}
    assert found == KEPT.get(name, set())


@pytest.mark.parametrize("name", ["LayerNormalization", "RMSNormalization"])
def test_whole_numbers_are_normalised_as_floats_of_the_compute_dtype(name: str):
    for policy, wanted in ((None, "float32"), ("mixed_float16", "float16"), ("bfloat16", "bfloat16")):
        found, values = result(keras_fn, name, "uint8", policy)
        assert found == wanted
        np.testing.assert_allclose(values, result(keras_fn, name, "float32", "float32")[1], atol=2e-2)
