"""`LSTMCell`: one time step of an LSTM."""

from __future__ import annotations

from typing import Any

from keras_fn import activations, ops
from keras_fn.layers.rnn.cell import RecurrentCell
from keras_fn.layers.rnn.forget_bias import with_open_forget_gate
from keras_fn.ops.rnn import lstm_gates


class LSTMCell(RecurrentCell):
    """One time step of an LSTM.

    With i, f, g, o the four parts of `inputs @ kernel + h @ recurrent_kernel + bias`, the new states are
    `c = sigmoid(f) * c + sigmoid(i) * tanh(g)` and `h = sigmoid(o) * tanh(c)`; h is the output.
    `(batch, features)` and states `[h, c]`, each `(batch, units)`, become the output `(batch, units)` and `[h, c]`.
    Source: Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735

    Args:
        units: width of the states, a positive int.
        activation: function in the place of tanh, or its name; None for none.
        recurrent_activation: function in the place of sigmoid, or its name; None for none.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: how the weights begin.
        unit_forget_bias: whether the bias of the forget gate begins with ones.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, recurrent_constraint, bias_constraint: projections applied after each update.
        dropout: fraction of the input's elements that are dropped in training.
        recurrent_dropout: fraction of the elements of h that are dropped in training.
        seed: int for the dropout; None for one drawn at random.

    Example:
        >>> import keras_fn
        >>> cell = keras_fn.layers.LSTMCell(3)
        >>> output, (h, c) = cell(keras_fn.ops.ones((2, 5)), cell.get_initial_state(batch_size=2))
        >>> [w.shape for w in cell.weights]
        [(5, 12), (3, 12), (12,)]
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
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
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [units, units]

    def _first_bias(self) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer
        return with_open_forget_gate(self.bias_initializer, self.units)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """`(output, [h, c])` after one step."""
        h, c = states
        masks = self.masks(inputs, h, training)
        x = self._project(inputs, self.kernel, self.bias, masks.inputs)
        z = ops.add(x, self._project(h, self.recurrent_kernel, None, masks.state))
        h, c = lstm_gates(z, c, self.activation, self.recurrent_activation)
        return h, [h, c]
