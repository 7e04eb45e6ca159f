"""Recurrent ops: against a plain NumPy loop, fused against loop, masks, shapes without values."""

from __future__ import annotations

import numpy as np
import pytest

from keras_fn import ops
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, DtypeError, ShapeError
from keras_fn.core.spec import Spec
from keras_fn.core.variable import Variable
from keras_fn.graph import Function
from keras_fn.layers.input_layer import Input
from keras_fn.ops import rnn as R

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 2
GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1}
FUNCTIONS = {"lstm": R.lstm, "gru": R.gru, "simple_rnn": R.simple_rnn}


def values(kind, *, bias=True, states=True, reset_after=True):
    rng = np.random.default_rng(7)
    draw = lambda *shape: rng.normal(size=shape).astype("float32")  # noqa: E731
    g = GATES[kind] * UNITS
    first = [draw(BATCH, UNITS) if states else None for _ in range(2 if kind == "lstm" else 1)]
    b = draw(2, g) if kind == "gru" and reset_after else draw(g)
    return [draw(BATCH, TIME, FEATURES), *first, draw(FEATURES, g), draw(UNITS, g), b if bias else None]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(kind, x, states, w, r, b, reset_after=True):
    """One step from the formulas of the papers, in float64."""
    h = states[0]
    if kind == "simple_rnn":
        return [np.tanh(x @ w + h @ r + b)]
    if kind == "lstm":
        i, f, g, o = np.split(x @ w + h @ r + b, 4, -1)
        c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
        return [sigmoid(o) * np.tanh(c), c]
    bx, bh = (b[0], b[1]) if reset_after and np.ndim(b) else (b, 0.0)
    xz, xr, xn = np.split(x @ w + bx, 3, -1)
    hz, hr, hn = np.split(h @ r + bh, 3, -1)
    z, reset = sigmoid(xz + hz), sigmoid(xr + hr)
    n = np.tanh(xn + (reset * hn if reset_after else (reset * h) @ r[:, 2 * UNITS :]))
    return [z * h + (1 - z) * n]


def expected(kind, args, mask=None, go_backwards=False, zero=False, reset_after=True):
    x, *states, w, r, b = [None if a is None else a.astype("float64") for a in args]
    states = [np.zeros((BATCH, UNITS)) if s is None else s for s in states]
    b = 0.0 if b is None else b
    order = range(TIME)[::-1] if go_backwards else range(TIME)
    outputs, shown = [], np.zeros((BATCH, UNITS))
    for t in order:
        new = step(kind, x[:, t], states, w, r, b, reset_after)
        keep = np.ones((BATCH, 1), bool) if mask is None else mask[:, t, None]
        states = [np.where(keep, n, s) for n, s in zip(new, states, strict=True)]
        shown = np.where(keep, new[0], 0.0 if zero else shown)
        outputs.append(shown)
    return outputs[-1], np.stack(outputs, 1), states


def check(found, wanted):
    last, outputs, states = found
    for a, b in zip([last, outputs, *states], [wanted[0], wanted[1], *wanted[2]], strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(a), b, rtol=1e-4, atol=1e-5)


CASES = [
    {},
    {"go_backwards": True},
    {"unroll": True},
    {"use_fused": False},
    {"use_fused": False, "go_backwards": True},
]


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("options", CASES, ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_formulas(kind, options, bias):
    args = values(kind, bias=bias, states=bias)
    check(FUNCTIONS[kind](*args, **options), expected(kind, args, go_backwards=options.get("go_backwards", False)))


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("zero", [True, False])
@pytest.mark.parametrize("go_backwards", [True, False])
@pytest.mark.parametrize("unroll", [True, False])
def test_masks(kind, zero, go_backwards, unroll):
    mask = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 1, 0, 1, 1]], bool)
    args = values(kind)
    options = {"go_backwards": go_backwards, "zero_output_for_mask": zero}
    found = FUNCTIONS[kind](*args, mask=mask, unroll=unroll, **options)
    check(found, expected(kind, args, mask, go_backwards, zero))
    short = FUNCTIONS[kind](*args, mask=mask[..., None], return_sequences=False, **options)
    np.testing.assert_allclose(ops.convert_to_numpy(short[1])[:, 0], ops.convert_to_numpy(found[0]), rtol=1e-5)


@pytest.mark.parametrize("use_fused", [None, False])
@pytest.mark.parametrize("kind", GATES)
def test_last_output_only(kind, use_fused):
    args = values(kind)
    last, outputs, states = FUNCTIONS[kind](*args, return_sequences=False, use_fused=use_fused)
    wanted = expected(kind, args)
    assert tuple(outputs.shape) == (BATCH, 1, UNITS)
    check((last, outputs, states), (wanted[0], wanted[0][:, None], wanted[2]))


def test_gru_that_resets_before():
    args = values("gru", reset_after=False)
    check(R.gru(*args, reset_after=False), expected("gru", args, reset_after=False))
    with pytest.raises(ShapeError, match=r"bias .* \(2, 6\), not \(6,\)"):
        R.gru(*args)


def test_other_activations():
    args = values("simple_rnn")
    x, h, w, r, b = args
    wanted = h
    for t in range(TIME):
        wanted = np.maximum(x[:, t] @ w + wanted @ r + b, 0)
    np.testing.assert_allclose(ops.convert_to_numpy(R.simple_rnn(*args, activation="relu")[0]), wanted, rtol=1e-4)
    with pytest.raises(ArgumentError, match="name of an op"):
        R.simple_rnn(*args, activation="nonsense")


@pytest.mark.parametrize("kind", GATES)
def test_fused_and_loop_agree_in_gradients(kind):
    backend = active.backend
    args = values(kind)
    if not backend.differentiable:
        with pytest.raises(RuntimeError, match="no gradients"):
            backend.value_and_grad(lambda: None, [], False)
        return

    def gradients(**options):
        variables = [Variable(a) for a in args]

        def loss():
            last, outputs, states = FUNCTIONS[kind](*variables, **options)
            return ops.sum(ops.square(outputs)) + ops.sum(last) + ops.sum(states[-1] * 3.0)

        value, grads = backend.value_and_grad(loss, variables, False)()
        return [ops.convert_to_numpy(g) for g in (value, *grads)]

    for go_backwards in (False, True):
        standard = gradients(go_backwards=go_backwards)
        loop = gradients(go_backwards=go_backwards, use_fused=False)
        unrolled = gradients(go_backwards=go_backwards, unroll=True)
        for a, b, c in zip(standard, loop, unrolled, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
            np.testing.assert_allclose(a, c, rtol=1e-3, atol=1e-4)


def test_the_way_can_be_asked_for():
    backend = active.backend
    for kind, name in (("lstm", "standard_lstm"), ("gru", "standard_gru"), ("simple_rnn", "standard_simple_rnn")):
        path, reason = R.recurrent_path(kind)
        assert path == ("fused" if name in backend.kernels else "loop")
        assert reason
        args = values(kind)
        if path == "fused":
            check(FUNCTIONS[kind](*args, use_fused=True), expected(kind, args))
        else:
            with pytest.raises(ArgumentError, match="no fused kernel"):
                FUNCTIONS[kind](*args, use_fused=True)
    masked = R.recurrent_path("gru", mask=np.ones((1, 1), bool))
    assert masked.path == ("fused" if "masked_gru" in backend.kernels else "loop")
    assert "padded" in masked.reason or "mask" in masked.reason
    for options, reason in (
        ({"activation": "relu"}, "relu"),
        ({"recurrent_activation": lambda x: x}, "recurrent_activation"),
        ({"reset_after": False}, "reset_after"),
        ({"unroll": True}, "unroll"),
        ({"use_fused": False}, "use_fused"),
    ):
        path = R.recurrent_path("gru", **options)
        assert path.path == "loop" and reason in path.reason
        if reason != "use_fused":
            with pytest.raises(ArgumentError, match=reason):
                R.recurrent_path("gru", **{**options, "use_fused": True})
    with pytest.raises(ArgumentError, match="`kind`"):
        R.recurrent_path("lsmt")


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize("time", [None, 5])
def test_shapes_without_values(kind, batch, time):
    g = GATES[kind] * UNITS
    states = [None] * (2 if kind == "lstm" else 1)
    specs = [Spec((batch, time, FEATURES)), *states, Spec((FEATURES, g)), Spec((UNITS, g))]
    for options in ({}, {"activation": "relu"}, {"mask": Spec((batch, time), "bool")}, {"go_backwards": True}):
        for sequences in (True, False):
            last, outputs, new = FUNCTIONS[kind](*specs, return_sequences=sequences, **options)
            assert last.shape == (batch, UNITS) and last.dtype == "float32"
            assert outputs.shape == (batch, time if sequences else 1, UNITS)
            assert [s.shape for s in new] == [(batch, UNITS)] * len(states)


def test_bad_shapes():
    args = values("lstm")
    with pytest.raises(ShapeError, match="4 \\* units"):
        R.lstm(*args[:3], args[3][:, :-1], *args[4:])
    with pytest.raises(ShapeError, match="batch, time"):
        R.lstm(args[0][0], *args[1:])


def test_graph():
    x = Input(batch_shape=(None, None, FEATURES))
    args = values("gru")
    last, outputs, states = R.gru(x, None, *args[2:])
    assert outputs.shape == (None, None, UNITS)
    found = Function(x, [last, outputs, *states])(ops.convert_to_tensor(args[0]))
    wanted = expected("gru", [args[0], None, *args[2:]])
    check((found[0], found[1], found[2:]), wanted)


# --- the generic loop
def running_sum(x, states):
    total = states[0] + x["a"] * x["b"]
    return {"sum": total, "count": states[1] + 1.0}, (total, states[1] + 1.0)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("unroll", [False, True])
def test_trees(masked, time_major, unroll):
    x = {"a": np.arange(6.0).reshape(2, 3, 1).astype("float32"), "b": np.full((2, 3, 1), 2.0, "float32")}
    mask = np.array([[True, False, True], [True, True, False]])
    start = [np.zeros((2, 1), "float32"), np.zeros((2, 1), "float32")]
    kept = mask if masked else np.ones_like(mask)
    wanted = np.cumsum(x["a"][..., 0] * 2 * kept, 1)
    if time_major:
        x, mask = {k: np.swapaxes(v, 0, 1) for k, v in x.items()}, mask.T
    x = {k: ops.convert_to_tensor(v) for k, v in x.items()}
    start = [ops.convert_to_tensor(v) for v in start]
    last, outputs, states = R.rnn(
        running_sum, x, start, mask=mask if masked else None, time_major=time_major, unroll=unroll
    )
    found = ops.convert_to_numpy(outputs["sum"])[..., 0]
    np.testing.assert_allclose(found.T if time_major else found, wanted)
    np.testing.assert_allclose(ops.convert_to_numpy(last["sum"])[:, 0], wanted[:, -1])
    np.testing.assert_allclose(ops.convert_to_numpy(states[1])[:, 0], kept.sum(1))


def test_rnn_on_specs():
    specs = {"a": Spec((None, None, 1)), "b": Spec((None, None, 1))}
    start = [Spec((None, 1)), Spec((None, 1))]
    for mask in (None, Spec((None, None), "bool")):
        last, outputs, states = R.rnn(running_sum, specs, start, mask=mask)
        assert last["sum"].shape == (None, 1) and outputs["count"].shape == (None, None, 1)
        assert [s.shape for s in states] == [(None, 1), (None, 1)]
    with pytest.raises(ShapeError, match="unroll"):
        R.rnn(running_sum, specs, start, unroll=True)


def test_states_keep_their_dtype():
    x = ops.ones((1, 2, 1), "float16")
    with pytest.raises(DtypeError, match="float16"):
        R.rnn(lambda x, s: (x, [ops.cast(s[0], "float16")]), x, [ops.zeros((1, 1))])


def test_compiled_is_eager():
    args = values("lstm")
    weights = [Variable(a) for a in args[3:]]
    mask = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 1, 0, 1, 1]], bool)

    def run(x, mask):
        return R.lstm(x, None, None, *weights)[1], R.lstm(x, None, None, *weights, mask=mask)[1]

    inputs = ops.convert_to_tensor(args[0]), ops.convert_to_tensor(mask)
    compiled = active.backend.compile_step(run, lambda: weights, None)
    for a, b in zip(compiled(*inputs), run(*inputs), strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), rtol=1e-4, atol=1e-6)
