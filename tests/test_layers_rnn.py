"""Recurrent layers: the path taken, custom cells, compiled steps, states, dropout, masks, shapes, errors."""

from __future__ import annotations

import numpy as np
import pytest

import keras_fn
from keras_fn import layers, ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, NotBuiltError, ShapeError

BATCH, TIME, FEATURES = 2, 4, 3
MASK = np.array([[True, True, False, True], [False, True, True, False]])


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).normal(size=shape).astype("float32")


X = draw(BATCH, TIME, FEATURES)


def array(x) -> np.ndarray:
    return ops.convert_to_numpy(x)


def close(a, b, tolerance=1e-5) -> None:
    np.testing.assert_allclose(array(a), array(b), rtol=tolerance, atol=tolerance)


class MinimalCell(layers.Layer):
    """A user's cell: a leaky sum, with weights in an inner layer that is built when it is called."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units
        self.inner = layers.Dense(units)

    def call(self, inputs, states):
        total = ops.add(ops.multiply(states[0], 0.5), self.inner(inputs))
        return total, [total]


class TwoStates(layers.Layer):
    """A user's cell with two states of different shapes and its own first states."""

    state_size = [3, (2, 2)]
    output_size = 3

    def get_initial_state(self, batch_size=None):
        return [ops.ones((batch_size, 3)), ops.zeros((batch_size, 2, 2))]

    def call(self, inputs, states, training=False):
        a, b = states
        return ops.add(a, inputs), [ops.add(a, inputs), ops.add(b, 1.0)]


class PlainCell:
    """A cell that is no layer."""

    state_size = FEATURES

    def call(self, inputs, states):
        return ops.add(inputs, states[0]), [ops.add(inputs, states[0])]


# --- which way
def test_the_fused_kernel_is_used_where_there_is_one():
    for layer, kernel in (
        (layers.LSTM(3), "standard_lstm"),
        (layers.GRU(3), "standard_gru"),
        (layers.SimpleRNN(3), "standard_simple_rnn"),
    ):
        path, reason = layer.recurrent_path()
        assert path == ("fused" if kernel in active.backend.kernels else "loop"), reason


LOOPS = [
    (layers.LSTM, {"activation": "relu"}, {}, "activation"),
    (layers.GRU, {"reset_after": False}, {}, "reset_after"),
    (layers.LSTM, {"use_cudnn": False}, {}, "use_fused"),
    (layers.LSTM, {"dropout": 0.5}, {"training": True}, "dropout"),
]


@pytest.mark.parametrize("cls, options, call, why", LOOPS)
def test_the_loop_is_used_elsewhere_and_says_why(cls, options, call, why):
    path, reason = cls(3, **options).recurrent_path(**call)
    assert path == "loop"
    assert why in reason


def test_a_demanded_kernel_is_used_or_an_error():
    with pytest.raises(ArgumentError, match="use_fused"):
        layers.LSTM(3, use_cudnn=True, activation="relu")(X)
    with pytest.raises(ArgumentError, match="dropout"):
        layers.GRU(3, use_cudnn=True, dropout=0.5)(X, training=True)


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU, layers.SimpleRNN])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_layer_equals_its_cell_in_an_rnn(cls, go_backwards):
    layer = cls(3, return_sequences=True, return_state=True, go_backwards=go_backwards)
    generic = layers.RNN(layer.cell, return_sequences=True, return_state=True, go_backwards=go_backwards)
    for a, b in zip(layer(X), generic(X), strict=True):
        close(a, b)
    for a, b in zip(layer(X, mask=MASK), generic(X, mask=MASK), strict=True):
        close(a, b)


# --- cells of users
def test_custom_cells():
    layer = layers.RNN(MinimalCell(5), return_sequences=True)
    y = array(layer(X))
    inner = X @ array(layer.cell.inner.kernel) + array(layer.cell.inner.bias)
    total = np.zeros((BATCH, 5))
    for t in range(TIME):
        total = 0.5 * total + inner[:, t]
        close(y[:, t], total)
    output, a, b = layers.RNN(TwoStates(), return_state=True)(X)
    close(output, 1 + X.sum(1))
    close(a, output)
    close(b, np.full((BATCH, 2, 2), TIME))
    close(layers.RNN(PlainCell())(X), X.sum(1))
    stacked = layers.RNN([PlainCell(), TwoStates()], return_state=True)(X)
    assert [np.shape(array(x)) for x in keras_fn.tree.flatten(stacked)] == [(2, 3), (2, 3), (2, 3), (2, 2, 2)]


def lstm_with_state(x):
    _, h, c = layers.LSTM(5, return_state=True)(x)
    return layers.LSTM(5, return_sequences=True)(x, initial_state=[h, c])


GRAPHS = {
    "custom": lambda x: layers.RNN(MinimalCell(5), return_sequences=True)(x),
    "two states": lambda x: layers.RNN(TwoStates(), return_sequences=True)(x),
    "dropout": lambda x: layers.RNN([layers.LSTMCell(4, dropout=0.5), layers.GRUCell(2, recurrent_dropout=0.5)])(x),
    "given states": lstm_with_state,
    "bidirectional": lambda x: layers.Bidirectional(layers.GRU(3, dropout=0.2))(layers.Masking(0.0)(x)),
    "time distributed": lambda x: layers.TimeDistributed(layers.Dense(2))(layers.LSTM(3, return_sequences=True)(x)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_in_a_graph_and_in_compiled_steps(name):
    """Shapes with unknown batch and time are inferred, and hold; a compiled step, training or not, gives the same."""
    x = keras_fn.Input((None, FEATURES))
    y = GRAPHS[name](x)
    model = keras_fn.Model(x, y)
    assert y.shape[0] is None
    tensor = ops.convert_to_tensor(X)
    eager = model(tensor)
    assert len(eager.shape) == len(y.shape)
    assert all(d in (None, n) for d, n in zip(y.shape, eager.shape, strict=True))
    compiled = active.backend.compile_step(lambda x: model(x, training=False), lambda: model.variables, None)
    close(compiled(tensor), eager)
    training = active.backend.compile_step(lambda x: model(x, training=True), lambda: model.variables, None)
    assert array(training(tensor)).shape == tuple(eager.shape)
    assert np.isfinite(array(training(tensor))).all()


def test_raw_shapes_from_closed_form():
    layer = layers.ConvLSTM2D(4, 3, return_sequences=True, return_state=True)
    shapes = layer.compute_output_shape((None, None, 8, None, 2))
    assert shapes == ((None, None, 6, None, 4), (None, 6, None, 4), (None, 6, None, 4))
    assert layers.LSTM(4, return_sequences=True).compute_output_shape((None, None, 3)) == (None, None, 4)
    stack = layers.RNN([layers.LSTMCell(4), layers.GRUCell(2)], return_state=True)
    assert stack.compute_output_shape((None, 7, 3)) == ((None, 2), [(None, 4), (None, 4)], [(None, 2)])


# --- states
@pytest.mark.parametrize("make", [
    lambda **k: layers.LSTM(3, **k),
    lambda **k: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], **k),
    lambda **k: layers.Bidirectional(layers.GRU(3, **k)),
    lambda **k: layers.ConvLSTM1D(2, 1, **k),
])  # fmt: skip
def test_stateful_goes_on_where_it_was(make):
    layer = make(stateful=True)
    x = draw(BATCH, TIME, 5, 2) if "conv" in layer.name else X
    first = array(layer(x))
    compiled = active.backend.compile_step(lambda x: layer(x), lambda: layer.variables, None)
    second = array(compiled(ops.convert_to_tensor(x)))  # the states live across eager and compiled calls
    assert not np.allclose(first, second)
    states = [array(v) for v in keras_fn.tree.flatten(layer.states)]
    assert any(np.abs(s).max() > 0 for s in states)
    layer.reset_state()
    close(layer(x), first)
    close(layer(x), second)
    weights = {id(w) for w in layer.weights}
    assert not weights & {id(v) for v in keras_fn.tree.flatten(layer.states)}
    assert {id(v) for v in keras_fn.tree.flatten(layer.states)} <= {id(v) for v in layer.variables}


def test_halves_of_a_sequence_by_state_equal_the_whole():
    layer = layers.LSTM(3, return_state=True)
    whole = layer(X)
    _, *states = layer(X[:, :2])
    for a, b in zip(layer(X[:, 2:], initial_state=states), whole, strict=True):
        close(a, b)


# --- masks
@pytest.mark.parametrize("make", [
    lambda: layers.LSTM(3),
    lambda: layers.RNN(MinimalCell(3)),
    lambda: layers.ConvLSTM1D(2, 2),
    lambda: layers.RNN([layers.GRUCell(3), layers.SimpleRNNCell(2)]),
])  # fmt: skip
def test_masked_steps_are_passed_over(make):
    layer = make()
    x = draw(BATCH, TIME, 5, 2) if "conv" in layer.name else X
    masked = array(layer(x, mask=MASK))
    for row in range(BATCH):
        close(masked[row : row + 1], layer(x[row : row + 1, MASK[row]]))


def test_masks_reach_and_leave_the_layers():
    x = np.array([[3, 1, 0, 0], [2, 2, 2, 0]])
    embedded = layers.Embedding(5, 4, mask_zero=True)(x)
    layer = layers.LSTM(3)
    close(layer(embedded), layer(array(embedded), mask=x != 0))
    between = layers.LSTM(3, return_sequences=True)
    wide = layers.Bidirectional(layers.LSTM(3, return_sequences=True))
    last = layers.GRU(2)
    close(last(wide(between(embedded))), last(array(wide(between(embedded))), mask=x != 0))


def test_time_distributed_passes_masks_of_steps_on():
    x = draw(BATCH, TIME, 5, FEATURES)
    mask = np.random.default_rng(1).random((BATCH, TIME, 5)) > 0.4
    inner = layers.LSTM(3)
    layer = layers.TimeDistributed(inner)
    y = layer(x, mask=mask)
    for t in range(TIME):
        close(y[:, t], inner(x[:, t], mask=mask[:, t]))
    close(layer.compute_mask(x, mask), mask.any(-1))


# --- dropout
@pytest.mark.parametrize("cls", [layers.SimpleRNNCell, layers.LSTMCell, layers.GRUCell])
def test_dropout_masks_stay_for_all_steps(cls):
    """With weights that pass the input through, a dropped feature is dropped at every step."""
    cell = cls(2, dropout=0.5, seed=3, bias_initializer="zeros")
    layer = layers.RNN(cell, return_sequences=True)
    x = np.ones((64, 3, 5), "float32")
    plain, one, two = array(layer(x)), array(layer(x, training=True)), array(layer(x, training=True))
    assert not np.allclose(one, two)
    assert not np.allclose(one, plain)
    cell.recurrent_kernel.assign(np.zeros(cell.recurrent_kernel.shape, "float32"))
    if cls is layers.SimpleRNNCell:
        y = array(layer(x, training=True))
        close(y[:, 0], y[:, 1])
        close(y[:, 0], y[:, 2])
        assert len(np.unique(np.round(y[:, 0, 0], 5))) > 2


def test_a_seed_repeats_dropout():
    weights = layers.LSTM(3)
    weights(X)

    def once():
        layer = layers.LSTM(3, dropout=0.4, recurrent_dropout=0.4, seed=7)
        layer.build(X.shape)
        layer.set_weights(weights.get_weights())
        return array(layer(X, training=True))

    np.testing.assert_array_equal(once(), once())


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_dropout_of_everything_leaves_the_bias(cls):
    layer = cls(3, dropout=1.0, recurrent_dropout=1.0)
    layer.build(X.shape)
    one = array(layer(X, training=True))
    two = array(layer(2 * X, training=True))
    close(one, two)


# --- configs and weights
def test_weights_have_paths_and_order():
    layer = layers.LSTM(3, name="memory")
    layer.build((None, None, 4))
    assert [w.path for w in layer.weights] == [f"memory/lstm_cell/{n}" for n in ("kernel", "recurrent_kernel", "bias")]
    np.testing.assert_array_equal(layer.cell.bias.numpy(), [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    before = [id(w) for w in layer.weights]
    layer(np.ones((2, 3, 4), "float32"))
    assert [id(w) for w in layer.weights] == before


def test_changed_attributes_are_in_the_config():
    layer = layers.LSTM(3, seed=5, implementation=1)
    layer.return_sequences = True
    again = layers.LSTM.from_config(layer.get_config())
    assert again.return_sequences
    assert again.seed == 5
    assert (layer.units, layer.implementation, layer.unit_forget_bias) == (3, 1, True)


def test_bidirectional_weights_are_taken():
    layer = layers.Bidirectional(layers.SimpleRNN(2))
    layer(X)
    values = [w + 1 for w in layer.get_weights()]
    again = layers.Bidirectional(layers.SimpleRNN(2), weights=values)
    again(X)
    for a, b in zip(again.get_weights(), values, strict=True):
        np.testing.assert_array_equal(a, b)


def test_mixed_precision():
    layer = layers.LSTM(3, dtype="mixed_bfloat16", return_state=True)
    output, h, c = layer(X)
    assert {active.backend.dtype_of(t) for t in (output, h, c)} == {"bfloat16"}
    assert {w.dtype for w in layer.weights} == {"float32"}
    generic = layers.RNN(layers.GRUCell(2, dtype="mixed_bfloat16"), dtype="mixed_bfloat16")
    assert active.backend.dtype_of(generic(X)) == "bfloat16"


# --- errors
ERRORS = [
    (lambda: layers.LSTM(0), ArgumentError, "units"),
    (lambda: layers.GRU(3, dropout=1.5), ArgumentError, "dropout"),
    (lambda: layers.LSTM(3, use_cudnn="yes"), ArgumentError, "use_cudnn"),
    (lambda: layers.RNN(layers.Dense(2)), ArgumentTypeError, "state_size"),
    (lambda: layers.StackedRNNCells([]), ArgumentError, "cells"),
    (lambda: layers.StackedRNNCells([layers.Dense(2)]), ArgumentTypeError, "state_size"),
    (lambda: layers.LSTM(3)(X[0]), ShapeError, "3 dimensions"),
    (lambda: layers.LSTM(3)(X, initial_state=[X[:, 0]]), ArgumentError, "2 states"),
    (lambda: layers.LSTM(3, stateful=True)(keras_fn.Input((4, 3))), ShapeError, "batch_shape"),
    (lambda: layers.LSTM(3).reset_state(), ArgumentError, "stateful=True"),
    (lambda: layers.LSTM(3, stateful=True).reset_state(), NotBuiltError, "built"),
    (lambda: layers.Bidirectional(layers.Dense(2)), ArgumentError, "go_backwards"),
    (lambda: layers.Bidirectional(layers.LSTM(2), merge_mode="max"), ArgumentError, "merge_mode"),
    (lambda: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2)), ArgumentError, "directions"),
    (
        lambda: layers.Bidirectional(
            layers.LSTM(2), backward_layer=layers.LSTM(2, go_backwards=True, return_state=True)
        ),
        ArgumentError,
        "return_state",
    ),
    (lambda: layers.Bidirectional(layers.LSTM(3))(X, initial_state=[X[:, 0]]), ArgumentError, "forward"),
    (lambda: layers.TimeDistributed(layers.Dense(2))(X[0]), ShapeError, "batch, time"),
    (lambda: layers.TimeDistributed("dense"), ArgumentTypeError, "layer"),
    (lambda: layers.ConvLSTM2D(0, 3), ArgumentError, "filters"),
    (lambda: layers.ConvLSTM2D(2, (3, 3, 3)), ArgumentError, "kernel_size"),
    (lambda: layers.ConvLSTM1D(2, 3, padding="causal"), ArgumentError, "padding"),
]


@pytest.mark.parametrize("make, error, text", ERRORS, ids=lambda v: v if isinstance(v, str) else "")
def test_errors(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_a_stateful_layer_refuses_another_batch_size():
    layer = layers.GRU(3, stateful=True)
    layer(X)
    with pytest.raises(ShapeError, match="batch of 1"):
        layer(X[:1])
