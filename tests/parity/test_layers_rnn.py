"""Recurrent layers against Keras: configs both ways, and with the same weights outputs, states, gradients, masks."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import keras_fn
from keras_fn import layers as ours
from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.errors import BackendError

BATCH, TIME, FEATURES = 2, 4, 3
MASK = np.array([[True, True, False, True], [False, True, True, False]])


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).normal(size=shape).astype("float32")


def flat(tree) -> list:
    return keras.tree.flatten(tree)


def check(mine, theirs, tolerance: float = 2e-5) -> None:
    mine, theirs = flat(mine), flat(theirs)
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        a, b = ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b)
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def pair(make, x):
    """Ours and theirs, built for x, with equal weights that are all different from zero."""
    mine, theirs = make(ours), make(keras.layers)
    mine.build(x.shape)
    theirs.build(x.shape)
    assert [w.shape for w in mine.weights] == [tuple(w.shape) for w in theirs.weights]
    assert [w.name for w in mine.weights] == [w.name for w in theirs.weights]
    values = [0.5 * draw(*w.shape, seed=i) for i, w in enumerate(mine.weights)]
    mine.set_weights(values)
    theirs.set_weights(values)
    return mine, theirs


def sequence_input(layer_name: str) -> np.ndarray:
    rank = int(layer_name[-2]) if layer_name.startswith("Conv") else 0
    return draw(BATCH, TIME, *(5, 4, 4)[:rank], 2) if rank else draw(BATCH, TIME, FEATURES)


def of(name, *args, **kwargs):
    """A row: makes the layer of a name from either library."""

    def make(library):
        return getattr(library, name)(*args, **kwargs)

    make.name = name
    make.text = f"{name}({', '.join([*map(repr, args), *(f'{k}={v!r}' for k, v in kwargs.items())])})"
    return make


def stack(*options, **kwargs):
    """A row: an RNN of two cells."""

    def make(library):
        return library.RNN([library.LSTMCell(3), library.GRUCell(2, *options)], **kwargs)

    make.name, make.text = "RNN", f"RNN([LSTMCell, GRUCell], {kwargs})"
    return make


def around(wrapper, inner, **kwargs):
    """A row: a wrapper around the layer of another row."""

    def make(library):
        return getattr(library, wrapper)(inner(library), **kwargs)

    make.name, make.text = inner.name, f"{wrapper}({inner.text}, {kwargs})"
    return make


OPTIONS = (
    {},
    {"return_sequences": True, "return_state": True},
    {"return_state": True, "go_backwards": True},
    {"go_backwards": True, "return_sequences": True},
    {"return_sequences": True, "zero_output_for_mask": True},
    {"unroll": True, "return_sequences": True},
    {"activation": "relu", "use_bias": False, "return_state": True},
)
ROWS = [
    *(of("LSTM", 3, **options) for options in OPTIONS),
    *(of("GRU", 3, **options) for options in OPTIONS[1::2]),
    *(of("SimpleRNN", 3, **options) for options in OPTIONS[::2]),
    of("LSTM", 3, recurrent_activation="hard_sigmoid", unit_forget_bias=False),
    of("LSTM", 3, use_cudnn=False, return_sequences=True),
    of("GRU", 3, reset_after=False, return_sequences=True),
    of("GRU", 3, reset_after=False, use_bias=False),
    stack(),
    stack(return_sequences=True, go_backwards=True),
    stack(return_sequences=True, return_state=True),
    *(
        around("Bidirectional", of(name, 3, return_sequences=sequences, return_state=state), merge_mode=mode)
        for mode, name, sequences, state in (
            ("concat", "LSTM", True, False),
            ("sum", "GRU", False, True),
            ("mul", "SimpleRNN", False, False),
            ("ave", "GRU", True, True),
            (None, "SimpleRNN", True, True),
        )
    ),
    of("ConvLSTM1D", 3, 2, return_sequences=True, return_state=True),
    of("ConvLSTM1D", 3, 2, padding="same", strides=2, go_backwards=True),
    of("ConvLSTM1D", 3, 2, dilation_rate=2, use_bias=False),
    of("ConvLSTM2D", 2, 2, padding="same", recurrent_activation="hard_sigmoid", return_state=True),
    of("ConvLSTM3D", 2, 2, padding="same"),
    around("TimeDistributed", of("Dense", 4, activation="relu")),
]
text = lambda row: row.text  # noqa: E731


@pytest.mark.parametrize("row", ROWS, ids=text)
def test_outputs(row):
    x = sequence_input(row.name)
    mine, theirs = pair(row, x)
    check(mine(x), theirs(x))
    shape = (None, None, *x.shape[2:]) if "unroll=True" not in row.text else (None, *x.shape[1:])
    got, wanted = mine.compute_output_shape(shape), theirs.compute_output_shape(shape)
    assert list(flat(got)) == list(flat(wanted))


@pytest.mark.parametrize("row", [r for r in ROWS if not r.name.startswith("Conv")][::2], ids=text)
def test_masked_outputs(row):
    """Masked ConvLSTMs are not here: Keras fails on them on NumPy."""
    x = sequence_input(row.name)
    mine, theirs = pair(row, x)
    check(mine(x, mask=MASK), theirs(x, mask=keras.ops.convert_to_tensor(MASK)))


@pytest.mark.parametrize("row", ROWS, ids=text)
def test_masks_passed_on(row):
    x = sequence_input(row.name)
    mine, theirs = pair(row, x)
    found, wanted = (
        [None if m is None else ops.convert_to_numpy(m) for m in flat(layer.compute_mask(x, MASK))]
        for layer in (mine, theirs)
    )
    assert (found[0] is None) == (wanted[0] is None)
    for a, b in zip(found, wanted, strict=False):  # Keras names one mask for all states of a cell, we one for each
        assert a is b is None or (a == b).all()


@pytest.mark.parametrize("row", ROWS, ids=text)
def test_configs_are_interchangeable(row):
    x = sequence_input(row.name)
    mine, theirs = row(ours), row(keras.layers)
    from_theirs = type(mine).from_config(theirs.get_config())
    from_mine = type(theirs).from_config(mine.get_config())
    assert without_names(from_theirs.get_config()) == without_names(mine.get_config())
    assert without_names(from_mine.get_config()) == without_names(theirs.get_config())
    for layer in (mine, theirs, from_theirs, from_mine):
        layer.build(x.shape)
    shapes = [tuple(w.shape) for w in theirs.weights]
    assert [w.shape for w in from_theirs.weights] == shapes
    assert [tuple(w.shape) for w in from_mine.weights] == shapes


def without_names(config):
    if isinstance(config, dict):
        return {k: without_names(v) for k, v in config.items() if k != "name"}
    return [without_names(v) for v in config] if isinstance(config, (list, tuple)) else config


CONFIGS = [r for r in ROWS if r.name != "Dense"]


@pytest.mark.parametrize("row", CONFIGS, ids=text)
def test_configs_have_the_same_keys_and_values(row):
    mine, theirs = without_names(row(ours).get_config()), without_names(row(keras.layers).get_config())
    compare(mine, theirs)


def compare(mine, theirs, where=""):
    """Equal, but for the seed of SimpleRNN, which Keras loses."""
    if isinstance(theirs, dict):
        assert set(mine) - set(theirs) <= {"seed"}, where
        assert set(theirs) <= set(mine), where
        for key in theirs:
            compare(mine[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, (list, tuple)):
        assert len(mine) == len(theirs), where
        for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            compare(a, b, f"{where}[{i}]")
    else:
        assert mine == theirs, where


GIVEN = [
    (of("SimpleRNN", 3, return_state=True), [3]),
    (of("LSTM", 3, return_sequences=True, return_state=True), [3, 3]),
    (of("GRU", 3, go_backwards=True), [3]),
    (around("Bidirectional", of("LSTM", 3, return_state=True)), [3, 3, 3, 3]),
]


@pytest.mark.parametrize("row, sizes", GIVEN, ids=lambda v: getattr(v, "text", ""))
def test_initial_states(row, sizes):
    x = sequence_input(row.name)
    mine, theirs = pair(row, x)
    states = [draw(BATCH, n, seed=i) for i, n in enumerate(sizes)]
    theirs_states = [keras.ops.convert_to_tensor(s) for s in states]
    check(mine(x, initial_state=states), theirs(x, initial_state=theirs_states))
    # both directions begin with a step that counts: for others Keras's backends differ in what is repeated
    mask = np.array([[True, False, True, True], [True, True, False, True]])
    check(mine(x, initial_state=states, mask=mask), theirs(x, initial_state=theirs_states, mask=mask))


STATEFUL = [
    of("SimpleRNN", 3, stateful=True),
    of("LSTM", 3, stateful=True, return_sequences=True),
    of("GRU", 3, stateful=True, return_state=True),
    of("ConvLSTM1D", 3, 2, stateful=True),
    around("Bidirectional", of("GRU", 3, stateful=True)),
]


@pytest.mark.parametrize("row", STATEFUL, ids=text)
def test_stateful(row):
    x = sequence_input(row.name)
    mine, theirs = pair(row, x)
    for _ in range(2):
        check(mine(x), theirs(x))
    check(mine.states, [s.value for s in flat(theirs.states)])
    mine.reset_state()
    theirs.reset_state()
    check(mine(x), theirs(x))


def their_gradients(layer, x, mask):
    """Gradients of the sum of squares of Keras's outputs, by the framework."""
    name = keras.backend.backend()
    weights = layer.trainable_weights
    total = lambda: sum(keras.ops.sum(keras.ops.square(y)) for y in flat(layer(x, mask=mask)))  # noqa: E731
    if name == "torch":
        total().backward()
        return [w.value.grad for w in weights]
    if name == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = total()
        return tape.gradient(loss, [w.value for w in weights])
    import jax

    rest = [v.value for v in layer.non_trainable_variables]

    def loss(values):
        outputs, _ = layer.stateless_call(values, rest, x, mask=mask)
        return sum(keras.ops.sum(keras.ops.square(y)) for y in flat(outputs))

    return jax.grad(loss)([w.value for w in weights])


GRADIENTS = [
    r for r in ROWS
    if r.name != "Dense" and "unroll" not in r.text and not r.name.startswith("Conv")
] + [of("ConvLSTM1D", 3, 2, data_format="channels_last")]  # fmt: skip


@pytest.mark.parametrize("row", GRADIENTS[::-3], ids=text)
def test_gradients(row):
    if not active.backend.differentiable:
        with pytest.raises(BackendError):
            keras_fn.value_and_grad(lambda: 0.0, [keras_fn.Variable(1.0)])()
        return
    x = sequence_input(row.name)
    mask = None if row.name.startswith("Conv") else MASK
    mine, theirs = pair(row, x)

    def loss():
        return sum(ops.sum(ops.square(y)) for y in flat(mine(x, mask=mask)))

    _, gradients = keras_fn.value_and_grad(loss, mine.trainable_weights)()
    check(gradients, their_gradients(theirs, keras.ops.convert_to_tensor(x), mask), 1e-4)
