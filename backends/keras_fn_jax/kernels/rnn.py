"""Recurrent networks as loops over time with a gradient of their own (docs/decisions/0011).

XLA differentiates a scan by keeping every intermediate of every step, and by accumulating the gradient of the weights
step by step. Here the loops forward keep what the loops backward need and no more, in place of what they have read;
the weights' gradients are one matrix product over all steps afterwards. What a step reads was sliced by the step
before: a slice at a moving place inside of a fused loop keeps XLA's CPU compiler from using vector instructions there.

A function with a gradient of its own has no forward mode (`jax.jvp`); the loop has (`use_fused=False`).

Inside, time is the first axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Tensor = Any

# rows in a batch from which a product of the inputs in each step is as fast as one for all steps before
_ROWS_A_STEP = 4


# --- loops over time
def _over_time(
    step: Callable[..., Any], carry: Any, buffers: list[Tensor], streams: list[Tensor], reverse: bool = False
) -> Any:
    """Steps that read rows of `buffers` and `streams`, and write rows of `buffers` in place of what they read.

    Args:
        step: `step(carry, *rows of the buffers, *rows of the streams) -> (carry, new rows of the buffers)`.
        carry: what goes from step to step.
        buffers: time first.
        streams: time first; only read.
        reverse: from the last step to the first.

    Returns:
        The last carry, and the buffers.
    """
    steps = buffers[0].shape[0]
    if not steps:
        return carry, buffers

    def place(i: Any) -> Any:
        return steps - 1 - i if reverse else i

    def body(i: Any, state: Any) -> Any:
        carry, buffers, rows = state
        carry, written = step(carry, *rows)
        here, following = place(i), place(jnp.minimum(i + 1, steps - 1))
        buffers = [lax.dynamic_update_index_in_dim(b, w, here, 0) for b, w in zip(buffers, written, strict=True)]
        return carry, buffers, [lax.dynamic_index_in_dim(a, following, 0, False) for a in (*buffers, *streams)]

    rows = [a[place(0)] for a in (*buffers, *streams)]
    return lax.fori_loop(0, steps, body, (carry, buffers, rows))[:2]


def _inputs_of_steps(x: Tensor, kernel: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """What a loop that keeps nothing reads, and the inputs' share of the gates' sums from a row of it."""
    if x.shape[1] >= _ROWS_A_STEP:
        return x, lambda row: row @ kernel
    return x @ kernel, lambda row: row


def _like_states(x: Tensor, h0: Tensor) -> Tensor:
    """Room for a state of each step."""
    return jnp.zeros((x.shape[0], *h0.shape), h0.dtype)


def _last(outputs: Tensor, first: Tensor) -> Tensor:
    """The state after the last step; the first one where there is no step."""
    return outputs[-1] if outputs.shape[0] else first


def _before(first: Tensor, outputs: Tensor) -> Tensor:
    """The state before each step."""
    return jnp.concatenate([first[None], outputs[:-1]])


def _over_steps(states: Tensor, sums: Tensor) -> Tensor:
    """The gradient of weights: what they were multiplied with in each step times the gradients of its sums."""
    return jnp.tensordot(states, sums, ((0, 1), (0, 1)))


# --- LSTM
def _lstm_cell(sums: Tensor, c: Tensor) -> Any:
    """The new states, and the gates side by side."""
    i, f, g, o = jnp.split(sums, 4, -1)
    i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
    c = f * c + i * g
    return o * jnp.tanh(c), c, jnp.concatenate([i, f, g, o], -1)


@jax.custom_vjp
def _lstm(x: Tensor, h0: Tensor, c0: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    x, projected = _inputs_of_steps(x, kernel)

    def step(state: Any, row: Tensor) -> Any:
        h, c = state
        h, c, _ = _lstm_cell(projected(row) + h @ recurrent + bias, c)
        return (h, c), h

    (_, c), hs = lax.scan(step, (h0, c0), x)
    return hs, c


def _lstm_forward(x: Tensor, h0: Tensor, c0: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Any:
    def step(state: Any, projected: Tensor, *_: Tensor) -> Any:
        h, c = state
        h, c, gates = _lstm_cell(projected + h @ recurrent + bias, c)
        return (h, c), (gates, h, c)

    room = _like_states(x, h0)
    (_, c), (gates, hs, cs) = _over_time(step, (h0, c0), [x @ kernel, room, room], [])
    return (hs, c), (x, hs, cs, gates, h0, c0, kernel, recurrent)


def _lstm_backward(kept: Any, grads: Any) -> Any:
    x, hs, cs, gates, h0, c0, kernel, recurrent = kept
    dhs, dc_last = grads
    transposed = recurrent.T

    def step(state: Any, gates: Tensor, dh_out: Tensor, c_before: Tensor) -> Any:
        dh, dc, c = state
        i, f, g, o = jnp.split(gates, 4, -1)
        dh = dh + dh_out
        t = jnp.tanh(c)
        dc = dc + dh * o * (1 - t * t)
        sums = jnp.concatenate(
            [dc * g * i * (1 - i), dc * c_before * f * (1 - f), dc * i * (1 - g * g), dh * t * o * (1 - o)], -1
        )
        return (sums @ transposed, dc * f, c_before), (sums,)

    state = (jnp.zeros_like(h0), dc_last, _last(cs, c0))
    (dh0, dc0, _), (sums,) = _over_time(step, state, [gates], [dhs, _before(c0, cs)], reverse=True)
    weights = _over_steps(x, sums), _over_steps(_before(h0, hs), sums), sums.sum((0, 1))
    return sums @ kernel.T, dh0, dc0, *weights


_lstm.defvjp(_lstm_forward, _lstm_backward)


def lstm(
    inputs: Tensor, h0: Any, c0: Any, kernel: Tensor, recurrent: Tensor, bias: Any, go_backwards: bool,
    return_sequences: bool,
) -> Any:  # fmt: skip
    x, h = _time_first(inputs, go_backwards), _state(h0, inputs, recurrent)
    hs, c = _lstm(x, h, _state(c0, inputs, recurrent), kernel, recurrent, _bias(bias, kernel))
    return _results(hs, [_last(hs, h), c], return_sequences)


# --- GRU
def _gru_cell(projected: Tensor, of_state: Tensor, h: Tensor) -> Any:
    """The new state, the gates side by side, and the state's share of the candidate."""
    xz, xr, xn = jnp.split(projected, 3, -1)
    hz, hr, hn = jnp.split(of_state, 3, -1)
    z, r = jax.nn.sigmoid(xz + hz), jax.nn.sigmoid(xr + hr)
    n = jnp.tanh(xn + r * hn)
    return n + z * (h - n), jnp.concatenate([z, r, n], -1), hn


@jax.custom_vjp
def _gru(x: Tensor, h0: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor, state_bias: Tensor) -> Tensor:
    x, projected = _inputs_of_steps(x, kernel)

    def step(h: Tensor, row: Tensor) -> Any:
        h, _, _ = _gru_cell(projected(row) + bias, h @ recurrent + state_bias, h)
        return h, h

    return lax.scan(step, h0, x)[1]


def _gru_forward(x: Tensor, h0: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor, state_bias: Tensor) -> Any:
    def step(h: Tensor, projected: Tensor, *_: Tensor) -> Any:
        h, gates, hn = _gru_cell(projected + bias, h @ recurrent + state_bias, h)
        return h, (gates, h, hn)

    room = _like_states(x, h0)
    _, (gates, hs, hns) = _over_time(step, h0, [x @ kernel, room, room], [])
    return hs, (x, hs, gates, hns, h0, kernel, recurrent)


def _gru_backward(kept: Any, dhs: Tensor) -> Any:
    x, hs, gates, hns, h0, kernel, recurrent = kept
    transposed = recurrent.T

    def step(dh: Tensor, gates: Tensor, hn: Tensor, dh_out: Tensor, before: Tensor) -> Any:
        z, r, n = jnp.split(gates, 3, -1)
        dh = dh + dh_out
        dz = dh * (before - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n * n)
        dr = dn * hn * r * (1 - r)
        dhn = dn * r
        back = jnp.concatenate([dz, dr, dhn], -1) @ transposed
        return dh * z + back, (jnp.concatenate([dz, dr, dn], -1), dhn)

    states = _before(h0, hs)
    dh0, (sums, dhns) = _over_time(step, jnp.zeros_like(h0), [gates, hns], [dhs, states], reverse=True)
    of_state = jnp.concatenate([sums[..., : -h0.shape[-1]], dhns], -1)
    weights = _over_steps(x, sums), _over_steps(states, of_state), sums.sum((0, 1)), of_state.sum((0, 1))
    return sums @ kernel.T, dh0, *weights


_gru.defvjp(_gru_forward, _gru_backward)


def gru(
    inputs: Tensor, h0: Any, kernel: Tensor, recurrent: Tensor, bias: Any, go_backwards: bool, return_sequences: bool
) -> Any:
    own, of_state = (None, None) if bias is None else (bias[0], bias[1])
    x, h = _time_first(inputs, go_backwards), _state(h0, inputs, recurrent)
    hs = _gru(x, h, kernel, recurrent, _bias(own, kernel), _bias(of_state, kernel))
    return _results(hs, [_last(hs, h)], return_sequences)


# --- simple RNN
@jax.custom_vjp
def _simple(x: Tensor, h0: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    x, projected = _inputs_of_steps(x, kernel)

    def step(h: Tensor, row: Tensor) -> Any:
        h = jnp.tanh(projected(row) + h @ recurrent + bias)
        return h, h

    return lax.scan(step, h0, x)[1]


def _simple_forward(x: Tensor, h0: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor) -> Any:
    def step(h: Tensor, projected: Tensor) -> Any:
        h = jnp.tanh(projected + h @ recurrent + bias)
        return h, (h,)

    _, (hs,) = _over_time(step, h0, [x @ kernel], [])
    return hs, (x, hs, h0, kernel, recurrent)


def _simple_backward(kept: Any, dhs: Tensor) -> Any:
    x, hs, h0, kernel, recurrent = kept
    transposed = recurrent.T

    def step(dh: Tensor, dh_out: Tensor, h: Tensor) -> Any:
        sums = (dh + dh_out) * (1 - h * h)
        return sums @ transposed, (sums,)

    dh0, (sums,) = _over_time(step, jnp.zeros_like(h0), [dhs], [hs], reverse=True)
    weights = _over_steps(x, sums), _over_steps(_before(h0, hs), sums), sums.sum((0, 1))
    return sums @ kernel.T, dh0, *weights


_simple.defvjp(_simple_forward, _simple_backward)


def simple_rnn(
    inputs: Tensor, h0: Any, kernel: Tensor, recurrent: Tensor, bias: Any, go_backwards: bool, return_sequences: bool
) -> Any:
    x, h = _time_first(inputs, go_backwards), _state(h0, inputs, recurrent)
    hs = _simple(x, h, kernel, recurrent, _bias(bias, kernel))
    return _results(hs, [_last(hs, h)], return_sequences)


# --- arguments and results
def _time_first(inputs: Tensor, go_backwards: bool) -> Tensor:
    x = jnp.swapaxes(inputs, 0, 1)
    return x[::-1] if go_backwards else x


def _state(state: Any, inputs: Tensor, recurrent: Tensor) -> Tensor:
    return jnp.zeros((inputs.shape[0], recurrent.shape[0]), inputs.dtype) if state is None else state


def _bias(bias: Any, kernel: Tensor) -> Tensor:
    return jnp.zeros(kernel.shape[-1:], kernel.dtype) if bias is None else bias


def _results(outputs: Tensor, states: list[Tensor], return_sequences: bool) -> tuple[Tensor, Tensor, list[Tensor]]:
    last = states[0]
    return last, (jnp.swapaxes(outputs, 0, 1) if return_sequences else last[:, None]), states


KERNELS: dict[str, Any] = {"standard_lstm": lstm, "standard_gru": gru, "standard_simple_rnn": simple_rnn}
