"""Recurrent networks by torch's own kernels: ATen on the CPU, cuDNN on the GPU. Weights come in Keras's layout.

Where steps are masked at the end of the sequences (padding), the same kernels run on packed sequences; for any other
mask the op's own body, a loop over time, runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from keras_fn.ops import rnn as ops_rnn

_VF = torch._VF
Weights = tuple[Callable[..., Any], Any, list[Any]]


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


def _run(network: Weights, inputs: Any, go_backwards: bool, return_sequences: bool) -> Any:
    """Calls one of torch's recurrent functions for one layer in one direction."""
    fn, state, weights = network
    x = inputs.flip(1) if go_backwards else inputs
    biased = len(weights) > 2
    outputs, *states = fn(x, state, weights, biased, 1, 0.0, torch.is_grad_enabled(), False, True)
    ends = [s.squeeze(0) for s in states]
    last = ends[0]  # not the last of the outputs: its gradient would be zeros for all steps before it
    return last, (outputs if return_sequences else last.unsqueeze(1)), ends


def _lstm(inputs: Any, h0: Any, c0: Any, kernel: Any, recurrent: Any, bias: Any) -> Weights:
    weights = [_rows(kernel), _rows(recurrent)]
    if bias is not None:
        weights += [bias, torch.zeros_like(bias)]
    return _VF.lstm, (_state(h0, inputs, recurrent), _state(c0, inputs, recurrent)), weights


def _gru(inputs: Any, h0: Any, kernel: Any, recurrent: Any, bias: Any) -> Weights:
    weights = [_rows(_reset_first(kernel)), _rows(_reset_first(recurrent))]
    if bias is not None:
        weights += list(_reset_first(bias).unbind(0))
    return _VF.gru, _state(h0, inputs, recurrent), weights


def _simple_rnn(inputs: Any, h0: Any, kernel: Any, recurrent: Any, bias: Any) -> Weights:
    weights = [_rows(kernel), _rows(recurrent)]
    if bias is not None:
        weights += [bias, torch.zeros_like(bias)]
    return _VF.rnn_tanh, _state(h0, inputs, recurrent), weights


def _standard(prepare: Callable[..., Weights]) -> Callable[..., Any]:
    def kernel(*args: Any) -> Any:
        *tensors, go_backwards, return_sequences = args
        return _run(prepare(*tensors), tensors[0], go_backwards, return_sequences)

    return kernel


# --- masks
def _masked(op: Any, prepare: Callable[..., Weights]) -> Callable[..., Any]:
    def kernel(*args: Any) -> Any:
        *tensors, mask, go_backwards, return_sequences, zeros = args
        lengths = None if torch.compiler.is_compiling() else _lengths(mask, tensors[0])
        if lengths is None:
            return op.fn(*args)
        return _run_packed(prepare(*tensors), tensors[0], lengths, go_backwards, return_sequences, zeros)

    return kernel


def _lengths(mask: Any, inputs: torch.Tensor) -> torch.Tensor | None:
    """How many steps count in each sequence, where these are its first ones; None where they are others."""
    mask = torch.as_tensor(mask, device=inputs.device).bool()
    mask = mask.squeeze(-1) if mask.ndim == 3 else mask
    if mask.shape != inputs.shape[:2] or not mask.numel():
        return None
    lengths = mask.sum(1)
    first = torch.arange(mask.shape[1], device=mask.device) < lengths[:, None]
    return lengths if torch.equal(mask, first) else None


def _run_packed(
    network: Weights,
    inputs: torch.Tensor,
    lengths: torch.Tensor,
    go_backwards: bool,
    return_sequences: bool,
    zeros: bool,
) -> Any:
    """The network over the first steps of each sequence, their number being `lengths`."""
    fn, state, weights = network
    steps, total = torch.arange(inputs.shape[1], device=inputs.device), inputs.shape[1]
    if go_backwards:
        inputs = _at(inputs, (lengths[:, None] - 1 - steps).clamp(min=0))
    packed = pack_padded_sequence(inputs, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
    states = state if isinstance(state, tuple) else (state,)
    chosen = tuple(s.index_select(1, packed.sorted_indices) for s in states)
    first = chosen if isinstance(state, tuple) else chosen[0]
    train = torch.is_grad_enabled()
    data, *last = fn(packed.data, packed.batch_sizes, first, weights, len(weights) > 2, 1, 0.0, train, False)
    whole = PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
    outputs, _ = pad_packed_sequence(whole, batch_first=True, total_length=total)
    some = (lengths > 0)[:, None]
    ends = [e.index_select(1, packed.unsorted_indices)[0] for e in last]
    last = [torch.where(some, end, state[0]) for end, state in zip(ends, states, strict=True)]
    if go_backwards:  # the masked steps came first, and gave zeros
        place = steps - (total - lengths[:, None])
        outputs = torch.where((place >= 0)[..., None], _at(outputs, place.clamp(min=0)), 0.0)
    elif zeros:
        outputs = torch.where((steps < lengths[:, None])[..., None], outputs, 0.0)
    else:  # a masked step repeats the output before it
        place = torch.minimum(steps, lengths[:, None] - 1).clamp(min=0)
        outputs = torch.where(some[..., None], _at(outputs, place), 0.0)
    end = outputs[:, -1]
    return end, (outputs if return_sequences else end.unsqueeze(1)), last


def _at(x: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """The steps of each sequence at given places: `(batch, time)` numbers."""
    return x.gather(1, place.unsqueeze(-1).expand(-1, -1, x.shape[-1]))


KERNELS: dict[str, Any] = {
    "standard_lstm": _standard(_lstm),
    "standard_gru": _standard(_gru),
    "standard_simple_rnn": _standard(_simple_rnn),
    "masked_lstm": _masked(ops_rnn.masked_lstm, _lstm),
    "masked_gru": _masked(ops_rnn.masked_gru, _gru),
    "masked_simple_rnn": _masked(ops_rnn.masked_simple_rnn, _simple_rnn),
}
