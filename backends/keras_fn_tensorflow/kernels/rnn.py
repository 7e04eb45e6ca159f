"""Recurrent networks with gradients of their own (docs/decisions/0013).

The LSTM runs forward in TensorFlow's op for a whole sequence. The gradients are loops over time that read what the way
forward kept; the weights' gradients are one matrix product over all steps afterwards. What these do not cover (another
dtype than float32, no steps, XLA) runs the op's own body, a loop over time that TensorFlow differentiates.

Inside, time is the first axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import control_flow_util  # pyright: ignore[reportMissingImports]

from keras_fn.ops import rnn as ops_rnn
from keras_fn.ops.time_loop import rnn
from keras_fn_tensorflow.kernels.gradients import with_both
from keras_fn_tensorflow.kernels.ranges import at_once

raw = tf.raw_ops
Tensor = Any


# --- loops over time
def _buffer(like: Tensor, parts: int = 1) -> Any:
    """Room for a tensor of each step: `(batch, parts * units)`."""
    *_, batch, units = like.shape
    return tf.TensorArray(like.dtype, tf.shape(like)[0], element_shape=(batch, parts * units))


def _backward(step: Callable[..., Any], carry: list[Tensor], kept: list[Tensor], buffers: list[Any]) -> list[Tensor]:
    """Steps from the last to the first.

    Args:
        step: `step(carry, *rows of kept) -> (carry, rows to write)`.
        carry: tensors that go from step to step.
        kept: tensors with time first.
        buffers: what is written, as TensorArrays.

    Returns:
        The last carry, and what was written, with time first.
    """
    steps = tf.shape(kept[0])[0]

    def body(t: Tensor, carry: Any, buffers: Any) -> Any:
        carry, rows = step(carry, *(raw.GatherV2(params=x, indices=t, axis=0) for x in kept))
        return t - 1, carry, [b.write(t, row) for b, row in zip(buffers, rows, strict=True)]

    start = (steps - 1, carry, buffers)
    _, carry, buffers = tf.while_loop(lambda t, *_: t >= 0, body, start, maximum_iterations=steps)
    return [*carry, *(b.stack() for b in buffers)]


def _before(first: Tensor, states: Tensor) -> Tensor:
    """The state before each step."""
    return tf.concat([first[None], states[:-1]], 0)


def _flat(x: Tensor) -> Tensor:
    """Steps and batch in one axis."""
    return tf.reshape(x, (-1, x.shape[-1]))


def _over_steps(states: Tensor, sums: Tensor) -> Tensor:
    """The gradient of weights: what they were multiplied with in each step times the gradients of its sums."""
    return tf.matmul(_flat(states), _flat(sums), transpose_a=True)


def _of_inputs(x: Tensor, kernel: Tensor, sums: Tensor) -> Tensor:
    return tf.reshape(tf.matmul(_flat(sums), kernel, transpose_b=True), tf.shape(x))


# --- LSTM
def _lstm_forward(x: Tensor, h0: Tensor, c0: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Any:
    """Outputs and cell states of all steps."""
    none = tf.zeros_like(h0[0])
    fixed = {
        "seq_len_max": tf.shape(x, tf.int64)[0], "x": x, "cs_prev": c0, "h_prev": h0,
        "w": tf.concat([kernel, recurrent], 0), "wci": none, "wcf": none, "wco": none, "b": bias, "use_peephole": False,
    }  # fmt: skip
    gates = raw.BlockLSTMV2(cell_clip=0.0, **fixed)
    return (gates.h, gates.cs), (x, h0, c0, kernel, recurrent, fixed, gates)


def _lstm_backward(kept: Any, dhs: Tensor, dcs: Tensor) -> Any:
    """The gradients of all that goes in.

    The gradient that TensorFlow knows for its op is wrong: it takes the gates in another order. Its op for the right
    one adds up the weights' gradients step by step, which is slow for many units.
    """
    x, h0, c0, kernel, recurrent, fixed, gates = kept
    if at_once(x) or recurrent.shape[0] <= _FEW_UNITS:
        made = raw.BlockLSTMGradV2(**fixed, **gates._asdict(), cs_grad=dcs, h_grad=dhs)
        of_kernel, of_recurrent = tf.split(made.w_grad, [kernel.shape[0], recurrent.shape[0]], 0)
        return made.x_grad, made.h_prev_grad, made.cs_prev_grad, of_kernel, of_recurrent, made.b_grad
    transposed = tf.transpose(recurrent)

    def step(carry: Any, dh_out: Tensor, dc_out: Tensor, i: Tensor, f: Tensor, o: Tensor, g: Tensor, t: Tensor,
             before: Tensor) -> Any:  # fmt: skip
        dh, dc = carry[0] + dh_out, carry[1] + dc_out
        dc = dc + dh * o * (1 - t * t)
        row = [dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g * g), dh * t * o * (1 - o)]
        sums = tf.concat(row, -1)
        return [tf.matmul(sums, transposed), dc * f], [sums]

    read = [dhs, dcs, gates.i, gates.f, gates.o, gates.ci, gates.co, _before(c0, gates.cs)]
    dh0, dc0, sums = _backward(step, [tf.zeros_like(h0), tf.zeros_like(c0)], read, [_buffer(gates.h, 4)])
    weights = _over_steps(x, sums), _over_steps(_before(h0, gates.h), sums), tf.reduce_sum(sums, (0, 1))
    return _of_inputs(x, kernel, sums), dh0, dc0, *weights


# up to so many, TensorFlow's op is faster than the loop
_FEW_UNITS = 32


def _lstm_body(x: Tensor, h0: Tensor, c0: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Any:
    def step(row: Tensor, states: Any) -> Any:
        h, c = ops_rnn.lstm_cell(row, states[0], states[1], kernel, recurrent, bias)
        return (h, c), [h, c]

    return rnn(step, x, [h0, c0], time_major=True)[1]


def _lstm(x: Tensor, h0: Any, c0: Any, kernel: Tensor, recurrent: Tensor, bias: Any) -> list[Tensor]:
    """What each state is after each step."""
    first = _state(h0, x, recurrent), _state(c0, x, recurrent)
    return [*with_both(_lstm_forward, _lstm_backward, _lstm_body, x, *first, kernel, recurrent, _bias(bias, kernel))]


# --- GRU
def _gru_forward(x: Tensor, h0: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Any:
    """The outputs of all steps."""
    steps, width = tf.shape(x)[0], recurrent.shape[1]
    sizes = [width // 3 * 2, width // 3]
    projected = raw.BiasAdd(value=tf.matmul(_flat(x), kernel), bias=bias[0])
    projected = tf.reshape(projected, tf.concat([tf.shape(x)[:2], [width]], 0))
    of_state_bias = bias[1]

    def body(t: Tensor, h: Tensor, buffers: Any) -> Any:
        gates, candidate = tf.split(raw.GatherV2(params=projected, indices=t, axis=0), sizes, -1)
        of_state = raw.BiasAdd(value=tf.matmul(h, recurrent), bias=of_state_bias)
        of_gates, of_candidate = tf.split(of_state, sizes, -1)
        gates = tf.sigmoid(gates + of_gates)
        z, r = tf.split(gates, 2, -1)
        n = tf.tanh(candidate + r * of_candidate)
        h = n + z * (h - n)
        rows = h, gates, n, of_candidate
        return t + 1, h, [b.write(t, row) for b, row in zip(buffers, rows, strict=True)]

    buffers = [tf.TensorArray(x.dtype, steps, element_shape=(h0.shape[0], n)) for n in (sizes[1], *sizes, sizes[1])]
    _, _, buffers = tf.while_loop(lambda t, *_: t < steps, body, (0, h0, buffers), maximum_iterations=steps)
    hs, *kept = (b.stack() for b in buffers)
    return tf.ensure_shape(hs, (x.shape[0], *h0.shape)), (x, h0, kernel, recurrent, hs, *kept)


def _gru_backward(kept: Any, dhs: Tensor) -> Any:
    x, h0, kernel, recurrent, hs, *kept = kept
    transposed, states = tf.transpose(recurrent), _before(h0, hs)

    def step(carry: Any, dh_out: Tensor, gates: Tensor, n: Tensor, of_candidate: Tensor, before: Tensor) -> Any:
        dh = carry[0] + dh_out
        z, r = tf.split(gates, 2, -1)
        kept = z * dh
        dn = (dh - kept) * (1 - n * n)
        of_gates = tf.concat([dh * (before - n), dn * of_candidate], -1) * gates * (1 - gates)
        of_state = tf.concat([of_gates, dn * r], -1)
        return [kept + tf.matmul(of_state, transposed)], [of_state, dn]

    buffers = [_buffer(hs, 3), _buffer(hs)]
    dh0, of_state, dn = _backward(step, [tf.zeros_like(h0)], [dhs, *kept, states], buffers)
    sums = tf.concat([of_state[..., : -hs.shape[-1]], dn], -1)
    of_bias = tf.stack([tf.reduce_sum(sums, (0, 1)), tf.reduce_sum(of_state, (0, 1))])
    return _of_inputs(x, kernel, sums), dh0, _over_steps(x, sums), _over_steps(states, of_state), of_bias


def _gru_body(x: Tensor, h0: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    def step(row: Tensor, states: Any) -> Any:
        h = ops_rnn.gru_cell(row, states[0], kernel, recurrent, bias)
        return h, [h]

    return rnn(step, x, [h0], time_major=True)[1]


def _gru(x: Tensor, h0: Any, kernel: Tensor, recurrent: Tensor, bias: Any) -> list[Tensor]:
    bias = tf.zeros((2, recurrent.shape[1]), x.dtype) if bias is None else bias
    return [with_both(_gru_forward, _gru_backward, _gru_body, x, _state(h0, x, recurrent), kernel, recurrent, bias)]


# --- arguments and results
def _state(state: Any, x: Tensor, recurrent: Tensor) -> Tensor:
    if state is not None:
        return state
    zeros = tf.zeros((tf.shape(x)[1], recurrent.shape[0]), x.dtype)
    return tf.ensure_shape(zeros, (x.shape[1], recurrent.shape[0]))


def _bias(bias: Any, kernel: Tensor) -> Tensor:
    return tf.zeros_like(kernel[0]) if bias is None else bias


def _covered(tensors: Any) -> bool:
    """Whether the networks here take these tensors: floats of 32 bits, with something in them, outside of XLA."""
    given = [x for x in tensors if x is not None]
    sizes = [n for x in given for n in x.shape]
    plain = all(x.dtype == tf.float32 for x in given) and 0 not in sizes
    return plain and not control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def _standard(op: Any, network: Callable[..., list[Tensor]]) -> Callable[..., Any]:
    def kernel(*args: Any) -> Any:
        (inputs, *rest), (go_backwards, return_sequences) = args[:-2], args[-2:]
        if not _covered((inputs, *rest)):
            return op.fn(*args)
        x = tf.transpose(inputs, (1, 0, 2))
        states = network(tf.reverse(x, [0]) if go_backwards else x, *rest)
        ends = [s[-1] for s in states]
        return ends[0], tf.transpose(states[0], (1, 0, 2)) if return_sequences else ends[0][:, None], ends

    return kernel


# --- masks
def _masked(op: Any, network: Callable[..., list[Tensor]]) -> Callable[..., Any]:
    """A kernel for sequences that are padded at their end; any other mask runs the op's body."""

    def kernel(*args: Any) -> Any:
        *tensors, mask, go_backwards, return_sequences, zeros = args
        mask = tf.cast(mask, tf.bool)
        mask = tf.squeeze(mask, -1) if mask.shape.rank == 3 else mask
        if not _covered(tensors) or mask.shape.rank != 2:
            return op.fn(*args)

        def fused() -> Any:
            return _padded(network, tensors, mask, go_backwards, return_sequences, zeros)

        counted = tf.sequence_mask(tf.reduce_sum(tf.cast(mask, tf.int32), 1), tf.shape(mask)[1])
        found = tf.cond(tf.reduce_all(tf.equal(mask, counted)), fused, lambda: op.fn(*args))
        return tf.nest.map_structure(_shaped(tensors[0]), found)

    return kernel


def _shaped(inputs: Tensor) -> Callable[[Tensor], Tensor]:
    """Gives back the size of the batch, which a branch of a graph may forget."""
    return lambda x: tf.ensure_shape(x, [inputs.shape[0], *x.shape[1:]])


def _padded(
    network: Callable[..., list[Tensor]],
    tensors: list[Any],
    mask: Tensor,
    go_backwards: bool,
    return_sequences: bool,
    zeros: bool,
) -> Any:
    """The network over sequences whose steps count up to a length: what comes behind it is computed and left out."""
    inputs, *rest = tensors
    lengths = tf.reduce_sum(tf.cast(mask, tf.int32), 1)
    if go_backwards:
        inputs = tf.reverse_sequence(inputs, lengths, 1)
    states = network(tf.transpose(inputs, (1, 0, 2)), *rest)
    some = (lengths > 0)[:, None]
    places = tf.stack([tf.maximum(lengths - 1, 0), tf.range(tf.shape(mask)[0])], -1)
    ends = [tf.gather_nd(s, places) for s in states]
    last = tf.where(some, ends[0], 0.0)
    ends = [tf.where(some, end, 0.0 if first is None else first) for first, end in zip(rest, ends, strict=False)]
    if zeros and not go_backwards:
        last = tf.where(mask[:, -1:], last, 0.0)
    if not return_sequences:
        return last, last[:, None], ends
    outputs = tf.transpose(states[0], (1, 0, 2))
    if go_backwards:  # the masked steps came first, and gave zeros
        outputs, mask = tf.reverse(tf.reverse_sequence(outputs, lengths, 1), [1]), tf.reverse(mask, [1])
    beside = 0.0 if zeros or go_backwards else last[:, None]  # else a masked step repeats the output before it
    return last, tf.where(mask[..., None], outputs, beside), ends


KERNELS: dict[str, Any] = {
    "standard_lstm": _standard(ops_rnn.standard_lstm, _lstm),
    "standard_gru": _standard(ops_rnn.standard_gru, _gru),
    "masked_lstm": _masked(ops_rnn.masked_lstm, _lstm),
    "masked_gru": _masked(ops_rnn.masked_gru, _gru),
}
