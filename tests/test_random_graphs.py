"""Random graphs: what builds runs, with the shapes that were inferred, and clone, save and load give the same outputs.

A graph is drawn from a seed alone. Where a test fails, its name and message hold the seed: `GRAPH_SEED=123 pytest
tests/test_random_graphs.py` repeats that graph.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import pytest

import keras_fn
from keras_fn import layers, ops
from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.tape import Plan, Plans

GRAPHS = 300
CHUNK = 20  # graphs a test
# few lengths, so that eager frameworks compile few kernels; no two axes alike, so that none can be taken for another
WIDTHS = (4,)
LARGEST = 100  # elements a sample
SHAPES: dict[str, tuple[int, ...]] = {"vector": (4,), "sequence": (6, 4), "image": (3, 5, 4), "tokens": (6,)}

# where cells are values, these write theirs: a plan calls them as they are
STEPS_OF_THEIR_OWN = (layers.BatchNormalization, layers.Dropout, layers.RNN, layers.Bidirectional)

Symbol = Any
Make = Callable[["Graph", Symbol], Any]


class Graph:
    """Grows a graph from symbols: `symbols` are all that may be used, `shared` the layers that may be called again."""

    def __init__(self, rng: random.Random, depth: int = 0) -> None:
        self.rng = rng
        self.depth = depth
        self.symbols: list[Symbol] = []
        self.shared: list[tuple[Any, tuple[Any, ...]]] = []
        self.kinds: set[str] = set()

    def grow(self, steps: int) -> None:
        """Calls something on a random symbol, so many times."""
        for _ in range(steps):
            x = self.rng.choice(self.symbols[-6:])
            again = [layer for layer, shape in self.shared if shape == x.shape[1:]]
            if again and self.rng.random() < 0.25:
                self.kinds.add("shared")
                self.take(self.rng.choice(again)(x))
                continue
            rows = TOKENS if x.dtype == "int32" else [*ANY, *BY_RANK[len(x.shape)]]
            name, make = self.rng.choice(rows)
            self.kinds.add(name)
            self.take(make(self, x))

    def take(self, outputs: Any) -> None:
        """Keeps what a call gave, if it is small."""
        for y in trees.flatten(outputs):
            if len(y.shape) in BY_RANK and np.prod(y.shape[1:], dtype=int) <= LARGEST:
                self.symbols.append(y)

    def same(self, x: Symbol) -> Symbol:
        """A symbol of the shape of x; x itself where there is no other."""
        return self.rng.choice([s for s in self.symbols if s.shape == x.shape and s.dtype == x.dtype])

    def layer(self, layer: Any, x: Symbol) -> Any:
        """Calls a new layer, which may be called again later."""
        self.shared.append((layer, x.shape[1:]))
        return layer(x)

    def pick(self, *choices: Any) -> Any:
        """One of the choices."""
        return self.rng.choice(choices)


def one(cls: str, **choices: tuple[Any, ...]) -> tuple[str, Make]:
    """A row of a table: a layer of one input whose arguments are drawn from the choices."""

    def make(g: Graph, x: Symbol) -> Any:
        return g.layer(getattr(layers, cls)(**{k: g.rng.choice(v) for k, v in choices.items()}), x)

    return cls, make


def op(name: str, fn: Callable[[Any, Symbol], Any]) -> tuple[str, Make]:
    """A row of a table: ops on symbols. `fn` gets a function that finds a partner of the same shape."""
    return name, lambda g, x: fn(lambda: g.same(x), x)


def merge(cls: str) -> tuple[str, Make]:
    """A row of a table: a layer that merges several symbols of one shape."""

    def make(g: Graph, x: Symbol) -> Any:
        count = 2 if cls in ("Subtract", "Dot") else g.pick(2, 3)
        arguments = {"axes": -1} if cls == "Dot" else {}
        return getattr(layers, cls)(**arguments)([x, *(g.same(x) for _ in range(count - 1))])

    return cls, make


def nested(g: Graph, x: Symbol) -> Any:
    """A model of its own, called once or twice as a layer."""
    if g.depth >= 3:
        return layers.Identity()(x)
    arguments = [x, g.same(x)][: g.pick(1, 2)]
    inner = draw(g.rng, g.depth + 1, [x.shape[1:]] * len(arguments))
    g.kinds |= {f"depth {g.depth + 1}"} | inner.kinds
    outputs = inner(trees.unflatten(inner.input, arguments))
    if g.rng.random() < 0.3:
        outputs = [outputs, inner(trees.unflatten(inner.input, arguments[::-1]))]
    return outputs


def middle(g: Graph, x: Symbol) -> Any:
    """A model whose input is a symbol in the middle of this graph, called on another one."""
    y = layers.Dense(4, activation="tanh")(x) * 2.0
    return keras_fn.Model(x, y)(g.same(x))


def optional(g: Graph, x: Symbol) -> Any:
    """A model that is called without one of its inputs."""
    a, b = keras_fn.Input(x.shape[1:], name="a"), keras_fn.Input((4,), name="b", optional=True)
    return keras_fn.Model({"a": a, "b": b}, AddIfThere()(a, b))({"a": x, "b": None})


@keras_fn.saving.register_keras_serializable("tests")
class AddIfThere(layers.Layer):
    """The first argument, doubled where there is no second one."""

    def call(self, x: Any, extra: Any = None) -> Any:
        return x * 2.0 if extra is None else x + ops.mean(extra)


def sequential(g: Graph, x: Symbol) -> Any:
    """A Sequential, called as a layer."""
    chain = [layers.Dense(g.pick(*WIDTHS), activation="tanh"), layers.LayerNormalization()]
    if g.rng.random() < 0.5:
        chain.insert(0, layers.Input(x.shape[1:]))
    return g.layer(keras_fn.Sequential(chain), x)


ACTIVATIONS = ("relu", "tanh", "sigmoid", "softmax", "elu", None)
ANY: list[tuple[str, Make]] = [
    one("Activation", activation=ACTIVATIONS[:-1]),
    one("Dense", units=WIDTHS, activation=ACTIVATIONS, use_bias=(True, False)),
    one("BatchNormalization", scale=(True, False)),
    one("LayerNormalization"),
    one("Dropout", rate=(0.0, 0.5)),
    one("LeakyReLU"),
    one("Flatten"),
    *(merge(cls) for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Concatenate")),
    op("x + y", lambda other, x: x + other()),
    op("2 - x * y", lambda other, x: 2.0 - x * other()),
    op("x / 3", lambda other, x: x / 3),
    op("-abs(x)", lambda other, x: -abs(x)),
    op("x ** 2", lambda other, x: ops.tanh(x) ** 2),
    op("x > y", lambda other, x: ops.where(x > other(), x, 0.0)),
    op("cast", lambda other, x: ops.cast(x <= 0.1, "float32")),
    op("mean", lambda other, x: x - ops.mean(x, axis=-1, keepdims=True)),
    op("x[..., :2]", lambda other, x: x[..., :2]),
    op("x[..., ::-1]", lambda other, x: x[..., ::-1]),
    op("split", lambda other, x: ops.split(x, 2, axis=-1) if x.shape[-1] % 2 == 0 else x),
    op("concatenate", lambda other, x: ops.concatenate([x, other()], axis=-1)),
    op("reshape", lambda other, x: ops.reshape(x, (-1, int(np.prod(x.shape[1:]))))),
    ("nested", nested),
    ("middle", middle),
    ("optional", optional),
    ("sequential", sequential),
    ("constant", lambda g, x: layers.Add()([x, np.ones((1, *x.shape[1:]), "float32")])),
]
TOKENS: list[tuple[str, Make]] = [
    one("Embedding", input_dim=(5,), output_dim=WIDTHS, mask_zero=(True, False)),
    op("one hot", lambda other, x: ops.one_hot(x, 4)),
    op("x != 2", lambda other, x: ops.cast(x != 2, "float32")),
    op("x // 2", lambda other, x: (x + other()) // 2),
]
BY_RANK: dict[int, list[tuple[str, Make]]] = {
    2: [
        one("RepeatVector", n=(6,)),
        merge("Dot"),
        op("x[:, None]", lambda other, x: x[:, None]),
        op("x @ w", lambda other, x: ops.matmul(x, np.linspace(-1, 1, x.shape[1] * 4, dtype="float32").reshape(-1, 4))),
        op("stack", lambda other, x: ops.stack([x, other()], axis=1)),
    ],
    3: [
        one("Conv1D", filters=WIDTHS, kernel_size=(1, 3), padding=("same", "causal"), strides=(1, 2)),
        one("MaxPooling1D", pool_size=(2,), padding=("same",)),
        one("GlobalAveragePooling1D"),
        one("Permute", dims=((2, 1),)),
        one("UpSampling1D", size=(2,)),
        one("ZeroPadding1D", padding=(1,)),
        one("SimpleRNN", units=WIDTHS, return_sequences=(True, False)),
        one("GRU", units=WIDTHS, return_sequences=(True, False)),
        one("LSTM", units=WIDTHS, return_sequences=(True, False), go_backwards=(True, False)),
        one("Masking"),
        ("GRU from a state", lambda g, x: layers.GRU(x.shape[-1])(x, initial_state=layers.GlobalMaxPooling1D()(x))),
        ("LSTM states", lambda g, x: layers.LSTM(4, return_state=True)(x)),
        ("Bidirectional", lambda g, x: g.layer(layers.Bidirectional(layers.GRU(4, return_sequences=True)), x)),
        ("TimeDistributed", lambda g, x: g.layer(layers.TimeDistributed(layers.Dense(4)), x)),
        ("Attention", lambda g, x: layers.Attention()([x, g.same(x)])),
        ("MultiHeadAttention", lambda g, x: layers.MultiHeadAttention(2, 4)(x, g.same(x))),
        op("x[:, -1]", lambda other, x: x[:, -1]),
        op("transpose", lambda other, x: ops.transpose(x, (0, 2, 1))),
        op("max", lambda other, x: ops.max(x, axis=1)),
        op("top", lambda other, x: ops.sort(x, axis=1)[:, :1]),
    ],
    4: [
        one("Conv2D", filters=WIDTHS, kernel_size=(1, 3), padding=("same",), strides=(1, 2), activation=ACTIVATIONS),
        one("DepthwiseConv2D", kernel_size=(3,), padding=("same",)),
        one("SeparableConv2D", filters=(4,), kernel_size=(3,), padding=("same",)),
        one("MaxPooling2D", pool_size=(2,), padding=("same",)),
        one("AveragePooling2D", pool_size=(2,), padding=("same",)),
        one("GlobalMaxPooling2D"),
        one("UpSampling2D", size=(2,)),
        one("ZeroPadding2D", padding=(1, ((1, 0), (0, 1)))),
        one("Permute", dims=((2, 1, 3),)),
        op("x[:, 0]", lambda other, x: x[:, 0]),
        op("sum", lambda other, x: ops.sum(x, axis=(1, 2))),
    ],
}


def draw(rng: random.Random, depth: int = 0, shapes: list[tuple[int, ...]] | None = None) -> Any:
    """A random functional model, with inputs of the shapes given or of random ones."""
    g = Graph(rng, depth)
    shapes = shapes or [SHAPES[rng.choice(sorted(SHAPES))] for _ in range(rng.randint(1, 3))]
    inputs = [keras_fn.Input(shape, dtype="int32" if shape == SHAPES["tokens"] else "float32") for shape in shapes]
    g.symbols += inputs
    g.grow(rng.randint(2, 4 if depth else 6))
    made = [x for x in g.symbols if not any(x is i for i in inputs)] or g.symbols
    used = list({id(x): x for x in [made[-1], *rng.sample(made, min(len(made), 2))]}.values())
    model = keras_fn.Model(structure(rng, inputs), structure(rng, used))
    model.kinds = g.kinds
    return model


def structure(rng: random.Random, leaves: list[Any]) -> Any:
    """The leaves alone, in a list, in a dict whose keys are not sorted, or in lists and dicts inside each other."""
    forms = [list(leaves), {f"{'zyxw'[i]}{i}": x for i, x in enumerate(leaves)}]
    if len(leaves) == 1:
        forms.append(leaves[0])
    else:
        forms += [{"rest": list(leaves[1:]), "first": leaves[0]}, [leaves[0], {"b": leaves[1], "a": list(leaves[2:])}]]
    return rng.choice(forms)


def data_for(model: Any, batch: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)

    def values(x: Symbol) -> np.ndarray:
        shape = (batch, *x.shape[1:])
        if x.dtype == "int32":
            return rng.integers(0, 5, shape).astype("int32")
        return rng.standard_normal(shape, "float32")

    return trees.map(values, model.input)


def arrays(outputs: Any) -> list[np.ndarray]:
    return [active.backend.to_numpy(x) for x in trees.flatten(outputs)]


def check_run(model: Any, batch: int, seed: int) -> tuple[Any, list[np.ndarray]]:
    """Runs a model; the results must be what was inferred. Gives the inputs and the outputs."""
    x = data_for(model, batch, seed)
    out = model(x, training=False)
    assert trees.paths(out) == trees.paths(model._function._outputs_struct)
    for symbol, got in zip(model.outputs, trees.flatten(out), strict=True):
        assert tuple(got.shape) == tuple(batch if d is None else d for d in symbol.shape)
        assert active.backend.dtype_of(got) == symbol.dtype
        assert symbol.shape[0] is None
    return x, arrays(out)


def check_same(twin: Any, model: Any, x: Any, expected: list[np.ndarray]) -> None:
    assert trees.paths(twin._function._outputs_struct) == trees.paths(model._function._outputs_struct)
    assert [v.path.split("/")[-1] for v in twin.weights] == [v.path.split("/")[-1] for v in model.weights]
    for got, want in zip(arrays(twin(x, training=False)), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


@pytest.fixture
def no_kernels(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """A context in which the framework computes nothing: weights are stored, constants made, and that is all."""

    class Refuses(dict):  # type: ignore[type-arg]
        def get(self, name: str, default: Any = None) -> Any:
            if name == "_fill":  # a recurrent cell says what its states are by making those of one sequence
                return super().get(name, default)
            raise AssertionError(f"The kernel {name!r} ran while a graph was described.")

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("The framework traced something while a graph was described.")

    @contextmanager
    def forbidden() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(active.backend, "kernels", Refuses(active.backend.kernels))
            patch.setattr(active.backend, "abstract_call", refuse)
            yield

    return forbidden


def check_graph(seed: int, no_kernels: Any, folder: Any) -> set[str]:
    rng = random.Random(seed)
    with no_kernels():
        model = draw(rng)
    check_run(model, 2, seed)
    x, expected = check_run(model, 3, seed)
    with no_kernels():
        twins = [keras_fn.models.clone_model(model), type(model).from_config(json.loads(json.dumps(config_of(model))))]
    for twin in twins:
        twin.set_weights(model.get_weights())
        check_same(twin, model, x, expected)
    if seed % 3 == 0:
        path = folder / f"{seed}.keras"
        model.save(path)
        twins.append(keras_fn.saving.load_model(path))
        check_same(twins[-1], model, x, expected)
    check_plan(model, x)
    for got, want in zip(inside(twins[-1], x), inside(model, x), strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)
    return model.kinds


def check_plan(model: Any, x: Any) -> None:
    """A plan gives the bits that calling layer by layer gives, and leaves the same state behind."""
    before = [v.numpy() for v in model.variables]

    def run(training: bool) -> list[np.ndarray]:
        for v, value in zip(model.variables, before, strict=True):
            v.assign(value)
        keras_fn.utils.set_random_seed(1)
        return [*arrays(model(x, training=training)), *(v.numpy() for v in model.variables)]

    for training in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Plans, "possible", lambda self: False)
            expected = run(training)
        for got in (run(training), run(training), *(run(training) for _ in layers_of(model)), run(training)):
            for a, b in zip(got, expected, strict=True):
                np.testing.assert_array_equal(a, b)
        made = [p for (_, key), p in model._kf_plans.plans.items() if key[0] is training]
        assert any(isinstance(p, Plan) for p in made), model._kf_plans.reasons
    for v, value in zip(model.variables, before, strict=True):
        v.assign(value)


def layers_of(model: Any) -> list[Any]:
    """The layers that a plan may have to take as one step: each of them costs one more call before there is a plan."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, STEPS_OF_THEIR_OWN)]


def inside(model: Any, x: Any) -> list[np.ndarray]:
    """The values of every call of every layer in the graph."""
    own = {id(node) for node in model._function.nodes}
    calls = [call.output for layer in model.layers for call in layer.calls if id(call) in own]
    return arrays(keras_fn.Model(model.input, calls)(x, training=False))


def config_of(model: Any) -> Any:
    return keras_fn.saving.serialize_keras_object(model)["config"]


def seeds() -> list[list[int]]:
    if "GRAPH_SEED" in os.environ:
        return [[int(os.environ["GRAPH_SEED"])]]
    return [list(range(i, i + CHUNK)) for i in range(0, GRAPHS, CHUNK)]


@pytest.mark.parametrize("some", seeds(), ids=lambda s: f"{s[0]}-{s[-1]}")
def test_random_graphs(some: list[int], no_kernels: Any, tmp_path: Any) -> None:
    for seed in some:
        try:
            check_graph(seed, no_kernels, tmp_path)
        except Exception as e:
            e.add_note(f"GRAPH_SEED={seed}")
            raise


def test_graphs_use_every_row() -> None:
    """The 300 graphs hold every kind of call, shared layers and three levels of models."""
    met: set[str] = set()
    for seed in range(GRAPHS):
        met |= draw(random.Random(seed)).kinds
    rows = {name for table in (ANY, TOKENS, *BY_RANK.values()) for name, _ in table}
    assert rows | {"shared", "depth 1", "depth 2"} <= met
