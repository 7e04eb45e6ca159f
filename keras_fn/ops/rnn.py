"""Recurrent networks: the generic loop over time, and LSTM, GRU and the simple RNN.

The three named networks are composites over the loop. Where activations are the standard ones and nothing is masked,
they are also ops of their own (`standard_lstm`, …), for which a backend may bring a fused kernel. Nothing is chosen in
silence: `recurrent_path` tells which way a call will go and why, and `use_fused` demands one.

Layouts are Keras's: gates side by side in the last axis, LSTM in the order input, forget, cell, output; GRU in the
order update, reset, candidate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import optree

from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ShapeError
from keras_fn.core.op import Op, floats, op
from keras_fn.core.spec import Spec
from keras_fn.core.variable import StatelessScope
from keras_fn.ops import elementwise as e
from keras_fn.ops import shape as s
from keras_fn.ops.control import scan
from keras_fn.ops.linalg import matmul

Activation = Callable[[Any], Any]


# --- the loop
def rnn(
    step_function: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Any,
    initial_states: Any,
    go_backwards: bool = False,
    mask: Any = None,
    unroll: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
    time_major: bool = False,
    output_like: Any = None,
) -> tuple[Any, Any, Any]:
    """Runs `output, states = step_function(x, states)` over the time steps of `inputs`.

    A masked step repeats the output before it (zeros at the start) and leaves the states as they were.

    Args:
        step_function: function of one time step, a tree of tensors `(batch, ...)`, and the states; returns the output,
            a tree of tensors `(batch, ...)`, and the new states, in the structure, shapes and dtypes of the old.
        inputs: tree of tensors `(batch, time, ...)`.
        initial_states: tree of tensors.
        go_backwards: from the last step to the first; outputs come in the order in which they were made.
        mask: bools `(batch, time)` or `(batch, time, 1)`, true where a step counts.
        unroll: write the loop out step by step; needs a known number of steps.
        zero_output_for_mask: the output of a masked step is zero.
        return_all_outputs: False: the second result holds the last output only, with a time axis of length 1.
        time_major: inputs, mask and outputs have the time axis first.
        output_like: tensor in the shape and dtype of one output, where it is known. It saves a masked loop from
            running one step ahead to find them.

    Returns:
        `(last_output, outputs, states)`; outputs have the shape `(batch, time, ...)`.

    Example:
        >>> from keras_fn import ops
        >>> from keras_fn.ops.rnn import rnn
        >>> x = ops.reshape(ops.arange(1.0, 4.0), (1, 3, 1))
        >>> last, outputs, _ = rnn(lambda x, s: (x + s[0], [x + s[0]]), x, [ops.zeros((1, 1))])
        >>> ops.convert_to_numpy(outputs).ravel().tolist()
        [1.0, 3.0, 6.0]
    """
    state_tree = optree.tree_structure(initial_states)

    def call(x: Any, states: Any) -> tuple[Any, Any]:
        output, new = step_function(x, states)
        return output, optree.tree_unflatten(state_tree, optree.tree_leaves(new))

    steps = optree.tree_map(lambda x: _time_first(x, go_backwards, time_major), inputs)
    if mask is not None:
        steps = (steps, _time_first(_bare_mask(mask), go_backwards, time_major))
    # the carry is (states, last output), or (states, ()) where the last output is found among all of them
    before: Any = ()
    if mask is not None or (output_like is not None and not return_all_outputs):
        like = output_like if output_like is not None else _one_output(call, steps, initial_states, mask is not None)
        before = optree.tree_map(s.zeros_like, like)
    keep_all = return_all_outputs or before == ()
    step = _step(call, mask is not None, zero_output_for_mask, before != (), keep_all)
    loop = _unrolled if unroll else scan
    (states, last), outputs = loop(step, (initial_states, before), steps)
    if before == ():
        last = optree.tree_map(lambda y: y[-1], outputs)
    if return_all_outputs:
        return last, optree.tree_map(lambda y: y if time_major else s.swapaxes(y, 0, 1), outputs), states
    return last, optree.tree_map(lambda y: s.expand_dims(y, 0 if time_major else 1), last), states


def _time_first(x: Any, go_backwards: bool, time_major: bool) -> Any:
    if s.ndim(x) < 2:
        raise ShapeError(f"A recurrent network needs inputs of the shape (batch, time, ...), not {tuple(x.shape)}.")
    x = x if time_major else s.swapaxes(x, 0, 1)
    return s.flip(x, 0) if go_backwards else x


def _bare_mask(mask: Any) -> Any:
    mask = e.cast(mask, "bool")
    if s.ndim(mask) == 3:
        mask = s.squeeze(mask, -1)
    if s.ndim(mask) != 2:
        raise ShapeError(f"A mask must have the shape (batch, time), or a third axis of 1, not {tuple(mask.shape)}.")
    return mask


def _one_output(call: Any, steps: Any, states: Any, masked: bool) -> Any:
    """The output of a first step, for its shapes; what it writes is dropped."""
    first = optree.tree_map(lambda x: x[0], steps[0] if masked else steps)
    with StatelessScope():
        return call(first, states)[0]


def _step(call: Any, masked: bool, zeros: bool, carries_output: bool, keep_all: bool) -> Callable[[Any, Any], Any]:
    """The function that `scan` runs: `(states, last output), x -> (states, last output), output`."""

    def plain(carry: Any, x: Any) -> Any:
        output, states = call(x, carry[0])
        return (states, output if carries_output else ()), (output if keep_all else None)

    def with_mask(carry: Any, x: Any) -> Any:
        states, before = carry
        x, counts = x
        output, new = call(x, states)
        if zeros:
            before = optree.tree_map(s.zeros_like, before)
        output, states = _where(counts, output, before), _where(counts, new, states)
        return (states, output), (output if keep_all else None)

    return with_mask if masked else plain


def _where(counts: Any, new: Any, old: Any) -> Any:
    """Row by row the new tensors where a step counts, the old ones elsewhere."""

    def choose(a: Any, b: Any) -> Any:
        rank = s.ndim(a)
        return e.where(s.reshape(counts, (-1, *(1,) * (rank - 1))) if rank > 1 else counts, a, b)

    return optree.tree_map(choose, new, old)


def _unrolled(step: Any, carry: Any, steps: Any) -> tuple[Any, Any]:
    """`scan` as a plain loop."""
    leaves, tree = optree.tree_flatten(steps)
    n = leaves[0].shape[0]
    if n is None:
        raise ShapeError("`unroll=True` needs a known number of time steps. Give it in the input shape, or do not unroll.")
    slices = [s.unstack(x) if n else [] for x in leaves]
    rows = []
    for row in zip(*slices, strict=True):
        carry, output = step(carry, optree.tree_unflatten(tree, row))
        rows.append(output)
    if not rows:
        raise ShapeError("A recurrent network needs one time step at least, and the inputs have none.")
    return carry, optree.tree_map(lambda *ys: s.stack(list(ys)), *rows)


# --- which way
class RecurrentPath(NamedTuple):
    """Which way a recurrent op goes: "fused" or "loop", and why."""

    path: str
    reason: str


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
    blocker = _not_standard(kind, activation, recurrent_activation, mask, reset_after, unroll)
    backend = active.backend
    if not blocker and _STANDARD[kind][0] not in backend.kernels:
        blocker = f"the backend {backend.name!r} has no fused kernel for {kind}"
    if use_fused and blocker:
        raise ArgumentError(f"`use_fused=True` cannot be met: {blocker}. Leave it at None to take the loop then.")
    if use_fused is False:
        return RecurrentPath("loop", "use_fused is False")
    return RecurrentPath("loop", blocker) if blocker else RecurrentPath("fused", "a fused kernel exists and applies")


def _not_standard(kind: str, activation: Any, recurrent: Any, mask: Any, reset_after: bool, unroll: bool) -> str:
    """Why a network is not the standard one that fused kernels compute; empty where it is."""
    functions = (activation, recurrent)
    for argument, found, name in zip(("activation", "recurrent_activation"), functions, _STANDARD[kind][1], strict=False):
        if not _is_function(found, name):
            return f"{argument} is {found!r}, and fused kernels know {name} only"
    if mask is not None:
        return "a mask is given"
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
def _check(inputs: Any, kernel: Any, recurrent_kernel: Any, gates: int) -> None:
    x, w, r = tuple(inputs.shape), tuple(kernel.shape), tuple(recurrent_kernel.shape)
    units = r[0] if len(r) == 2 else None
    if len(x) != 3 or len(w) != 2 or w[-1] != (units or 0) * gates or r[-1] != w[-1] or x[-1] not in (None, w[0]):
        raise ShapeError(
            f"Inputs must have the shape (batch, time, features), the kernel (features, {gates} * units) and the "
            f"recurrent kernel (units, {gates} * units); {x}, {w} and {r} came."
        )


def _project(inputs: Any, kernel: Any, bias: Any) -> Any:
    """`inputs @ kernel + bias` for all time steps at once."""
    z = matmul(inputs, kernel)
    return z if bias is None else e.add(z, bias)


def _state(state: Any, inputs: Any, recurrent_kernel: Any) -> Any:
    """The state, or zeros."""
    if state is not None:
        return state
    batch, units = s.shape(inputs)[0], recurrent_kernel.shape[0]
    dtype = s._dtype(inputs)
    return Spec((batch, units), dtype) if isinstance(inputs, Spec) else s.zeros((batch, units), dtype)


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


def _dispatch(kind: str, standard: Op, loop: Op, tensors: tuple[Any, ...], use_fused: Any, facts: dict[str, Any]) -> Any:
    """The standard op where it computes what was asked, else the loop."""
    activations, mask = facts["activations"], facts["mask"]
    recurrent = activations[1] if len(activations) > 1 else "sigmoid"
    reset_after, unroll = facts.get("reset_after", True), facts["unroll"]
    recurrent_path(kind, activations[0], recurrent, mask, reset_after, unroll, use_fused)
    standard_applies = not _not_standard(kind, activations[0], recurrent, mask, reset_after, unroll)
    if standard_applies and use_fused is not False:
        return standard(*tensors, facts["go_backwards"], facts["return_sequences"])
    rest = (mask, facts["go_backwards"], facts["return_sequences"], facts["zero_output_for_mask"], unroll)
    functions = [_function(a) for a in activations]
    if kind == "gru":
        functions.append(reset_after)
    return loop(*tensors, *functions, *rest)


# --- LSTM
def lstm_gates(z: Any, c: Any, activation: Activation, recurrent_activation: Activation) -> tuple[Any, Any]:
    """The new `(h, c)` from the sum `z`, of shape `(batch, 4 * units)`, of the projected input and state."""
    i, f, g, o = s.split(z, 4, -1)
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
    _check(inputs, kernel, recurrent_kernel, 4)
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
    return _dispatch("lstm", standard_lstm, lstm_loop, tensors, use_fused, facts)


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
    xz, xr, xh = s.split(x, 3, -1)
    if reset_after:
        rz, rr, rh = s.split(_project(h, recurrent_kernel, recurrent_bias), 3, -1)
        z, r = recurrent_activation(e.add(xz, rz)), recurrent_activation(e.add(xr, rr))
        candidate = activation(e.add(xh, e.multiply(r, rh)))
    else:
        units = recurrent_kernel.shape[0]
        rz, rr = s.split(matmul(h, recurrent_kernel[:, : 2 * units]), 2, -1)
        z, r = recurrent_activation(e.add(xz, rz)), recurrent_activation(e.add(xr, rr))
        candidate = activation(e.add(xh, matmul(e.multiply(r, h), recurrent_kernel[:, 2 * units :])))
    return e.add(candidate, e.multiply(z, e.subtract(h, candidate)))


def _gru_biases(bias: Any, reset_after: bool) -> tuple[Any, Any]:
    """The biases of the input and of the state."""
    if bias is None:
        return None, None
    rank = 2 if reset_after else 1
    if len(bias.shape) != rank:
        wanted = "(2, 3 * units)" if reset_after else "(3 * units,)"
        raise ShapeError(f"The bias of a GRU with reset_after={reset_after} has the shape {wanted}, not {bias.shape}.")
    return (bias[0], bias[1]) if reset_after else (bias, None)


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
    _check(inputs, kernel, recurrent_kernel, 3)
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
    return _dispatch("gru", standard_gru, gru_loop, (inputs, h0, kernel, recurrent_kernel, bias), use_fused, facts)


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
    _check(inputs, kernel, recurrent_kernel, 1)
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
    return _dispatch("simple_rnn", standard_simple_rnn, simple_rnn_loop, tensors, use_fused, facts)
