"""Recurrent networks by torch's own kernels: ATen on the CPU, cuDNN on the GPU. Weights come in Keras's layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

_VF = torch._VF


def _rows(w: torch.Tensor) -> torch.Tensor:
    """A weight as torch has it: gates in the rows."""
    return w.t().contiguous()


def _reset_first(w: torch.Tensor) -> torch.Tensor:
    """A GRU's gates in torch's order reset, update, candidate, from Keras's update, reset, candidate."""
    update, reset, candidate = w.chunk(3, -1)
    return torch.cat([reset, update, candidate], -1)


def _state(state: Any, inputs: torch.Tensor, recurrent: torch.Tensor) -> torch.Tensor:
    """A state with the axis of layers that torch wants in front; zeros where none is given."""
    if state is None:
        return inputs.new_zeros(1, inputs.shape[0], recurrent.shape[0])
    return state.unsqueeze(0).contiguous()


def _run(
    fn: Callable[..., Any], inputs: Any, state: Any, weights: list[Any], go_backwards: bool, return_sequences: bool
) -> Any:
    """Calls one of torch's recurrent functions for one layer in one direction."""
    x = inputs.flip(1) if go_backwards else inputs
    biased = len(weights) > 2
    outputs, *states = fn(x, state, weights, biased, 1, 0.0, torch.is_grad_enabled(), False, True)
    last = outputs[:, -1]
    return last, (outputs if return_sequences else last.unsqueeze(1)), [s.squeeze(0) for s in states]


def lstm(
    inputs: Any, h0: Any, c0: Any, kernel: Any, recurrent: Any, bias: Any, go_backwards: bool, return_sequences: bool
) -> Any:
    weights = [_rows(kernel), _rows(recurrent)]
    if bias is not None:
        weights += [bias, torch.zeros_like(bias)]
    state = (_state(h0, inputs, recurrent), _state(c0, inputs, recurrent))
    return _run(_VF.lstm, inputs, state, weights, go_backwards, return_sequences)


def gru(
    inputs: Any, h0: Any, kernel: Any, recurrent: Any, bias: Any, go_backwards: bool, return_sequences: bool
) -> Any:
    weights = [_rows(_reset_first(kernel)), _rows(_reset_first(recurrent))]
    if bias is not None:
        weights += list(_reset_first(bias).unbind(0))
    return _run(_VF.gru, inputs, _state(h0, inputs, recurrent), weights, go_backwards, return_sequences)


def simple_rnn(
    inputs: Any, h0: Any, kernel: Any, recurrent: Any, bias: Any, go_backwards: bool, return_sequences: bool
) -> Any:
    weights = [_rows(kernel), _rows(recurrent)]
    if bias is not None:
        weights += [bias, torch.zeros_like(bias)]
    return _run(_VF.rnn_tanh, inputs, _state(h0, inputs, recurrent), weights, go_backwards, return_sequences)


KERNELS: dict[str, Any] = {"standard_lstm": lstm, "standard_gru": gru, "standard_simple_rnn": simple_rnn}
