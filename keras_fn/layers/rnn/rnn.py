"""`RNN`: runs a cell over the time steps of its input."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from keras_fn import ops
from keras_fn.core import trees
from keras_fn.core.backend import active
from keras_fn.core.errors import ArgumentError, ArgumentTypeError, NotBuiltError, ShapeError
from keras_fn.core.spec import Spec
from keras_fn.layers.base import Layer
from keras_fn.layers.rnn.carried import CarriedStates
from keras_fn.layers.rnn.inner import build_inner, build_lazy_parts
from keras_fn.layers.rnn.stacked import StackedRNNCells
from keras_fn.ops.rnn import RecurrentPath, rnn


class RNN(Layer):
    """Runs a cell over the time steps of its input: `output, states = cell(x[:, t], states)` for each t.

    `(batch, time, …)` becomes `(batch, …)`, the last output, or `(batch, time, …)` with `return_sequences`. With
    `return_state` a tuple `(output, *states)` is returned.

    A masked step (mask False) leaves the states as they were and repeats the output before it. The mask is passed on
    with `return_sequences`.

    Args:
        cell: a cell, or a list of cells, each of which feeds the next. A cell is a layer with

            - `call(inputs, states)`, which returns `(output, states)` of one time step;
            - `state_size`: an int, or a list of ints or shapes, one for each state;
            - `output_size` (optional), and `get_initial_state(batch_size)` (optional, zeros where there is none).
        return_sequences: return the outputs of all steps.
        return_state: return the last states too.
        go_backwards: from the last step to the first; outputs come in the order in which they were made.
        stateful: start where the call before ended; the batch size must be known. `reset_state` starts anew.
        unroll: write the loop out; the number of steps must be known.
        zero_output_for_mask: the output of a masked step is zero.

    Call arguments:
        sequences: tensor `(batch, time, …)`.
        initial_state: tensor or list of tensors, the first states; zeros where None.
        mask: bools `(batch, time)`.
        training: whether dropout is at work.

    Raises:
        ArgumentTypeError: where the cell lacks `call` or `state_size`.
        ShapeError: where a stateful layer meets an unknown or other batch size.

    Example:
        >>> import keras_fn
        >>> from keras_fn import layers, ops
        >>> class Sum(layers.Layer):
        ...     state_size = 4
        ...     def call(self, inputs, states):
        ...         total = ops.add(states[0], inputs)
        ...         return total, [total]
        >>> y = layers.RNN(Sum())(ops.ones((2, 3, 4)))
        >>> ops.convert_to_numpy(y)[0].tolist()
        [3.0, 3.0, 3.0, 3.0]
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(list(cell), dtype=self.dtype_policy)
        for attribute in ("call", "state_size"):
            if not hasattr(cell, attribute):
                raise ArgumentTypeError(
                    f"A cell of an RNN must have `call(inputs, states)` and `state_size`, and {cell!r} has no "
                    f"`{attribute}`. Take a cell like LSTMCell, or give your class what it lacks."
                )
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.carried: CarriedStates | None = None

    @property
    def state_size(self) -> Any:
        """The sizes of the states: a list."""
        size = self.cell.state_size
        return size if isinstance(size, (list, tuple)) else [size]

    @property
    def single_state(self) -> bool:
        """Whether there is one state only."""
        return len(self.state_size) == 1

    # --- states
    @property
    def states(self) -> Any:
        """The variables that a stateful layer keeps its states in; None where there are none."""
        return None if self.carried is None else self.carried.tree

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """The states at the start, a list of tensors of `batch_size` rows."""
        make = getattr(self.cell, "get_initial_state", None)
        if make is not None:
            states = make(batch_size=batch_size)
        else:
            dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
            states = [ops.zeros((batch_size, *_dims(size)), dtype=dtype) for size in self.state_size]
        return list(states) if isinstance(states, (list, tuple)) else [states]

    def _first_states(self, sequences: Any) -> list[Any]:
        """The states at the start for these inputs, also where they are specs of an unknown batch size."""
        batch = ops.shape(sequences)[0]
        if batch is not None:
            return self.get_initial_state(batch)
        return trees.map(lambda s: Spec((None, *s.shape[1:]), s.dtype), self._states_of_one())

    def _states_of_one(self) -> Any:
        """Specs of the states of a batch of one sequence."""
        dtype_of = active.backend.dtype_of
        return trees.map(lambda s: Spec(tuple(s.shape), dtype_of(s)), self.get_initial_state(1))

    def _given_states(self, initial_state: Any) -> list[Any]:
        """States as the cell takes them, from one tensor, a list, or the states of all stacked cells in one list."""
        states = list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state]
        flat, wanted = trees.flatten(states), trees.flatten(self._kf_states)
        if len(flat) != len(wanted):
            raise ArgumentError(
                f"{type(self).__name__} {self.name!r} has {len(wanted)} states, and `initial_state` holds {len(flat)}."
            )
        for came, want in zip(flat, wanted, strict=True):
            sizes = tuple(came.shape)[1:]
            if len(sizes) != len(want.shape) - 1 or any(
                None not in (a, b) and isinstance(a, int) and a != b for a, b in zip(sizes, want.shape[1:], strict=True)
            ):
                raise ShapeError(
                    f"{type(self).__name__} {self.name!r} takes a state of the shape {(None, *want.shape[1:])}, and "
                    f"`initial_state` holds one of {tuple(came.shape)}."
                )
        return trees.unflatten(self._kf_states, flat)

    def reset_state(self) -> None:
        """Sets the states of a stateful layer back to the start."""
        if not self.stateful:
            raise ArgumentError(f"{self.name!r} keeps no states: make it with `stateful=True`.")
        if self.carried is None:
            raise NotBuiltError(f"{self.name!r} has no states before it is built. Call it first.")
        self.carried.write(self.get_initial_state(self.carried.variables[0].shape[0]))

    reset_states = reset_state

    # --- building and calling
    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Builds the cell for the shape of one time step, and makes the states of a stateful layer."""
        step_shape = (sequences_shape[0], *sequences_shape[2:])
        if isinstance(self.cell, Layer):
            build_inner(self, self.cell, step_shape)
        self._kf_states = self._states_of_one()
        if isinstance(self.cell, Layer):
            build_lazy_parts(self.cell, Spec((1, *step_shape[1:]), self.compute_dtype), self._kf_states)
        if self.stateful:
            if sequences_shape[0] is None:
                raise ShapeError(
                    f"{type(self).__name__} {self.name!r} is stateful and needs a known batch size, and its input has "
                    f"the shape {tuple(sequences_shape)}. Give it: `Input(batch_shape={(32, *sequences_shape[1:])})`."
                )
            with self._kf_named_scope():
                self.carried = CarriedStates(self.get_initial_state(sequences_shape[0]))
        self.built = True

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """The last output or all outputs, and the states where asked."""
        if isinstance(mask, (list, tuple)):
            mask = mask[0]  # the others would be those of the states
        if initial_state is not None:
            states = self._given_states(initial_state)
        elif self.carried is not None:
            self._check_batch(sequences)
            states = self.carried.read()
        else:
            states = self._first_states(sequences)
        last, outputs, states = self.inner_loop(sequences, states, mask, training)
        if self.carried is not None and not isinstance(last, Spec):
            self.carried.write(states)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def _check_batch(self, sequences: Any) -> None:
        kept, came = self.carried.variables[0].shape[0], sequences.shape[0]  # type: ignore[union-attr]
        if isinstance(came, int) and came != kept:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} is stateful and keeps the states of {kept} sequences, and a "
                f"batch of {came} came. Use batches of {kept}."
            )

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Runs the loop over time.

        Returns:
            `(last output, outputs, states)`.
        """

        def step(x: Any, states: Any) -> tuple[Any, Any]:
            if isinstance(self.cell, Layer):
                output, new = self.cell(x, states, training=training)
            else:
                output, new = self.cell.call(x, states)
            return output, new

        with self._held_masks(sequences, initial_state, training):
            return rnn(
                step,
                sequences,
                initial_state,
                go_backwards=self.go_backwards,
                mask=mask,
                unroll=self.unroll,
                zero_output_for_mask=self.zero_output_for_mask,
                return_all_outputs=self.return_sequences,
            )

    def _held_masks(self, sequences: Any, states: Any, training: bool | None) -> Any:
        """The dropout masks of the cell, drawn once for the whole sequence."""
        if not training or not getattr(self.cell, "drops", False):
            return nullcontext()
        return self.cell.hold_masks(ops.get_item(sequences, (slice(None), 0)), states)

    def recurrent_path(self, mask: Any = None, training: bool = False) -> RecurrentPath:
        """Which way a call goes, "fused" (the framework's own kernel) or "loop", and why.

        Args:
            mask: the mask of the call.
            training: whether the call trains.
        """
        return RecurrentPath("loop", "a cell is run step by step: fused kernels exist for LSTM, GRU and SimpleRNN only")

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        """The mask of the inputs with `return_sequences`, else None; None for each state."""
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        output = mask if self.return_sequences else None
        return [output, *(None for _ in trees.flatten(self._kf_states))] if self.return_state else output

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> RNN:
        """A layer from the result of `get_config`."""
        from keras_fn.saving.config import deserialize_keras_object

        return cls(**{**config, "cell": deserialize_keras_object(config["cell"], custom_objects=custom_objects)})


def _dims(size: Any) -> tuple[int, ...]:
    return tuple(size) if isinstance(size, (list, tuple)) else (size,)
