"""The generic loop of recurrent networks over time, with Keras's rules for masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optree

from keras_fn.core.errors import ShapeError
from keras_fn.core.variable import StatelessScope
from keras_fn.ops import elementwise as e
from keras_fn.ops.control import scan
from keras_fn.ops.shape import expand_dims, flip, get_item, ndim, reshape, squeeze, stack, swapaxes, unstack, zeros_like


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
    carries_output = mask is not None or (output_like is not None and not return_all_outputs)
    before: Any = ()
    if carries_output:
        like = output_like if output_like is not None else _one_output(call, steps, initial_states)
        before = optree.tree_map(zeros_like, like)
    keep_all = return_all_outputs or not carries_output
    step = _step(call, mask is not None, zero_output_for_mask, carries_output, keep_all)
    loop = _unrolled if unroll else scan
    (states, last), outputs = loop(step, (initial_states, before), steps)
    if not carries_output:
        last = optree.tree_map(lambda y: get_item(y, -1), outputs)
    if return_all_outputs:
        return last, optree.tree_map(lambda y: y if time_major else swapaxes(y, 0, 1), outputs), states
    return last, optree.tree_map(lambda y: expand_dims(y, 0 if time_major else 1), last), states


def _time_first(x: Any, go_backwards: bool, time_major: bool) -> Any:
    if ndim(x) < 2:
        raise ShapeError(f"A recurrent network needs inputs of the shape (batch, time, ...), not {tuple(x.shape)}.")
    x = x if time_major else swapaxes(x, 0, 1)
    return flip(x, 0) if go_backwards else x


def _bare_mask(mask: Any) -> Any:
    mask = e.cast(mask, "bool")
    if ndim(mask) == 3:
        mask = squeeze(mask, -1)
    if ndim(mask) != 2:
        raise ShapeError(f"A mask must have the shape (batch, time), or a third axis of 1, not {tuple(mask.shape)}.")
    return mask


def _one_output(call: Any, masked_steps: Any, states: Any) -> Any:
    """The output of a first step, for its shapes; what it writes is dropped."""
    first = optree.tree_map(lambda x: get_item(x, 0), masked_steps[0])
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
            before = optree.tree_map(zeros_like, before)
        output, states = _where(counts, output, before), _where(counts, new, states)
        return (states, output), (output if keep_all else None)

    return with_mask if masked else plain


def _where(counts: Any, new: Any, old: Any) -> Any:
    """Row by row the new tensors where a step counts, the old ones elsewhere."""

    def choose(a: Any, b: Any) -> Any:
        rank = ndim(a)
        return e.where(reshape(counts, (-1, *(1,) * (rank - 1))) if rank > 1 else counts, a, b)

    return optree.tree_map(choose, new, old)


def _unrolled(step: Any, carry: Any, steps: Any) -> tuple[Any, Any]:
    """`scan` as a plain loop."""
    leaves, tree = optree.tree_flatten(steps)
    n = leaves[0].shape[0]
    if n is None:
        raise ShapeError("`unroll=True` needs a known number of time steps: give it in the shape of the input.")
    slices = [unstack(x) if n else [] for x in leaves]
    rows = []
    for row in zip(*slices, strict=True):
        carry, output = step(carry, optree.tree_unflatten(tree, row))
        rows.append(output)
    if not rows:
        raise ShapeError("A recurrent network needs one time step at least, and the inputs have none.")
    return carry, optree.tree_map(lambda *ys: stack(list(ys)), *rows)
