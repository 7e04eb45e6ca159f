"""What the design promises about cost, counted exactly; nothing here is timed."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import layers
from keras_fn.core.backend import active
from keras_fn.core.spec import REGISTRY
from keras_fn.core.variable import Variable
from keras_fn.core.version import structure
from keras_fn.core.ways import Ways

BATCH = 4
# how a value can leave a tensor without going through the backend
READS = ("__array__", "__float__", "__int__", "__bool__", "__index__", "item", "numpy", "tolist")
# a backend without gradients can evaluate and predict
KINDS = ("fit", "evaluate", "predict") if active.backend.differentiable else ("evaluate", "predict")
WITH_LOSS = KINDS[:-1]


def counted(counts: Counter[str], name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with its calls counted."""

    def call(*args: Any, **kwargs: Any) -> Any:
        counts[name] += 1
        return fn(*args, **kwargs)

    return call


class Programs:
    """Compiled programs: how many were made, and how many calls the training loop made of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.depth = 0
        for name in ("compile_step", "compile_loop"):
            monkeypatch.setattr(active.backend, name, self._wrapped(name, getattr(active.backend, name)))

    def _wrapped(self, name: str, compiler: Callable[..., Any]) -> Callable[..., Any]:
        def compile_(*args: Any) -> Any:
            self.made[name] += 1
            program = compiler(*args)

            def call(*inputs: Any) -> Any:
                if self.depth == 0:  # a loop may be made of single steps
                    self.calls[name] += 1
                self.depth += 1
                try:
                    return program(*inputs)
                finally:
                    self.depth -= 1

            return call

        return compile_


def patchable(cls: type) -> bool:
    """Whether a class lets its attributes be set: it is on the heap (bit 9 of its flags) and not immutable (bit 8)."""
    return bool(cls.__flags__ & 1 << 9) and not cls.__flags__ & 1 << 8


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(monkeypatch)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts every way in which the values of a tensor come to the host."""
    counts: Counter[str] = Counter()
    backend = active.backend
    for name in ("to_numpy", "copy_to_numpy"):
        monkeypatch.setattr(backend, name, counted(counts, name, getattr(backend, name)))
    for name in READS:
        if hasattr(backend.tensor_class, name) and patchable(backend.tensor_class):
            monkeypatch.setattr(backend.tensor_class, name, counted(counts, name, getattr(backend.tensor_class, name)))
    return counts


class Traced(keras_fn.Model):
    """A model that counts how often the Python of its loss runs: once a trace where steps are compiled."""

    runs = 0

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        Traced.runs += 1
        return super().compute_loss(*args, **kwargs)


def traces() -> bool:
    """Whether a compiled step is traced: its Python runs once a signature, with no values yet."""
    runs = Counter()
    step = active.backend.compile_step(counted(runs, "step", lambda x: x), list, "auto")
    for _ in range(3):
        step(active.backend.convert(np.ones(2, "float32"), None))
    assert runs["step"] in (1, 2, 3)
    return runs["step"] == 1


def made(cls: type = keras_fn.Model, steps: Any = 1, dropout: float = 0.5) -> Any:
    """A small model, ready to train."""
    inputs = keras_fn.Input((3,))
    x = layers.Dense(5, activation="relu")(inputs)
    x = layers.BatchNormalization()(x)
    if dropout:
        x = layers.Dropout(dropout)(x)
    model = cls(inputs, layers.Dense(2)(x))
    model.compile("adam", "mse", metrics=["mae"], steps_per_execution=steps)
    return model


def run(model: Any, kind: str, batches: int, epochs: int = 1, more: int = 0) -> Any:
    """Fits, evaluates or predicts on so many batches, and a smaller one of `more` samples."""
    n = batches * BATCH + more
    x, y = np.ones((n, 3), "float32"), np.zeros((n, 2), "float32")
    if kind == "fit":
        return model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0)
    if kind == "predict":
        return model.predict(x, batch_size=BATCH, verbose=0)
    return model.evaluate(x, y, batch_size=BATCH, verbose=0)


# --- building
def test_building_a_model_calls_the_framework_for_weights_only(monkeypatch):
    backend, counts, inside = active.backend, Counter(), []
    kernels = {name: counted(counts, f"kernel {name}", kernel) for name, kernel in backend.kernels.items()}
    monkeypatch.setattr(backend, "kernels", kernels)
    for op in REGISTRY.values():  # the short ways remember kernels
        monkeypatch.setattr(op, "_ways", Ways(op.name, op._tensors, len(op.params)))
    for name in ("abstract_call", "cast", "to_numpy", "copy_to_numpy", "write_cell"):
        monkeypatch.setattr(backend, name, counted(counts, name, getattr(backend, name)))
    convert, fill = backend.convert, backend.fill

    def counting_convert(*args: Any) -> Any:
        counts["convert" if not inside else "convert for a weight"] += 1
        return convert(*args)

    def counting_cell(variable: Any, values: Any) -> None:
        counts["cell"] += 1
        assert isinstance(values, np.ndarray), "weights are drawn on the host"
        inside.append(1)
        try:
            fill(variable, values)
        finally:
            inside.pop()

    monkeypatch.setattr(backend, "convert", counting_convert)
    monkeypatch.setattr(backend, "fill", counting_cell)

    x = inputs = keras_fn.Input((None, 3))
    for _ in range(50):
        x = layers.Dense(3, activation="gelu")(x)
    model = keras_fn.Model(inputs, keras_fn.ops.softmax(x + inputs, axis=-1))
    assert model.output_shape == (None, None, 3)
    assert counts.pop("cell") == len(model.weights) == 100
    assert counts.pop("convert for a weight", 100) == 100
    assert counts == {}

    model(np.ones((1, 2, 3), "float32"))
    assert counts["kernel matmul"] + counts["kernel _linear"] == 50, "the counters see what runs"


# --- steps
@pytest.mark.parametrize("steps", [1, 4, "auto"])
@pytest.mark.parametrize("kind", WITH_LOSS)
def test_no_step_reads_from_the_device(kind, steps, reads):
    # a backend may keep seeds on the host, where reading them is free; so nothing is drawn here
    model = made(steps=steps, dropout=0)
    run(model, kind, 12)  # "auto" times its first steps
    found = []
    for batches in (8, 40):
        reads.clear()
        run(model, kind, batches)
        found.append(dict(reads))
    assert found[0] == found[1]
    assert found[0]["to_numpy"] >= 2, "loss and metric are read at the end"


def test_the_counters_see_a_callback_that_reads_every_step(reads):
    class Reader(keras_fn.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            float(logs["loss"])

    model, x, y = made(), np.ones((4 * BATCH, 3), "float32"), np.zeros((4 * BATCH, 2), "float32")
    model.evaluate(x, y, batch_size=BATCH, verbose=0)
    reads.clear()
    model.evaluate(x, y, batch_size=BATCH, verbose=0, callbacks=[Reader()])
    assert reads["to_numpy"] >= 4 * 2


@pytest.mark.parametrize("kind", WITH_LOSS)
def test_one_dispatch_does_many_steps(kind, programs):
    model = made(steps=8)
    run(model, kind, 24)
    assert programs.calls == {"compile_loop": 3, "compile_step": 1}  # the one gives the results
    run(model, kind, 24)
    assert programs.calls == {"compile_loop": 6, "compile_step": 2}
    run(model, kind, 16, more=1)  # a smaller last batch goes alone
    assert programs.calls == {"compile_loop": 8, "compile_step": 4}


@pytest.mark.parametrize("kind", KINDS)
def test_one_dispatch_a_step_and_no_more(kind, programs):
    model = made()
    run(model, kind, 5)
    assert programs.calls == {"compile_step": 5 + (kind in WITH_LOSS)}  # the results are one more


@pytest.mark.parametrize("kind", WITH_LOSS)
@pytest.mark.parametrize("steps", [1, 4])
def test_a_step_is_traced_once_a_signature(kind, steps):
    model = made(Traced, steps)
    Traced.runs = 0
    run(model, kind, 8, more=1)
    first = Traced.runs
    run(model, kind, 8, epochs=3, more=1)
    run(model, kind, 8, more=1)
    later = Traced.runs - first
    epochs = 4 if kind == "fit" else 2
    assert later == (0 if traces() else 9 * epochs)
    if traces():
        # whole batches and the smaller one; a loop may look at its body more than once
        assert first <= 2 * (1 if steps == 1 else 3)


@pytest.mark.parametrize("kind", KINDS)
def test_programs_are_made_once(kind, programs):
    model = made()
    run(model, kind, 3)
    before = dict(programs.made)
    for _ in range(3):
        run(model, kind, 3)
    assert dict(programs.made) == before
    assert sum(before.values()) == 1 + (kind in WITH_LOSS)  # the step, and the results


@pytest.mark.parametrize("kind", KINDS)
def test_lists_of_weights_are_made_once(kind, monkeypatch):
    model = made()
    for _ in range(2):  # the first one makes variables, after which lists are made anew
        run(model, kind, 3)
    counts: Counter[str] = Counter()
    monkeypatch.setattr(layers.Layer, "_flatten_layers", counted(counts, "walks", layers.Layer._flatten_layers))
    run(model, kind, 3)
    assert counts == {}
    assert model.weights and counts["walks"] == 1, "the counter sees a walk through the layers"


# --- predict
def test_predict_in_a_loop_builds_nothing(monkeypatch, programs):
    counts: Counter[str] = Counter()
    model, x = made(), np.ones((1, 3), "float32")
    model.predict(x, verbose=0)
    before, version = dict(programs.made), structure.value
    for cls in (Variable, layers.Layer, keras_fn.graph.node.Node):
        monkeypatch.setattr(cls, "__init__", counted(counts, cls.__name__, cls.__init__))
    for name in ("new_cell", "fill", "write_cell", "abstract_call"):
        monkeypatch.setattr(active.backend, name, counted(counts, name, getattr(active.backend, name)))
    programs.calls.clear()
    for _ in range(10):
        model.predict(x, verbose=0)
    assert counts == {}
    assert dict(programs.made) == before and structure.value == version
    assert programs.calls == {"compile_step": 10}


def test_predict_in_a_loop_leaves_nothing_behind():
    model, x = made(), np.ones((1, 3), "float32")

    def objects_after(calls: int) -> int:
        for _ in range(calls):
            model.predict(x, verbose=0)
        gc.collect()
        return len(gc.get_objects())

    objects_after(3)
    before = objects_after(1)
    # a few objects may come and go with the frameworks' own caches; a leak would leave at least one a call
    assert objects_after(50) - before < 25
