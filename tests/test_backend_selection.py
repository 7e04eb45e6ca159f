"""Which backend is taken, what keras.json says, and models under another backend than their own."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import keras_fn
from keras_fn.core import backend as backends
from keras_fn.core.backend import Backend, active
from keras_fn.core.errors import ArgumentError, BackendError
from keras_fn.testing import strict


def python(code: str, home: pathlib.Path, backend: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs code in a fresh Python, with a keras.json of its own and perhaps KERAS_BACKEND."""
    env = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"} | {"KERAS_HOME": str(home)}
    if backend is not None:
        env["KERAS_BACKEND"] = backend
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)


def printed(code: str, home: pathlib.Path, backend: str | None = None) -> list[str]:
    out = python(code, home, backend)
    assert out.returncode == 0, out.stderr
    return out.stdout.split()


def settings(home: pathlib.Path, **values: object) -> pathlib.Path:
    (home / "keras.json").write_text(json.dumps(values))
    return home


NAME = "import keras_fn; print(keras_fn.backend.backend())"


def test_environment_before_file(tmp_path):
    name = os.environ["KERAS_BACKEND"]
    assert printed(NAME, settings(tmp_path, backend="nonsense"), name) == [name]


def test_file_before_what_is_installed(tmp_path):
    assert printed(NAME, settings(tmp_path, backend="numpy")) == ["numpy"]


def test_first_that_is_installed(tmp_path):
    expected = next(n for n in ("jax", "torch", "tensorflow", "numpy") if importlib.util.find_spec(n))
    code = "from keras_fn.core.backend import default_name; print(default_name()[0])"
    assert printed(code, tmp_path) == [expected]
    assert printed(code, settings(tmp_path, floatx="float64")) == [expected]


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        (("jax", "torch", "tensorflow", "numpy"), "jax"),
        (("torch", "tensorflow", "numpy"), "torch"),
        (("tensorflow", "numpy"), "tensorflow"),
        (("numpy",), "numpy"),
    ],
)
def test_order_of_preference(installed, expected, monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(backends, "user_settings", dict)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name in installed else None)
    assert backends.default_name()[0] == expected
    assert [n for n, there in backends.available().items() if there and n != "strict"] == list(installed)


def test_a_file_that_asks_for_what_is_not_installed_is_warned_of(monkeypatch, tmp_path):
    """Keras writes the file by itself; another environment of the same user must still start."""
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(backends, "user_settings", lambda: {"backend": "tensorflow"})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name in ("torch", "numpy") else None)
    with pytest.warns(UserWarning, match=r"'tensorflow', which is not installed here: 'torch' is taken"):
        assert backends.default_name()[0] == "torch"


def test_unknown_name_tells_what_there_is(tmp_path):
    out = python(NAME, tmp_path, "numpi")
    assert out.returncode != 0
    message = out.stderr.splitlines()[-1]
    assert "There is no backend 'numpi'. Did you mean 'numpy'?" in message
    assert "asked for by the environment variable KERAS_BACKEND" in message
    installed = [n for n, there in backends.available().items() if there]
    assert f"Installed: {', '.join(installed)}." in message
    for name, there in backends.available().items():
        assert (f"pip install 'keras-fn[{name}]'" in message) is not there


def test_unknown_name_in_the_file_names_the_file(tmp_path):
    out = python(NAME, settings(tmp_path, backend="numpi"))
    assert out.returncode != 0 and f"'numpi' is asked for by {tmp_path / 'keras.json'}" in out.stderr


def test_missing_framework_tells_how_to_install_it(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else found(name))
    monkeypatch.setattr(backends, "_loaded", {})
    with pytest.raises(BackendError, match=r"needs torch, which is not installed.*pip install 'keras-fn\[torch\]'"):
        backends.load("torch")


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("{'backend': 'numpy'}", NAME, "is not valid JSON"),
        ("[1]", NAME, "must hold a JSON object"),
        ('{"floatx": "float31"}', "import keras_fn; keras_fn.config.floatx()", "'floatx' in"),
        ('{"epsilon": 0}', "import keras_fn; keras_fn.config.epsilon()", "'epsilon' in"),
        ('{"image_data_format": null}', "import keras_fn; keras_fn.config.image_data_format()", "_format' in"),
    ],
)
def test_broken_file(tmp_path, text, code, message):
    (tmp_path / "keras.json").write_text(text)
    out = python(code, tmp_path)
    assert out.returncode != 0
    last = out.stderr.splitlines()[-1]
    assert "ArgumentError" in last and message in last and str(tmp_path / "keras.json") in last


def test_other_settings(tmp_path):
    home = settings(tmp_path, floatx="float64", epsilon=1e-3, image_data_format="channels_first")
    code = """
from keras_fn import config, layers, ops
print(config.floatx(), config.epsilon(), config.image_data_format())
print(layers.Dense(1).dtype, ops.zeros(()).dtype, ops.sqrt(2).dtype)
config.set_floatx("float32"), config.set_epsilon(0.5), config.set_image_data_format("channels_last")
print(config.floatx(), config.epsilon(), config.image_data_format(), ops.sqrt(2).dtype)
"""
    assert printed(code, home, "numpy") == [
        *("float64", "0.001", "channels_first"), *("float64",) * 3, *("float32", "0.5", "channels_last", "float32"),
    ]  # fmt: skip


def test_settings_without_a_file(tmp_path):
    code = "from keras_fn import config; print(config.floatx(), config.epsilon(), config.image_data_format())"
    assert printed(code, tmp_path / "none") == ["float32", "1e-07", "channels_last"]


# --- several backends in one process
@pytest.fixture
def other(backend: Backend) -> str:
    """The name of a backend that is not the one under test, and is always there."""
    return strict.install().name if backend.name == "numpy" else "numpy"


@pytest.fixture
def model(backend: Backend) -> keras_fn.Model:
    inputs = keras_fn.Input((3,))
    made = keras_fn.Model(inputs, keras_fn.layers.Dense(2)(inputs))
    made.compile("sgd", "mse")
    return made


X, Y = np.ones((4, 3), "float32"), np.zeros((4, 2), "float32")


def test_use_swaps_what_is_made_afterwards(backend, other):
    before = keras_fn.Variable(1.0)
    try:
        assert keras_fn.backend.use(other).name == keras_fn.backend.backend() == other
        after = keras_fn.Variable(1.0)
        made = keras_fn.ops.ones((2,))
    finally:
        keras_fn.backend.use(backend.name)
    assert before.backend is backend and after.backend.name == other
    assert backends.load(other).is_tensor(made) and not backend.is_tensor(made)
    assert active.backend is backend and backend.is_tensor(keras_fn.ops.ones((2,)))


def test_using_goes_back_after_an_error(backend, other):
    def fails():
        with keras_fn.backend.using(other):
            assert keras_fn.backend.backend() == other
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        fails()
    assert active.backend is backend


@pytest.mark.parametrize(
    "act",
    [
        lambda m: m(X),
        lambda m: m.layers[-1](X),
        lambda m: m(keras_fn.Input((3,))),
        lambda m: m.fit(X, Y, verbose=0),
        lambda m: m.evaluate(X, Y, verbose=0),
        lambda m: m.predict(X, verbose=0),
        lambda m: m.train_on_batch(X, Y),
        lambda m: m.test_on_batch(X, Y),
        lambda m: m.predict_on_batch(X),
    ],
    ids="call layer symbol fit evaluate predict train_on_batch test_on_batch predict_on_batch".split(),
)
def test_a_model_under_another_backend(backend, other, model, act):
    expected = model.predict(X, verbose=0)
    with keras_fn.backend.using(other):
        with pytest.raises(BackendError) as e:
            act(model)
        assert repr(backend.name) in str(e.value) and f"keras_fn.backend.use({backend.name!r})" in str(e.value)
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)


def test_a_model_made_under_the_other_one(backend, other, model):
    with keras_fn.backend.using(other):
        inputs = keras_fn.Input((3,))
        second = keras_fn.Model(inputs, keras_fn.layers.Dense(2)(inputs))
        second.set_weights(model.get_weights())
        outputs = second.predict(X, verbose=0)
    np.testing.assert_allclose(outputs, model.predict(X, verbose=0), rtol=1e-5)
    with pytest.raises(BackendError, match=f"made under the backend '{other}'"):
        second.predict(X, verbose=0)


def test_register_wants_a_backend():
    with pytest.raises(BackendError, match="and 3 came"):
        backends.register(3)  # type: ignore[arg-type]


def test_floatx_changes_what_was_worked_out_before():
    ops = keras_fn.ops
    standardize = keras_fn.backend.standardize_dtype
    assert standardize(ops.sqrt(2).dtype) == "float32" == standardize(float)
    keras_fn.config.set_floatx("float16")
    try:
        assert standardize(ops.sqrt(2).dtype) == "float16" == standardize(float)
        with pytest.raises(TypeError, match="floatx must be"):
            keras_fn.config.set_floatx("int8")
    finally:
        keras_fn.config.set_floatx("float32")


def test_epsilon_is_checked():
    with pytest.raises(ArgumentError, match="positive"):
        keras_fn.config.set_epsilon(-1.0)
