"""The examples in docstrings run on the backend under test; and every public name has a docstring."""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
import pkgutil

import pytest

import keras_fn
from keras_fn.core import naming
from keras_fn.core.backend import load

MODULES = sorted(m.name for m in pkgutil.walk_packages(keras_fn.__path__, "keras_fn."))
# their examples compute gradients
TRAIN = {"keras_fn.core.gradients"}
AREAS = "activations backend callbacks config constraints datasets dtype_policies graph initializers layers losses"
AREAS += " metrics models ops optimizers random regularizers saving trainer tree utils"


def examples(name: str) -> list[doctest.DocTest]:
    """The docstrings of a module that have examples."""
    return [t for t in doctest.DocTestFinder().find(importlib.import_module(name)) if t.examples]


def failures(name: str) -> tuple[int, str]:
    """How many examples of a module fail, and what doctest says."""
    naming.reset()
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in examples(name):
        naming.reset()
        runner.run(test, out=said.append)
    return runner.failures, "".join(said)


differentiable = load(os.environ["KERAS_BACKEND"]).differentiable


@pytest.mark.parametrize("name", [m for m in MODULES if differentiable or m not in TRAIN])
def test_examples(name):
    failed, said = failures(name)
    assert not failed, said


@pytest.mark.parametrize("name", sorted(TRAIN))
def test_modules_that_train(name):
    """A module is on that list for a reason: without gradients, its examples fail and say so."""
    assert name in MODULES
    if not differentiable:
        assert "has no gradients" in failures(name)[1]


def test_examples_are_found():
    """Of classes, functions, methods and ops alike: an op is no function, and its examples must not be missed."""
    found = {t.name for m in ("keras_fn.core.variable", "keras_fn.utils.numerical", "keras_fn.testing.strict")
             for t in examples(m)}  # fmt: skip
    assert {"keras_fn.core.variable.Variable", "keras_fn.testing.strict"} <= found
    ops = {t.name for t in doctest.DocTestFinder(exclude_empty=False).find(importlib.import_module("keras_fn.ops.nn"))}
    assert "keras_fn.ops.nn.layer_normalization" in ops and "keras_fn.ops.nn.multi_hot" in ops


@pytest.mark.parametrize("area", AREAS.split())
def test_public_names_have_docstrings(area):
    module = importlib.import_module(f"keras_fn.{area}")
    assert module.__doc__
    public = [n for n in getattr(module, "__all__", dir(module)) if not n.startswith("_")]
    assert public
    named = [(n, getattr(module, n)) for n in public]
    bare = [n for n, v in named if callable(v) and not (v.__doc__ or "").strip()]
    own = [(n, v) for n, v in named if inspect.isclass(v) and v.__module__.startswith("keras_fn")]
    inherited = [n for n, v in own if "__doc__" not in v.__dict__]
    assert not bare and not inherited
