"""The table of `model.summary()`. Line by line beside Keras's: tests/parity/test_summary.py."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import keras_fn
from keras_fn import layers
from keras_fn.core.errors import ArgumentError
from keras_fn.utils.inspection import dtype_bits, size_text


def _mnist():
    x = keras_fn.Input((784,))
    y = layers.Dense(64, activation="relu")(layers.Dense(64, activation="relu")(x))
    return keras_fn.Model(x, layers.Dense(10)(y), name="mnist_model")


def _lines(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return lines


MNIST = """\
Model: "mnist_model"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┓
┃ Layer (type)             ┃ Output Shape      ┃   Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━┩
│ input_layer (InputLayer) │ (None, 784)       │         0 │
├──────────────────────────┼───────────────────┼───────────┤
│ dense_1 (Dense)          │ (None, 64)        │    50,240 │
├──────────────────────────┼───────────────────┼───────────┤
│ dense (Dense)            │ (None, 64)        │     4,160 │
├──────────────────────────┼───────────────────┼───────────┤
│ dense_2 (Dense)          │ (None, 10)        │       650 │
└──────────────────────────┴───────────────────┴───────────┘
 Total params: 55,050 (215.04 KB)
 Trainable params: 55,050 (215.04 KB)
 Non-trainable params: 0 (0.00 B)"""


def test_the_guides_model():
    assert "\n".join(_lines(_mnist(), line_length=60)) == MNIST


def test_prints_to_standard_output(capsys):
    _mnist().summary(line_length=60)
    assert capsys.readouterr().out.rstrip("\n") == MNIST


def test_long_lines_are_not_cut_at_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    _mnist().summary(line_length=120)
    assert max(map(len, capsys.readouterr().out.splitlines())) == 120


def test_default_width_fits_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    assert len(_lines(_mnist())[1]) == 66
    monkeypatch.setenv("COLUMNS", "300")
    assert len(_lines(_mnist())[1]) == 88


def test_optimizer_state_is_counted_once_there_is_some(backend):
    model = keras_fn.Sequential([keras_fn.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    assert not any("Optimizer" in line for line in _lines(model))
    model.optimizer.build(model.trainable_variables)
    count = sum(v.size for v in model.optimizer.variables)
    lines = _lines(model)
    assert lines[-1].startswith(f" Optimizer params: {count:,} (")
    assert f" Total params: {8 + count:,} (" in "\n".join(lines)


def test_markup_in_names_is_text():
    x = keras_fn.Input((2,), name="x[bold]y")
    assert "x[bold]y (InputLayer)" in "\n".join(_lines(keras_fn.Model(x, layers.Dense(1)(x)), line_length=100))


def test_layer_range():
    x = keras_fn.Input((3,), name="x")
    y = x
    for name in ("first", "second", "third"):
        y = layers.Dense(2, name=name)(y)
    model = keras_fn.Model(x, y)
    text = "\n".join(_lines(model, layer_range=["second", "third"]))
    assert "second" in text and "third" in text and "first" not in text
    assert text == "\n".join(_lines(model, layer_range=("third", "sec.*")))
    with pytest.raises(ArgumentError, match=r"no layer is named 'secnd'. Did you mean 'second'"):
        model.summary(layer_range=["first", "secnd"])
    with pytest.raises(ArgumentError, match="two strings"):
        model.summary(layer_range=["first"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"line_length": 0}, "above 0"),
        ({"line_length": "80"}, "above 0"),
        ({"line_length": 12}, "at least"),
        ({"positions": [0.5, 1.0]}, "3 columns"),
        ({"positions": [0.5, 0.4, 1.0]}, "left to right"),
    ],
)
def test_widths_that_make_no_sense(options, message):
    with pytest.raises(ArgumentError, match=message):
        _mnist().summary(**options)


def test_many_levels_of_models():
    model = keras_fn.Sequential([keras_fn.Input((2,)), layers.Dense(2)], name="level0")
    for i in range(1, 12):
        model = keras_fn.Sequential([keras_fn.Input((2,)), model], name=f"level{i}")
    lines = [line for line in _lines(model, expand_nested=True, line_length=150) if "level" in line]
    assert [line.index("level") for line in lines[2:]] == sorted(line.index("level") for line in lines[2:])
    assert len(lines) == 12


def test_layers_that_only_run_on_values_have_unknown_shapes():
    class Picky(layers.Layer):
        def call(self, x):
            return x[: int(np.asarray(keras_fn.ops.convert_to_numpy(x)).sum())]

    class Outer(keras_fn.Model):
        def __init__(self):
            super().__init__()
            self.picky = Picky()

        def call(self, x):
            return self.picky(x)

    model = Outer()
    model.build()
    model.picky.build((2, 3))
    model.picky._kf_build_shapes = {"x": (2, 3)}
    assert any("picky" in line and "?" in line for line in _lines(model))


def test_html_in_a_notebook(monkeypatch):
    shown = []

    class Display:
        @staticmethod
        def display(*objects, **kwargs):
            shown.extend(objects)

    monkeypatch.setitem(sys.modules, "IPython.display", Display)
    monkeypatch.setitem(sys.modules, "IPython", type("IPython", (), {"display": Display}))
    from rich import console

    monkeypatch.setattr(console, "_is_jupyter", lambda: True)
    _mnist().summary()
    html = "".join(x._repr_mimebundle_([], [])["text/html"] for x in shown)
    assert html.startswith("<pre") and "55,050" in html


@pytest.mark.parametrize(
    ("dtype", "bits"), [("float32", 32), ("bfloat16", 16), ("bool", 8), ("int4", 4), ("float8_e4m3fn", 8)]
)
def test_dtype_bits(dtype, bits):
    assert dtype_bits(dtype) == bits


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0.00 B"), (1023, "1023.00 B"), (1024, "1.00 KB"), (220200, "215.04 KB"), (3 * 2**30, "3.00 GB")],
)
def test_size_text(size, text):
    assert size_text(size) == text
