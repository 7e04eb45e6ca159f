"""Recurrent networks as scans with a gradient of their own.

XLA differentiates a scan by accumulating the gradient of the recurrent weights step by step, in the carry. Here the
backward scan only gives the gradients of the gates' sums; the weights' gradient is then one matrix product over all
steps. On a CPU that takes about 0.7 of the time (docs/decisions/0004). A function with a gradient of its own has no
forward mode (`jax.jvp`); the loop has (`use_fused=False`).

Inside, time is the first axis.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Tensor = Any


def _project(inputs: Tensor, kernel: Tensor, bias: Any, go_backwards: bool) -> Tensor:
    """The inputs' share of the gates' sums, for all steps at once: `(time, batch, gates * units)`."""
    x = jnp.swapaxes(inputs, 0, 1)
    z = (x[::-1] if go_backwards else x) @ kernel
    return z if bias is None else z + bias


def _state(state: Any, inputs: Tensor, recurrent: Tensor) -> Tensor:
    return jnp.zeros((inputs.shape[0], recurrent.shape[0]), inputs.dtype) if state is None else state


def _results(outputs: Tensor, states: list[Tensor], return_sequences: bool) -> tuple[Tensor, Tensor, list[Tensor]]:
    last = states[0]
    return last, (jnp.swapaxes(outputs, 0, 1) if return_sequences else last[:, None]), states


def _last(outputs: Tensor, first: Tensor) -> Tensor:
    """The state after the last step; the first one where there is no step."""
    return outputs[-1] if outputs.shape[0] else first


def _over_steps(states: Tensor, sums: Tensor) -> Tensor:
    """The gradient of the recurrent weights: the states before each step times the gradients of its sums."""
    return jnp.tensordot(states, sums, ((0, 1), (0, 1)))


def _before(first: Tensor, outputs: Tensor) -> Tensor:
    """The state before each step."""
    return jnp.concatenate([first[None], outputs[:-1]])


# --- LSTM
@jax.custom_vjp
def _lstm(x: Tensor, h0: Tensor, c0: Tensor, recurrent: Tensor) -> tuple[Tensor, Tensor]:
    return _lstm_forward(x, h0, c0, recurrent)[0]


def _lstm_forward(x: Tensor, h0: Tensor, c0: Tensor, recurrent: Tensor) -> Any:
    def step(carry: Any, x: Tensor) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(x + h @ recurrent, 4, -1)
        i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
        c = f * c + i * g
        h = o * jnp.tanh(c)
        return (h, c), (h, c, jnp.concatenate([i, f, g, o], -1))

    (_, c), (hs, cs, gates) = lax.scan(step, (h0, c0), x)
    return (hs, c), (hs, cs, gates, h0, c0, recurrent)


def _lstm_backward(kept: Any, grads: Any) -> Any:
    hs, cs, gates, h0, c0, recurrent = kept
    dhs, dc_last = grads
    transposed = recurrent.T

    def step(carry: Any, at: Any) -> Any:
        dh, dc = carry
        dh_out, gates, c, c_before = at
        i, f, g, o = jnp.split(gates, 4, -1)
        dh = dh + dh_out
        t = jnp.tanh(c)
        dc = dc + dh * o * (1 - t * t)
        dz = jnp.concatenate(
            [dc * g * i * (1 - i), dc * c_before * f * (1 - f), dc * i * (1 - g * g), dh * t * o * (1 - o)], -1
        )
        return (dz @ transposed, dc * f), dz

    at = (dhs, gates, cs, _before(c0, cs))
    (dh0, dc0), dz = lax.scan(step, (jnp.zeros_like(h0), dc_last), at, reverse=True)
    return dz, dh0, dc0, _over_steps(_before(h0, hs), dz)


_lstm.defvjp(_lstm_forward, _lstm_backward)


def lstm(
    inputs: Tensor, h0: Any, c0: Any, kernel: Tensor, recurrent: Tensor, bias: Any, go_backwards: bool,
    return_sequences: bool,
) -> Any:  # fmt: skip
    x = _project(inputs, kernel, bias, go_backwards)
    h = _state(h0, inputs, recurrent)
    hs, c = _lstm(x, h, _state(c0, inputs, recurrent), recurrent)
    return _results(hs, [_last(hs, h), c], return_sequences)


# --- GRU
@jax.custom_vjp
def _gru(x: Tensor, h0: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    return _gru_forward(x, h0, recurrent, bias)[0]


def _gru_forward(x: Tensor, h0: Tensor, recurrent: Tensor, bias: Tensor) -> Any:
    def step(h: Tensor, x: Tensor) -> Any:
        xz, xr, xn = jnp.split(x, 3, -1)
        hz, hr, hn = jnp.split(h @ recurrent + bias, 3, -1)
        z, r = jax.nn.sigmoid(xz + hz), jax.nn.sigmoid(xr + hr)
        n = jnp.tanh(xn + r * hn)
        h = n + z * (h - n)
        return h, (h, jnp.concatenate([z, r, n, hn], -1))

    _, (hs, gates) = lax.scan(step, h0, x)
    return hs, (hs, gates, h0, recurrent)


def _gru_backward(kept: Any, dhs: Tensor) -> Any:
    hs, gates, h0, recurrent = kept
    transposed = recurrent.T

    def step(dh: Tensor, at: Any) -> Any:
        dh_out, gates, before = at
        z, r, n, hn = jnp.split(gates, 4, -1)
        dh = dh + dh_out
        dz = dh * (before - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n * n)
        dr = dn * hn * r * (1 - r)
        sums = jnp.concatenate([dz, dr, dn * r], -1)
        return dh * z + sums @ transposed, (sums, dn)

    states = _before(h0, hs)
    dh0, (sums, dn) = lax.scan(step, jnp.zeros_like(h0), (dhs, gates, states), reverse=True)
    dx = jnp.concatenate([sums[..., : 2 * h0.shape[-1]], dn], -1)
    return dx, dh0, _over_steps(states, sums), sums.sum((0, 1))


_gru.defvjp(_gru_forward, _gru_backward)


def gru(
    inputs: Tensor, h0: Any, kernel: Tensor, recurrent: Tensor, bias: Any, go_backwards: bool, return_sequences: bool
) -> Any:
    own, of_state = (None, jnp.zeros(recurrent.shape[-1:], inputs.dtype)) if bias is None else (bias[0], bias[1])
    x = _project(inputs, kernel, own, go_backwards)
    h = _state(h0, inputs, recurrent)
    hs = _gru(x, h, recurrent, of_state)
    return _results(hs, [_last(hs, h)], return_sequences)


# --- simple RNN
@jax.custom_vjp
def _simple(x: Tensor, h0: Tensor, recurrent: Tensor) -> Tensor:
    return _simple_forward(x, h0, recurrent)[0]


def _simple_forward(x: Tensor, h0: Tensor, recurrent: Tensor) -> Any:
    def step(h: Tensor, x: Tensor) -> Any:
        h = jnp.tanh(x + h @ recurrent)
        return h, h

    _, hs = lax.scan(step, h0, x)
    return hs, (hs, h0, recurrent)


def _simple_backward(kept: Any, dhs: Tensor) -> Any:
    hs, h0, recurrent = kept
    transposed = recurrent.T

    def step(dh: Tensor, at: Any) -> Any:
        dh_out, h = at
        dz = (dh + dh_out) * (1 - h * h)
        return dz @ transposed, dz

    dh0, dz = lax.scan(step, jnp.zeros_like(h0), (dhs, hs), reverse=True)
    return dz, dh0, _over_steps(_before(h0, hs), dz)


_simple.defvjp(_simple_forward, _simple_backward)


def simple_rnn(
    inputs: Tensor, h0: Any, kernel: Tensor, recurrent: Tensor, bias: Any, go_backwards: bool, return_sequences: bool
) -> Any:
    x = _project(inputs, kernel, bias, go_backwards)
    h = _state(h0, inputs, recurrent)
    hs = _simple(x, h, recurrent)
    return _results(hs, [_last(hs, h)], return_sequences)


KERNELS: dict[str, Any] = {"standard_lstm": lstm, "standard_gru": gru, "standard_simple_rnn": simple_rnn}
