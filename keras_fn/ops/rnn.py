"""LSTM, GRU and the simple RNN; `rnn`, the generic loop that they run on, is in `time_loop`.

The three named networks are composites over the loop. Where activations are the standard ones, they are also ops of
their own (`standard_lstm`, …; with a mask `masked_lstm`, …), for which a backend may bring a fused kernel. Nothing is
chosen in silence: `recurrent_path` tells which way a call will go and why, and `use_fused` demands one.

Layouts are Keras's: gates side by side in the last axis, LSTM in the order input, forget, cell, output; GRU in the
order update, reset, candidate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import Op, floats, op
from keras_fn.core.spec import Spec
from keras_fn.ops import elementwise as e
from keras_fn.ops.linalg import matmul
from keras_fn.ops.shape import _dtype, get_item, shape, split, zeros
from keras_fn.ops.time_loop import rnn

Activation = Callable[[Any], Any]


# --- which way
class RecurrentPath(NamedTuple):
    """Which way a recurrent op goes: "fused" or "loop", and why."""

    path: str
    reason: str


_GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1}
_STANDARD = {
    "lstm": ("standard_lstm", ("tanh", "sigmoid")),
    "gru": ("standard_gru", ("tanh", "sigmoid")),
    "simple_rnn": ("standard_simple_rnn", ("tanh",)),
}


def recurrent_path(
    kind: str,
    activation: Any = "tanh",
    recurrent_activation: Any = "sigmoid",
    mask: Any = None,
    reset_after: bool = True,
    unroll: bool = False,
    use_fused: bool | None = None,
) -> RecurrentPath:
    """Which way `lstm`, `gru` or `simple_rnn` with these arguments goes on the active backend, and why.

    Args:
        kind: "lstm", "gru" or "simple_rnn".
        activation, recurrent_activation, mask, reset_after, unroll, use_fused: as the op gets them.

    Raises:
        ArgumentError: where `use_fused` is True and there is no fused way.

    Example:
        >>> from keras_fn.ops.rnn import recurrent_path
        >>> recurrent_path("lstm", activation="relu").path
        'loop'
    """
    if kind not in _STANDARD:
        raise ArgumentError(f"`kind` must be one of {', '.join(_STANDARD)}, not {kind!r}.")
    blocker = _not_standard(kind, activation, recurrent_activation, reset_after, unroll)
    backend = active.backend
    name = _STANDARD[kind][0] if mask is None else f"masked_{kind}"
    if not blocker and name not in backend.kernels:
        blocker = f"the backend {backend.name!r} has no fused kernel for {kind}"
        blocker += "" if mask is None else ", where a mask is given"
    if use_fused and blocker:
        raise ArgumentError(f"`use_fused=True` cannot be met: {blocker}. Leave it at None to take the loop then.")
    if use_fused is False:
        return RecurrentPath("loop", "use_fused is False")
    if blocker:
        return RecurrentPath("loop", blocker)
    if mask is not None:
        return RecurrentPath("fused", "a fused kernel exists; it takes the loop for sequences not padded at their end")
    return RecurrentPath("fused", "a fused kernel exists and applies")


def _not_standard(kind: str, activation: Any, recurrent: Any, reset_after: bool, unroll: bool) -> str:
    """Why a network is not the standard one that fused kernels compute; empty where it is."""
    functions = (activation, recurrent)
    names = ("activation", "recurrent_activation")
    for argument, found, name in zip(names, functions, _STANDARD[kind][1], strict=False):
        if not _is_function(found, name):
            return f"{argument} is {found!r}, and fused kernels know {name} only"
    if kind == "gru" and not reset_after:
        return "reset_after is False"
    return "unroll is True" if unroll else ""


def _is_function(fn: Any, name: str) -> bool:
    """Whether fn is keras_fn's own function (or op) of that name."""
    if isinstance(fn, str):
        return fn == name
    return getattr(fn, "__name__", None) == name and str(getattr(fn, "__module__", "")).startswith("keras_fn.")


def _function(fn: Any) -> Activation:
    """An activation given as a function, the name of an op, or None (nothing is done)."""
    if fn is None:
        return lambda x: x
    if callable(fn):
        return fn
    from keras_fn.core.spec import REGISTRY

    if fn not in REGISTRY:
        raise ArgumentError(f"An activation must be a function or the name of an op, not {fn!r}.")
    return REGISTRY[fn]


# --- parts that the three share
def _check(kind: str, tensors: tuple[Any, ...], reset_after: bool) -> None:
    """The shapes of inputs, weights and bias fit each other."""
    gates = _GATES[kind]
    x, w, r = (_static_shape(a) for a in (tensors[0], *tensors[-3:-1]))
    units = r[0] if len(r) == 2 else 0
    if len(x) != 3 or len(w) != 2 or w[-1] != units * gates or r[-1] != w[-1] or x[-1] not in (None, w[0]):
        raise ShapeError(
            f"The inputs of {kind} must have the shape (batch, time, features), the kernel (features, {gates} * units) "
            f"and the recurrent kernel (units, {gates} * units); {x}, {w} and {r} came."
        )
    wanted = (2, w[-1]) if kind == "gru" and reset_after else (w[-1],)
    if tensors[-1] is not None and _static_shape(tensors[-1]) != wanted:
        raise ShapeError(f"The bias of this {kind} must have the shape {wanted}, not {_static_shape(tensors[-1])}.")


def _static_shape(x: Any) -> tuple[Any, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def _project(inputs: Any, kernel: Any, bias: Any) -> Any:
    """`inputs @ kernel + bias` for all time steps at once."""
    z = matmul(inputs, kernel)
    return z if bias is None else e.add(z, bias)


def _state(state: Any, inputs: Any, recurrent_kernel: Any) -> Any:
    """The state, or zeros."""
    if state is not None:
        return state
    batch, units = shape(inputs)[0], recurrent_kernel.shape[0]
    dtype = _dtype(inputs)
    return Spec((batch, units), dtype) if isinstance(inputs, Spec) else zeros((batch, units), dtype)


def _specs(inputs: Spec, recurrent_kernel: Spec, states: int, return_sequences: bool) -> tuple[Any, Any, Any]:
    """The result for specs, in closed form."""
    batch, time = inputs.shape[:2]
    units = recurrent_kernel.shape[0]
    outputs = Spec((batch, time if return_sequences else 1, units), inputs.dtype)
    return Spec((batch, units), inputs.dtype), outputs, [Spec((batch, units), inputs.dtype) for _ in range(states)]


class _Loop(NamedTuple):
    """How the loop goes, for the ops that run it."""

    mask: Any = None
    go_backwards: bool = False
    return_sequences: bool = True
    zero_output_for_mask: bool = False
    unroll: bool = False

    def run(self, step: Any, projected: Any, states: list[Any]) -> tuple[Any, Any, Any]:
        return rnn(
            step,
            projected,
            states,
            go_backwards=self.go_backwards,
            mask=self.mask,
            unroll=self.unroll,
            zero_output_for_mask=self.zero_output_for_mask,
            return_all_outputs=self.return_sequences,
            output_like=states[0],
        )


def _dispatch(
    kind: str,
    standard: Op,
    masked: Op,
    loop: Op,
    tensors: tuple[Any, ...],
    use_fused: bool | None,
    facts: dict[str, Any],
) -> Any:
    """The standard op where it computes what was asked, else the loop."""
    activations, mask = facts["activations"], facts["mask"]
    recurrent = activations[1] if len(activations) > 1 else "sigmoid"
    reset_after, unroll = facts.get("reset_after", True), facts["unroll"]
    _check(kind, tensors, reset_after)
    recurrent_path(kind, activations[0], recurrent, mask, reset_after, unroll, use_fused)
    standard_applies = not _not_standard(kind, activations[0], recurrent, reset_after, unroll)
    if standard_applies and use_fused is not False:
        if mask is None:
            return standard(*tensors, facts["go_backwards"], facts["return_sequences"])
        return masked(*tensors, mask, facts["go_backwards"], facts["return_sequences"], facts["zero_output_for_mask"])
    rest = (mask, facts["go_backwards"], facts["return_sequences"], facts["zero_output_for_mask"], unroll)
    functions = [_function(a) for a in activations]
    if kind == "gru":
        functions.append(reset_after)
    return loop(*tensors, *functions, *rest)


# --- LSTM
def lstm_gates(z: Any, c: Any, activation: Activation, recurrent_activation: Activation) -> tuple[Any, Any]:
    """The new `(h, c)` from the sum `z`, of shape `(batch, 4 * units)`, of the projected input and state."""
    i, f, g, o = split(z, 4, -1)
    kept, added = e.multiply(recurrent_activation(f), c), e.multiply(recurrent_activation(i), activation(g))
    c = e.add(kept, added)
    return e.multiply(recurrent_activation(o), activation(c)), c


def lstm_cell(
    inputs: Any,
    h: Any,
    c: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    activation: Activation = e.tanh,
    recurrent_activation: Activation = e.sigmoid,
) -> tuple[Any, Any]:
    """One time step of an LSTM: `(h, c)` from inputs `(batch, features)`; the rest as in `lstm`."""
    z = e.add(_project(inputs, kernel, bias), matmul(h, recurrent_kernel))
    return lstm_gates(z, c, activation, recurrent_activation)


@op(dtype=floats("inputs", "h0", "c0", "kernel", "recurrent_kernel", "bias"))
def lstm_loop(
    inputs, h0, c0, kernel, recurrent_kernel, bias, activation, recurrent_activation,
    mask=None, go_backwards=False, return_sequences=True, zero_output_for_mask=False, unroll=False,
):  # fmt: skip
    """`lstm` as a loop over time, with any activations."""
    if isinstance(inputs, Spec):
        return _specs(inputs, recurrent_kernel, 2, return_sequences)

    def step(x: Any, states: Any) -> tuple[Any, Any]:
        z = e.add(x, matmul(states[0], recurrent_kernel))
        h, c = lstm_gates(z, states[1], activation, recurrent_activation)
        return h, [h, c]

    states = [_state(h0, inputs, recurrent_kernel), _state(c0, inputs, recurrent_kernel)]
    loop = _Loop(mask, go_backwards, return_sequences, zero_output_for_mask, unroll)
    return loop.run(step, _project(inputs, kernel, bias), states)


@op(dtype=floats("inputs", "h0", "c0", "kernel", "recurrent_kernel", "bias"))
def standard_lstm(inputs, h0, c0, kernel, recurrent_kernel, bias, go_backwards=False, return_sequences=True):
    """`lstm` with tanh and sigmoid and without a mask: what fused kernels compute."""
    rest = (None, go_backwards, return_sequences)
    return lstm_loop(inputs, h0, c0, kernel, recurrent_kernel, bias, e.tanh, e.sigmoid, *rest)


@op(dtype=floats("inputs", "h0", "c0", "kernel", "recurrent_kernel", "bias"))
def masked_lstm(
    inputs, h0, c0, kernel, recurrent_kernel, bias, mask, go_backwards=False, return_sequences=True,
    zero_output_for_mask=False,
):  # fmt: skip
    """`standard_lstm` with a mask: a masked step leaves the states as they are."""
    rest = (mask, go_backwards, return_sequences, zero_output_for_mask)
    return lstm_loop(inputs, h0, c0, kernel, recurrent_kernel, bias, e.tanh, e.sigmoid, *rest)


def lstm(
    inputs: Any,
    h0: Any,
    c0: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
    activation: Any = "tanh",
    recurrent_activation: Any = "sigmoid",
    go_backwards: bool = False,
    return_sequences: bool = True,
    zero_output_for_mask: bool = False,
    unroll: bool = False,
    use_fused: bool | None = None,
) -> tuple[Any, Any, list[Any]]:
    """Long short-term memory over a batch of sequences.

    With i, f, g, o the four parts of `x @ kernel + h @ recurrent_kernel + bias`, each step computes
    `c = sigmoid(f) * c + sigmoid(i) * tanh(g)` and `h = sigmoid(o) * tanh(c)`.
    Source: Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735

    Args:
        inputs: tensor `(batch, time, features)`.
        h0, c0: first output and cell state, `(batch, units)`; None for zeros.
        kernel: weights `(features, 4 * units)`.
        recurrent_kernel: weights `(units, 4 * units)`.
        bias: `(4 * units,)`, or None.
        mask: bools `(batch, time)`, or None.
        activation: function (or the name of an op) in the place of tanh.
        recurrent_activation: function (or the name of an op) in the place of sigmoid.
        go_backwards: from the last step to the first.
        return_sequences: False: the second result holds the last output only, with a time axis of length 1.
        zero_output_for_mask: the output of a masked step is zero instead of the one before it.
        unroll: write the loop out step by step.
        use_fused: None: the backend's fused kernel where it applies (`recurrent_path` tells). True: it or an error.
            False: the loop.

    Returns:
        `(last_output, outputs, [h, c])`.

    Example:
        >>> from keras_fn import ops
        >>> from keras_fn.ops.rnn import lstm
        >>> last, outputs, states = lstm(ops.ones((2, 5, 3)), None, None, ops.ones((3, 16)), ops.ones((4, 16)))
        >>> outputs.shape == (2, 5, 4)
        True
    """
    facts = {
        "activations": (activation, recurrent_activation), "mask": mask, "go_backwards": go_backwards,
        "return_sequences": return_sequences, "zero_output_for_mask": zero_output_for_mask, "unroll": unroll,
    }  # fmt: skip
    tensors = (inputs, h0, c0, kernel, recurrent_kernel, bias)
    return _dispatch("lstm", standard_lstm, masked_lstm, lstm_loop, tensors, use_fused, facts)


# --- GRU
def gru_gates(
    x: Any,
    h: Any,
    recurrent_kernel: Any,
    recurrent_bias: Any,
    activation: Activation,
    recurrent_activation: Activation,
    reset_after: bool,
) -> Any:
    """The new h from the projected input x, of shape `(batch, 3 * units)`, and the old h."""
    xz, xr, xh = split(x, 3, -1)
    if reset_after:
        rz, rr, rh = split(_project(h, recurrent_kernel, recurrent_bias), 3, -1)
        z, r = recurrent_activation(e.add(xz, rz)), recurrent_activation(e.add(xr, rr))
        candidate = activation(e.add(xh, e.multiply(r, rh)))
    else:
        units = recurrent_kernel.shape[0]
        rz, rr = split(matmul(h, get_item(recurrent_kernel, (slice(None), slice(2 * units)))), 2, -1)
        z, r = recurrent_activation(e.add(xz, rz)), recurrent_activation(e.add(xr, rr))
        rh = matmul(e.multiply(r, h), get_item(recurrent_kernel, (slice(None), slice(2 * units, None))))
        candidate = activation(e.add(xh, rh))
    return e.add(candidate, e.multiply(z, e.subtract(h, candidate)))


def _gru_biases(bias: Any, reset_after: bool) -> tuple[Any, Any]:
    """The biases of the input and of the state."""
    if bias is None:
        return None, None
    return (get_item(bias, 0), get_item(bias, 1)) if reset_after else (bias, None)


def gru_cell(
    inputs: Any,
    h: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    activation: Activation = e.tanh,
    recurrent_activation: Activation = e.sigmoid,
    reset_after: bool = True,
) -> Any:
    """One time step of a GRU: the new h from inputs `(batch, features)`; the rest as in `gru`."""
    b, rb = _gru_biases(bias, reset_after)
    x = _project(inputs, kernel, b)
    return gru_gates(x, h, recurrent_kernel, rb, activation, recurrent_activation, reset_after)


@op(dtype=floats("inputs", "h0", "kernel", "recurrent_kernel", "bias"))
def gru_loop(
    inputs, h0, kernel, recurrent_kernel, bias, activation, recurrent_activation, reset_after=True,
    mask=None, go_backwards=False, return_sequences=True, zero_output_for_mask=False, unroll=False,
):  # fmt: skip
    """`gru` as a loop over time, with any activations."""
    b, rb = _gru_biases(bias, reset_after)
    if isinstance(inputs, Spec):
        return _specs(inputs, recurrent_kernel, 1, return_sequences)

    def step(x: Any, states: Any) -> tuple[Any, Any]:
        h = gru_gates(x, states[0], recurrent_kernel, rb, activation, recurrent_activation, reset_after)
        return h, [h]

    loop = _Loop(mask, go_backwards, return_sequences, zero_output_for_mask, unroll)
    return loop.run(step, _project(inputs, kernel, b), [_state(h0, inputs, recurrent_kernel)])


@op(dtype=floats("inputs", "h0", "kernel", "recurrent_kernel", "bias"))
def standard_gru(inputs, h0, kernel, recurrent_kernel, bias, go_backwards=False, return_sequences=True):
    """`gru` with tanh, sigmoid and `reset_after` and without a mask: what fused kernels compute."""
    rest = (True, None, go_backwards, return_sequences)
    return gru_loop(inputs, h0, kernel, recurrent_kernel, bias, e.tanh, e.sigmoid, *rest)


@op(dtype=floats("inputs", "h0", "kernel", "recurrent_kernel", "bias"))
def masked_gru(
    inputs, h0, kernel, recurrent_kernel, bias, mask, go_backwards=False, return_sequences=True,
    zero_output_for_mask=False,
):  # fmt: skip
    """`standard_gru` with a mask: a masked step leaves the state as it is."""
    rest = (True, mask, go_backwards, return_sequences, zero_output_for_mask)
    return gru_loop(inputs, h0, kernel, recurrent_kernel, bias, e.tanh, e.sigmoid, *rest)


def gru(
    inputs: Any,
    h0: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
    activation: Any = "tanh",
    recurrent_activation: Any = "sigmoid",
    reset_after: bool = True,
    go_backwards: bool = False,
    return_sequences: bool = True,
    zero_output_for_mask: bool = False,
    unroll: bool = False,
    use_fused: bool | None = None,
) -> tuple[Any, Any, list[Any]]:
    """Gated recurrent unit over a batch of sequences.

    Each step computes an update gate z, a reset gate r, a candidate n and `h = z * h + (1 - z) * n`. With
    `reset_after`, `n = tanh(x @ W + b + r * (h @ R + c))`, otherwise `n = tanh(x @ W + b + (r * h) @ R)`.
    Source: Cho et al. 2014, https://arxiv.org/abs/1406.1078

    Args:
        inputs: tensor `(batch, time, features)`.
        h0: first output, `(batch, units)`; None for zeros.
        kernel: weights `(features, 3 * units)`.
        recurrent_kernel: weights `(units, 3 * units)`.
        bias: `(2, 3 * units)`, of input and state, or `(3 * units,)` without `reset_after`, or None.
        reset_after: whether the reset gate multiplies after the matrix product.
        mask, activation, recurrent_activation, go_backwards, return_sequences, zero_output_for_mask, unroll,
            use_fused: as in `lstm`.

    Returns:
        `(last_output, outputs, [h])`.

    Example:
        >>> from keras_fn import ops
        >>> from keras_fn.ops.rnn import gru
        >>> last, outputs, states = gru(ops.ones((2, 5, 3)), None, ops.ones((3, 12)), ops.ones((4, 12)))
        >>> last.shape == (2, 4)
        True
    """
    facts = {
        "activations": (activation, recurrent_activation), "mask": mask, "go_backwards": go_backwards,
        "return_sequences": return_sequences, "zero_output_for_mask": zero_output_for_mask, "unroll": unroll,
        "reset_after": reset_after,
    }  # fmt: skip
    tensors = (inputs, h0, kernel, recurrent_kernel, bias)
    return _dispatch("gru", standard_gru, masked_gru, gru_loop, tensors, use_fused, facts)


# --- simple RNN
def simple_rnn_cell(
    inputs: Any, h: Any, kernel: Any, recurrent_kernel: Any, bias: Any = None, activation: Activation = e.tanh
) -> Any:
    """One time step of a simple RNN: the new h from inputs `(batch, features)`; the rest as in `simple_rnn`."""
    return activation(e.add(_project(inputs, kernel, bias), matmul(h, recurrent_kernel)))


@op(dtype=floats("inputs", "h0", "kernel", "recurrent_kernel", "bias"))
def simple_rnn_loop(
    inputs, h0, kernel, recurrent_kernel, bias, activation,
    mask=None, go_backwards=False, return_sequences=True, zero_output_for_mask=False, unroll=False,
):  # fmt: skip
    """`simple_rnn` as a loop over time, with any activation."""
    if isinstance(inputs, Spec):
        return _specs(inputs, recurrent_kernel, 1, return_sequences)

    def step(x: Any, states: Any) -> tuple[Any, Any]:
        h = activation(e.add(x, matmul(states[0], recurrent_kernel)))
        return h, [h]

    loop = _Loop(mask, go_backwards, return_sequences, zero_output_for_mask, unroll)
    return loop.run(step, _project(inputs, kernel, bias), [_state(h0, inputs, recurrent_kernel)])


@op(dtype=floats("inputs", "h0", "kernel", "recurrent_kernel", "bias"))
def standard_simple_rnn(inputs, h0, kernel, recurrent_kernel, bias, go_backwards=False, return_sequences=True):
    """`simple_rnn` with tanh and without a mask: what fused kernels compute."""
    rest = (None, go_backwards, return_sequences)
    return simple_rnn_loop(inputs, h0, kernel, recurrent_kernel, bias, e.tanh, *rest)


@op(dtype=floats("inputs", "h0", "kernel", "recurrent_kernel", "bias"))
def masked_simple_rnn(
    inputs, h0, kernel, recurrent_kernel, bias, mask, go_backwards=False, return_sequences=True,
    zero_output_for_mask=False,
):  # fmt: skip
    """`standard_simple_rnn` with a mask: a masked step leaves the state as it is."""
    rest = (mask, go_backwards, return_sequences, zero_output_for_mask)
    return simple_rnn_loop(inputs, h0, kernel, recurrent_kernel, bias, e.tanh, *rest)


def simple_rnn(
    inputs: Any,
    h0: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
    activation: Any = "tanh",
    go_backwards: bool = False,
    return_sequences: bool = True,
    zero_output_for_mask: bool = False,
    unroll: bool = False,
    use_fused: bool | None = None,
) -> tuple[Any, Any, list[Any]]:
    """Fully connected recurrence over a batch of sequences: `h = tanh(x @ kernel + h @ recurrent_kernel + bias)`.

    Source: Elman 1990, https://doi.org/10.1207/s15516709cog1402_1

    Args:
        inputs: tensor `(batch, time, features)`.
        h0: first output, `(batch, units)`; None for zeros.
        kernel: weights `(features, units)`.
        recurrent_kernel: weights `(units, units)`.
        bias: `(units,)`, or None.
        mask, activation, go_backwards, return_sequences, zero_output_for_mask, unroll, use_fused: as in `lstm`.

    Returns:
        `(last_output, outputs, [h])`.

    Example:
        >>> from keras_fn import ops
        >>> from keras_fn.ops.rnn import simple_rnn
        >>> last, outputs, states = simple_rnn(ops.ones((2, 5, 3)), None, ops.ones((3, 4)), ops.ones((4, 4)))
        >>> outputs.shape == (2, 5, 4)
        True
    """
    facts = {
        "activations": (activation,), "mask": mask, "go_backwards": go_backwards,
        "return_sequences": return_sequences, "zero_output_for_mask": zero_output_for_mask, "unroll": unroll,
    }  # fmt: skip
    tensors = (inputs, h0, kernel, recurrent_kernel, bias)
    ways = (standard_simple_rnn, masked_simple_rnn, simple_rnn_loop)
    return _dispatch("simple_rnn", *ways, tensors, use_fused, facts)
