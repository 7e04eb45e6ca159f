"""`SimpleRNNCell`: one time step of a simple RNN."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.layers.rnn.cell import RecurrentCell


class SimpleRNNCell(RecurrentCell):
    """One time step of a simple RNN: `activation(inputs @ kernel + state @ recurrent_kernel + bias)`.

    `(batch, features)` and a state `(batch, units)` become the output, which is also the new state, `(batch, units)`.
    Source: Elman 1990, https://doi.org/10.1207/s15516709cog1402_1

    Args:
        units: width of the state, a positive int.
        activation: function, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout: fraction of the input's elements that are dropped in training.
        recurrent_dropout: fraction of the state's elements that are dropped in training.
        seed: int for the dropout; None for one drawn at random.

    Example:
        >>> import keras_fn
        >>> cell = keras_fn.layers.SimpleRNNCell(3)
        >>> output, states = cell(keras_fn.ops.ones((2, 5)), cell.get_initial_state(batch_size=2))
        >>> tuple(output.shape), len(states)
        ((2, 3), 1)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed, **kwargs,
        )  # fmt: skip

    def call(self, sequence: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """`(output, [state])` after one step."""
        h = states[0] if isinstance(states, (list, tuple)) else states
        masks = self.masks(sequence, h, training)
        x = self._project(sequence, self.kernel, self.bias, masks.inputs)
        h = self.activation(ops.add(x, self._project(h, self.recurrent_kernel, None, masks.state)))
        return h, [h]
