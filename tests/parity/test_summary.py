"""Summaries, line by line as Keras prints them."""

import re

import pytest

import keras_fn
from keras_fn.core import naming


def _mnist(k):
    x = k.Input((784,))
    y = k.layers.Dense(64, activation="relu")(x)
    return k.Model(x, k.layers.Dense(10)(k.layers.Dense(64)(y)), name="mnist_model")


def _sequential(k):
    return k.Sequential([k.Input((5,)), k.layers.Dense(3), k.layers.Dense(4)], name="chain")


def _unbuilt(k):
    return k.Sequential([k.layers.Dense(3), k.layers.Dense(4)], name="unbuilt")


def _empty(k):
    return k.Sequential(name="empty")


def _two_ways(k):
    x = k.Input((4,), name="x")
    return k.Model(x, k.layers.Add(name="o")([x, k.layers.Dense(4, name="d")(x)]), name="two_ways")


def _ops(k):
    a, b = k.Input((4,), name="a"), k.Input((4, 6), name="b")
    parts = k.ops.split(a, 2, axis=-1)
    mean = k.ops.mean(b, axis=(1, 2))
    joined = k.layers.Concatenate(name="join")([parts[0], parts[1], parts[0]])
    return k.Model([a, b], [joined * 2 + 1, mean], name="with_ops")


def _shared(k):
    x = k.Input((3,), name="x")
    shared = k.layers.Dense(3, name="shared")
    return k.Model(x, shared(shared(x)), name="shared_model")


def _twice(k):
    x = k.Input((3,), name="x")
    return k.Model(x, k.layers.Add(name="double")([x, x]), name="twice")


def _chain_of_outputs(k):
    x = k.Input((3,), name="x")
    y = k.layers.Dense(2, name="y")(x)
    return k.Model(x, [y, k.layers.Dense(2, name="z")(y)], name="outputs")


def _one_part(k):
    x = k.Input((4,), name="x")
    return k.Model(x, k.layers.Dense(2, name="d")(k.ops.split(x, 2, axis=-1)[1]), name="one_part")


def _other_shapes(k):
    x, y = k.Input((3, 4), name="x"), k.Input((5, 4), name="y")
    shared = k.layers.Dense(2, name="shared")
    return k.Model([x, y], [shared(x), shared(y)], name="other_shapes")


def _nested(k):
    x = k.Input((28, 28, 1))
    inner = _mnist(k)
    flat = k.layers.Flatten()(x)
    total = k.ops.add(inner(flat), inner(k.layers.ReLU()(flat))) * 2
    head = k.Sequential([k.layers.Dense(3), k.layers.Identity()], name="inner")
    return k.Model(x, [head(total), total], name="nested")


def _nested_ops(k):
    x = k.Input((4,), name="x")
    inner = k.Model(x, k.layers.Dense(2, name="d")(k.ops.relu(x + 1)), name="inner")
    y = k.Input((4,), name="y")
    return k.Model(y, inner(y), name="nested_ops")


def _deep(k):
    one = k.Sequential([k.Input((4,)), k.layers.Dense(2, name="d1")], name="n1")
    two = k.Sequential([k.Input((4,)), one, k.layers.Dense(2, name="d2")], name="n2")
    return k.Sequential([k.Input((4,)), two], name="n3")


def _dict_outputs(k):
    x = k.Input((4,), name="x")
    inner = k.Model(x, {"p": k.layers.Dense(2, name="p")(x), "q": k.layers.Dense(3, name="q")(x)}, name="inner")
    y = k.Input((4,), name="y")
    out = inner(y)
    return k.Model(y, k.layers.Concatenate(name="join")([out["p"], out["q"]]), name="dict_outputs")


def _frozen(k):
    model = _two_ways(k)
    model.get_layer("d").trainable = False
    return model


def _subclass(k):
    class Small(k.Model):
        def __init__(self):
            super().__init__()
            self.a = k.layers.Dense(3)
            self.b = k.layers.Dense(4)

        def call(self, x):
            return self.b(self.a(x))

    return Small()


def _called(k):
    import numpy as np

    model = _subclass(k)
    model(np.zeros((2, 3), "float32"))
    return model


def _subclass_inside(k):
    x = k.Input((3,), name="x")
    return k.Model(x, _subclass(k)(x), name="outer")


MODELS = [
    _mnist, _sequential, _unbuilt, _empty, _two_ways, _ops, _shared, _twice, _chain_of_outputs, _one_part,
    _other_shapes, _nested, _nested_ops, _deep, _dict_outputs, _frozen, _subclass, _called, _subclass_inside,
]  # fmt: skip
OPTIONS = [
    {},
    {"line_length": 60},
    {"line_length": 133, "expand_nested": True},
    {"line_length": 100, "show_trainable": True},
    {"expand_nested": True, "show_trainable": True},
]


def _text(k, make, **options):
    if k is keras_fn:
        naming.reset()
    else:
        k.utils.clear_session(free_memory=False)
    lines = []
    make(k).summary(print_fn=lambda text: lines.extend(text.splitlines()), **options)
    return lines


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("make", MODELS)
def test_summary_is_that_of_keras(make, options, monkeypatch):
    import keras

    monkeypatch.setenv("COLUMNS", str(max(80, options.get("line_length", 0))))  # Keras cuts tables at the terminal
    expected = _text(keras, make, **options)
    if make is _subclass_inside:  # the number that stands for the batch while Keras infers shapes shines through there
        expected = [re.sub(r"\(\d\d, (\d)\)  ", r"(None, \1)", line) for line in expected]
    assert _text(keras_fn, make, **options) == expected
