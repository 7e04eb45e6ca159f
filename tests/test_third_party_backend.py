"""A backend that somebody else wrote and installed; and the strict backend, which promises as little as one may."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import keras_fn
from keras_fn.core.backend import Backend, load, using
from keras_fn.testing import strict

# a whole backend for dense models: its arrays, its kernels, and the few methods that a Backend must have
TINY = '''
import numpy as np
from keras_fn.core.backend import Backend

class TinyArray:
    """Values, and nothing that could be taken for a NumPy array."""

    def __init__(self, values):
        self.values = values
        self.shape = values.shape
        self.dtype = str(values.dtype)

def lift(fn):
    return lambda *args: TinyArray(np.asarray(fn(*(a.values if isinstance(a, TinyArray) else a for a in args))))

class TinyBackend(Backend):
    name = "tiny"
    tensor_class = TinyArray
    differentiable = False
    kernels = {
        "add": lift(lambda a, b: a + b),
        "matmul": lift(lambda a, b: np.einsum("...i,ij->...j", a, b)),
        "relu": lift(lambda x: np.where(x > 0, x, 0).astype(x.dtype)),
        "tanh": lift(np.tanh),
    }

    def is_tensor(self, x):
        return isinstance(x, TinyArray)

    def dtype_of(self, x):
        return x.dtype

    def convert(self, x, dtype):
        return x if isinstance(x, TinyArray) else TinyArray(np.asarray(x, dtype))

    def cast(self, x, dtype):
        return TinyArray(x.values.astype(dtype))

    def to_numpy(self, x):
        return x.values

BACKEND = TinyBackend()
'''

MODEL = """
import sys, json
import numpy as np
import keras_fn
from keras_fn import layers
keras_fn.utils.set_random_seed(3)
inputs = keras_fn.Input((4,))
hidden = layers.Dense(8, activation="relu")(inputs)
both = hidden + layers.Dense(8, activation="tanh", name="side")(inputs)
model = keras_fn.Model(inputs, layers.Dense(2)(both))
x = np.linspace(-1, 1, 28, dtype="float32").reshape(7, 4)
print(json.dumps([keras_fn.backend.backend(), model.predict(x, verbose=0).tolist()]))
print(json.dumps(sorted({m.partition(".")[0] for m in sys.modules} & {"jax", "torch", "tensorflow", "keras_fn_numpy"})))
"""


@pytest.fixture
def site(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder as pip leaves it after installing the package that brings the backend."""
    (tmp_path / "keras_fn_tiny.py").write_text(TINY)
    info = tmp_path / "keras_fn_tiny-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keras-fn-tiny\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[keras_fn.backends]\ntiny = keras_fn_tiny\nbroken = keras_fn_tiny:TINY\n")
    return tmp_path


def python(code: str, backend: str, *paths: pathlib.Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([*map(str, paths), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    env = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": path}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)


def outputs(code: str, backend: str, *paths: pathlib.Path) -> list[object]:
    import json

    out = python(code, backend, *paths)
    assert out.returncode == 0, out.stderr
    return [json.loads(line) for line in out.stdout.splitlines()]


def test_installed_backend_gives_the_same_numbers(site):
    (name, found), modules = outputs(MODEL, "tiny", site)
    (_, expected), _ = outputs(MODEL, "numpy", site)
    assert name == "tiny" and modules == []
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert np.ptp(expected) > 0.1


def test_it_is_listed_but_never_taken_unasked(site):
    code = "import keras_fn, json; print(json.dumps(keras_fn.backend.available()))"
    (listed,) = outputs(code, "numpy", site)
    assert isinstance(listed, dict) and listed["tiny"] is True and list(listed)[-1] in ("tiny", "broken")


def test_missing_kernel_is_named(site):
    out = python("from keras_fn import ops; ops.sin(1.0)", "tiny", site)
    assert "NoKernelError: The backend 'tiny' has no kernel for ops.sin" in out.stderr.splitlines()[-1]


def test_entry_point_that_leads_nowhere(site):
    (site / "keras_fn_tiny.py").write_text(TINY + "\nTINY = 3\n")
    out = python("import keras_fn; keras_fn.backend.backend(); keras_fn.ops.ones(())", "broken", site)
    assert "must lead to a keras_fn.core.backend.Backend object, and leads to 3" in out.stderr.splitlines()[-1]


# --- the strict backend
@pytest.fixture
def opaque() -> Backend:
    return strict.install()


@pytest.mark.parametrize(
    "use",
    [
        lambda x: x + 1,
        lambda x: 1 - x,
        lambda x: x[0],
        lambda x: x == 1,
        lambda x: x < 1,
        lambda x: -x,
        lambda x: bool(x),
        lambda x: float(x),
        lambda x: len(x),
        lambda x: list(x),
        lambda x: np.asarray(x),
        lambda x: x.numpy(),
        lambda x: x.reshape(-1),
        lambda x: x.astype("int32"),
        lambda x: x.dtype == "float32",
        lambda x: x in [1, 2],
    ],
)
def test_what_is_not_promised_is_refused(opaque, use):
    with using("strict"):
        x = keras_fn.ops.ones((2,))
    with pytest.raises(strict.NotPromisedError, match=r"keras_fn\.(ops|backend)"):
        use(x)


def functional() -> keras_fn.Model:
    """A graph with shared layers, operators on symbols, a nested model, two inputs and two outputs."""
    layers, ops = keras_fn.layers, keras_fn.ops
    a, b = keras_fn.Input((6,), name="a"), keras_fn.Input((6,), name="b")
    shared = layers.Dense(4, activation="gelu")
    x, y = shared(a), shared(b)
    inner = keras_fn.Model(i := keras_fn.Input((4,)), layers.Dense(3, activation="softmax")(i))
    z = ops.concatenate([inner(x), inner(y * 2.0 - x)], -1)
    return keras_fn.Model({"a": a, "b": b}, {"sum": layers.Dense(1)(z), "part": z[:, 1:4]})


def recurrent() -> keras_fn.Model:
    layers = keras_fn.layers
    x = keras_fn.Input((5, 3))
    y = layers.GRU(4, return_sequences=True)(layers.Masking()(x))
    return keras_fn.Model(x, layers.LSTM(3)(layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True))(y)))


def image() -> keras_fn.Model:
    layers = keras_fn.layers
    x = keras_fn.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    y = layers.BatchNormalization()(y)
    y = layers.Add()([y, layers.SeparableConv2D(4, 3, padding="same")(y)])
    y = layers.MaxPooling2D()(layers.LayerNormalization()(y))
    return keras_fn.Model(x, layers.Dense(2)(layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(y))))


def attention() -> keras_fn.Model:
    layers = keras_fn.layers
    x = keras_fn.Input((5,), dtype="int32")
    y = layers.Embedding(10, 8, mask_zero=True)(x)
    y = layers.MultiHeadAttention(2, 4)(y, y) + y
    return keras_fn.Model(x, layers.GlobalAveragePooling1D()(y))


def batch(model: keras_fn.Model) -> object:
    """Numbers for the inputs of a model."""
    rng = np.random.default_rng(0)

    def numbers(i: keras_fn.KerasTensor) -> np.ndarray:
        shape = (7, *i.shape[1:])
        return rng.integers(0, 10, shape) if i.dtype == "int32" else rng.normal(size=shape).astype("float32")

    made = {i.name: numbers(i) for i in model.inputs}
    return made if len(made) > 1 else next(iter(made.values()))


@pytest.mark.parametrize("make", [functional, recurrent, image, attention], ids=lambda f: f.__name__)
def test_models_use_ops_only(opaque, make):
    """The frontend builds, runs and evaluates models on arrays that have no operators, to the same numbers."""
    results = {}
    weights = None
    for name in ("numpy", "strict"):
        load(name)
        with using(name):
            keras_fn.utils.set_random_seed(1)
            model = make()
            weights = weights or model.get_weights()
            model.set_weights(weights)
            x = batch(model)
            y = model.predict(x, batch_size=3, verbose=0)
            model.compile("adam", ["mse"] * len(model.outputs))
            results[name] = (y, model.evaluate(x, y, batch_size=3, verbose=0), model.losses)
    flat = [keras_fn.tree.flatten(results[name][:2]) for name in ("numpy", "strict")]
    for a, b in zip(*flat, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_optimizers_metrics_and_losses_use_ops_only(opaque):
    """Updates of weights and of metrics, on the way that a train step takes, with gradients made by hand."""
    with using("strict"):
        rng = np.random.default_rng(0)
        y_true, y_pred = np.eye(3, dtype="float32")[[0, 1, 2, 1]], rng.dirichlet(np.ones(3), 4).astype("float32")
        for kind in (keras_fn.optimizers.SGD, keras_fn.optimizers.Adam, keras_fn.optimizers.RMSprop):
            w = keras_fn.Variable(rng.normal(size=(3, 2)).astype("float32"))
            before = w.numpy()
            optimizer = kind(0.1, clipnorm=1.0, weight_decay=0.01)
            optimizer.apply([np.ones((3, 2), "float32")], [w])
            assert (w.numpy() < before).all() and int(optimizer.iterations.numpy()) == 1
        for name in ("categorical_crossentropy", "mse", "kl_divergence", "cosine_similarity"):
            loss = keras_fn.losses.get(name)(y_true, y_pred)
            assert np.isfinite(keras_fn.ops.convert_to_numpy(loss)).all()
        for metric in (
            keras_fn.metrics.CategoricalAccuracy(), keras_fn.metrics.AUC(), keras_fn.metrics.Precision(),
            keras_fn.metrics.F1Score(), keras_fn.metrics.OneHotMeanIoU(num_classes=3),
            keras_fn.metrics.R2Score(), keras_fn.metrics.TopKCategoricalAccuracy(2),
        ):  # fmt: skip
            metric.update_state(y_true, y_pred)
            assert np.isfinite(keras_fn.ops.convert_to_numpy(metric.result())).all(), metric.name
